/*
 * pretended_datapath.c - see the header. Linked in place of datapath.c.
 */
#include "pretended_datapath.h"

#include <stdlib.h>
#include <string.h>

struct port {
    struct port_config config;
    struct queue_stats stats[4]; /* rx and tx of two pairs */
};

struct datapath {
    struct port *ports[PORTS_MAX];
    unsigned count;
};

struct pretended pretended;
static struct datapath *the_one;

struct datapath *pretended_datapath(void)
{
    pretended_datapath_free();
    memset(&pretended, 0, sizeof pretended);
    the_one = calloc(1, sizeof *the_one);
    return the_one;
}

void pretended_datapath_free(void)
{
    if (the_one)
        datapath_destroy(the_one);
    the_one = NULL;
}

struct datapath *datapath_create(struct event_loop *loop, const struct datapath_options *options,
                                 const struct datapath_listener *listener)
{
    (void)loop, (void)options, (void)listener;
    return pretended_datapath();
}

void datapath_destroy(struct datapath *datapath)
{
    for (unsigned i = 0; i < datapath->count; i++)
        free(datapath->ports[i]);
    free(datapath);
}

struct port *datapath_add_port(struct datapath *datapath, const struct port_config *config,
                               struct refusal *refusal)
{
    if (pretended.refuse) {
        refuse(refusal, pretended.refuse, "something");
        refusal_found(refusal, "something else");
        refusal_hint(refusal, "try again");
        pretended.refuse = NULL;
        return NULL;
    }
    struct port *port = aligned_alloc(64, sizeof *port);
    memset(port, 0, sizeof *port);
    port->config = *config;
    for (unsigned i = 0; i < 4; i++) {
        counter_add(&port->stats[i].frames, i + 1);
        counter_add(&port->stats[i].bytes, 100 * (i + 1));
        counter_add(&port->stats[i].kicks, 5);
        counter_add(&port->stats[i].calls, 6);
        counter_add(&port->stats[i].drops[DROP_MTU], 1);
    }
    datapath->ports[datapath->count++] = port;
    if (pretended.during_add)
        pretended.during_add();
    return port;
}

struct port *datapath_restore_port(struct datapath *datapath, const struct port_config *config,
                                   struct refusal *refusal)
{
    return datapath_add_port(datapath, config, refusal);
}

bool datapath_set_policy(struct datapath *datapath, struct port *port, const struct port_policy *policy,
                         struct refusal *refusal)
{
    (void)datapath;
    if (pretended.refuse) {
        refuse(refusal, pretended.refuse, "something");
        refusal_hint(refusal, "try again");
        pretended.refuse = NULL;
        return false;
    }
    port->config.policy = *policy;
    return true;
}

struct live_capture *datapath_capture_begin(struct datapath *datapath, struct port *port,
                                            const struct capture_options *options, struct refusal *refusal)
{
    (void)datapath, (void)port, (void)refusal;
    pretended.captured = *options;
    return (struct live_capture *)&pretended; /* for the answer's effect alone */
}

void datapath_remove_port(struct datapath *datapath, struct port *port)
{
    for (unsigned i = 0; i < datapath->count; i++) {
        if (datapath->ports[i] != port)
            continue;
        datapath->count--;
        memmove(&datapath->ports[i], &datapath->ports[i + 1], (datapath->count - i) * sizeof port);
    }
    free(port);
    pretended.removed++;
}

void datapath_undo_port(struct datapath *datapath, struct port *port)
{
    datapath_remove_port(datapath, port);
}

struct port *datapath_find_port(struct datapath *datapath, const char *name)
{
    for (unsigned i = 0; i < datapath->count; i++) {
        if (strcmp(datapath->ports[i]->config.name, name) == 0)
            return datapath->ports[i];
    }
    return NULL;
}

unsigned datapath_port_count(const struct datapath *datapath)
{
    return datapath->count;
}

struct port *datapath_port_at(struct datapath *datapath, unsigned index)
{
    return datapath->ports[index];
}

unsigned datapath_network_count(const struct datapath *datapath)
{
    return datapath->count > 0;
}

const struct port_config *port_config_of(const struct port *port)
{
    return &port->config;
}

void port_status(const struct port *port, struct port_status *status)
{
    *status = (struct port_status){
        .state = PORT_BROKEN, .connects = 3, .last_error = "went away: \xff", .offered = 0x130008000ull,
        .negotiated = 0x8000000100008000ull, .memory_regions = 2, .memory_bytes = 1ull << 33, .memory_node = 1,
        .memory_remote = 2, .memory_strays = 3,
        .ring_count = port->config.kind == PORT_TAP ? 0 : 2,
        .rings = { { 0, 256, true, true, NULL, -1 }, { 1, 128, true, false, "bad_index", 0 } },
    };
}

unsigned port_queue_count(const struct port *port)
{
    return port->config.queues < 2 ? 1 : 2;
}

const struct queue_stats *port_rx_stats(const struct port *port, unsigned pair)
{
    return &port->stats[2 * pair];
}

const struct queue_stats *port_tx_stats(const struct port *port, unsigned pair)
{
    return &port->stats[2 * pair + 1];
}

void datapath_visit_macs(struct datapath *datapath, const char *network, datapath_mac_visitor *visit, void *context)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0xab, 1 };
    for (unsigned i = 0; i < datapath->count; i++) {
        const struct port_config *config = &datapath->ports[i]->config;
        if (!network || strcmp(network, config->network) == 0)
            visit(context, config->network, mac, 10, config->name, 7);
    }
}

unsigned datapath_worker_count(const struct datapath *datapath)
{
    (void)datapath;
    return 1;
}

void datapath_worker_status(const struct datapath *datapath, unsigned index, struct worker_status *status)
{
    *status = (struct worker_status){ .id = index, .core = 2, .node = 1, .sources = datapath->count,
                                      .rounds = 9,
                                      .busy_ms = 8, .load = 250, .sleeps = 7, .sleeping = true };
}

void datapath_visit_queues(const struct datapath *datapath, unsigned worker, datapath_queue_visitor *visit,
                           void *context)
{
    (void)datapath;
    if (worker == 0)
        visit(context, "vm", 1, 240);
}
