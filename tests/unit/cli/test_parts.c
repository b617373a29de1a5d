/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/closest.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/inventory.h"
#include "cli/options.h"
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

static void test_table_aligns_by_display_width(void **state) {
    (void)state;
    static const char *const header[] = { "NAME", "SIZE", "NOTE" };
    static const char *const cells[] = { "名前", "1", "", "abcdef", "22", "x\ny" };
    struct table table;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    table_init(&table, header, 3);
    for (size_t i = 0; i < 6; i++) table_add(&table, cells[i]);
    table_print(&table, out);
    table_clear(&table);
    fclose(out);
    assert_string_equal(text, "NAME      SIZE    NOTE\n"
                              "名前      1\n"
                              "abcdef    22      x y\n");
    free(text);
}

struct sample {
    bool flag;
    const char *text;
    struct option_int number;
    struct option_ttl ttl;
};

static const struct option_row sample_rows[] = {
    { .name = "flag",
      .letter = 'f',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sample, flag),
      .help = "A flag" },
    { .name = "text",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sample, text),
      .arg = "<t>",
      .help = "A text" },
    { .name = "number",
      .letter = 'n',
      .kind = OPTION_INT,
      .offset = offsetof(struct sample, number),
      .min = -1,
      .max = 10,
      .arg = "<n>",
      .help = "A number" },
    { .name = "ttl", .kind = OPTION_TTL, .offset = offsetof(struct sample, ttl), .arg = "<s>" },
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
        { "x -1", "put -- before" },
        { "x --ttl soon", "not 'soon'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample got = { 0 };
        struct error err = { 0 };
        assert_int_equal(parse_line(cases[i].line, &got, &err), -1);
        if (!strstr(err.text, cases[i].part)) fail_msg("%s: %s", cases[i].line, err.text);
    }
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
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct inventory inv;
        struct error err;
        char status[STATUS_TEXT];
        assert_true(inventory_parse(odd[i], strlen(odd[i]), &inv, &err));
        for (size_t n = 0; n < inv.instance_count; n++) {
            instance_status(&inv.instances[n], status);
            assert_int_equal(inv.instances[n].ttl, MSEC_NEVER);
            assert_int_equal(inv.instances[n].memory_bytes, 0);
            assert_int_equal(inv.instances[n].last_used_at, 0);
        }
        inventory_clear(&inv);
    }
    struct inventory inv;
    struct error err;
    assert_false(inventory_parse("{\"data\":[]}", 11, &inv, &err));
    assert_false(inventory_parse("<html>", 6, &inv, &err));
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
        { "<html>", "The server answered with status 502 and no reason.", ERR_INTERNAL },
        { "", "The server answered with status 502 and no reason.", ERR_INTERNAL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = { 0 };
        assert_false(client_read_error(cases[i].body, strlen(cases[i].body), 502, &err));
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, cases[i].code);
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
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_refused),
        cmocka_unit_test(test_inventory_takes_anything),
        cmocka_unit_test(test_error_bodies),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
