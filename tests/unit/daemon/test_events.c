/* SPDX-License-Identifier: MIT */
#include "daemon/events.h"

#include "cmocka_prelude.h"

static void copy_json(void *ctx, struct feed_message *message) {
    struct buf *json = ctx;
    buf_reset(json);
    buf_addf(json, "%s %s", feed_message_entry(message)->event, feed_message_json(message));
}

static void expect_transition(const struct instance_transition *transition, const char *text) {
    struct feed *events = feed_new(2, 1);
    struct buf got = BUF_INIT(4096);
    feed_listen(events, EVENT_TOPIC_TRANSITIONS, copy_json, &got);
    events_publish_transition(events, transition);
    assert_string_equal(buf_str(&got), text);
    buf_clear(&got);
    feed_free(events);
}

static void test_a_transition_says_what_is_known(void **state) {
    (void)state;
    struct instance_transition t = { .at = 9,
                                     .identifier = "one",
                                     .model_key = "m",
                                     .from = LC_LOADING,
                                     .to = LC_IDLE,
                                     .reason = LC_BECAUSE_READY,
                                     .generation = 3,
                                     .pid = 77,
                                     .memory = 1000,
                                     .load_seconds = 0.5,
                                     .expires_in = MSEC_NEVER,
                                     .due = 1234 };
    expect_transition(&t, "instance {\"seq\":1,\"at\":9,\"id\":\"one\",\"model\":\"m\","
                          "\"from\":\"loading\",\"to\":\"idle\",\"reason\":\"ready\","
                          "\"generation\":3,\"origin\":\"jit\",\"running\":0,\"waiting\":0,"
                          "\"pid\":77,\"memory_bytes\":1000,\"load_time_seconds\":0.5,"
                          "\"expires_in_ms\":null}");
}

static void test_an_eviction_names_who_it_is_for(void **state) {
    (void)state;
    struct instance_transition t = { .identifier = "one",
                                     .model_key = "m",
                                     .from = LC_BUSY,
                                     .to = LC_DRAINING,
                                     .reason = LC_BECAUSE_EVICTED,
                                     .evicted_by = "two",
                                     .origin = ORIGIN_EXPLICIT,
                                     .running = 2,
                                     .error = "No." };
    expect_transition(&t,
                      "instance {\"seq\":1,\"at\":0,\"id\":\"one\",\"model\":\"m\","
                      "\"from\":\"busy\",\"to\":\"draining\",\"reason\":\"evicted_by:two\","
                      "\"generation\":0,\"origin\":\"explicit\",\"running\":2,\"waiting\":0,"
                      "\"error\":\"No.\"}");
}

static void test_an_unload_at_ttl_says_when_it_was_due(void **state) {
    (void)state;
    struct instance_transition t = { .identifier = "one",
                                     .model_key = "m",
                                     .from = LC_IDLE,
                                     .to = LC_UNLOADING,
                                     .reason = LC_BECAUSE_TTL,
                                     .due = 1234 };
    expect_transition(&t, "instance {\"seq\":1,\"at\":0,\"id\":\"one\",\"model\":\"m\","
                          "\"from\":\"idle\",\"to\":\"unloading\",\"reason\":\"ttl\","
                          "\"generation\":0,\"origin\":\"jit\",\"running\":0,\"waiting\":0,"
                          "\"due\":1234}");
}

static void test_progress_has_no_number(void **state) {
    (void)state;
    struct feed *events = feed_new(2, 1);
    struct buf got = BUF_INIT(4096);
    feed_listen(events, EVENT_TOPIC_INSTANCES, copy_json, &got);
    events_publish_progress(events, &(struct instance_progress){ "one", "m", 0.25 });
    assert_string_equal(buf_str(&got),
                        "progress {\"id\":\"one\",\"model\":\"m\",\"progress\":0.25}");
    assert_int_equal(feed_next_seq(events), 1);
    buf_clear(&got);
    feed_free(events);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_transition_says_what_is_known),
        cmocka_unit_test(test_an_eviction_names_who_it_is_for),
        cmocka_unit_test(test_an_unload_at_ttl_says_when_it_was_due),
        cmocka_unit_test(test_progress_has_no_number),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
