/*
 * classify.h - for each frame of a burst: may it pass, and where to?
 */
#ifndef VHOSTKIT_CLASSIFY_H
#define VHOSTKIT_CLASSIFY_H

#include <stdint.h>

#include "port/port.h"
#include "switch/frame.h"
#include "switch/vlan_set.h"

/* Not a port: every other port of the network. */
#define CLASS_FLOOD (-1)

/*
 * Sets frame->drop where a frame breaks a rule, learns the senders' addresses,
 * and writes to where[i] the id of the port that frame i goes to, or CLASS_FLOOD.
 * where[] of a dropped frame means nothing. Works on the private head only (R3). `vlans` are the
 * network's, NULL when it has none; else frame->vlan is set, and addresses are looked up in that VLAN.
 */
void classify_burst(const struct port *from, const struct port_policy *policy, struct vlan_set *vlans,
                    uint64_t features, struct frame *frames, unsigned count, int *where);

/* The same for a port that is wired to `to` (NULL: nobody is there): nothing is learnt or looked up. */
void classify_link(const struct port *from, const struct port_policy *policy, const struct port *to,
                   uint64_t features, struct frame *frames, unsigned count, int *where);

#endif
