/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/response_store.h"

static const msec day = 86400000;
static const msec now = 1795352746066;
static const struct response_limits limits = { .max_age = 30 * INT64_C(86400000),
                                               .max_bytes = 16 << 20 };

struct world {
    char folder[64], path[128];
    struct response_store *store;
};

static void start(struct world *w) {
    w->store = response_store_new(w->path);
    response_store_limit(w->store, &limits);
}

static int set_up(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/doze-responses-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/responses.db", w->folder);
    start(w);
    *state = w;
    return 0;
}

static const char *beside(const struct world *w, const char *suffix) {
    static char path[160];
    snprintf(path, sizeof path, "%s%s", w->path, suffix);
    return path;
}

static int tear_down(void **state) {
    static const char *const suffixes[] = { "", "-wal", "-shm", ".corrupt", ".corrupt-wal" };
    struct world *w = *state;
    response_store_free(w->store);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        unlink(beside(w, suffixes[i]));
    }
    int left = rmdir(w->folder); /* nothing else was made */
    free(w);
    return left;
}

static size_t size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

/* The response "resp_<name>": it was told "<name>?" and said "<name>!". */
static struct stored_response response(const char *name, const char *previous, size_t padding) {
    struct stored_response r = { .id = xasprintf("resp_%s", name),
                                 .previous = previous ? xasprintf("resp_%s", previous) : NULL,
                                 .input = BUF_INIT(64 << 20),
                                 .body = BUF_INIT(64 << 20) };
    (void)buf_addf(&r.input, "[{\"id\":\"msg_%s_i0\",\"t\":\"%s?\"}]", name, name);
    (void)buf_addf(&r.body,
                   "{\"id\":\"resp_%s\",\"output\":[{\"id\":\"msg_%s_0\",\"t\":\"%s!\"}"
                   "],\"pad\":\"",
                   name, name, name);
    for (size_t i = 0; i < padding; i++) (void)buf_add_str(&r.body, "x");
    (void)buf_add_str(&r.body, "\"}");
    return r;
}

static bool put(struct world *w, const char *name, const char *previous, size_t padding,
                msec at, struct error *err) {
    struct stored_response r = response(name, previous, padding);
    bool ok = response_store_write(w->store, &r, at, err);
    stored_response_clear(&r);
    return ok;
}

static void must_put(struct world *w, const char *name, const char *previous, msec at) {
    struct error err;
    if (!put(w, name, previous, 0, at, &err)) fail_msg("%s", err.text);
}

static bool has(struct world *w, const char *id) {
    struct buf out = BUF_INIT(64 << 20);
    struct error err;
    bool ok = response_store_read(w->store, id, NULL, &out, &err);
    if (!ok) assert_int_equal(err.code, ERR_NOT_FOUND);
    buf_clear(&out);
    return ok;
}

/* previous and item may be NULL. */
static bool find(struct world *w, char *previous, struct past_item *item, msec at,
                 struct buf *out, struct error *err) {
    struct past_wanted wanted = { .previous = previous, .items = item, .item_count = !!item };
    return response_store_find(w->store, &wanted, NULL, at, out, err);
}

static void check_found(struct world *w, char *previous, struct past_item *item,
                        const char *want) {
    struct buf out = BUF_INIT(64 << 20);
    struct error err;
    if (!find(w, previous, item, now, &out, &err)) fail_msg("%s", err.text);
    assert_string_equal(buf_str(&out), want);
    buf_clear(&out);
}

static void check_missing(struct world *w, char *previous, struct past_item *item,
                          const char *param) {
    struct buf out = BUF_INIT(64 << 20);
    struct error err = { 0 };
    assert_false(find(w, previous, item, now, &out, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_string_equal(err.param, param);
    buf_clear(&out);
}

#define TURN(name)                                                                             \
    "{\"id\":\"msg_" name "_i0\",\"t\":\"" name "?\"},{\"id\":\"msg_" name                     \
    "_0\",\"t\":\"" name "!\"}"

static void test_a_response_is_read_as_it_was_written(void **state) {
    struct world *w = *state;
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    must_put(w, "a", NULL, now);
    assert_true(response_store_read(w->store, "resp_a", NULL, &out, &err));
    assert_string_equal(buf_str(&out), "{\"id\":\"resp_a\",\"output\":[{\"id\":\"msg_a_0\","
                                       "\"t\":\"a!\"}],\"pad\":\"\"}");
    buf_clear(&out);
    assert_false(has(w, "resp_b"));
}

static void test_a_chain_is_a_conversation(void **state) {
    struct world *w = *state;
    must_put(w, "a", NULL, now);
    must_put(w, "b", "a", now);
    must_put(w, "c", "b", now);
    must_put(w, "other", "a", now);
    check_found(w, "resp_a", NULL, "{\"items\":[" TURN("a") "],\"referenced\":[]}");
    check_found(w, "resp_c", NULL,
                "{\"items\":[" TURN("a") "," TURN("b") "," TURN("c") "],\"referenced\":[]}");
}

static void test_the_input_of_a_response_is_all_before_it(void **state) {
    struct world *w = *state;
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    must_put(w, "a", NULL, now);
    must_put(w, "b", "a", now);
    assert_true(response_store_read_input(w->store, "resp_b", NULL, &out, &err));
    assert_string_equal(buf_str(&out), "[" TURN("a") ",{\"id\":\"msg_b_i0\",\"t\":\"b?\"}]");
    buf_clear(&out);
    assert_false(response_store_read_input(w->store, "resp_c", NULL, &out, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    buf_clear(&out);
}

static void test_single_items_are_found(void **state) {
    struct world *w = *state;
    struct past_item said = { "msg_a_0", "resp_a" }, heard = { "msg_a_i0", "resp_a" };
    struct past_item none = { "msg_a_7", "resp_a" }, nowhere = { "msg_z_0", "resp_z" };
    must_put(w, "a", NULL, now);
    check_found(w, NULL, &said,
                "{\"items\":[],\"referenced\":[{\"id\":\"msg_a_0\",\"t\":\"a!\"}]}");
    check_found(w, NULL, &heard,
                "{\"items\":[],\"referenced\":[{\"id\":\"msg_a_i0\",\"t\":\"a?\"}]}");
    check_missing(w, NULL, &none, "input");
    check_missing(w, NULL, &nowhere, "input");
}

static void test_it_survives_a_restart_and_is_private(void **state) {
    struct world *w = *state;
    struct stat info;
    must_put(w, "a", NULL, now);
    response_store_free(w->store);
    start(w);
    assert_true(has(w, "resp_a"));
    assert_int_equal(stat(w->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_without_a_part_of_the_chain_it_cannot_go_on(void **state) {
    struct world *w = *state;
    struct error err;
    check_missing(w, "resp_a", NULL, "previous_response_id");
    must_put(w, "a", NULL, now);
    must_put(w, "b", "a", now);
    assert_true(response_store_remove(w->store, "resp_a", NULL, &err));
    assert_false(response_store_remove(w->store, "resp_a", NULL, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    check_missing(w, "resp_b", NULL, "previous_response_id");
    assert_true(has(w, "resp_b"));
}

static bool file_contains(const char *path, const char *text) {
    struct buf out = BUF_INIT(64 << 20);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *to = buf_reserve(&out, 32 << 20);
    out.len = fread(to, 1, 32 << 20, file);
    fclose(file);
    bool found = memmem(out.data, out.len, text, strlen(text)) != NULL;
    buf_clear(&out);
    return found;
}

static void test_what_is_removed_is_gone_from_the_disk(void **state) {
    struct world *w = *state;
    struct error err;
    must_put(w, "secret", NULL, now);
    response_store_rest(w->store);
    assert_true(file_contains(w->path, "secret!"));
    assert_true(response_store_remove(w->store, "resp_secret", NULL, &err));
    response_store_rest(w->store);
    assert_false(file_contains(w->path, "secret!"));
}

static void test_what_nobody_used_goes_and_a_conversation_stays_whole(void **state) {
    struct world *w = *state;
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    must_put(w, "a", NULL, now - 31 * day);
    must_put(w, "b", "a", now - 29 * day);
    must_put(w, "old", NULL, now - 31 * day);
    assert_true(find(w, "resp_b", NULL, now - 2 * day, &out, &err));
    buf_clear(&out);
    must_put(w, "new", NULL, now);
    assert_false(has(w, "resp_old"));
    check_found(w, "resp_b", NULL,
                "{\"items\":[" TURN("a") "," TURN("b") "],\"referenced\":[]}");
}

static void test_the_size_is_bounded(void **state) {
    struct world *w = *state;
    struct error err;
    char name[16];
    size_t largest = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "r%d", i);
        if (!put(w, name, NULL, 900 << 10, now + i, &err)) fail_msg("%s: %s", name, err.text);
        size_t size = size_of(w->path) + size_of(beside(w, "-wal"));
        if (size > largest) largest = size;
    }
    assert_in_range(largest, 8 << 20, limits.max_bytes + (4 << 20));
    assert_true(has(w, "resp_r59"));
    assert_false(has(w, "resp_r0"));
    assert_false(put(w, "huge", NULL, 1 << 20, now, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_true(has(w, "resp_r59"));
}

static void test_a_lower_limit_makes_the_file_smaller(void **state) {
    struct world *w = *state;
    static const struct response_limits more = { .max_age = 30 * INT64_C(86400000),
                                                 .max_bytes = 64 << 20 };
    struct error err;
    char name[16];
    response_store_limit(w->store, &more);
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "r%d", i);
        assert_true(put(w, name, NULL, 1 << 20, now + i, &err));
    }
    response_store_rest(w->store);
    assert_in_range(size_of(w->path), 30 << 20, 64 << 20);
    response_store_limit(w->store, &limits);
    if (!put(w, "last", NULL, 0, now + 100, &err)) fail_msg("%s", err.text);
    response_store_rest(w->store);
    assert_in_range(size_of(w->path), 1 << 20, limits.max_bytes);
    assert_true(has(w, "resp_last"));
}

static void test_without_room_nothing_is_stored_and_nothing_remains(void **state) {
    struct world *w = *state;
    static const struct response_limits none = { .max_age = 30 * INT64_C(86400000) };
    must_put(w, "a", NULL, now);
    response_store_limit(w->store, &none);
    assert_int_not_equal(access(w->path, F_OK), 0);
    must_put(w, "b", NULL, now); /* succeeds, and does nothing */
    assert_int_not_equal(access(w->path, F_OK), 0);
    response_store_limit(w->store, &limits);
    assert_false(has(w, "resp_a"));
    assert_false(has(w, "resp_b"));
}

static void test_a_damaged_file_is_set_aside(void **state) {
    struct world *w = *state;
    static const char junk[] = "this was never a database, and nobody can tell what it was\n";
    FILE *file = fopen(w->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(junk, 1, sizeof junk - 1, file), sizeof junk - 1);
    assert_int_equal(fclose(file), 0);
    must_put(w, "a", NULL, now);
    assert_true(response_store_take_damage(w->store));
    assert_int_equal(size_of(beside(w, ".corrupt")), sizeof junk - 1);
    assert_true(has(w, "resp_a"));
}

/* In a process of its own, whose files may have at most 64 KB. */
static int write_without_room(struct world *w) {
    struct rlimit small = { 64 << 10, 64 << 10 };
    struct error err = { 0 };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool ok = put(w, "b", NULL, 900 << 10, now, &err);
    return !ok && err.code == ERR_IO ? 0 : 1;
}

static void test_a_full_disk_loses_only_what_is_new(void **state) {
    struct world *w = *state;
    int status = -1;
    must_put(w, "a", NULL, now);
    response_store_rest(w->store);
    pid_t child = fork();
    if (child == 0) _exit(write_without_room(w));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(has(w, "resp_a"));
    assert_false(has(w, "resp_b"));
}

/* By this thread, however busy the machine is. */
static double computed_seconds(void) {
    struct timespec at;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Like response(), behind many other items. */
static void put_long(struct world *w, const char *name) {
    struct error err;
    struct stored_response r = response(name, NULL, 0);
    buf_reset(&r.body);
    (void)buf_addf(&r.body, "{\"id\":\"resp_%s\",\"output\":[", name);
    for (int i = 0; i < 20000; i++) (void)buf_addf(&r.body, "{\"id\":\"other_%d\"},", i);
    (void)buf_addf(&r.body, "{\"id\":\"msg_%s_0\",\"t\":\"%s!\"}]}", name, name);
    assert_true(response_store_write(w->store, &r, 5, &err));
    stored_response_clear(&r);
}

/* As many references as a body may have, to two long responses in turn: each is read once, or
 * the store would work on it for ten seconds. */
static void test_many_references_read_a_response_once(void **state) {
    enum { MANY = 1000 };
    static const char *const ids[] = { "msg_b_i0", "msg_a_0", "msg_b_0" };
    struct world *w = *state;
    struct error err;
    struct past_item items[MANY];
    struct past_wanted wanted = { .items = items, .item_count = MANY };
    struct buf out = BUF_INIT(64 << 20), want = BUF_INIT(1 << 20);
    put_long(w, "a");
    put_long(w, "b");
    (void)buf_add_str(&want, "{\"items\":[],\"referenced\":[");
    for (int i = 0; i < MANY; i++) {
        const char *id = ids[i % 3];
        items[i].id = (char *)id;
        items[i].response = (char *)(id[4] == 'a' ? "resp_a" : "resp_b");
        (void)buf_addf(&want, "%s{\"id\":\"%s\",\"t\":\"%c%c\"}", i > 0 ? "," : "", id, id[4],
                       id[6] == 'i' ? '?' : '!');
    }
    (void)buf_add_str(&want, "]}");
    double before = computed_seconds();
    if (!response_store_find(w->store, &wanted, NULL, 5, &out, &err)) fail_msg("%s", err.text);
    assert_true(computed_seconds() - before < 2);
    assert_string_equal(buf_str(&out), buf_str(&want));
    items[MANY / 2].id = (char *)"msg_b_7";
    items[MANY - 1].id = (char *)"msg_b_8";
    assert_false(response_store_find(w->store, &wanted, NULL, 5, &out, &err));
    assert_non_null(strstr(err.text, "no stored item \"msg_b_7\"")); /* the first */
    buf_clear(&out);
    buf_clear(&want);
}

static void put_of(struct world *w, const char *name, const char *previous, const char *owner) {
    struct error err;
    struct stored_response r = response(name, previous, 0);
    r.owner = owner ? xstrdup(owner) : NULL;
    if (!response_store_write(w->store, &r, 5, &err)) fail_msg("%s", err.text);
    stored_response_clear(&r);
}

/* With each of the questions. */
static void check_sees(struct world *w, const char *owner, bool sees) {
    struct past_item item = { .response = (char *)"resp_a", .id = (char *)"msg_a_0" };
    const struct past_wanted questions[] = { { .previous = (char *)"resp_a" },
                                             { .items = &item, .item_count = 1 } };
    struct error err;
    struct buf out = BUF_INIT(1 << 20);
    assert_int_equal(response_store_read(w->store, "resp_a", owner, &out, &err), sees);
    if (!sees) assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(response_store_read_input(w->store, "resp_a", owner, &out, &err), sees);
    for (int i = 0; i < 2; i++) {
        bool found = response_store_find(w->store, &questions[i], owner, 5, &out, &err);
        assert_int_equal(found, sees);
    }
    if (!sees) assert_false(response_store_remove(w->store, "resp_a", owner, &err));
    buf_clear(&out);
}

static void test_a_response_is_its_own_keys(void **state) {
    struct world *w = *state;
    struct error err;
    put_of(w, "a", NULL, "11111111");
    put_of(w, "none", NULL, NULL);
    check_sees(w, "22222222", false);
    check_sees(w, "11111111", true);
    check_sees(w, NULL, true);
    assert_false(response_store_remove(w->store, "resp_none", "11111111", &err));
    assert_true(response_store_remove(w->store, "resp_a", "11111111", &err));
}

int main(void) {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_response_is_read_as_it_was_written),
        TEST(test_a_chain_is_a_conversation),
        TEST(test_many_references_read_a_response_once),
        TEST(test_the_input_of_a_response_is_all_before_it),
        TEST(test_single_items_are_found),
        TEST(test_it_survives_a_restart_and_is_private),
        TEST(test_without_a_part_of_the_chain_it_cannot_go_on),
        TEST(test_what_is_removed_is_gone_from_the_disk),
        TEST(test_what_nobody_used_goes_and_a_conversation_stays_whole),
        TEST(test_the_size_is_bounded),
        TEST(test_a_lower_limit_makes_the_file_smaller),
        TEST(test_without_room_nothing_is_stored_and_nothing_remains),
        TEST(test_a_damaged_file_is_set_aside),
        TEST(test_a_full_disk_loses_only_what_is_new),
        TEST(test_a_response_is_its_own_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
