/* SPDX-License-Identifier: MIT */
#include "daemon/log_feed.h"

#include "cmocka_prelude.h"

static void copy_json(void *ctx, struct feed_message *message) {
    struct buf *json = ctx;
    buf_reset(json);
    buf_add_str(json, feed_message_json(message));
}

/* What a follower of everything gets. */
static void expect(const struct log_line *line, const char *json) {
    struct feed *log = feed_new(2, 1);
    struct buf got = BUF_INIT(4096);
    feed_listen(log, UINT32_MAX, copy_json, &got);
    log_feed_publish(log, line);
    assert_string_equal(buf_str(&got), json);
    buf_clear(&got);
    feed_free(log);
}

static void test_each_kind_has_its_json(void **state) {
    (void)state;
    expect(
        &(struct log_line){
            .kind = LOG_SERVER, .level = LOG_LEVEL_WARN, .at = 5, .text = "A \"b\"" },
        "{\"at\":5,\"source\":\"server\",\"level\":\"warn\",\"type\":\"line\","
        "\"text\":\"A \\\"b\\\"\"}");
    expect(&(struct log_line){ .kind = LOG_REQUEST, .level = LOG_LEVEL_DEBUG, .text = "x" },
           "{\"at\":0,\"source\":\"server\",\"level\":\"debug\",\"type\":\"line\",\"text\":"
           "\"x\"}");
    expect(
        &(struct log_line){
            .kind = LOG_INPUT, .level = LOG_LEVEL_INFO, .model = "m", .text = "<user>" },
        "{\"at\":0,\"source\":\"model\",\"level\":\"info\",\"type\":\"input\",\"model\":\"m\","
        "\"text\":\"<user>\"}");
    expect(
        &(struct log_line){
            .kind = LOG_STATS,
            .level = LOG_LEVEL_INFO,
            .model = "m",
            .usage = { .prompt_tokens = 7, .cached_tokens = 2, .completion_tokens = 3 },
            .timing = { .generation = 1.5, .time_to_first_token = 0.12345 },
            .stop_reason = STOP_EOS },
        "{\"at\":0,\"source\":\"model\",\"level\":\"info\",\"type\":\"stats\",\"model\":\"m\","
        "\"stats\":{\"prompt_tokens\":7,\"cached_tokens\":2,\"completion_tokens\":3,"
        "\"tokens_per_second\":2.0,\"time_to_first_token\":0.123,\"generation_time\":1.5,"
        "\"stop_reason\":\"eosFound\"}}");
}

static void test_only_lines_of_the_server_are_remembered(void **state) {
    (void)state;
    struct feed *log = feed_new(4, 1);
    assert_false(log_feed_wanted(log, LOG_OUTPUT));
    log_feed_publish(log, &(struct log_line){ .kind = LOG_SERVER, .text = "a" });
    log_feed_publish(log, &(struct log_line){ .kind = LOG_REQUEST, .text = "b" });
    log_feed_publish(log, &(struct log_line){ .kind = LOG_OUTPUT, .model = "m", .text = "c" });
    assert_int_equal(feed_next_seq(log), 2);
    struct buf last = BUF_INIT(4096);
    feed_listen(log, LOG_TOPIC_OUTPUT, copy_json, &last);
    assert_true(log_feed_wanted(log, LOG_OUTPUT));
    assert_false(log_feed_wanted(log, LOG_SERVER));
    buf_clear(&last);
    feed_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_has_its_json),
        cmocka_unit_test(test_only_lines_of_the_server_are_remembered),
    };
    return cmocka_run_group_tests_name("log feed", tests, NULL, NULL);
}
