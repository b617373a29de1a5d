/* SPDX-License-Identifier: MIT */
/* Two real workers, one of which lends the other memory, as the daemons of two nodes connect
 * them. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define MB (1 << 20)
#define LENT "\"context_length\":512," WORKER_STEADY ",\"lent_bytes\":"

struct pair {
    struct worker *lender, *borrower;
};

static struct pair connect_pair(int64_t bytes) {
    struct pair p;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    p.lender = worker_start_lent(ends[0]);
    p.borrower = worker_start_lent(ends[1]);
    close(ends[0]);
    close(ends[1]);
    char *lend = xasprintf("{\"bytes\":%lld}", (long long)bytes);
    worker_send(p.lender, MSG_LEND, 0, lend);
    free(lend);
    while (!p.lender->facts && worker_pump(p.lender)) continue;
    if (p.lender->failed) fail_msg("%s", yyjson_get_str(worker_fact(p.lender, "text")));
    return p;
}

static char *model(void) {
    return model_make("random", "random", "--seed", "7", NULL);
}

static char *answer_of(struct worker *w) {
    struct outcome *o = worker_run(
        w, "{\"op\":\"completion\",\"prompt\":\"Once upon a time\",\"max_tokens\":24,"
           "\"temperature\":0}");
    assert_false(o->failed);
    return xstrdup(buf_str(&o->content));
}

static void test_a_model_with_lent_memory_answers_as_one_without(void **state) {
    (void)state;
    char *path = model();
    struct worker *alone = worker_load(path, "\"context_length\":512," WORKER_STEADY);
    struct pair p = connect_pair(512 * MB);
    worker_say_load(p.borrower, path, LENT "268435456");
    if (p.borrower->failed) fail_msg("%s", yyjson_get_str(worker_fact(p.borrower, "text")));
    assert_true(yyjson_get_sint(worker_fact(p.borrower, "device_layers")) > 0);
    assert_true(yyjson_get_sint(worker_fact(p.borrower, "device_memory_bytes")) > 0);
    assert_string_equal(yyjson_get_str(worker_fact(p.borrower, "sandbox")),
                        yyjson_get_str(worker_fact(alone, "sandbox")));
    char *one = answer_of(alone), *two = answer_of(p.borrower);
    assert_true(strlen(one) > 0);
    assert_string_equal(one, two);
    free(one);
    free(two);
    free(path);
    worker_stop(alone, 0);
    worker_stop(p.borrower, 0);
    worker_stop(p.lender, LENT_EXIT); /* the borrower has left */
}

static void test_no_more_is_taken_than_is_lent(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their own memory would count */
#endif
    char *path = model();
    struct pair p = connect_pair(2 * MB);
    worker_say_load(p.borrower, path, LENT "268435456"); /* more than that */
    assert_true(p.borrower->failed);
    assert_true(strlen(yyjson_get_str(worker_fact(p.borrower, "text"))) > 0);
    worker_stop(p.borrower, 1);
    worker_stop(p.lender, LENT_EXIT);
    free(path);
}

static void test_without_room_for_one_layer_the_load_fails(void **state) {
    (void)state;
    char *path = model();
    struct pair p = connect_pair(512 * MB);
    worker_say_load(p.borrower, path, LENT "1000");
    assert_true(p.borrower->failed);
    assert_string_equal(yyjson_get_str(worker_fact(p.borrower, "code")), "insufficient_memory");
    worker_stop(p.borrower, 1);
    worker_stop(p.lender, LENT_EXIT);
    free(path);
}

static void test_who_borrows_ends_with_the_lender(void **state) {
    (void)state;
    char *path = model();
    struct pair p = connect_pair(512 * MB);
    worker_say_load(p.borrower, path, LENT "268435456");
    assert_false(p.borrower->failed);
    assert_int_equal(kill(p.lender->pid, SIGSTOP), 0); /* so that the answer is not sooner */
    (void)worker_ask(p.borrower, "{\"op\":\"completion\",\"prompt\":\"Once\"}");
    assert_int_equal(kill(p.lender->pid, SIGKILL), 0);
    while (worker_pump(p.borrower)) continue;
    worker_stop(p.borrower, LENT_EXIT);
    worker_stop(p.lender, 128 + SIGKILL);
    free(path);
}

static void test_bytes_that_are_no_rpc_end_the_lender_only(void **state) {
    (void)state;
    int ends[2];
    char junk[4096];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct worker *lender = worker_start_lent(ends[0]);
    close(ends[0]);
    worker_send(lender, MSG_LEND, 0, "{\"bytes\":16777216}");
    while (!lender->facts && worker_pump(lender)) continue;
    assert_false(lender->failed);
    memset(junk, 0xee, sizeof junk);
    (void)!write(ends[1], junk, sizeof junk);
    while (worker_pump(lender)) continue;
    worker_stop(lender, 0);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_model_with_lent_memory_answers_as_one_without),
        cmocka_unit_test(test_no_more_is_taken_than_is_lent),
        cmocka_unit_test(test_without_room_for_one_layer_the_load_fails),
        cmocka_unit_test(test_who_borrows_ends_with_the_lender),
        cmocka_unit_test(test_bytes_that_are_no_rpc_end_the_lender_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
