/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/feed.h"

struct seen {
    char text[256];
    struct feed_listener *listener;
    bool leave;
};

static void note(void *ctx, const struct feed_message *message) {
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%d=%s ", (int)message->seq,
             message->json);
    if (seen->leave) feed_leave(seen->listener);
}

static void test_everybody_gets_their_topics(void **state) {
    (void)state;
    struct feed *feed = feed_new(4);
    struct seen one = { 0 }, both = { 0 };
    feed_listen(feed, 1, note, &one);
    feed_listen(feed, 3, note, &both);
    feed_publish(feed, "e", 1, "a", true);
    feed_publish(feed, "e", 2, "b", true);
    feed_publish(feed, "e", 1, "c", false);
    assert_string_equal(one.text, "1=a 0=c ");
    assert_string_equal(both.text, "1=a 2=b 0=c ");
    assert_true(feed_wanted(feed, 2));
    assert_false(feed_wanted(feed, 4));
    feed_free(feed);
}

static void test_a_listener_may_leave_in_its_call(void **state) {
    (void)state;
    struct feed *feed = feed_new(4);
    struct seen first = { .leave = true }, second = { 0 };
    feed_listen(feed, 1, note, &second);
    first.listener = feed_listen(feed, 1, note, &first);
    feed_publish(feed, "e", 1, "a", true);
    feed_publish(feed, "e", 1, "b", true);
    assert_string_equal(first.text, "1=a ");
    assert_string_equal(second.text, "1=a 2=b ");
    feed_free(feed);
}

static void test_replay_gives_what_was_missed_or_nothing(void **state) {
    (void)state;
    struct feed *feed = feed_new(3);
    struct seen seen = { 0 };
    for (const char *json = "abcde"; *json; json++) {
        char text[2] = { *json, '\0' };
        feed_publish(feed, "e", 1, text, true);
    }
    assert_false(feed_replay(feed, 1, 1, note, &seen)); /* 2 is forgotten */
    assert_false(feed_replay(feed, 6, 1, note, &seen)); /* never was */
    assert_string_equal(seen.text, "");
    assert_true(feed_replay(feed, 2, 1, note, &seen));
    assert_string_equal(seen.text, "3=c 4=d 5=e ");
    assert_true(feed_replay(feed, 5, 1, note, &seen));
    assert_string_equal(seen.text, "3=c 4=d 5=e ");
    assert_int_equal(feed_next_seq(feed), 6);
    feed_free(feed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_gets_their_topics),
        cmocka_unit_test(test_a_listener_may_leave_in_its_call),
        cmocka_unit_test(test_replay_gives_what_was_missed_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
