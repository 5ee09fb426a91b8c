/*
 * network.h - one broadcast domain: its name, and who was seen where.
 *
 * The control thread makes it with its first port and frees it with its last one. Workers look up and
 * learn in its tables.
 */
#ifndef VHOSTKIT_NETWORK_H
#define VHOSTKIT_NETWORK_H

#include "port/port.h"
#include "switch/mac_table.h"
#include "switch/vlan_set.h"

struct network {
    char name[NETWORK_NAME_SIZE];
    unsigned id;                      /* below PORTS_MAX */
    unsigned ports;                   /* that name it */
    struct mac_table *macs;           /* of frames without a VLAN, and of VLANs that no port names */
    struct vlan_set *_Atomic vlans;   /* NULL: no port has VLAN settings, and tags mean nothing */
};

/* NULL: no memory. */
struct network *network_create(const char *name, unsigned id);
void network_destroy(struct network *network);

/* The port may be learnt; `ports` are those of the switch, with their networks. False: no memory. */
bool network_join(struct network *network, struct port *port, struct port *const *ports, unsigned count);
/* Forgets the port. It is in no topology any more. */
void network_leave(struct network *network, struct port *port);
/* Forgets the port's addresses; it may be learnt again. */
void network_forget(struct network *network, struct port *port);
/*
 * The port, whose senders are held, gets the policy, and the VLANs of that; its addresses are forgotten. `ports`: all
 * there are. False: no memory for the VLANs; it has the policy it had.
 */
bool network_change_policy(struct network *network, struct port *port, const struct port_policy *next,
                           struct port *const *ports, unsigned count);
void network_tick(struct network *network);

/* Every learnt address once; `vlan` 0: without one. */
void network_visit_macs(struct network *network,
                        void (*visit)(void *context, uint64_t mac, unsigned vlan, unsigned port, unsigned age_s),
                        void *context);

/* The VLANs as a worker sees them in one burst, or NULL. */
static inline struct vlan_set *network_vlans(struct network *network)
{
    return atomic_load_explicit(&network->vlans, memory_order_acquire);
}

#endif
