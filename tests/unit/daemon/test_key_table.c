/* SPDX-License-Identifier: MIT */
/* What keys let their bearers do, how they are compared, and that no damage of the file widens
 * a right. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/key_table.h"

/* Linked with --wrap: every byte of a hash is compared here or not at all. */
static size_t compared;

int __real_nettle_memeql_sec(const void *a, const void *b, size_t len);
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t len);

int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t len) {
    compared += len;
    return __real_nettle_memeql_sec(a, b, len);
}

enum { NOW = 1000000 };

static struct key_table table;
static unsigned char chance[KEY_RANDOM_LEN];

static int set_up(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof chance; i++) chance[i] = (unsigned char)(i * 7 + 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    key_table_clear(&table);
    return 0;
}

/* Another id and secret each time. */
static const unsigned char *next_chance(void) {
    for (size_t i = 0; i < sizeof chance; i++) {
        if (++chance[i] != 0) break;
    }
    chance[KEY_SALT_LEN]++;
    return chance;
}

static bool add(const char *json, bool rescued, char text[KEY_TEXT_SIZE], struct error *err) {
    struct key_wish wish;
    yyjson_val *models, *model;
    size_t i, max;
    char *names[KEY_MODELS_MAX];
    yyjson_doc *doc = json_parse_object(json, strlen(json), err);
    assert_non_null(doc);
    bool ok = key_wish_read(yyjson_doc_get_root(doc), &wish, &models, err);
    if (ok) {
        yyjson_arr_foreach(models, i, max, model) names[i] = (char *)yyjson_get_str(model);
        wish.models = (struct allowed_models){ names, yyjson_arr_size(models) };
        wish.rescued = rescued;
        ok = key_table_add(&table, &wish, next_chance(), NOW, text, err);
    }
    yyjson_doc_free(doc);
    return ok;
}

#define ADMIN_KEY "{\"name\":\"me\",\"permissions\":[\"admin\"]}"

static void test_a_key_has_lm_studios_form_and_is_found_again(void **state) {
    char text[KEY_TEXT_SIZE], other[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(add("{\"name\":\"editor\"}", false, other, &err));
    assert_int_equal(strlen(text), 35);
    assert_memory_equal(text, "sk-lm-", 6);
    assert_int_equal(text[14], ':');
    for (size_t i = 6; i < 35; i++)
        assert_true(i == 14 || strchr("0123456789", text[i]) || (text[i] | 0x20) >= 'a');
    assert_string_equal(key_table_find(&table, text)->name, "me");
    assert_string_equal(key_table_find(&table, other)->name, "editor");
    assert_int_equal(key_table_find(&table, other)->permissions, 1u << PERMISSION_INFERENCE);
}

static void test_a_key_is_compared_whole(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    for (size_t i = 15; i < 35; i++) {
        char wrong[KEY_TEXT_SIZE];
        memcpy(wrong, text, sizeof wrong);
        wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
        compared = 0;
        assert_null(key_table_find(&table, wrong));
        assert_int_equal(compared, KEY_HASH_LEN); /* wherever the difference is */
    }
    compared = 0;
    assert_null(key_table_find(&table, ""));
    assert_null(key_table_find(&table, "sk-lm-"));
    assert_null(key_table_find(&table, "********"));
    char longer[KEY_TEXT_SIZE + 1];
    snprintf(longer, sizeof longer, "%sx", text);
    assert_null(key_table_find(&table, longer));
    text[0] = 'S';
    assert_null(key_table_find(&table, text));
    text[0] = 's';
    text[6] = text[6] == 'x' ? 'y' : 'x'; /* an id that nobody has */
    assert_null(key_table_find(&table, text));
    assert_int_equal(compared, 0);
}

/* Letter by letter, and none from the salt, which is in the file. */
static void test_each_letter_has_chance_of_its_own(void **state) {
    struct key_wish wish = {
        .name = "a", .permissions = 2, .expires_in = MSEC_NEVER, .rescued = true
    };
    char text[KEY_TEXT_SIZE], other[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(key_table_add(&table, &wish, chance, NOW, text, &err));
    key_table_clear(&table);
    for (size_t i = 0; i < KEY_RANDOM_LEN; i += 4) {
        chance[i] ^= 1;
        assert_true(key_table_add(&table, &wish, chance, NOW, other, &err));
        key_table_clear(&table);
        chance[i] ^= 1;
        size_t at = i < KEY_SALT_LEN ? KEY_TEXT_SIZE : 6 + (i - KEY_SALT_LEN) / 4;
        if (at >= 6 + KEY_ID_LEN) at++; /* the colon */
        for (size_t j = 0; j < KEY_TEXT_SIZE; j++) {
            if ((text[j] != other[j]) != (j == at)) fail_msg("byte %zu, letter %zu", i, j);
        }
    }
}

static void test_the_same_text_has_another_hash_with_another_salt(void **state) {
    struct key_wish wish = {
        .name = "a", .permissions = 2, .expires_in = MSEC_NEVER, .rescued = true
    };
    unsigned char hash[KEY_HASH_LEN];
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(key_table_add(&table, &wish, chance, NOW, text, &err));
    assert_memory_equal(table.keys[0].salt, chance, KEY_SALT_LEN);
    memcpy(hash, table.keys[0].hash, sizeof hash);
    key_table_clear(&table);
    chance[0] ^= 1;
    assert_true(key_table_add(&table, &wish, chance, NOW, text, &err));
    assert_memory_not_equal(table.keys[0].hash, hash, sizeof hash);
    assert_false(key_table_add(&table, &wish, chance, NOW, text, &err)); /* the id is in use */
    assert_int_equal(err.code, ERR_INTERNAL);
}

static void test_clients_see_neither_salt_nor_hash(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *shown = key_show(&table.keys[0], doc);
    assert_int_equal(yyjson_mut_obj_size(shown), 7);
    assert_null(yyjson_mut_obj_get(shown, "salt"));
    assert_null(yyjson_mut_obj_get(shown, "hash"));
    yyjson_mut_doc_free(doc);
}

static void test_the_file_never_has_the_key(void **state) {
    char text[KEY_TEXT_SIZE];
    struct buf file = BUF_INIT(1 << 16);
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    key_table_format(&table, &file);
    assert_null(strstr(buf_str(&file), text + 15));
    assert_null(strstr(buf_str(&file), text));
    buf_clear(&file);
}

static void test_the_first_key_can_manage_the_server(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_false(add("{\"name\":\"a\"}", false, text, &err));
    assert_string_equal(err.param, "permissions");
    assert_false(add("{\"name\":\"a\",\"permissions\":[\"admin\"],\"expires_in\":60}", false,
                     text, &err));
    assert_true(add("{\"name\":\"a\"}", true, text, &err)); /* the setting api_key can */
    assert_true(add("{\"name\":\"b\",\"permissions\":[\"admin\"],\"expires_in\":60}", true,
                    text, &err));
    assert_false(add("{\"name\":\"c\"}", false, text, &err)); /* it will be gone */
}

static void test_the_last_admin_stays_and_the_last_key_needs_a_word(void **state) {
    char text[KEY_TEXT_SIZE], first[KEY_ID_LEN + 1], second[KEY_ID_LEN + 1];
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(add("{\"name\":\"b\"}", false, text, &err));
    memcpy(first, table.keys[0].id, sizeof first);
    memcpy(second, table.keys[1].id, sizeof second);
    assert_false(key_table_remove(&table, first, false, true, &err));
    assert_false(key_table_remove(&table, "nobody__", false, true, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(key_table_remove(&table, second, false, false, &err));
    assert_false(key_table_remove(&table, first, false, false, &err));
    assert_true(key_table_remove(&table, first, false, true, &err));
    assert_int_equal(table.count, 0);
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(key_table_remove(&table, table.keys[0].id, true, false, &err)); /* rescued */
}

static void test_the_key_that_is_revoked_goes_and_no_other(void **state) {
    char text[3][KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    for (int i = 0; i < 3; i++) assert_true(add(ADMIN_KEY, false, text[i], &err));
    assert_true(
        key_table_remove(&table, key_table_find(&table, text[1])->id, false, false, &err));
    assert_int_equal(table.count, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(key_table_find(&table, text[i]) != NULL, i != 1);
}

static void test_permissions_are_what_they_say(void **state) {
    struct error err;
    (void)state;
    for (int i = 0; i < PERMISSION_COUNT; i++) {
        enum permission need = (enum permission)i;
        assert_true(permission_require(1u << PERMISSION_ADMIN, need, &err));
        for (int has = PERMISSION_INFERENCE; has < PERMISSION_COUNT; has++) {
            bool want = has == i || need == PERMISSION_ANY;
            assert_int_equal(permission_require(1u << has, need, &err), want);
            if (!want) assert_int_equal(err.code, ERR_FORBIDDEN);
        }
    }
}

static void test_a_key_has_all_the_permissions_that_were_wished(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(
        add("{\"name\":\"b\",\"permissions\":[\"events\",\"models\"]}", true, text, &err));
    assert_int_equal(key_table_find(&table, text)->permissions,
                     1u << PERMISSION_EVENTS | 1u << PERMISSION_MODELS);
}

static void test_a_key_is_for_as_many_models_as_may_be(void **state) {
    struct key_wish wish, untouched;
    yyjson_val *models;
    struct error err;
    (void)state;
    memset(&wish, 0x5a, sizeof wish);
    untouched = wish;
    for (int count = KEY_MODELS_MAX + 1; count >= KEY_MODELS_MAX; count--) {
        struct buf json = BUF_INIT(1 << 12);
        buf_add_str(&json, "{\"name\":\"a\",\"models\":[\"m\"");
        for (int i = 1; i < count; i++) buf_add_str(&json, ",\"m\"");
        buf_add_str(&json, "]}");
        yyjson_doc *doc = json_parse_object(buf_str(&json), json.len, &err);
        bool ok = key_wish_read(yyjson_doc_get_root(doc), &wish, &models, &err);
        assert_int_equal(ok, count == KEY_MODELS_MAX);
        if (!ok) assert_memory_equal(&wish, &untouched, sizeof wish);
        yyjson_doc_free(doc);
        buf_clear(&json);
    }
}

static void test_a_key_for_some_models_is_for_no_others(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(add("{\"name\":\"b\",\"models\":[\"small\",\"tiny\"]}", true, text, &err));
    const struct allowed_models *allowed = &key_table_find(&table, text)->models;
    assert_true(allowed_models_require(allowed, "tiny", &err));
    assert_false(allowed_models_require(allowed, "large", &err));
    assert_int_equal(err.code, ERR_FORBIDDEN);
    assert_false(add("{\"name\":\"c\",\"models\":[]}", true, text, &err));
    assert_false(add("{\"name\":\"c\",\"models\":[\"m\"],\"permissions\":[\"models\"]}", true,
                     text, &err));
}

static void test_a_key_expires_at_its_time(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    assert_true(add("{\"name\":\"b\",\"expires_in\":60}", true, text, &err));
    assert_false(key_is_expired(&table.keys[0], NOW + 59999));
    assert_true(key_is_expired(&table.keys[0], NOW + 60000));
    assert_true(add("{\"name\":\"c\"}", true, text, &err));
    assert_false(key_is_expired(&table.keys[1], MSEC_NEVER));
}

static void test_bad_wishes_are_refused(void **state) {
    static const char *const wishes[][2] = {
        { "{}", "name" },
        { "{\"name\":\"\"}", "name" },
        { "{\"name\":\"a\\nb\"}", "name" },
        { "{\"name\":1}", "name" },
        { "{\"name\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
          "name" },
        { "{\"name\":\"a\",\"permissions\":[]}", "permissions" },
        { "{\"name\":\"a\",\"permissions\":[\"root\"]}", "permissions" },
        { "{\"name\":\"a\",\"permissions\":[1]}", "permissions" },
        { "{\"name\":\"a\",\"models\":[7]}", "models" },
        { "{\"name\":\"a\",\"expires_in\":0}", "expires_in" },
    };
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        assert_false(add(wishes[i][0], true, text, &err));
        assert_string_equal(err.param, wishes[i][1]);
    }
}

static void test_a_full_table_takes_no_more(void **state) {
    char text[KEY_TEXT_SIZE];
    struct error err;
    (void)state;
    for (int i = 0; i < KEYS_MAX; i++) {
        memset(chance + KEY_SALT_LEN, 0, 8);
        chance[KEY_SALT_LEN] = (unsigned char)(i % 62 - 1);
        chance[KEY_SALT_LEN + 4] = (unsigned char)(i / 62);
        assert_true(add("{\"name\":\"a\"}", true, text, &err));
    }
    assert_false(add("{\"name\":\"a\"}", true, text, &err));
}

/* ---- damage ---- */

/* May the key do everything that it may do in the whole table, or less? */
static void check_no_wider(const struct key *key, struct key_table *whole) {
    const struct key *was = key_table_by_id(whole, key->id);
    if (!was) return; /* a damaged id: nobody has the secret of it */
    if (memcmp(was->hash, key->hash, KEY_HASH_LEN) != 0) return;
    assert_int_equal(key->models.count, was->models.count);
    assert_int_equal(key->permissions, was->permissions);
}

static void check_damaged(const char *bytes, size_t len, struct key_table *whole) {
    static struct key_table read;
    struct error err;
    if (key_table_read(&read, bytes, len, &err)) assert_int_equal(read.count, whole->count);
    for (size_t i = 0; i < read.count; i++) check_no_wider(&read.keys[i], whole);
    key_table_clear(&read);
}

static void test_damage_is_noticed_and_widens_no_right(void **state) {
    char text[KEY_TEXT_SIZE];
    struct buf file = BUF_INIT(1 << 16);
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(add("{\"name\":\"b\",\"models\":[\"small\"]}", false, text, &err));
    assert_true(
        add("{\"name\":\"c\",\"permissions\":[\"events\",\"models\"]}", false, text, &err));
    key_table_format(&table, &file);
    check_damaged(buf_str(&file), file.len, &table);
    char *bytes = buf_take(&file);
    size_t len = strlen(bytes);
    for (size_t at = 0; at < len; at++) {
        if (at + 2 < len) { /* without the last newline it is whole */
            static struct key_table cut;
            assert_false(key_table_read(&cut, bytes, at, &err));
            key_table_clear(&cut);
        }
        char was = bytes[at];
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] = (char)(was ^ (1 << bit));
            check_damaged(bytes, len, &table);
        }
        bytes[at] = was;
    }
    free(bytes);
}

/* In the text, `from` becomes `to`. The caller frees. */
static char *replaced(const char *text, const char *from, const char *to) {
    struct buf out = BUF_INIT(1 << 16);
    const char *at = strstr(text, from);
    assert_non_null(at);
    buf_add(&out, text, (size_t)(at - text));
    buf_add_str(&out, to);
    buf_add_str(&out, at + strlen(from));
    return buf_take(&out);
}

/* What a client may leave out has to be in the file, and nothing else. */
static void test_a_file_with_one_mistake_is_not_whole(void **state) {
    static const char *const mistakes[][2] = {
        { "{\"keys\":", "{\"more\":1,\"keys\":" },
        { "{\"keys\":", "{\"keyz\":" },
        { "\"id\":", "\"more\":1,\"id\":" },
        { "\"expires_at\":", "\"expires\":" },
        { "\"expires_at\":", "\"expires_at\":-" },
        { "\"created_at\":", "\"created\":" },
        { "\"last_used_at\":0", "\"last_used_at\":null" },
        { "\"models\":", "\"model\":" },
        { "\"permissions\":", "\"permission\":" },
        { "\"hash\":\"", "\"hash\":\"g" },
        { "\"hash\":\"", "\"hash\":\"00" },
        { "\"salt\":\"", "\"salt\":\"0" },
        { "\"id\":\"", "\"id\":\"x" },
    };
    static struct key_table read;
    char text[KEY_TEXT_SIZE];
    struct buf file = BUF_INIT(1 << 16);
    struct error err;
    (void)state;
    assert_true(add("{\"name\":\"a\",\"expires_in\":60}", true, text, &err));
    key_table_format(&table, &file);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char *bad = replaced(buf_str(&file), mistakes[i][0], mistakes[i][1]);
        bool whole = key_table_read(&read, bad, strlen(bad), &err);
        if (whole) fail_msg("it is read: %s", bad);
        key_table_clear(&read);
        free(bad);
    }
    char *at = strstr(file.data, "\"hash\":\"") + strlen("\"hash\":\"");
    char was = *at;
    *at = 'g';
    assert_false(key_table_read(&read, buf_str(&file), file.len, &err));
    *at = was;
    key_table_clear(&read);
    buf_clear(&file);
}

static void test_an_id_is_read_once(void **state) {
    static struct key_table read;
    char text[KEY_TEXT_SIZE], twin[KEY_TEXT_SIZE];
    struct buf file = BUF_INIT(1 << 16);
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(add(ADMIN_KEY, false, twin, &err));
    memcpy(table.keys[1].id, table.keys[0].id, KEY_ID_LEN);
    key_table_format(&table, &file);
    assert_false(key_table_read(&read, buf_str(&file), file.len, &err));
    assert_int_equal(read.count, 1);
    key_table_clear(&read);
    buf_clear(&file);
}

static void test_the_file_brings_everything_back(void **state) {
    static struct key_table read;
    char text[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
    struct buf file = BUF_INIT(1 << 16);
    struct error err;
    (void)state;
    assert_true(add(ADMIN_KEY, false, text, &err));
    assert_true(
        add("{\"name\":\"b\",\"models\":[\"small\"],\"expires_in\":5}", false, again, &err));
    table.keys[1].last_used_at = 77;
    key_table_format(&table, &file);
    assert_true(key_table_read(&read, buf_str(&file), file.len, &err));
    assert_int_equal(read.count, 2);
    assert_non_null(key_table_find(&read, text));
    const struct key *key = key_table_find(&read, again);
    assert_string_equal(key->name, "b");
    assert_string_equal(key->models.keys[0], "small");
    assert_int_equal(key->expires_at, NOW + 5000);
    assert_int_equal(key->last_used_at, 77);
    key_table_clear(&read);
    buf_clear(&file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_has_lm_studios_form_and_is_found_again),
        TEST(test_a_key_is_compared_whole),
        TEST(test_each_letter_has_chance_of_its_own),
        TEST(test_the_same_text_has_another_hash_with_another_salt),
        TEST(test_clients_see_neither_salt_nor_hash),
        TEST(test_the_file_never_has_the_key),
        TEST(test_the_first_key_can_manage_the_server),
        TEST(test_the_last_admin_stays_and_the_last_key_needs_a_word),
        TEST(test_the_key_that_is_revoked_goes_and_no_other),
        TEST(test_permissions_are_what_they_say),
        TEST(test_a_key_has_all_the_permissions_that_were_wished),
        TEST(test_a_key_is_for_as_many_models_as_may_be),
        TEST(test_a_key_for_some_models_is_for_no_others),
        TEST(test_a_key_expires_at_its_time),
        TEST(test_bad_wishes_are_refused),
        TEST(test_a_full_table_takes_no_more),
        TEST(test_damage_is_noticed_and_widens_no_right),
        TEST(test_a_file_with_one_mistake_is_not_whole),
        TEST(test_an_id_is_read_once),
        TEST(test_the_file_brings_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
