/*
 * lab_frames.c - see the header. The first frame that does not come, or comes changed, is the last.
 */
#include "lab_frames.h"

#include "packet.h"

#define FRAME_BYTES 200u

unsigned lab_frames_pass(struct machine *from, struct machine *to, unsigned from_number, unsigned to_number)
{
    const struct net_header header = { 0 };
    uint8_t frame[FRAME_BYTES], to_mac[6], from_mac[6], landing[2048];
    struct net_header landed;
    unsigned passed;

    packet_mac(to_mac, to_number);
    packet_mac(from_mac, from_number);
    for (passed = 0; passed < LAB_FRAMES; passed++) {
        packet_plain(frame, sizeof frame, to_mac, from_mac, 0x88b5, passed);
        if (!machine_send(from, 0, &header, frame, sizeof frame))
            break;
        int length = machine_receive(to, 0, &landed, landing, sizeof landing, 5000);

        if (length != (int)sizeof frame || packet_number(landing, (uint32_t)length) != passed)
            break;
    }
    return passed;
}
