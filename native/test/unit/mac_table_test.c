/*
 * mac_table_test.c - learning, moving, ageing, the cap of a port, and many workers at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mac_by_address.h"

#define LIMIT_TICKS (MAC_AGE_LIMIT_S / MAC_TICK_S)

/* The n-th of a family of unicast addresses; families do not overlap. */
static uint64_t address(unsigned family, unsigned n)
{
    return UINT64_C(0x020000000000) | (uint64_t)family << 32 | n;
}

static struct mac_table *table_with_ports(unsigned capacity, unsigned ports, unsigned limit)
{
    struct mac_table *table = mac_table_create(capacity);
    assert_non_null(table);
    for (unsigned port = 0; port < ports; port++)
        assert_true(mac_table_add_port(table, port, limit));
    return table;
}

static void tick(struct mac_table *table, unsigned times)
{
    while (times-- > 0)
        mac_table_tick(table);
}

/* What a visit of the table adds up. */
struct census {
    unsigned all;                 /* entries seen */
    unsigned port[MAC_PORTS_MAX]; /* entries seen of a port */
    unsigned age_max_s;           /* greatest age seen */
};

static void count_entry(void *context, uint64_t mac, unsigned port, unsigned age_s)
{
    struct census *census = context;
    census->all++;
    census->port[port]++;
    (void)mac;
    if (age_s > census->age_max_s)
        census->age_max_s = age_s;
}

/* The counters are what is really in the table, and each entry is found by a lookup. */
static void check_entry(void *context, uint64_t mac, unsigned port, unsigned age_s)
{
    (void)age_s;
    assert_int_equal(look_up(context, mac), port);
}

static void assert_consistent(struct mac_table *table)
{
    struct census census = {0};
    mac_table_visit(table, count_entry, &census);
    mac_table_visit(table, check_entry, table);
    assert_int_equal(mac_table_count(table), census.all);
    for (unsigned port = 0; port < MAC_PORTS_MAX; port++)
        assert_int_equal(mac_table_port_count(table, port), census.port[port]);
}

static void test_addresses_are_read_from_the_wire(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
    assert_int_equal(mac_load(wire), UINT64_C(0x021122334455));
    assert_false(mac_is_multicast(UINT64_C(0x021122334455)));
    assert_true(mac_is_multicast(UINT64_C(0x010000000000)));
    assert_true(mac_is_multicast(UINT64_C(0xffffffffffff)));
}

/* In a table of two buckets, so that all are compared with each other. */
static void test_half_an_address_is_none(void **state)
{
    (void)state;
    static const uint64_t one = UINT64_C(0x020000000001), other_low = UINT64_C(0x020000000002),
                          other_high = UINT64_C(0x020400000001), neither = UINT64_C(0x020400000002);
    struct mac_table *table = table_with_ports(8, 3, 16);

    learn(table, 0, one);
    learn(table, 1, other_low);
    learn(table, 2, other_high);
    assert_int_equal(look_up(table, one), 0);
    assert_int_equal(look_up(table, other_low), 1);
    assert_int_equal(look_up(table, other_high), 2);
    assert_int_equal(look_up(table, neither), MAC_PORT_NONE);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_learns_and_finds(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 4, 16);
    assert_int_equal(look_up(table, address(0, 1)), MAC_PORT_NONE);
    learn(table, 0, address(0, 1));
    learn(table, 3, address(0, 2));
    learn(table, 3, address(0, 2));
    assert_int_equal(look_up(table, address(0, 1)), 0);
    assert_int_equal(look_up(table, address(0, 2)), 3);
    assert_int_equal(look_up(table, address(0, 3)), MAC_PORT_NONE);
    assert_int_equal(look_up(table, 0), MAC_PORT_NONE);
    assert_int_equal(mac_table_count(table), 2);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_widest_values_keep_apart(void **state)
{
    (void)state;
    struct mac_table *table = mac_table_create(64);
    assert_true(mac_table_add_port(table, MAC_PORTS_MAX - 1, 4));
    learn(table, MAC_PORTS_MAX - 1, UINT64_C(0xfeffffffffff));
    tick(table, LIMIT_TICKS);
    assert_int_equal(look_up(table, UINT64_C(0xfeffffffffff)), MAC_PORTS_MAX - 1);
    assert_int_equal(look_up(table, UINT64_C(0xfefffffffffe)), MAC_PORT_NONE);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_port_must_be_there(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 1, 4);
    assert_false(mac_table_add_port(table, 0, 4));
    assert_false(mac_table_add_port(table, MAC_PORTS_MAX, 4));
    assert_true(mac_table_add_port(table, 7, 0)); /* learns nothing */
    learn(table, 7, address(0, 1));
    learn(table, 5, address(0, 2));
    learn(table, MAC_PORTS_MAX, address(0, 3));
    learn(table, 0, 0);
    assert_int_equal(mac_table_count(table), 0);
    assert_int_equal(mac_table_port_count(table, MAC_PORTS_MAX), 0);

    learn(table, 0, address(0, 4));
    learn(table, 5, address(0, 4)); /* nor does an address move to a port that is not there */
    assert_int_equal(look_up(table, address(0, 4)), 0);
    mac_table_destroy(table);
}

static void test_address_moves(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 2, 16);
    for (unsigned i = 0; i < 10; i++)
        learn(table, 0, address(0, i));
    learn(table, 1, address(0, 4));
    assert_int_equal(look_up(table, address(0, 4)), 1);
    assert_int_equal(mac_table_port_count(table, 0), 9);
    assert_int_equal(mac_table_port_count(table, 1), 1);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_silent_address_is_forgotten(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 1, 16);
    for (unsigned start = 0; start < 70; start++) { /* from each tick once, so over the wrap, too */
        learn(table, 0, address(start, 1));
        tick(table, LIMIT_TICKS);
        struct census census = {0};
        mac_table_visit(table, count_entry, &census);
        assert_int_equal(census.age_max_s, MAC_AGE_LIMIT_S);
        assert_int_equal(look_up(table, address(start, 1)), 0);
        tick(table, 1);
        assert_int_equal(look_up(table, address(start, 1)), MAC_PORT_NONE);
        assert_int_equal(mac_table_count(table), 0);
        tick(table, 2 * 64 + 1 - (LIMIT_TICKS + 1)); /* to the tick after the one it began at */
    }
    mac_table_destroy(table);
}

static void test_speaking_address_stays(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 1, 16);
    learn(table, 0, address(0, 1));
    learn(table, 0, address(0, 2));
    for (unsigned i = 0; i < 1000; i++) {
        tick(table, i % (LIMIT_TICKS + 1));
        assert_int_equal(look_up(table, address(0, 1)), 0);
        learn(table, 0, address(0, 1));
    }
    assert_int_equal(look_up(table, address(0, 2)), MAC_PORT_NONE);
    assert_int_equal(mac_table_count(table), 1);
    mac_table_destroy(table);
}

static void test_full_port_forgets_its_oldest(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 2, 3);
    for (unsigned i = 0; i < 3; i++) {
        learn(table, 0, address(0, i));
        learn(table, 1, address(1, i));
    }
    learn(table, 0, address(0, 3));
    assert_int_equal(look_up(table, address(0, 0)), MAC_PORT_NONE);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(look_up(table, address(0, i)), 0);
    learn(table, 0, address(1, 1)); /* a move counts against the limit of the new port */
    assert_int_equal(look_up(table, address(0, 1)), MAC_PORT_NONE);
    assert_int_equal(mac_table_port_count(table, 0), 3);
    assert_int_equal(mac_table_port_count(table, 1), 2);
    learn(table, 1, address(1, 3)); /* and has made room in the old one */
    assert_int_equal(look_up(table, address(1, 0)), 1);
    assert_int_equal(look_up(table, address(1, 2)), 1);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_aged_and_moved_addresses_leave_the_order_right(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(64, 2, 4);
    for (unsigned i = 0; i < 4; i++)
        learn(table, 0, address(0, i));
    tick(table, LIMIT_TICKS);
    learn(table, 0, address(0, 0));
    learn(table, 0, address(0, 3));
    tick(table, 1); /* 1 and 2, the middle of the list, are gone */
    assert_int_equal(mac_table_port_count(table, 0), 2);
    learn(table, 1, address(0, 3)); /* so is its end */
    learn(table, 0, address(0, 4));
    learn(table, 0, address(0, 5));
    learn(table, 0, address(0, 6));
    learn(table, 0, address(0, 7)); /* evicts 0 */
    assert_int_equal(look_up(table, address(0, 0)), MAC_PORT_NONE);
    assert_int_equal(look_up(table, address(0, 4)), 0);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_flood_leaves_the_others_alone(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(8192, 4, 1024);
    for (unsigned i = 0; i < 1000; i++)
        learn(table, 1 + i % 3, address(1, i));
    for (unsigned i = 0; i < 1000000; i++)
        learn(table, 0, address(2, i));
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(look_up(table, address(1, i)), 1 + i % 3);
    assert_int_equal(mac_table_port_count(table, 0), 1024);
    assert_int_equal(mac_table_count(table), 2024);
    for (unsigned i = 1000000 - 1024; i < 1000000; i++)
        assert_int_equal(look_up(table, address(2, i)), 0);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_capacity_is_held(void **state)
{
    (void)state;
    unsigned lost = 0; /* half of the slots taken, next to never two buckets full: one address in 90 000 tables */
    for (unsigned round = 0; round < 200; round++) { /* each table has its own random hash */
        struct mac_table *table = table_with_ports(1024, 2, 1024);
        for (uint64_t i = 0; i < 1024; i++) /* in a row, at distances, or differing in high bytes only */
            learn(table, i % 2, address(0, 0) + (i * (round / 4 + 1) << round % 4 * 8));
        lost += 1024 - mac_table_count(table);
        mac_table_destroy(table);
    }
    assert_in_range(lost, 0, 1);
}

/* The smallest table has two buckets, and both are the candidates of each address. */
static void test_full_buckets_give_way(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(1, 2, 100);
    for (unsigned i = 0; i < 16; i++)
        learn(table, 0, address(0, i));
    assert_int_equal(mac_table_count(table), 16);

    tick(table, 2);
    for (unsigned i = 0; i < 16; i++)
        if (i != 11)
            learn(table, 0, address(0, i));
    learn(table, 0, address(0, 16)); /* takes the place of the one silent for longest */
    assert_int_equal(mac_table_count(table), 16);
    for (unsigned i = 0; i < 17; i++)
        assert_int_equal(look_up(table, address(0, i)), i == 11 ? MAC_PORT_NONE : 0);
    assert_consistent(table);

    learn(table, 1, address(0, 5)); /* a move needs no room */
    learn(table, 1, address(1, 1));
    assert_int_equal(look_up(table, address(0, 5)), 1); /* who has more gave way */
    assert_int_equal(look_up(table, address(1, 1)), 1);
    assert_int_equal(mac_table_port_count(table, 0), 14);
    assert_consistent(table);
    mac_table_destroy(table);
}

/* Ports that fill a table together give way to those that have less, and only to those. */
static void test_full_table_has_room_for_who_has_less(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(1024, 12, 1024); /* 2048 slots */
    for (unsigned i = 0; i < 20; i++)
        learn(table, 10, address(10, i)); /* came before the flood */
    for (unsigned i = 0; i < 1024; i++)
        for (unsigned port = 0; port < 8; port++)
            learn(table, port, address(port, i));
    assert_in_range(mac_table_count(table), 2000, 2048);
    for (unsigned i = 0; i < 20; i++) {
        learn(table, 11, address(11, i)); /* and after it */
        assert_int_equal(look_up(table, address(11, i)), 11);
    }
    for (unsigned round = 0; round < 3; round++) /* the flood goes on */
        for (unsigned i = 0; i < 1024; i++)
            for (unsigned port = 0; port < 8; port++)
                learn(table, port, address(port, round * 10000 + i));
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(look_up(table, address(10, i)), 10);
        assert_int_equal(look_up(table, address(11, i)), 11);
    }
    for (unsigned port = 0; port < 8; port++)
        assert_in_range(mac_table_port_count(table, port), 150, 350);
    assert_consistent(table);
    mac_table_destroy(table);
}

/* Whoever has as much as the others takes nothing from them; one that is at its limit stays there. */
static void test_full_buckets_between_equals(void **state)
{
    (void)state;
    struct mac_table *table = mac_table_create(1); /* two buckets */
    assert_true(mac_table_add_port(table, 0, 100) && mac_table_add_port(table, 1, 100) && mac_table_add_port(table, 2, 1));
    for (unsigned i = 0; i < 16; i++)
        learn(table, 0, address(0, i));
    for (unsigned i = 0; i < 100; i++)
        learn(table, 1, address(1, 0)); /* again and again: one place is enough for one address */
    assert_int_equal(mac_table_port_count(table, 1), 1);
    learn(table, 2, address(2, 0));
    learn(table, 2, address(2, 1));
    assert_int_equal(mac_table_port_count(table, 2), 1);
    assert_int_equal(look_up(table, address(2, 1)), 2);
    assert_int_equal(mac_table_count(table), 16);
    assert_int_equal(mac_table_port_count(table, 0), 14);
    assert_consistent(table);
    mac_table_destroy(table);
}

static void test_port_leaves_with_its_addresses(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(1024, 2, 256);
    for (unsigned i = 0; i < 300; i++) {
        learn(table, 0, address(0, i));
        learn(table, 1, address(1, i));
    }
    mac_table_remove_port(table, 0);
    mac_table_remove_port(table, 0);
    mac_table_remove_port(table, MAC_PORTS_MAX);
    assert_int_equal(mac_table_port_count(table, 0), 0);
    assert_int_equal(mac_table_count(table), 256);
    learn(table, 0, address(0, 1));
    assert_int_equal(look_up(table, address(0, 1)), MAC_PORT_NONE);
    assert_true(mac_table_add_port(table, 0, 2)); /* the id comes back as another port */
    learn(table, 0, address(0, 1));
    assert_int_equal(look_up(table, address(0, 1)), 0);
    assert_consistent(table);
    mac_table_destroy(table);
}

#define HAMMER_THREADS 3u
#define HAMMER_ROUNDS 200000u

/* One of the workers that hammer the table. */
struct hammer {
    struct mac_table *table;  /* shared by all */
    unsigned port;            /* the worker's own; others' addresses come to it, too */
    unsigned wrong;           /* lookups that gave what nobody can have learnt */
    _Atomic unsigned *active; /* workers that are still at it */
};

static void *hammer_table(void *argument)
{
    struct hammer *hammer = argument;
    uint64_t random = hammer->port + 1;
    for (unsigned i = 0; i < HAMMER_ROUNDS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        unsigned n = (unsigned)(random >> 40);
        uint64_t own = address(10 + hammer->port, n % 512); /* more than the limit: evictions */
        uint64_t shared = address(1, n % 32);               /* moves to and fro */
        uint64_t others = address(10 + (hammer->port + 1) % HAMMER_THREADS, n % 512);
        learn(hammer->table, hammer->port, n % 4 == 0 ? shared : own);
        int found = look_up(hammer->table, others);
        hammer->wrong += found != MAC_PORT_NONE && found != (int)((hammer->port + 1) % HAMMER_THREADS);
        found = look_up(hammer->table, shared);
        hammer->wrong += found >= (int)HAMMER_THREADS;
    }
    atomic_fetch_sub(hammer->active, 1);
    return NULL;
}

static void test_workers_at_once(void **state)
{
    (void)state;
    struct mac_table *table = table_with_ports(512, HAMMER_THREADS, 256);
    _Atomic unsigned active = HAMMER_THREADS;
    struct hammer hammers[HAMMER_THREADS];
    pthread_t threads[HAMMER_THREADS];
    for (unsigned i = 0; i < HAMMER_THREADS; i++) {
        hammers[i] = (struct hammer){.table = table, .port = i, .active = &active};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_table, &hammers[i]), 0);
    }
    while (atomic_load(&active) != 0) { /* the control thread meanwhile */
        struct census census = {0};
        mac_table_tick(table);
        mac_table_visit(table, count_entry, &census);
        if (mac_table_add_port(table, HAMMER_THREADS, 10)) {
            learn(table, HAMMER_THREADS, address(9, 1));
            mac_table_remove_port(table, HAMMER_THREADS);
        }
    }
    for (unsigned i = 0; i < HAMMER_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(hammers[i].wrong, 0);
        assert_true(mac_table_port_count(table, i) <= 256);
    }
    assert_consistent(table);
    tick(table, LIMIT_TICKS + 1);
    assert_int_equal(mac_table_count(table), 0);
    mac_table_destroy(table);
}

static void test_destroying_nothing(void **state)
{
    (void)state;
    mac_table_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read_from_the_wire),
        cmocka_unit_test(test_learns_and_finds),
        cmocka_unit_test(test_half_an_address_is_none),
        cmocka_unit_test(test_widest_values_keep_apart),
        cmocka_unit_test(test_port_must_be_there),
        cmocka_unit_test(test_address_moves),
        cmocka_unit_test(test_silent_address_is_forgotten),
        cmocka_unit_test(test_speaking_address_stays),
        cmocka_unit_test(test_full_port_forgets_its_oldest),
        cmocka_unit_test(test_aged_and_moved_addresses_leave_the_order_right),
        cmocka_unit_test(test_flood_leaves_the_others_alone),
        cmocka_unit_test(test_capacity_is_held),
        cmocka_unit_test(test_full_buckets_give_way),
        cmocka_unit_test(test_full_table_has_room_for_who_has_less),
        cmocka_unit_test(test_full_buckets_between_equals),
        cmocka_unit_test(test_port_leaves_with_its_addresses),
        cmocka_unit_test(test_workers_at_once),
        cmocka_unit_test(test_destroying_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
