/**
 * The kernel's words for the test guest. Linux skips the check of its timer under KVM by itself; under TCG on a
 * busy host the check fails at times, and the guest panics.
 */
export const guestCmdline = 'console=ttyS0 panic=-1 quiet no_timer_check'
