/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "daemon/feed.h"

struct received {
    char text[256];
    struct feed_listener *listener;
    bool leave;
};

static int formatted;

static void format_text(const void *subject, uint64_t seq, struct buf *out) {
    (void)seq;
    formatted++;
    buf_add_str(out, subject);
}

static void publish(struct feed *feed, unsigned topics, const char *json, bool remember) {
    struct feed_entry entry = {
        .event = "e", .topics = topics, .subject = json, .format = format_text
    };
    feed_publish(feed, &entry, remember ? FEED_REMEMBER : FEED_PASS);
}

static void note(void *ctx, struct feed_message *message) {
    struct received *received = ctx;
    size_t len = strlen(received->text);
    snprintf(received->text + len, sizeof received->text - len, "%d=%s ",
             (int)feed_message_seq(message), feed_message_json(message));
    if (received->leave) feed_leave(received->listener);
}

static void test_everybody_gets_their_topics(void **state) {
    (void)state;
    struct feed *feed = feed_new(4, 1);
    struct received one = { 0 }, both = { 0 };
    feed_listen(feed, 1, note, &one);
    feed_listen(feed, 3, note, &both);
    publish(feed, 1, "a", true);
    publish(feed, 2, "b", true);
    publish(feed, 1, "c", false);
    assert_string_equal(one.text, "1=a 0=c ");
    assert_string_equal(both.text, "1=a 2=b 0=c ");
    assert_true(feed_wanted(feed, 2));
    assert_false(feed_wanted(feed, 4));
    feed_free(feed);
}

static void look_at_subject(void *ctx, struct feed_message *message) {
    const void **subject = ctx;
    *subject = feed_message_entry(message)->subject;
}

static void test_json_is_made_once_and_only_for_readers(void **state) {
    (void)state;
    static const char text[] = "a";
    struct feed *feed = feed_new(4, 1);
    struct received one = { 0 }, two = { 0 };
    const void *subject = NULL;
    feed_listen(feed, 1, look_at_subject, &subject);
    formatted = 0;
    publish(feed, 1, text, false);
    assert_ptr_equal(subject, text);
    assert_int_equal(formatted, 0);
    feed_listen(feed, 1, note, &one);
    feed_listen(feed, 1, note, &two);
    publish(feed, 1, text, true);
    assert_int_equal(formatted, 1);
    assert_string_equal(one.text, "1=a ");
    assert_string_equal(two.text, "1=a ");
    feed_free(feed);
}

static void test_a_listener_may_leave_in_its_call(void **state) {
    (void)state;
    struct feed *feed = feed_new(4, 1);
    struct received first = { .leave = true }, second = { 0 };
    feed_listen(feed, 1, note, &second);
    first.listener = feed_listen(feed, 1, note, &first);
    publish(feed, 1, "a", true);
    publish(feed, 1, "b", true);
    assert_string_equal(first.text, "1=a ");
    assert_string_equal(second.text, "1=a 2=b ");
    feed_free(feed);
}

static void test_replay_gives_what_was_missed_or_nothing(void **state) {
    (void)state;
    struct feed *feed = feed_new(3, 1);
    struct received received = { 0 };
    for (const char *json = "abcde"; *json; json++) {
        char text[2] = { *json, '\0' };
        publish(feed, 1, text, true);
    }
    assert_false(feed_replay(feed, 1, 1, note, &received)); /* 2 is forgotten */
    assert_false(feed_replay(feed, 6, 1, note, &received)); /* never was */
    assert_string_equal(received.text, "");
    assert_true(feed_replay(feed, 2, 1, note, &received));
    assert_string_equal(received.text, "3=c 4=d 5=e ");
    assert_true(feed_replay(feed, 5, 1, note, &received));
    assert_string_equal(received.text, "3=c 4=d 5=e ");
    assert_int_equal(feed_next_seq(feed), 6);
    feed_free(feed);
}

static void check_id(const struct feed *feed, const char *id, int want) {
    uint64_t seq = 99;
    bool ok = feed_parse_id(feed, id, &seq);
    if (ok != (want >= 0)) fail_msg("'%s' is %san id", id, ok ? "" : "no ");
    assert_int_equal(seq, ok ? want : 99);
}

static void test_an_id_is_good_in_its_own_run(void **state) {
    (void)state;
    struct feed *one = feed_new(4, 1764140000000), *next = feed_new(4, 1764140000001);
    char id[FEED_ID_SIZE];
    feed_format_id(one, 17, id);
    assert_string_equal(id, "1764140000000-17");
    check_id(one, id, 17);
    check_id(next, id, -1);
    check_id(next, "1764140000001-0", 0);
    check_id(next, "0", 0);
    const char *const bad[] = { "",
                                "17",
                                "-17",
                                "1764140000001",
                                "1764140000001-",
                                "1764140000001-+1",
                                "1764140000001- 1",
                                "1764140000001-1x",
                                "1764140000001-99999999999999999999",
                                "01764140000001-1" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) check_id(next, bad[i], -1);
    for (int i = 0; i < 6; i++) publish(next, 1, "x", true);
    check_id(next, "0", 2);
    feed_free(one);
    feed_free(next);
}

static void test_the_longest_id_fits(void **state) {
    (void)state;
    struct feed *feed = feed_new(4, UINT64_MAX);
    char id[FEED_ID_SIZE];
    feed_format_id(feed, UINT64_MAX, id);
    assert_string_equal(id, "18446744073709551615-18446744073709551615");
    feed_free(feed);
}

static void ignore(void *ctx, struct feed_message *message) {
    (void)ctx;
    (void)message;
}

static void test_a_crowd_of_listeners_is_told(void **state) {
    struct feed_listener *listeners[FEED_CROWD];
    struct feed *feed = feed_new(4, 1);
    (void)state;
    for (int i = 0; i < FEED_CROWD; i++) {
        assert_false(feed_is_crowded(feed));
        listeners[i] = feed_listen(feed, 1, ignore, NULL);
    }
    assert_true(feed_is_crowded(feed));
    feed_leave(listeners[7]);
    assert_false(feed_is_crowded(feed));
    for (int i = 0; i < FEED_CROWD; i++) {
        if (i != 7) feed_leave(listeners[i]);
    }
    feed_free(feed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_gets_their_topics),
        cmocka_unit_test(test_json_is_made_once_and_only_for_readers),
        cmocka_unit_test(test_a_listener_may_leave_in_its_call),
        cmocka_unit_test(test_replay_gives_what_was_missed_or_nothing),
        cmocka_unit_test(test_an_id_is_good_in_its_own_run),
        cmocka_unit_test(test_the_longest_id_fits),
        cmocka_unit_test(test_a_crowd_of_listeners_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
