/*
 * port.c - what all kinds of ports have in common. Control thread only.
 */
#include "port/port.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switch/steering.h"
#include "worker/cycles.h"
#include "worker/numa.h"
#include "worker/worker.h"

static size_t counters_size(const struct port *port)
{
    return 2 * port->pairs * sizeof(struct queue_stats);
}

static const struct port_policy *policy_copy(const struct port_policy *policy)
{
    struct port_policy *copy = malloc(sizeof *copy);

    if (copy != NULL)
        *copy = *policy;
    return copy;
}

bool port_init(struct port *port, size_t size, const struct port_ops *ops, struct datapath *datapath,
               const struct port_config *config)
{
    port->config = *config;
    port->ops = ops;
    port->datapath = datapath;
    port->pairs = config->queues;
    port->node = port->home = port->told_node = port->told_worker_node = -1;
    port->rx = node_alloc(counters_size(port), -1);
    port->policy = policy_copy(&config->policy);
    if (port->pairs > 1)
        port->steering = steering_create();
    if (port->rx == NULL || port->policy == NULL || (port->pairs > 1 && port->steering == NULL)) {
        port_deinit(port);
        return false;
    }
    port->tx = port->rx + port->pairs;
    port_memory_set(port, PORT_MEMORY_SELF, port, size);
    port_memory_set(port, PORT_MEMORY_COUNTERS, port->rx, counters_size(port));
    port_memory_set(port, PORT_MEMORY_FLOWS, port->steering, sizeof *port->steering);
    return true;
}

void port_deinit(struct port *port)
{
    node_free(port->rx, counters_size(port));
    free((void *)port->policy);
    port->policy = NULL;
    steering_destroy(port->steering);
    port->steering = NULL;
    port->rx = NULL;
    port->tx = NULL;
}

/* Opens a new window when the last one is over; returns what that left out. */
static unsigned budget_renew(struct port_budget *budget)
{
    uint64_t now = monotonic_ns();
    unsigned left_out = budget->left_out;

    if (budget->window_ns != 0 && now - budget->window_ns < PORT_BUDGET_WINDOW_NS)
        return 0;
    *budget = (struct port_budget){ .window_ns = now };
    return left_out;
}

/* False: it is used up. */
static bool budget_take(struct port_budget *budget, unsigned limit)
{
    if (budget->used == limit) {
        budget->left_out++;
        return false;
    }
    budget->used++;
    return true;
}

bool port_log(struct port *port, enum log_level level, const char *format, ...)
{
    char text[256];
    va_list arguments;
    unsigned left_out = budget_renew(&port->lines);

    if (left_out > 0)
        log_warn("port %s: %u more lines were left out", port->config.name, left_out);
    if (!budget_take(&port->lines, PORT_LOG_LINES))
        return false;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line(level, "port %s: %s", port->config.name, text);
    return true;
}

void port_events_settle(struct port *port)
{
    unsigned left_out = budget_renew(&port->events);

    if (left_out > 0)
        datapath_event(port->datapath, "events.left_out", port, NULL, (int)left_out, -1);
}

void port_event(struct port *port, const char *type, const char *why, int a, int b)
{
    port_events_settle(port);
    if (budget_take(&port->events, PORT_EVENTS))
        datapath_event(port->datapath, type, port, why, a, b);
}

void port_failed(struct port *port, const char *format, ...)
{
    char sentence[sizeof port->last_error];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (strcmp(sentence, port->last_error) == 0)
        return; /* said already: a port that retries must not fill the log */
    memcpy(port->last_error, sentence, sizeof sentence);
    if (port_log(port, LOG_LEVEL_WARN, "%s", sentence))
        port_event(port, "port.error", sentence, -1, -1);
}

void port_wake(struct port *port)
{
    for (unsigned i = 0; i < port->pairs; i++)
        if (port->workers[i] != NULL && (i == 0 || port->workers[i] != port->workers[i - 1]))
            worker_wake(port->workers[i]);
}

const struct port_config *port_config_of(const struct port *port)
{
    return &port->config;
}

void port_status(const struct port *port, struct port_status *status)
{
    memset(status, 0, sizeof *status);
    status->connects = port->connects;
    status->memory_node = port->node;
    status->memory_remote = port_remote_pairs(port);
    status->memory_strays = port_strays(port);
    memcpy(status->last_error, port->last_error, sizeof status->last_error);
    datapath_mirror_status(port, &status->mirror);
    status->client_count = datapath_client_status(port, status->clients);
    port->ops->status(port, status);
}

unsigned port_queue_count(const struct port *port)
{
    return port->pairs;
}

const struct queue_stats *port_rx_stats(const struct port *port, unsigned pair)
{
    return &port->rx[pair];
}

const struct queue_stats *port_tx_stats(const struct port *port, unsigned pair)
{
    return &port->tx[pair];
}
