/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/client.h"
#include "cli/closest.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/help.h"
#include "cli/inventory.h"
#include "cli/on_disk.h"
#include "cli/options.h"
#include "cli/setting_table.h"
#include "cli/table.h"
#include "cli/text.h"

static void test_ttl(void **state) {
    (void)state;
    struct option_ttl ttl = { 0 };
    assert_true(option_ttl_parse("1h30m", &ttl) && ttl.given);
    assert_int_equal(ttl.value, 5400000);
    assert_true(option_ttl_parse("none", &ttl));
    assert_int_equal(ttl.value, MSEC_NEVER);
    assert_true(option_ttl_parse("-1", &ttl));
    assert_int_equal(ttl.value, MSEC_NEVER);
    assert_false(option_ttl_parse("-2", &ttl));
    assert_false(option_ttl_parse("None", &ttl));
}

static void test_closest(void **state) {
    (void)state;
    static const char *const names[] = { "load", "unload", "ps", "ls", "server start" };
    static const struct {
        const char *word, *want;
    } cases[] = {
        { "laod", "'load'" },           { "lod", "'load'" }, { "xs", "'ps' or 'ls'" },
        { "server", "'server start'" }, { "zzzzzz", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(256);
        closest_add(cases[i].word, names, 5, &out);
        assert_string_equal(buf_str(&out), cases[i].want);
        buf_clear(&out);
    }
}

static void test_text_width_and_safety(void **state) {
    (void)state;
    text_init();
    assert_int_equal(text_width("abc", 3), 3);
    assert_int_equal(text_width("名前", strlen("名前")), 4);
    assert_int_equal(text_width("e\xcc\x81", 3), 1);
    assert_int_equal(text_width("\xff\x1b", 2), 2);
    struct buf out = BUF_INIT(256);
    static const char hostile[] = "a\033[2J\x7f\xc2\x9b\xff é\n\tb";
    text_add_safe(&out, hostile, sizeof hostile - 1);
    assert_string_equal(buf_str(&out), "a?[2J???"
                                       " é\n\tb");
    buf_clear(&out);
}

static void check_table(size_t columns, const char *const *cells, size_t count, int limit,
                        const char *want) {
    struct table table;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    table_init(&table, cells, columns);
    for (size_t i = columns; i < count; i++) table_add(&table, cells[i]);
    table_print(&table, out, limit);
    table_clear(&table);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void test_table_aligns_by_display_width(void **state) {
    (void)state;
    static const char *const cells[] = { "NAME", "SIZE",   "NOTE", "名前", "1",
                                         "",     "abcdef", "22",   "x\ny" };
    check_table(3, cells, 9, 0,
                "NAME      SIZE    NOTE\n"
                "名前      1\n"
                "abcdef    22      x y\n");
}

static void test_table_breaks_no_word(void **state) {
    (void)state;
    static const char *const cells[] = {
        "IDENTIFIER", "STATUS", "TTL", "qwen2.5-0.5b-instruct", "GENERATING", "4m12s / 5m",
        "a",          "IDLE",   "none"
    };
    check_table(3, cells, 9, 49,
                "IDENTIFIER               STATUS        TTL\n"
                "qwen2.5-0.5b-instruct    GENERATING    4m12s / 5m\n"
                "a                        IDLE          none\n");
    check_table(3, cells, 9, 45,
                "IDENTIFIER             STATUS      TTL\n"
                "qwen2.5-0.5b-instruct  GENERATING  4m12s / 5m\n"
                "a                      IDLE        none\n");
    check_table(3, cells, 9, 34,
                "IDENTIFIER  STATUS      TTL\n"
                "qwen2.5-    GENERATING  4m12s / 5m\n"
                "0.5b-\n"
                "instruct\n"
                "a           IDLE        none\n");
    check_table(3, cells, 9, 32,
                "IDENTIFIER  STATUS      TTL\n"
                "qwen2.5-    GENERATING  4m12s /\n"
                "0.5b-                   5m\n"
                "instruct\n"
                "a           IDLE        none\n");
}

static void test_table_shortens_words_that_are_too_long(void **state) {
    (void)state;
    static const char *const cells[] = {
        "IDENTIFIER", "STATUS",           "abcdefghijklmnopqrstuvwxyz",
        "IDLE",       "名前名前名前名前", "GENERATING"
    };
    check_table(2, cells, 6, 32,
                "IDENTIFIER            STATUS\n"
                "abcdefghij…rstuvwxyz  IDLE\n"
                "名前名前名前名前      GENERATING\n");
    check_table(2, cells, 6, 24,
                "IDENTIFIER    STATUS\n"
                "abcdef…vwxyz  IDLE\n"
                "名前名…名前   GENERATING\n");
}

static void test_table_without_room_for_its_columns_has_lines(void **state) {
    (void)state;
    static const char *const cells[] = { "IDENTIFIER", "STATUS",     "TTL",        "",
                                         "qwen-0.5b",  "GENERATING", "4m12s / 5m", "",
                                         "b",          "IDLE",       "",           "broken" };
    static const char lines[] = "qwen-0.5b\n"
                                "  STATUS  GENERATING\n"
                                "  TTL     4m12s / 5m\n"
                                "b\n"
                                "  STATUS  IDLE\n"
                                "  broken\n";
    check_table(4, cells, 12, 28, lines);
    check_table(4, cells, 12, 5, lines); /* narrower than it can be */
}

static void test_table_leaves_out_what_says_nothing(void **state) {
    (void)state;
    static const char *const cells[] = { "IDENTIFIER", "MODEL",     "STATUS",  "NOTE",
                                         "qwen-0.5b",  "qwen-0.5b", "IDLE",    "",
                                         "b",          "b",         "LOADING", "" };
    check_table(4, cells, 12, 50,
                "IDENTIFIER    MODEL        STATUS     NOTE\n"
                "qwen-0.5b     qwen-0.5b    IDLE\n"
                "b             b            LOADING\n");
    check_table(4, cells, 12, 34,
                "IDENTIFIER  MODEL      STATUS\n"
                "qwen-0.5b   qwen-0.5b  IDLE\n"
                "b           b          LOADING\n");
    check_table(4, cells, 12, 24,
                "IDENTIFIER  STATUS\n"
                "qwen-0.5b   IDLE\n"
                "b           LOADING\n");
}

/* While the hub cannot be asked, a name of it means what a request would get by it. */
static void test_a_model_on_the_disk_by_its_name_on_the_hub(void **state) {
    (void)state;
    struct listed_model models[] = {
        { .key = "qwen3-4b",
          .quantization = "Q4_K_M",
          .problem = "",
          .path = "/m/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf" },
        { .key = "qwen3-4b@q8_0",
          .quantization = "Q8_0",
          .problem = "",
          .path = "/m/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf" },
        { .key = "bad", .quantization = "F32", .problem = "It is cut.", .path = "/m/bad.gguf" },
    };
    const struct inventory inv = { .models = models, .model_count = 3 };
    static const struct {
        const char *name;
        int want; /* -1: none */
    } cases[] = {
        { "qwen3-4b", 0 },
        { "Qwen/Qwen3-4B-GGUF", 0 },
        { "Qwen/Qwen3-4B", 0 },
        { "other/qwen3-4b", 0 },
        { "Qwen/Qwen3-4B-GGUF@q4_k_m", 0 },
        { "hf.co/Qwen/Qwen3-4B-GGUF:Q8_0", 1 },
        { "qwen3-4b@q8_0", 1 },
        { "Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q8_0.gguf", 1 },
        { "https://hub.example/Qwen/Qwen3-4B-GGUF", 0 },
        { "https://hub.example/Qwen/Qwen3-4B-GGUF/resolve/main/Qwen3-4B-Q8_0.gguf", 1 },
        { "Qwen/Qwen3-4B-GGUF@q2_k", -1 },
        { "Qwen/Qwen3-4", -1 },
        { "3-4b", -1 },
        { "bad", -1 },
        { "", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct listed_model *want = cases[i].want < 0 ? NULL : &models[cases[i].want];
        assert_ptr_equal(on_disk_find(&inv, cases[i].name), want);
    }
}

static bool confirmed(const char *line, enum confirm_default otherwise) {
    FILE *kept = stdin;
    stdin = fmemopen((void *)(uintptr_t)line, strlen(line), "r");
    bool yes = confirm_ask("Go on", otherwise);
    fclose(stdin);
    stdin = kept;
    return yes;
}

/* "q8_0" as the answer to whether to download q4_k_m is not a yes. */
static void test_only_a_yes_confirms(void **state) {
    (void)state;
    assert_true(confirmed("\n", CONFIRM_YES));
    assert_false(confirmed("\n", CONFIRM_NO));
    for (enum confirm_default otherwise = CONFIRM_NO; otherwise <= CONFIRM_YES; otherwise++) {
        assert_true(confirmed("y\n", otherwise));
        assert_true(confirmed("Yes\n", otherwise));
        assert_false(confirmed("n\n", otherwise));
        assert_false(confirmed("q8_0\n", otherwise));
        assert_false(confirmed("1\n", otherwise));
    }
}

static void check_short(const char *text, int width, const char *want) {
    struct buf out = BUF_INIT(256);
    text_add_short(&out, text, strlen(text), width);
    assert_string_equal(buf_str(&out), want);
    assert_true(text_width(buf_str(&out), out.len) <= width);
    buf_clear(&out);
}

static void test_a_text_is_shortened_in_the_middle(void **state) {
    (void)state;
    check_short("abcdefgh", 8, "abcdefgh");
    check_short("abcdefghi", 8, "abcd…ghi");
    check_short("名前名前", 7, "名…名前"); /* two columns each */
    check_short("名前名前", 6, "名…前");
    check_short("e\xcc\x81"
                "abcdef",
                5,
                "e\xcc\x81"
                "a…ef");
    check_short("ab", 1, "…");
    check_short("", 4, "");
}

struct sample {
    bool flag;
    const char *text;
    struct option_int number;
    struct option_ttl ttl;
};

static const struct option_row sample_rows[] = {
    OPTION_IN(struct sample, flag, "flag", 'f', NULL, "A flag"),
    OPTION_IN(struct sample, text, "text", 0, "<t>", "A text"),
    OPTION_IN(struct sample, number, "number", 'n', "<n>", "A number", .min = -1, .max = 10),
    OPTION_IN(struct sample, ttl, "ttl", 0, "<s>", NULL),
};

enum { MAX_WORDS = 12 };

/* Parse the words of a line; the index of the first argument, or -1. */
static int parse_line(const char *line, struct sample *ret, struct error *err) {
    static char copy[256];
    char *argv[MAX_WORDS + 1] = { 0 }, *rest = copy;
    int argc = 0, first = -1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; argc < MAX_WORDS && (word = strsep(&rest, " "));) argv[argc++] = word;
    struct option_set set = { sample_rows, 4, ret };
    struct option_sets sets = { .sets = &set, .count = 1 };
    return options_parse(&sets, argc, argv, &first, err) ? first : -1;
}

static void test_options(void **state) {
    (void)state;
    struct sample got = { 0 };
    struct error err;
    assert_int_equal(parse_line("x a --ttl 5m -n -1 --text=hi -f b", &got, &err), 7);
    assert_true(got.flag && got.number.given && got.ttl.given);
    assert_int_equal(got.number.value, -1);
    assert_int_equal(got.ttl.value, 300000);
    assert_string_equal(got.text, "hi");
    struct sample numbers = { 0 };
    assert_int_equal(parse_line("x -15 a -1 -f -2.5 -n -1", &numbers, &err), 4);
    assert_true(numbers.flag);
    assert_int_equal(numbers.number.value, -1);
    struct sample none = { 0 };
    assert_int_equal(parse_line("x -- --flag", &none, &err), 2);
    assert_false(none.flag || none.number.given || none.ttl.given);
}

static void test_options_refused(void **state) {
    (void)state;
    static const struct {
        const char *line, *part;
    } cases[] = {
        { "x --number 11", "--number takes a whole number from -1 to 10, not '11'." },
        { "x --number 5a", "not '5a'" },
        { "x --number 99999999999999999999", "from -1 to 10" },
        { "x --number", "--number needs a value: --number <n>." },
        { "x --nothing", "Unknown or incomplete option '--nothing'" },
        { "x --flag=1", "'--flag=1' takes no value" },
        { "x -z", "Unknown option '-z'." },
        { "x -f1", "Unknown option '-1'." },
        { "x --ttl soon", "not 'soon'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample got = { 0 };
        struct error err = { 0 };
        assert_int_equal(parse_line(cases[i].line, &got, &err), -1);
        if (!strstr(err.text, cases[i].part)) fail_msg("%s: %s", cases[i].line, err.text);
    }
}

static bool read_inventory(const char *text, struct inventory *ret, struct error *err) {
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    assert_non_null(doc);
    return inventory_read(doc, ret, err);
}

static void test_inventory_takes_anything(void **state) {
    (void)state;
    static const char *const odd[] = {
        "{\"models\":[]}",
        "{\"models\":[null,1,\"x\",[],{}]}",
        "{\"models\":[{\"key\":5,\"loaded_instances\":[7,{\"id\":null,\"config\":3,\"ttl\":"
        "1e300,"
        "\"load_progress\":-1e300,\"last_used_at\":\"yesterday\",\"memory_bytes\":-5}]}]}",
    };
    struct inventory inv;
    struct error err;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char status[STATUS_TEXT];
        assert_true(read_inventory(odd[i], &inv, &err));
        for (size_t n = 0; n < inv.instance_count; n++) {
            instance_status(&inv.instances[n], status);
            assert_int_equal(inv.instances[n].ttl, MSEC_NEVER);
            assert_int_equal(inv.instances[n].memory_bytes, 0);
            assert_int_equal(inv.instances[n].last_used_at, 0);
        }
        inventory_clear(&inv);
    }
    assert_false(read_inventory("{\"data\":[]}", &inv, &err));
}

static void test_error_bodies(void **state) {
    (void)state;
    static const struct {
        const char *body, *text;
        enum err_code code;
    } cases[] = {
        { "{\"error\":{\"message\":\"M.\",\"code\":\"model_not_found\"}}", "M.",
          ERR_MODEL_NOT_FOUND },
        { "{\"error\":{\"message\":\"M.\",\"code\":null}}", "M.", ERR_INVALID_REQUEST },
        { "{\"error\":\"plain\"}", "plain", ERR_INVALID_REQUEST },
        { "{\"error\":{}}", "The server answered with status 502 and no reason.",
          ERR_INTERNAL },
        { "<html>",
          "What answers at http://127.0.0.1:80 (status 502) is not doze; check --host and "
          "--port.",
          ERR_INTERNAL },
        { "",
          "What answers at http://127.0.0.1:80 (status 502) is not doze; check --host and "
          "--port.",
          ERR_INTERNAL },
        /* endpoints are commands here */
        { "{\"error\":\"There is no x; GET /v1/models lists them.\"}",
          "There is no x; `lms ls` lists them.", ERR_INVALID_REQUEST },
        { "{\"error\":\"GET /api/v1/models\"}", "`lms ls`", ERR_INVALID_REQUEST },
        { "{\"error\":\"See GET /api/v1/settings.\"}", "See `lms settings`.",
          ERR_INVALID_REQUEST },
        { "{\"error\":\"Choose a smaller context length, or load it with force.\"}",
          "Choose a smaller context length, or `lms load --force`.", ERR_INVALID_REQUEST },
    };
    struct cli cli = { .program = "lms", .host = "127.0.0.1", .port = { true, 80 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = { 0 };
        client_read_error(&cli, cases[i].body, strlen(cases[i].body), 502, &err);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, cases[i].code);
    }
}

/* What a value becomes in the request, or NULL if it is refused. */
static void check_setting(const char *name, const char *text, const char *want) {
    struct error err = { 0 };
    struct buf json = BUF_INIT(256);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_array_new(&root);
    yyjson_mut_val *val = setting_parse(setting_find(name), text, doc, &err);
    if (val) {
        yyjson_mut_arr_append(root, val);
        json_write(doc, &json);
    }
    if (!want && val) fail_msg("%s: '%s' is taken as %s", name, text, buf_str(&json));
    if (want && !val) fail_msg("%s", err.text);
    if (want) assert_string_equal(buf_str(&json), want);
    if (!want) assert_non_null(strstr(err.text, name));
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
}

static void test_setting_values(void **state) {
    (void)state;
    check_setting("jit", "off", "[false]");
    check_setting("jit", "true", "[true]");
    check_setting("jit", "1", NULL);
    check_setting("default_ttl", "10m", "[600]");
    check_setting("default_ttl", "900", "[900]");
    check_setting("default_ttl", "1500ms", "[1.5]");
    check_setting("default_ttl", "-1", "[null]");
    check_setting("default_ttl", "none", "[null]");
    check_setting("default_ttl", "soon", NULL);
    check_setting("hang_seconds", "2m", "[120]");
    check_setting("hang_seconds", "none", NULL);
    check_setting("switch_window_ms", "250", "[250]");
    check_setting("switch_window_ms", "2s", "[2000]");
    check_setting("memory_limit", "8GB", "[8000000000]");
    check_setting("memory_limit", "null", "[null]");
    check_setting("memory_limit", "much", NULL);
    check_setting("max_waiting", "64", "[64]");
    check_setting("auto_evict", "on", "[\"on\"]");
    check_setting("api_key", "12345", "[\"12345\"]");
    check_setting("api_key", "none", "[null]");
    check_setting("load", "{\"parallel\":2}", "[{\"parallel\":2}]");
    check_setting("load", "parallel=2", NULL);
    check_setting("newer", "true", "[true]");
    check_setting("newer", "word", "[\"word\"]");
}

static void test_setting_format(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        { "default_ttl", "3600", "1h" },
        { "default_ttl", "null", "none" },
        { "default_ttl", "1e300", "3650d" },
        { "hang_seconds", "1.5", "1s" },
        { "switch_window_ms", "1000", "1s" },
        { "memory_limit", "8000000000", "8.00 GB" },
        { "memory_limit", "null", "none" },
        { "jit", "true", "on" },
        { "cors", "false", "off" },
        { "auto_evict", "\"fit\"", "fit" },
        { "load", "{}", "none" },
        { "load", "{\"threads\":2,\"parallel\":4}", "threads, parallel" },
        { "fleet", "{\"etcd\":null,\"node\":null}", "none" },
        { "fleet", "{\"etcd\":null,\"lend_memory\":0}", "none" },
        { "fleet", "{\"lend_memory\":1000000000}", "lend_memory" },
        { "fleet", "{\"etcd\":\"http://a:2379\",\"node\":null}", "etcd" },
        { "newer", "{\"a\":1}", "{\"a\":1}" },
        { "newer", "5", "5" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = BUF_INIT(64);
        yyjson_doc *doc = yyjson_read(rows[i][1], strlen(rows[i][1]), 0);
        setting_format(setting_find(rows[i][0]), yyjson_doc_get_root(doc), &text);
        assert_string_equal(buf_str(&text), rows[i][2]);
        yyjson_doc_free(doc);
        buf_clear(&text);
    }
}

static void test_addresses(void **state) {
    (void)state;
    static const struct {
        const char *host, *base;
    } cases[] = {
        { "127.0.0.1", "http://127.0.0.1:80" },
        { "0.0.0.0", "http://127.0.0.1:80" },
        { "::", "http://[::1]:80" },
        { "fe80::1", "http://[fe80::1]:80" },
        { "[::1]", "http://[::1]:80" },
        { "box.local", "http://box.local:80" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cli cli = { .program = "doze", .host = cases[i].host, .port = { true, 80 } };
        char base[300];
        client_base(&cli, base);
        assert_string_equal(base, cases[i].base);
    }
}

int run_parts(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_closest),
        cmocka_unit_test(test_text_width_and_safety),
        cmocka_unit_test(test_table_aligns_by_display_width),
        cmocka_unit_test(test_table_breaks_no_word),
        cmocka_unit_test(test_a_text_is_shortened_in_the_middle),
        cmocka_unit_test(test_table_shortens_words_that_are_too_long),
        cmocka_unit_test(test_table_without_room_for_its_columns_has_lines),
        cmocka_unit_test(test_table_leaves_out_what_says_nothing),
        cmocka_unit_test(test_a_model_on_the_disk_by_its_name_on_the_hub),
        cmocka_unit_test(test_only_a_yes_confirms),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_refused),
        cmocka_unit_test(test_inventory_takes_anything),
        cmocka_unit_test(test_error_bodies),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_setting_values),
        cmocka_unit_test(test_setting_format),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
