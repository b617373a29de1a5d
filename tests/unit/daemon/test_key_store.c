/* SPDX-License-Identifier: MIT */
/* Keys and their file: what is answered is on disk, and a damaged file stays shut. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/gate.h"

struct scene {
    uv_loop_t loop;
    struct key_store *store;
    char folder[32], path[64];
    char text[KEY_TEXT_SIZE], id[KEY_ID_LEN + 1]; /* of the key created last */
    int created, revoked, refused;
};

static void on_end(void *ctx, const struct key *key, const char *text,
                   const struct error *error) {
    struct scene *s = ctx;
    s->refused += error != NULL;
    s->revoked += !error && !key;
    if (!key) return;
    s->created++;
    snprintf(s->text, sizeof s->text, "%s", text);
    snprintf(s->id, sizeof s->id, "%s", key->id);
}

static void start(struct scene *s) {
    uv_loop_init(&s->loop);
    s->store = key_store_new(&s->loop, s->folder);
}

static void stop(struct scene *s) {
    key_store_close(s->store);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    key_store_free(s->store);
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/doze-keys-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/keys.json", s->folder);
    log_set_level(LOG_LEVEL_ERROR);
    start(s);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    struct scene *s = *state;
    stop(s);
    (void)unlink(s->path);
    assert_int_equal(rmdir(s->folder), 0);
    free(s);
    return 0;
}

static void create(struct scene *s, const char *name, enum permission permission) {
    struct key_wish wish = { .name = name,
                             .permissions = 1u << permission,
                             .expires_in = MSEC_NEVER };
    key_store_create(s->store, &wish, (struct key_sink){ on_end, s });
}

static void revoke_key(struct scene *s, const char *id, bool open) {
    key_store_revoke(s->store, id, false, open, (struct key_sink){ on_end, s });
}

static void settle(struct scene *s) {
    uv_run(&s->loop, UV_RUN_DEFAULT);
}

static void test_a_created_key_survives_a_restart(void **state) {
    struct scene *s = *state;
    struct error err;
    assert_false(key_store_is_needed(s->store));
    create(s, "me", PERMISSION_ADMIN);
    assert_int_equal(s->created, 0); /* not before it is on disk */
    assert_false(key_store_is_needed(s->store));
    settle(s);
    assert_int_equal(s->created, 1);
    stop(s);
    start(s);
    assert_true(key_store_is_needed(s->store));
    assert_string_equal(key_store_use(s->store, s->text, &err)->name, "me");
}

static void test_changes_are_made_one_after_the_other(void **state) {
    struct scene *s = *state;
    create(s, "me", PERMISSION_ADMIN);
    for (int i = 0; i < 20; i++) create(s, "app", PERMISSION_INFERENCE);
    settle(s);
    assert_int_equal(s->created, 21);
    assert_int_equal(key_store_get(s->store)->count, 21);
    for (int i = 0; i < 70; i++) create(s, "app", PERMISSION_INFERENCE);
    assert_int_equal(s->refused, 6); /* 64 may wait */
    settle(s);
    assert_int_equal(s->created, 85);
}

static void test_a_revoked_key_is_worth_nothing(void **state) {
    struct scene *s = *state;
    struct error err;
    create(s, "me", PERMISSION_ADMIN);
    create(s, "app", PERMISSION_INFERENCE);
    settle(s);
    assert_non_null(key_store_use(s->store, s->text, &err));
    revoke_key(s, s->id, false);
    settle(s);
    assert_int_equal(s->revoked, 1);
    assert_null(key_store_use(s->store, s->text, &err));
    assert_null(key_store_by_id(s->store, s->id, &err));
    assert_int_equal(err.code, ERR_API_KEY);
}

static void test_the_time_of_the_last_use_is_kept(void **state) {
    struct scene *s = *state;
    struct error err;
    create(s, "me", PERMISSION_ADMIN);
    settle(s);
    assert_int_equal(key_store_get(s->store)->keys[0].last_used_at, 0);
    assert_non_null(key_store_use(s->store, s->text, &err));
    stop(s);
    start(s);
    assert_true(key_store_get(s->store)->keys[0].last_used_at > 0);
}

static void test_a_failed_write_changes_nothing(void **state) {
    struct scene *s = *state;
    assert_int_equal(rmdir(s->folder), 0);
    create(s, "me", PERMISSION_ADMIN);
    settle(s);
    assert_int_equal(s->refused, 1);
    assert_false(key_store_is_needed(s->store));
    snprintf(s->folder, sizeof s->folder, "/tmp/doze-keys-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
}

static void put(const struct scene *s, const char *text) {
    struct error err;
    assert_true(file_replace(s->path, text, strlen(text), &err));
}

static void test_a_damaged_file_stays_shut_and_as_it_is(void **state) {
    static const char *const texts[] = {
        "", "{", "{}", "[]", "{\"keys\":[{}]}", "{\"keys\":1}"
    };
    struct scene *s = *state;
    struct error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf now = BUF_INIT(1 << 10);
        stop(s);
        put(s, texts[i]);
        start(s);
        assert_true(key_store_is_needed(s->store));
        assert_null(key_store_use(s->store, "", &err));
        create(s, "me", PERMISSION_ADMIN);
        settle(s);
        assert_int_equal(s->created, 0);
        assert_true(file_read(s->path, &now, &err));
        assert_string_equal(buf_str(&now), texts[i]);
        buf_clear(&now);
    }
}

/* ---- the gate ---- */

static struct settings_store *make_settings(struct scene *s) {
    return settings_store_new(&s->loop, s->folder, NULL, NULL);
}

static void remove_settings(const struct scene *s, struct settings_store *settings) {
    static const char *const names[] = { "settings.json", "api_key.json" };
    char path[64];
    settings_store_free(settings);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        (void)unlink(path);
    }
}

static void test_the_gate_opens_to_keys_and_closes_when_there_are_some(void **state) {
    struct scene *s = *state;
    struct settings_store *settings = make_settings(s);
    struct gate *gate = gate_new(settings, s->store);
    struct bearer bearer;
    struct error err;
    assert_true(gate_admit(gate, NULL, "127.0.0.1", &bearer, &err));
    assert_int_equal(bearer.permissions, 1u << PERMISSION_ADMIN);
    create(s, "me", PERMISSION_ADMIN);
    create(s, "app", PERMISSION_INFERENCE);
    settle(s);
    assert_false(gate_admit(gate, NULL, "127.0.0.1", &bearer, &err));
    assert_int_equal(err.code, ERR_API_KEY);
    assert_false(gate_admit(gate, "wrong", "127.0.0.1", &bearer, &err));
    assert_true(gate_admit(gate, s->text, "127.0.0.1", &bearer, &err));
    assert_int_equal(bearer.permissions, 1u << PERMISSION_INFERENCE);
    assert_true(gate_recall(gate, s->id, &bearer, &err));
    revoke_key(s, s->id, false);
    settle(s);
    assert_false(gate_recall(gate, s->id, &bearer, &err));
    gate_free(gate);
    remove_settings(s, settings);
}

static size_t lines;

static void on_line(void *ctx, enum log_level level, const char *text) {
    (void)ctx;
    (void)level;
    lines += strstr(text, "192.0.2.7") != NULL;
}

static void test_refusals_are_logged_with_the_address_but_not_without_end(void **state) {
    struct scene *s = *state;
    struct settings_store *settings = make_settings(s);
    struct gate *gate = gate_new(settings, s->store);
    struct bearer bearer;
    struct error err;
    create(s, "me", PERMISSION_ADMIN);
    settle(s);
    log_set_level(LOG_LEVEL_WARN);
    log_set_listener(on_line, NULL);
    assert_false(gate_admit(gate, NULL, "192.0.2.7", &bearer, &err));
    assert_int_equal(lines, 1);
    for (int i = 0; i < 1000; i++)
        assert_false(gate_admit(gate, "wrong", "192.0.2.7", &bearer, &err));
    assert_in_range(lines, 100, 200);
    log_set_listener(NULL, NULL);
    gate_free(gate);
    remove_settings(s, settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_created_key_survives_a_restart),
        TEST(test_changes_are_made_one_after_the_other),
        TEST(test_a_revoked_key_is_worth_nothing),
        TEST(test_the_time_of_the_last_use_is_kept),
        TEST(test_a_failed_write_changes_nothing),
        TEST(test_a_damaged_file_stays_shut_and_as_it_is),
        TEST(test_the_gate_opens_to_keys_and_closes_when_there_are_some),
        TEST(test_refusals_are_logged_with_the_address_but_not_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
