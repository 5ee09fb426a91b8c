/** Addresses kept for one port, so that one guest cannot fill the table of all. */
export const macLimit = 1024
