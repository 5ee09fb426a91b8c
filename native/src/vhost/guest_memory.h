/*
 * guest_memory.h - the only way to read what a guest can write.
 *
 * A guest changes its memory while we look at it. So every field is loaded
 * once, through one of these macros, into a private variable, and only that
 * variable is checked and used (rules R1 to R3). The loads are volatile so
 * that the compiler cannot repeat them.
 *
 * With -DVHOSTKIT_LOAD_HOOK (tests and fuzzers) each load is first reported
 * to guest_load_hook, which may count it or change the memory behind it: a
 * double fetch is then found deterministically, not by luck.
 *
 * virtio is little-endian (VIRTIO 1.2, 1.4); so are the hosts we build for.
 */
#ifndef VHOSTKIT_GUEST_MEMORY_H
#define VHOSTKIT_GUEST_MEMORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "vhostkit-switch is built for little-endian hosts only"
#endif

#ifdef VHOSTKIT_LOAD_HOOK
/* Called after each guest load, with what was loaded from where. */
extern void (*guest_load_hook)(const volatile void *address, size_t size);
#define GUEST_LOADED(address, size)                                            \
    do {                                                                       \
        if (guest_load_hook)                                                   \
            guest_load_hook((address), (size));                                \
    } while (0)
#else
#define GUEST_LOADED(address, size) ((void)0)
#endif

/* One relaxed load of a 16-bit field. */
static inline uint16_t guest_load16(const volatile uint16_t *field)
{
    uint16_t value = __atomic_load_n(field, __ATOMIC_RELAXED);
    GUEST_LOADED(field, sizeof value);
    return value;
}

/* One load that orders all later loads behind it: for avail->idx. */
static inline uint16_t guest_load16_acquire(const volatile uint16_t *field)
{
    uint16_t value = __atomic_load_n(field, __ATOMIC_ACQUIRE);
    GUEST_LOADED(field, sizeof value);
    return value;
}

/* Copies guest bytes into private memory, each byte once. */
static inline void guest_copy_in(void *to, const void *from, size_t length)
{
    memcpy(to, from, length);
    __asm__ __volatile__("" : : "r"(to) : "memory");
    GUEST_LOADED(from, length);
}

static inline void guest_store16(volatile uint16_t *field, uint16_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* Makes all earlier stores visible first: for used->idx. */
static inline void guest_store16_release(volatile uint16_t *field, uint16_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}

/*
 * Orders our store to used->idx (or avail_event) before our load of the
 * driver's used_event (or avail->idx); without it a wake-up is lost (R17).
 * ThreadSanitizer has no model of fences, so there it is a read-modify-write.
 * Each use has a name: a test leaves one out and shows that it is needed (test/wakeup_stress.c).
 */
enum guest_fence { GUEST_FENCE_NONE, GUEST_FENCE_NOTIFY, GUEST_FENCE_ARM };
#ifndef VHOSTKIT_FENCE_LEFT_OUT
#define VHOSTKIT_FENCE_LEFT_OUT GUEST_FENCE_NONE
#endif

static inline void guest_full_fence(enum guest_fence which)
{
    if (which == VHOSTKIT_FENCE_LEFT_OUT) {
        __asm__ __volatile__("" : : : "memory"); /* the compiler may still not reorder */
        return;
    }
#if defined(__SANITIZE_THREAD__)
    static _Atomic int fence;
    atomic_fetch_add_explicit(&fence, 1, memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

#endif
