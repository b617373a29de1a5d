/* SPDX-License-Identifier: MIT */
/* placement_table.h - a table of four nodes for the tests of placement. */
#ifndef DOZE_TEST_PLACEMENT_TABLE_H
#define DOZE_TEST_PLACEMENT_TABLE_H

#include <string.h>

#include "cmocka_prelude.h"
#include "fleet/placement.h"

enum { NODES = 4, INSTANCES = 4, A = 0, B = 1, C = 2, D = 3 };
enum { MODEL = 1, OTHER = 2, THIRD = 3 };
#define GB UINT64_C(1000000000)
#define NOW ((msec)1000000)

extern struct placement_node nodes[NODES];
extern struct placement_instance instances[NODES][INSTANCES];
extern struct placement_request request;
extern struct placement got; /* by the last choose() */
extern uint32_t here;

/* Four equal nodes of 8 GB with nothing on them; a request at A for a model of 4 GB that nobody
 * has. For cmocka. */
int table_set_up(void **state);

/* An idle instance of 4 GB with 4 places. */
struct placement_instance *add(int node, uint64_t model, enum placement_state state);
struct placement_instance *resident(int node);

void choose(void);
void expect(enum placement_where where, enum placement_rule rule, uint32_t node);
void expect_refusal(enum placement_refusal refusal);

#define TEST(name) cmocka_unit_test_setup(test_##name, table_set_up)

#endif
