/*
 * datapath_policy.c - another policy for a port that stays: its guest keeps its session, its queues and its
 * counters, and loses nothing.
 *
 * Control thread only. Whoever may send to the port is held meanwhile; what they have for it waits in their rings.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "datapath_parts.h"
#include "log.h"

/* A wire is told from a network when its ports join it. */
static bool link_stays(const struct port *port, const struct port_policy *next, struct refusal *refusal)
{
    if (port->config.policy.link == next->link)
        return true;
    refuse(refusal, "link", "policy.link as it is, %s", port->config.policy.link ? "true" : "false");
    refusal_found(refusal, next->link ? "true" : "false");
    refusal_hint(refusal, "delete the port and add it again");
    return false;
}

static bool vlan_same(const struct port_vlan *a, const struct port_vlan *b)
{
    return a->mode == b->mode && a->untagged == b->untagged && memcmp(a->tagged, b->tagged, sizeof a->tagged) == 0;
}

static bool addresses_same(const struct port_policy *a, const struct port_policy *b)
{
    return a->mac_count == b->mac_count && a->ipv4_count == b->ipv4_count &&
           memcmp(a->macs, b->macs, a->mac_count * sizeof a->macs[0]) == 0 &&
           memcmp(a->ipv4, b->ipv4, a->ipv4_count * sizeof a->ipv4[0]) == 0;
}

static bool mirror_same(const struct port_mirror *a, const struct port_mirror *b)
{
    return a->kind == b->kind && a->direction == b->direction && a->snaplen == b->snaplen && a->limit == b->limit &&
           strcmp(a->to, b->to) == 0;
}

/* A mirror that stays goes on with its file; NULL in *capture when the next one has none. */
static bool next_capture(struct datapath *datapath, const struct port *port, const struct port_config *config,
                         struct capture **capture, struct refusal *refusal)
{
    *capture = port->capture;
    if (port->capture != NULL && mirror_same(&port->config.policy.mirror, &config->policy.mirror))
        return true;
    return capture_begin(datapath, config, capture, refusal);
}

/* What was used up of the old limits says nothing about the new ones. */
static void meters_reset(struct port *port)
{
    memset(&port->storm, 0, sizeof port->storm);
    memset(&port->rx_rate, 0, sizeof port->rx_rate);
    memset(&port->tx_rate, 0, sizeof port->tx_rate);
}

/* The port has the policy and the file, for workers and for us. False: no memory; it has what it had. */
static bool exchange(struct datapath *datapath, struct port *port, const struct port_policy *next, struct capture *capture)
{
    const struct port_policy *last = port->policy;
    struct capture *last_capture = port->capture;

    if (vlan_same(&last->vlan, &next->vlan))
        atomic_store(&port->policy, next);
    else if (!network_change_policy(port->network, port, next, datapath->ports, datapath->port_count))
        return false;
    port->config.policy = *next;
    port->capture = capture;
    if (topology_publish(datapath))
        return true; /* past a quiet point: nobody uses the last ones */
    if (vlan_same(&last->vlan, &next->vlan))
        atomic_store(&port->policy, last);
    else if (!network_change_policy(port->network, port, last, datapath->ports, datapath->port_count))
        log_error("port %s: no memory for the VLANs it had; its policy is the new one", port->config.name);
    port->config.policy = *port->policy;
    port->capture = last_capture;
    datapath_quiesce(datapath);
    return false;
}

bool datapath_set_policy(struct datapath *datapath, struct port *port, const struct port_policy *policy,
                         struct refusal *refusal)
{
    const struct port_policy *last = port->policy;
    struct capture *last_capture = port->capture, *capture;
    struct port_config config = port->config;
    struct port_policy *next;

    config.policy = *policy;
    if (!port_config_valid(&config, refusal) || !link_stays(port, policy, refusal) ||
        !mirror_fits(datapath->ports, datapath->port_count, &config, refusal) ||
        !next_capture(datapath, port, &config, &capture, refusal))
        return false;
    next = malloc(sizeof *next);
    if (next != NULL)
        *next = *policy;
    bool forget = !addresses_same(last, policy);

    datapath_hold_senders(port);
    bool done = next != NULL && exchange(datapath, port, next, capture);

    if (done) {
        meters_reset(port);
        if (forget)
            network_forget(port->network, port);
        claimed_forget(datapath);
    }
    datapath_release_senders(port);
    if (!done) {
        refuse(refusal, "limit", "memory for another policy");
        refusal_hint(refusal, "nothing was changed; ask again");
    }
    if (port->capture != capture)
        capture_undo(capture, datapath->captures);
    if (port->capture != last_capture)
        capture_close(last_capture);
    free(port->policy == next ? (void *)last : next);
    if (done) {
        log_info("port %s: has another policy", port->config.name);
        datapath_event(datapath, "port.changed", port, NULL, -1, -1);
    }
    return done;
}
