/* SPDX-License-Identifier: MIT */
/* Requests that are made to hang or to crash what prepares them: each fails with its cause, and
 * the answer that is being written beside them goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "worker.h"

#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"

static struct worker *load(const char *options) {
    char *path = model_make("prepare", "spoken", "--loop", "--text", "tick tock. ", "--context",
                            "131072", NULL);
    struct worker *w = worker_load(path, options);
    free(path);
    return w;
}

/* ---- attacks ---- */

/* {"op":"chat",…,"field":"text"} */
static char *chat_with(const char *field, const char *text, size_t len) {
    struct buf out = BUF_INIT(32 << 20);
    (void)buf_addf(&out, "{\"op\":\"chat\"," USER ",\"max_tokens\":64,\"%s\":", field);
    (void)json_write_str(&out, text, len);
    assert_true(buf_add_str(&out, "}"));
    return buf_take(&out);
}

static char *repeated(const char *field, const char *open, const char *close, int count) {
    struct buf out = BUF_INIT(16 << 20);
    for (int i = 0; i < count; i++) assert_true(buf_add_str(&out, open));
    for (int i = 0; i < count; i++) assert_true(buf_add_str(&out, close));
    char *request = chat_with(field, buf_str(&out), out.len);
    buf_clear(&out);
    return request;
}

static char *endless_template(void) {
    static const char text[] = "{% for i in range(100000) %}{% for j in range(100000) %}"
                               "{% set x = i * j %}{% endfor %}{% endfor %}";
    return chat_with("chat_template", text, sizeof text - 1);
}

static char *huge_template(void) {
    static const char text[] = "{% set x = namespace(s='aaaaaaaa') %}{% for i in range(64) %}"
                               "{% set x.s = x.s + x.s %}{% endfor %}{{ x.s }}";
    return chat_with("chat_template", text, sizeof text - 1);
}

static char *recursive_template(void) {
    static const char text[] = "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}";
    return chat_with("chat_template", text, sizeof text - 1);
}

static char *nested_template(void) {
    return repeated("chat_template", "{% if true %}", "{% endif %}", 8000);
}

static char *nested_grammar(void) {
    struct buf out = BUF_INIT(16 << 20);
    (void)buf_add_str(&out, "root ::= ");
    for (int i = 0; i < 100000; i++) (void)buf_add_str(&out, "(");
    (void)buf_add_str(&out, "\"a\"");
    for (int i = 0; i < 100000; i++) assert_true(buf_add_str(&out, ")"));
    char *request = chat_with("grammar", buf_str(&out), out.len);
    buf_clear(&out);
    return request;
}

static char *ambiguous_grammar(void) {
    static const char text[] = "root ::= s\ns ::= [a-z .] s t | \"\"\n"
                               "t ::= [a-z .] t s | \"\"";
    return chat_with("grammar", text, sizeof text - 1);
}

static char *chat_schema(const char *schema) {
    return xasprintf("{\"op\":\"chat\"," USER ",\"max_tokens\":8,\"response_format\":{\"type\":"
                     "\"json_schema\",\"json_schema\":{\"schema\":%s}}}",
                     schema);
}

static char *pattern_schema(void) {
    return chat_schema("{\"type\":\"string\",\"pattern\":\"^((a{0,900}){0,900}){0,900}$\"}");
}

static char *enum_schema(void) {
    struct buf out = BUF_INIT(16 << 20);
    (void)buf_add_str(&out, "{\"enum\":[0");
    for (int i = 1; i < 200000; i++) assert_true(buf_addf(&out, ",\"value %d\"", i));
    (void)buf_add_str(&out, "]}");
    char *request = chat_schema(buf_str(&out));
    buf_clear(&out);
    return request;
}

static char *defs_schema(void) {
    struct buf out = BUF_INIT(1 << 20);
    (void)buf_add_str(&out, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 60; i++) {
        (void)buf_addf(&out,
                       "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/"
                       "d%d\"}]},",
                       i, i + 1, i + 1);
    }
    assert_true(buf_add_str(&out, "\"d60\":{\"type\":\"string\"}}}"));
    char *request = chat_schema(buf_str(&out));
    buf_clear(&out);
    return request;
}

static char *long_prompt(void) {
    struct buf out = BUF_INIT(16 << 20);
    (void)buf_add_str(&out, "{\"op\":\"completion\",\"prompt\":\"");
    for (int i = 0; i < 400000; i++) (void)buf_add_str(&out, "<|im_start|>");
    assert_true(buf_add_str(&out, "\"}"));
    return buf_take(&out);
}

static const struct attack {
    const char *name;
    char *(*make)(void);
} attacks[] = {
    { "an endless template", endless_template },
    { "a template that takes all memory", huge_template },
    { "a template that calls itself", recursive_template },
    { "a template nested deeply", nested_template },
    { "a grammar nested deeply", nested_grammar },
    { "an ambiguous grammar", ambiguous_grammar },
    { "a pattern that explodes", pattern_schema },
    { "an enum of 200,000", enum_schema },
    { "60 definitions in pairs", defs_schema },
    { "a prompt that can never fit", long_prompt },
};
enum { ATTACKS = sizeof attacks / sizeof attacks[0] };

/* ---- */

/* How long a process's first thread wanted a processor while others had them, us (proc(5)); 0
 * where the kernel does not count that. */
static int64_t starved_usec(pid_t pid) {
    long long runs = 0, waits = 0;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%lld %lld", &runs, &waits) != 2) waits = 0;
    if (file) fclose(file);
    return waits / 1000;
}

/* A clock that stands while either program is kept from running: no gap is due to that. */
static int64_t clock_unstarved_usec(const struct worker *w) {
    return clock_boottime_usec() - starved_usec(w->pid) - starved_usec(getpid());
}

/* Read until the request has ended. The longest time without a piece of the stream, us. */
static int64_t longest_gap(struct worker *w, int stream, int request) {
    int64_t last = clock_unstarved_usec(w), longest = 0;
    int deltas = w->outcomes[stream].deltas;
    while (!w->outcomes[request].ended) {
        if (!worker_pump(w)) fail_msg("the worker died");
        int64_t now = clock_unstarved_usec(w);
        bool more = w->outcomes[stream].deltas > deltas;
        if (now - last > longest) longest = now - last;
        if (more) last = now;
        deltas = w->outcomes[stream].deltas;
    }
    return longest;
}

static int ask(struct worker *w, const struct attack *attack) {
    char *text = attack->make();
    int request = worker_ask(w, "%s", text);
    free(text);
    return request;
}

/* The second request at a time makes a wide context and copies the stream's state into it
 * (engine/sequences.h): 26 ms, and half a second where each read is watched. */
#ifdef __SANITIZE_THREAD__
enum { GAP_USEC = 2000000 };
#else
enum { GAP_USEC = 500000 };
#endif

/* A machine that stands still makes a gap, too, but hardly three times in a row. */
static void check_beside(struct worker *w, int stream, const struct attack *attack) {
    int64_t gap = GAP_USEC + 1;
    for (int tries = 0; tries < 3 && gap > GAP_USEC; tries++) {
        int request = ask(w, attack);
        gap = longest_gap(w, stream, request);
        const struct outcome *o = &w->outcomes[request];
        print_message("%s: %s, gap %d ms\n", attack->name,
                      o->failed ? outcome_str(o, "text") : "answered", (int)(gap / 1000));
        if (o->failed) assert_string_not_equal(outcome_str(o, "code"), "internal_error");
    }
    if (gap > GAP_USEC) fail_msg("%s: a gap of %d ms", attack->name, (int)(gap / 1000));
}

static void test_a_stream_goes_on_beside_each_attack(void **state) {
    (void)state;
    struct worker *w = load("\"parallel\":2,\"prepare_seconds\":1,\"context_length\":65536");
    int stream = worker_ask(w, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"overflow\":"
                               "\"rolling_window\"}");
    worker_until_deltas(w, stream, 4);
    for (int i = 0; i < ATTACKS; i++) check_beside(w, stream, &attacks[i]);
    struct outcome *o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":2}");
    assert_false(o->failed);
    worker_send(w, MSG_CANCEL, stream, "");
    (void)worker_end(w, stream);
    worker_stop(w, 0);
}

static void test_what_takes_too_long_fails_with_its_cause(void **state) {
    (void)state;
    struct worker *w = load("\"prepare_seconds\":0.3,\"context_length\":512");
    struct outcome *o = worker_end(w, ask(w, &attacks[0]));
    assert_string_equal(outcome_str(o, "code"), "invalid_request_error");
    assert_non_null(strstr(outcome_str(o, "text"), "more than 0.3 s"));
    o = worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":2}");
    assert_false(o->failed);
    worker_stop(w, 0);
}

static void test_a_request_can_be_cancelled_while_it_is_prepared(void **state) {
    (void)state;
    struct worker *w = load("\"prepare_seconds\":60,\"context_length\":512");
    int request = ask(w, &attacks[0]);
    int other = worker_ask(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":2}");
    assert_false(worker_end(w, other)->failed);
    assert_false(w->outcomes[request].ended);
    worker_send(w, MSG_CANCEL, request, "");
    assert_string_equal(outcome_str(worker_end(w, request), "stop_reason"), "userStopped");
    worker_stop(w, 0);
}

/* More of them than there are places: quick ones need not wait until they have ended. */
static void test_slow_requests_do_not_keep_quick_ones_waiting(void **state) {
    (void)state;
    struct worker *w = load("\"prepare_seconds\":60,\"context_length\":512");
    for (int i = 0; i < 6; i++) (void)ask(w, &attacks[0]);
    assert_false(worker_run(w, "{\"op\":\"chat\"," USER ",\"max_tokens\":2}")->failed);
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_goes_on_beside_each_attack),
        cmocka_unit_test(test_what_takes_too_long_fails_with_its_cause),
        cmocka_unit_test(test_a_request_can_be_cancelled_while_it_is_prepared),
        cmocka_unit_test(test_slow_requests_do_not_keep_quick_ones_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
