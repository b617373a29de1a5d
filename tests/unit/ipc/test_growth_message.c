/* SPDX-License-Identifier: MIT */
#include "ipc/growth_message.h"

#include <string.h>

#include "cmocka_prelude.h"

static void test_what_is_written_is_read(void **state) {
    (void)state;
    const struct grow_message grow = { .ask = 3, .bytes = 900, .least = 700, .optional = true };
    const struct grant_message grant = { .ask = 3, .bytes = 0, .most = 600, .limit = 5000 };
    struct grow_message grow_read;
    struct grant_message grant_read;
    struct error err;
    struct buf text = BUF_INIT(1 << 10);
    grow_message_format(&grow, &text);
    assert_true(grow_message_parse(&grow_read, text.data, text.len, &err));
    assert_int_equal(grow_read.ask, 3);
    assert_int_equal(grow_read.bytes, 900);
    assert_int_equal(grow_read.least, 700);
    assert_true(grow_read.optional);
    buf_clear(&text);
    grant_message_format(&grant, &text);
    assert_true(grant_message_parse(&grant_read, text.data, text.len, &err));
    assert_int_equal(grant_read.ask, 3);
    assert_int_equal(grant_read.bytes, 0);
    assert_int_equal(grant_read.most, 600);
    assert_int_equal(grant_read.limit, 5000);
    buf_clear(&text);
}

static void test_what_a_worker_must_not_say_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"ask\":1}",
        "{\"ask\":0,\"bytes\":2,\"least_bytes\":1}",
        "{\"ask\":1,\"bytes\":1,\"least_bytes\":2}",
        "{\"ask\":1,\"bytes\":-5,\"least_bytes\":-6}",
        "{\"ask\":1,\"bytes\":18446744073709551615,\"least_bytes\":1}",
        "{\"ask\":1,\"bytes\":2,\"least_bytes\":1,\"optional\":7}",
    };
    struct grow_message grow;
    struct error err;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (grow_message_parse(&grow, wrong[i], strlen(wrong[i]), &err))
            fail_msg("%s", wrong[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_a_worker_must_not_say_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
