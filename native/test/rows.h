/*
 * rows.h - how a test says which row of the table of verdicts it covers: its
 * name begins with the row ("H10 self loop ..."). test/rows checks that no row
 * is without a test.
 */
#ifndef VHOSTKIT_TEST_ROWS_H
#define VHOSTKIT_TEST_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ROW(name, function) { name, function, NULL, NULL, NULL }

#endif
