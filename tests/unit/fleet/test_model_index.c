/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "fleet/fleet_table.h"

static int64_t size_at(const struct fleet_table *table, const char *node, const char *key) {
    yyjson_val *model = fleet_table_find_model(table, node, key, strlen(key));
    return model ? yyjson_get_int(yyjson_obj_get(model, "size_bytes")) : -1;
}

static void test_each_model_of_a_node_is_found(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    struct buf value = BUF_INIT(1 << 20);
    char key[16];
    (void)buf_addf(&value, "{\"models\":[");
    for (int i = 0; i < 500; i++)
        (void)buf_addf(&value, "%s{\"key\":\"m%d\",\"size_bytes\":%d}", i ? "," : "", i, i);
    (void)buf_addf(&value, "]}");
    fleet_table_put(&table, "models/a", buf_str(&value));
    fleet_table_put(&table, "models/b", "{\"models\":[{\"key\":\"m7\",\"size_bytes\":1}]}");
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof key, "m%d", i);
        assert_int_equal(size_at(&table, "a", key), i);
    }
    assert_int_equal(size_at(&table, "a", "m500"), -1);
    assert_int_equal(size_at(&table, "a", ""), -1);
    assert_int_equal(size_at(&table, "b", "m7"), 1);
    assert_int_equal(size_at(&table, "b", "m8"), -1);
    assert_int_equal(size_at(&table, "c", "m7"), -1);
    buf_clear(&value);
    fleet_table_clear(&table);
}

static void test_another_value_has_other_models(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "models/a", "{\"models\":[{\"key\":\"m\",\"size_bytes\":1}]}");
    fleet_table_put(&table, "models/a", "{\"models\":[{\"key\":\"n\",\"size_bytes\":2}]}");
    assert_int_equal(size_at(&table, "a", "m"), -1);
    assert_int_equal(size_at(&table, "a", "n"), 2);
    fleet_table_put(&table, "models/a", NULL);
    assert_int_equal(size_at(&table, "a", "n"), -1);
    fleet_table_clear(&table);
}

/* Peers publish anything. */
static void test_what_is_no_list_of_models_has_none(void **state) {
    (void)state;
    static const char *const values[] = { "{}", "{\"models\":7}",
                                          "{\"models\":{\"key\":\"m\"}}",
                                          "{\"models\":[\"m\",{\"key\":3},{},null]}" };
    struct fleet_table table = { 0 };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fleet_table_put(&table, "models/a", values[i]);
        assert_int_equal(size_at(&table, "a", "m"), -1);
    }
    fleet_table_clear(&table);
}

static void test_of_two_with_one_key_the_first_counts(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "models/a",
                    "{\"models\":[{\"key\":\"x\"},{\"key\":\"m\",\"size_bytes\":1},"
                    "{\"key\":\"m\",\"size_bytes\":2}]}");
    assert_int_equal(size_at(&table, "a", "m"), 1);
    fleet_table_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_model_of_a_node_is_found),
        cmocka_unit_test(test_another_value_has_other_models),
        cmocka_unit_test(test_what_is_no_list_of_models_has_none),
        cmocka_unit_test(test_of_two_with_one_key_the_first_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
