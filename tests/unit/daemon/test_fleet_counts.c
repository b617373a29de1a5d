/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "daemon/fleet_counts.h"

static void test_each_node_has_its_own_line(void **state) {
    (void)state;
    struct fleet_counts counts = { 0 };
    struct buf out = BUF_INIT(1 << 16);
    fleet_counts_add(&counts, FLEET_FORWARDED, "b");
    fleet_counts_add(&counts, FLEET_FORWARDED, "c");
    fleet_counts_add(&counts, FLEET_FORWARDED, "b");
    fleet_counts_add(&counts, FLEET_LOST, "c");
    fleet_counts_add(&counts, FLEET_CLAIM_LOST, NULL);
    fleet_counts_format(&counts, 3, true, &out);
    static const char *const lines[] = { "doze_fleet_nodes 3\n",
                                         "doze_fleet_etcd_up 1\n",
                                         "doze_fleet_forwarded_total{node=\"b\"} 2\n",
                                         "doze_fleet_forwarded_total{node=\"c\"} 1\n",
                                         "doze_fleet_lost_total{node=\"b\"} 0\n",
                                         "doze_fleet_lost_total{node=\"c\"} 1\n",
                                         "doze_fleet_received_total 0\n",
                                         "doze_fleet_claims_total{result=\"won\"} 0\n",
                                         "doze_fleet_claims_total{result=\"lost\"} 1\n" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_non_null(strstr(buf_str(&out), lines[i]));
    buf_clear(&out);
}

static void test_too_many_nodes_share_a_line(void **state) {
    (void)state;
    struct fleet_counts counts = { 0 };
    struct buf out = BUF_INIT(1 << 16);
    char name[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FLEET_COUNTED + 5; i++) {
            (void)snprintf(name, sizeof name, "n%d", i);
            fleet_counts_add(&counts, FLEET_FORWARDED, name);
        }
    }
    fleet_counts_format(&counts, 70, false, &out);
    assert_non_null(strstr(buf_str(&out), "{node=\"n63\"} 2\n"));
    assert_null(strstr(buf_str(&out), "{node=\"n64\"}"));
    assert_non_null(strstr(buf_str(&out), "doze_fleet_forwarded_total{node=\"\"} 10\n"));
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_node_has_its_own_line),
        cmocka_unit_test(test_too_many_nodes_share_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
