/*
 * datapath_mirror.c - mirrors of ports: their files, and what is told of them. How frames get there is switch/mirror.c's.
 *
 * Control thread only.
 */
#include <stdio.h>
#include <string.h>

#include "capture/capture.h"
#include "datapath_parts.h"

bool capture_begin(struct datapath *datapath, const struct port_config *config, struct capture **capture,
                   struct refusal *refusal)
{
    unsigned others = 0;

    *capture = NULL;
    if (config->policy.mirror.kind != MIRROR_FILE)
        return true;
    for (unsigned i = 0; i < datapath->port_count; i++)
        others += datapath->ports[i]->capture != NULL && strcmp(datapath->ports[i]->config.name, config->name) != 0;
    if (others >= CAPTURES_MAX) {
        refuse(refusal, "mirror-failed", "at most %u mirrors to files at a time", CAPTURES_MAX);
        refusal_hint(refusal, "end one of the others first");
        return false;
    }
    if (datapath->captures == NULL) {
        refuse(refusal, "mirror-failed", "a switch with a folder for files of mirrors");
        refusal_hint(refusal, "start it with --captures FOLDER");
        return false;
    }
    *capture = capture_open(datapath->captures, &config->policy.mirror, config->name, refusal);
    return *capture != NULL;
}

void capture_finish(struct port *port, bool undone)
{
    if (undone)
        capture_undo(port->capture, port->datapath->captures);
    else
        capture_close(port->capture);
    port->capture = NULL;
}

void claimed_forget(struct datapath *datapath)
{
    for (unsigned i = 0; i < datapath->port_count; i++)
        if (mirror_claims(datapath->topology->mirrors, datapath->ports[i]->id))
            network_forget(datapath->ports[i]->network, datapath->ports[i]);
}

void datapath_mirror_status(const struct port *port, struct mirror_status *status)
{
    const struct port_mirror *mirror = &port->config.policy.mirror;
    struct capture_status capture;

    if (mirror->kind == MIRROR_PORT)
        status->state = datapath_find_port(port->datapath, mirror->to) != NULL ? MIRROR_IS_ON : MIRROR_IS_WAITING;
    else
        status->state = MIRROR_IS_OFF;
    if (port->capture == NULL)
        return;
    capture_status(port->capture, &capture);
    status->state = capture.state == CAPTURE_ON ? MIRROR_IS_ON : capture.state == CAPTURE_FULL ? MIRROR_IS_FULL : MIRROR_IS_FAILED;
    status->error = capture.error;
    snprintf(status->file, sizeof status->file, "%s", capture.file);
    status->frames = capture.frames;
    status->lost = capture.lost;
    status->bytes = capture.bytes;
}
