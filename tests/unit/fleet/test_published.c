/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "fleet/published.h"

static void assert_list(const struct fleet_table *table, const char *fingerprint,
                        const char *text) {
    struct buf out = BUF_INIT(1 << 16);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, published_list(table, fingerprint, doc));
    assert_true(json_write(doc, &out));
    assert_string_equal(buf_str(&out), text);
    yyjson_mut_doc_free(doc);
    buf_clear(&out);
}

#define NODE(name, key, models, resident)                                                      \
    "{\"node\":\"" name "\",\"url\":null,\"version\":null,\"boot_id\":null,"                   \
    "\"memory_free_bytes\":null,\"memory_limit_bytes\":null,\"device_memory_bytes\":null,"     \
    "\"parked_memory_bytes\":null,\"lend_free_bytes\":null,"                                   \
    "\"disk_free_bytes\":null,"                                                                \
    "\"cores\":null,\"same_key\":" key ",\"models\":[" models "],\"resident\":[" resident "]," \
    "\"parked\":[]}"

static void put_node(struct fleet_table *table) {
    struct buf value = BUF_INIT(1 << 16);
    struct published_node node = { .url = "http://a:1234",
                                   .version = "0.1.0",
                                   .boot = 17,
                                   .memory_free = 1,
                                   .memory_limit = 2,
                                   .parked = 5,
                                   .lend_free = 3,
                                   .disk_free = 9,
                                   .cores = 4,
                                   .key_fingerprint = "0123456789abcdef" };
    published_format_node(&node, &value);
    fleet_table_put(table, "nodes/a", buf_str(&value));
    buf_clear(&value);
}

static void put_models(struct fleet_table *table) {
    struct buf value = BUF_INIT(1 << 16);
    struct published_model models[] = {
        { .key = "m", .type = MODEL_LLM, .size = 5, .sha256 = "00ff" },
        { .key = "v", .type = MODEL_EMBEDDINGS, .size = 6, .adapters = "17" }
    };
    published_format_models(models, 2, &value);
    assert_non_null(strstr(buf_str(&value), "\"sha256\":null,\"adapters\":\"17\"}"));
    fleet_table_put(table, "models/a", buf_str(&value));
    buf_clear(&value);
}

/* Of a model whose key has a slash. */
static void put_instance(struct fleet_table *table) {
    struct buf value = BUF_INIT(1 << 16);
    struct load_settings settings = LOAD_SETTINGS_UNSET;
    settings.context_length = 8192;
    struct instance_view view = { .identifier = "m",
                                  .state = INSTANCE_IDLE,
                                  .ttl = MSEC_NEVER,
                                  .settings = &settings,
                                  .load_time_seconds = 1.26,
                                  .running = 1,
                                  .waiting = 2 };
    struct published_instance instance = { &view, 21.44 };
    published_format_instances(&instance, 1, true, &value);
    fleet_table_put(table, "resident/pub/m/a", buf_str(&value));
    buf_clear(&value);
}

static void test_what_a_node_publishes_is_listed(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    put_node(&table);
    put_models(&table);
    put_instance(&table);
    assert_list(
        &table, "0123456789abcdef",
        "[{\"node\":\"a\",\"url\":\"http://a:1234\",\"version\":\"0.1.0\",\"boot_id\":\"17\","
        "\"memory_free_bytes\":1,\"memory_limit_bytes\":2,\"device_memory_bytes\":0,"
        "\"parked_memory_bytes\":5,\"lend_free_bytes\":3,"
        "\"disk_free_bytes\":9,"
        "\"cores\":4,\"same_key\":true,\"models\":["
        "{\"key\":\"m\",\"type\":\"llm\",\"size_bytes\":5,\"sha256\":\"00ff\"},"
        "{\"key\":\"v\",\"type\":\"embeddings\",\"size_bytes\":6,\"sha256\":null}],"
        "\"resident\":[{\"model\":\"pub/m\",\"id\":\"m\",\"state\":\"idle\","
        "\"origin\":\"jit\",\"running\":1,\"waiting\":2,\"ttl\":null,"
        "\"idle_expires_at\":null,\"context_length\":8192,\"parallel\":0,"
        "\"tokens_per_second\":21.4,"
        "\"load_time_seconds\":1.3,\"memory_bytes\":0}],\"parked\":[\"pub/m\"]}]");
    fleet_table_clear(&table);
}

static void test_what_a_node_does_not_say_or_says_wrongly_is_null(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "nodes/a", "{\"url\":7,\"cores\":\"four\",\"extra\":1}");
    fleet_table_put(&table, "models/a", "{\"models\":[3,{\"key\":\"m\"}]}");
    assert_list(&table, NULL,
                "[" NODE("a", "null",
                         "{\"key\":null,\"type\":null,\"size_bytes\":null,\"sha256\":null},"
                         "{\"key\":\"m\",\"type\":null,\"size_bytes\":null,\"sha256\":null}",
                         "") "]");
    fleet_table_clear(&table);
}

static void test_only_nodes_are_listed(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "resident/m/gone", "{\"instances\":[{\"id\":\"m\"}]}");
    fleet_table_put(&table, "models/gone", "{\"models\":[]}");
    fleet_table_put(&table, "nodes/", "{}");
    fleet_table_put(&table, "nodes/a/b", "{}");
    fleet_table_put(&table, "claim/m", "{\"node\":\"a\"}");
    assert_list(&table, NULL, "[]");
    fleet_table_put(&table, "nodes/a", "{}");
    fleet_table_put(&table, "resident/a", "{\"instances\":[{}]}"); /* names no model */
    assert_list(&table, NULL, "[" NODE("a", "null", "", "") "]");
    fleet_table_clear(&table);
}

static void test_keys_are_compared_by_their_fingerprints(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "nodes/a", "{\"key_fingerprint\":\"x\"}");
    fleet_table_put(&table, "nodes/b", "{}");
    assert_list(&table, "x", "[" NODE("a", "true", "", "") "," NODE("b", "false", "", "") "]");
    assert_list(&table, "y", "[" NODE("a", "false", "", "") "," NODE("b", "false", "", "") "]");
    assert_list(&table, NULL, "[" NODE("a", "false", "", "") "," NODE("b", "null", "", "") "]");
    fleet_table_clear(&table);
}

static void test_a_table_is_bounded_and_sorted(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    char key[32];
    for (int i = FLEET_ENTRIES_MAX; i >= 0; i--) {
        (void)snprintf(key, sizeof key, "claim/%06d", i);
        fleet_table_put(&table, key, "{}");
    }
    assert_int_equal(table.count, FLEET_ENTRIES_MAX);
    assert_null(fleet_table_find(&table, "claim/000000")); /* the one too many */
    assert_non_null(fleet_table_find(&table, "claim/000001"));
    fleet_table_put(&table, "claim/000001", "[]"); /* no object: gone */
    assert_null(fleet_table_find(&table, "claim/000001"));
    assert_int_equal(fleet_table_from(&table, "claim/000003"), 1);
    fleet_table_clear(&table);
}

/* What others may fetch comes back as it was; of one file older nodes read the path. */
static void test_the_files_of_a_model_are_read_as_they_are_published(void **state) {
    (void)state;
    static const struct published_file files[] = { { "aa", "p/q/m-00001-of-00002.gguf", 5 },
                                                   { "bb", "p/q/m-00002-of-00002.gguf", 6 },
                                                   { "cc", "p/q/mmproj.gguf", 7 } };
    for (size_t count = 0; count <= 3; count++) {
        struct buf value = BUF_INIT(1 << 16);
        struct error err;
        struct published_file read[PUBLISHED_FILES_MAX];
        struct published_model model = {
            .key = "m", .size = 5, .sha256 = "aa", .files = files, .file_count = count
        };
        published_format_models(&model, 1, &value);
        yyjson_doc *doc = json_parse_object(buf_str(&value), value.len, &err);
        yyjson_val *obj = yyjson_arr_get(yyjson_obj_get(yyjson_doc_get_root(doc), "models"), 0);
        assert_int_equal(published_read_files(obj, read), count);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(read[i].path, files[i].path);
            assert_string_equal(read[i].sha256, files[i].sha256);
            assert_int_equal(read[i].size, files[i].size);
        }
        const char *path = json_find_str(obj, "path");
        assert_int_equal(path != NULL, count == 1);
        yyjson_doc_free(doc);
        buf_clear(&value);
    }
}

static size_t count_files(const char *model) {
    struct error err;
    struct published_file read[PUBLISHED_FILES_MAX];
    yyjson_doc *doc = json_parse_object(model, strlen(model), &err);
    size_t count = published_read_files(yyjson_doc_get_root(doc), read);
    yyjson_doc_free(doc);
    return count;
}

/* Half a model is none. */
static void test_of_too_many_models_the_first_ones_are_published(void **state) {
    enum { COUNT = 500 };
    char keys[COUNT][16];
    struct published_model models[COUNT];
    struct error err;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "m%d", i);
        models[i] = (struct published_model){ .key = keys[i], .type = MODEL_LLM };
    }
    struct buf value = BUF_INIT(1 << 13);
    published_format_models(models, COUNT, &value);
    assert_false(value.overflowed);
    yyjson_doc *doc = json_parse(value.data, value.len, &err);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "models");
    assert_in_range(yyjson_arr_size(list), 90, COUNT - 1);
    assert_string_equal(json_find_str(yyjson_arr_get_first(list), "key"), "m0");
    yyjson_doc_free(doc);
    buf_clear(&value);
}

static void test_a_model_of_which_not_all_files_are_said_has_none(void **state) {
    (void)state;
#define WHOLE "{\"path\":\"p/q/m.gguf\",\"size_bytes\":1,\"sha256\":\"aa\"}"
    static const char *const halves[] = {
        "{}",
        "7",
        "{\"path\":\"x\",\"size_bytes\":1}",
        "{\"path\":\"x\",\"sha256\":\"a\"}",
        "{\"sha256\":\"x\",\"size_bytes\":1}",
        "{\"path\":\"x\",\"size_bytes\":-1,\"sha256\":\"a\"}",
    };
    assert_int_equal(count_files("{\"files\":[" WHOLE "," WHOLE "]}"), 2);
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"files\":[" WHOLE ",%s]}", halves[i]);
        assert_int_equal(count_files(text), 0);
    }
    assert_int_equal(count_files("{\"files\":{},\"path\":\"x\",\"size_bytes\":1,"
                                 "\"sha256\":\"aa\"}"),
                     0);
    struct buf many = BUF_INIT(1 << 16);
    (void)buf_addf(&many, "{\"files\":[" WHOLE);
    for (int i = 1; i < PUBLISHED_FILES_MAX; i++) (void)buf_addf(&many, "," WHOLE);
    (void)buf_addf(&many, "]}");
    assert_int_equal(count_files(buf_str(&many)), PUBLISHED_FILES_MAX);
    many.len -= 2;
    (void)buf_addf(&many, "," WHOLE "]}");
    assert_int_equal(count_files(buf_str(&many)), 0);
    buf_clear(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_files_of_a_model_are_read_as_they_are_published),
        cmocka_unit_test(test_of_too_many_models_the_first_ones_are_published),
        cmocka_unit_test(test_a_model_of_which_not_all_files_are_said_has_none),
        cmocka_unit_test(test_what_a_node_publishes_is_listed),
        cmocka_unit_test(test_what_a_node_does_not_say_or_says_wrongly_is_null),
        cmocka_unit_test(test_only_nodes_are_listed),
        cmocka_unit_test(test_keys_are_compared_by_their_fingerprints),
        cmocka_unit_test(test_a_table_is_bounded_and_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
