/* SPDX-License-Identifier: MIT */
/* What a session of the SDK does with large conversations, and with too many calls. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/history.h"
#include "api/lmstudio_ws/op.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

enum { FILE_LEN = 4 << 20 };

static struct load_settings settings;
static const struct instance_view instance = { .reference = 65,
                                               .identifier = "m",
                                               .model_key = "m",
                                               .type = MODEL_LLM,
                                               .state = INSTANCE_IDLE,
                                               .settings = &settings };
static const struct model_view model = { .key = "m",
                                         .publisher = "p",
                                         .display_name = "M",
                                         .path = "/m/p/m/m.gguf",
                                         .architecture = "llama",
                                         .quantization = "Q8_0",
                                         .params_string = "1B",
                                         .type = MODEL_LLM,
                                         .instances = &instance,
                                         .instance_count = 1 };

struct world {
    struct service service;
    struct lmws_host host;
    struct byte_budget budget;
    size_t ops;
    char *text; /* of the file */
    int in_use, generated, cancelled;
    bool gave_way; /* what yields of the budget */
    int files_read, went_on;
    size_t text_bytes, piece_bytes;
    struct lmws_piece piece; /* that waits for a thread */
    struct buf said;         /* to the client */
};

/* ---- the service ---- */

static call_id generate(void *self, struct service_request *request, struct service_sink sink) {
    struct world *w = self;
    (void)sink;
    assert_null(request->body);
    assert_true(request->held.bytes >= request->sealed.len);
    w->text_bytes = request->sealed.text_bytes;
    service_request_clear(request);
    return (call_id)++w->generated;
}

static void cancel(void *self, call_id call) {
    (void)call;
    ((struct world *)self)->cancelled++;
}

static struct service_models list(void *self) {
    (void)self;
    return (struct service_models){ &model, 1, true };
}

static bool find_model(void *self, const char *name, struct model_view *ret_model) {
    (void)self;
    *ret_model = model;
    return strcmp(name, "m") == 0;
}

/* ---- the host ---- */

static bool admit(void *self, const char *peer, const char *identifier, const char *passkey,
                  char ret_key[LMWS_KEY_SIZE]) {
    (void)self;
    (void)peer;
    (void)identifier;
    (void)passkey;
    ret_key[0] = '\0';
    return true;
}

static bool may(void *self, const char *key, enum permission permission,
                const struct allowed_models **ret_allowed, struct error *err) {
    static const struct allowed_models all = { 0 };
    (void)self;
    (void)key;
    (void)permission;
    (void)err;
    *ret_allowed = &all;
    return true;
}

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    const struct world *w = self;
    *ret = (struct lmws_file){ .identifier = "file-1",
                               .name = "long.txt",
                               .type = "text/plain",
                               .mime = "",
                               .base64 = "",
                               .text = w->text };
    return strcmp(identifier, "file-1") == 0;
}

static void *file_begin(void *self, const char *name, const char *base64, size_t own,
                        struct error *err) {
    (void)name;
    (void)own;
    (void)err;
    return base64[0] == 'A' ? self : NULL;
}

static void file_read(void *upload) {
    ((struct world *)upload)->files_read++;
}

static bool file_put(void *self, void *upload, struct lmws_file *ret, struct error *err) {
    const struct world *w = self;
    (void)err;
    assert_ptr_equal(upload, self);
    assert_int_equal(w->files_read, 1);
    *ret = (struct lmws_file){ .identifier = "file-2", .type = "image", .size = 3 };
    return true;
}

static void file_hold(void *self, const struct lmws_file *file) {
    (void)file;
    ((struct world *)self)->in_use++;
}

static void file_release(void *self, const struct lmws_file *file) {
    (void)file;
    ((struct world *)self)->in_use--;
}

static void offload(void *self, size_t bytes, const struct lmws_piece *piece) {
    struct world *w = self;
    w->piece_bytes = bytes;
    w->piece = *piece;
}

/* ---- the client ---- */

static void send_out(void *ctx, const char *json, size_t len) {
    struct world *w = ctx;
    buf_add(&w->said, json, len);
    buf_add_str(&w->said, "\n");
}

static void on_admitted(void *ctx) {
    (void)ctx;
}

static size_t held(void *ctx) {
    (void)ctx;
    return 0;
}

static void go_on(void *ctx) {
    ((struct world *)ctx)->went_on++;
}

static void world_init(struct world *w) {
    *w = (struct world){ .budget = { .total = 64 << 20 }, .said = BUF_INIT(1 << 24) };
    w->text = xcalloc(FILE_LEN + 1, 1);
    memset(w->text, 'a', FILE_LEN);
    w->service = (struct service){ .self = w,
                                   .generate = generate,
                                   .cancel = cancel,
                                   .models = list,
                                   .find_model = find_model };
    w->host = (struct lmws_host){ .self = w,
                                  .service = &w->service,
                                  .budget = &w->budget,
                                  .ops = &w->ops,
                                  .version = "1",
                                  .machine = "m",
                                  .admit = admit,
                                  .may = may,
                                  .file_begin = file_begin,
                                  .file_read = file_read,
                                  .file_put = file_put,
                                  .file_find = file_find,
                                  .file_hold = file_hold,
                                  .file_release = file_release,
                                  .offload = offload };
}

static void world_clear(struct world *w) {
    assert_int_equal(w->ops, 0);
    assert_int_equal(w->in_use, 0);
    assert_int_equal(w->budget.held, 0);
    free(w->text);
    buf_clear(&w->said);
}

static void receive(struct lmws_session *session, const char *text) {
    struct error err;
    lmws_session_receive(session, lmws_message_parse(text, strlen(text), &err), &err);
}

static struct lmws_session *open_session(struct world *w, enum lmws_namespace ns) {
    struct lmws_transport transport = {
        .send = send_out,
        .on_admitted = on_admitted,
        .held = held,
        .go_on = go_on,
        .ctx = w,
        .peer = "",
    };
    struct lmws_session *session = lmws_session_new(ns, &w->host, transport);
    receive(session, "{\"authVersion\":1,\"clientIdentifier\":\"a\",\"clientPasskey\":\"b\"}");
    return session;
}

/* With that file `files` times. */
static void predict_files(struct lmws_session *session, int files) {
    struct buf text = BUF_INIT(1 << 16);
    (void)buf_add_str(&text,
                      "{\"type\":\"channelCreate\",\"endpoint\":\"predict\",\"channelId\":1,"
                      "\"creationParameter\":{\"modelSpecifier\":{\"type\":\"query\",\"query\":"
                      "{\"identifier\":\"m\"}},\"history\":{\"messages\":[{\"role\":\"user\","
                      "\"content\":[");
    for (int i = 0; i < files; i++)
        (void)buf_addf(&text,
                       "%s{\"type\":\"file\",\"identifier\":\"file-1\",\"name\":"
                       "\"long.txt\"}",
                       i > 0 ? "," : "");
    (void)buf_add_str(&text, "]}]},\"predictionConfigStack\":{\"layers\":[]}}}");
    receive(session, buf_str(&text));
    buf_clear(&text);
}

static void predict(struct lmws_session *session) {
    predict_files(session, 2);
}

static void finish_piece(struct world *w) {
    w->piece.work(w->piece.ctx);
    w->piece.on_done(w->piece.ctx);
}

/* The loop serves others until the thread has copied the files. */
static void test_files_of_a_conversation_are_put_together_beside_the_loop(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    predict(session);
    assert_true(w.piece_bytes >= 2 * FILE_LEN);
    assert_int_equal(w.generated, 0);
    assert_int_equal(w.in_use, 1);
    finish_piece(&w);
    assert_int_equal(w.generated, 1);
    assert_true(w.text_bytes >= 2 * FILE_LEN);
    assert_int_equal(w.in_use, 0);
    lmws_session_free(session);
    assert_int_equal(w.cancelled, 1);
    world_clear(&w);
}

static void test_a_channel_that_ends_meanwhile_begins_nothing(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    predict(session);
    receive(session, "{\"type\":\"channelSend\",\"channelId\":1,\"message\":"
                     "{\"type\":\"cancel\"}}");
    assert_int_equal(w.ops, 0);
    finish_piece(&w);
    assert_int_equal(w.generated, 0);
    lmws_session_free(session);
    world_clear(&w);
}

static void test_a_socket_that_closes_meanwhile_begins_nothing(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    predict(session);
    lmws_session_free(session);
    finish_piece(&w);
    assert_int_equal(w.generated, 0);
    world_clear(&w);
}

/* The worker, not the memory, has the last word on one that is larger than the budget. */
static void test_a_conversation_larger_than_the_budget_is_taken_alone(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    w.budget.total = FILE_LEN;
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    predict(session);
    finish_piece(&w);
    assert_int_equal(w.generated, 1);
    lmws_session_free(session);
    world_clear(&w);
}

static void test_a_conversation_without_room_is_refused(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    w.budget.held = w.budget.total;
    predict(session);
    w.budget.held -= w.budget.total;
    assert_non_null(strstr(buf_str(&w.said), "Other requests use all the memory"));
    assert_int_equal(w.ops, 0);
    assert_null(w.piece.work);
    lmws_session_free(session);
    world_clear(&w);
}

static void give_way(void *ctx) {
    struct world *w = ctx;
    w->gave_way = true;
    w->budget.held -= w->budget.yields;
    w->budget.yields = 0;
}

/* Its size is known before anything gives way for it. */
static void test_a_request_that_no_worker_takes_pushes_nothing_out(void **state) {
    struct world w;
    (void)state;
    for (int large = 0; large < 2; large++) {
        world_init(&w);
        struct lmws_session *session = open_session(&w, LMWS_LLM);
        memset(w.text, large ? '\1' : 'a', FILE_LEN); /* six bytes of JSON, or one */
        predict_files(session, LMWS_HISTORY_FILES_MAX / FILE_LEN);
        w.budget.yields = w.budget.total;
        w.budget.held += w.budget.yields;
        w.budget.give_way = give_way;
        w.budget.ctx = &w;
        finish_piece(&w);
        assert_int_equal(w.gave_way, !large);
        assert_int_equal(w.generated, !large);
        assert_true(large == (strstr(buf_str(&w.said), "too large for a worker") != NULL));
        if (large) give_way(&w);
        lmws_session_free(session);
        world_clear(&w);
    }
}

/* ---- long texts ---- */

enum { TEXT_LEN = 1 << 20 };

static void ask_with_text(struct lmws_session *session, const char *begin, const char *end) {
    struct buf text = BUF_INIT(2 * TEXT_LEN);
    (void)buf_add_str(&text, begin);
    for (int i = 0; i < TEXT_LEN / 8; i++) (void)buf_add_str(&text, "eight ch");
    (void)buf_add_str(&text, end);
    receive(session, buf_str(&text));
    buf_clear(&text);
}

/* A text may be as long as a message. */
static void test_a_text_becomes_a_request_beside_the_loop(void **state) {
    static const char *const begins[] = {
        "{\"type\":\"rpcCall\",\"endpoint\":\"tokenize\",\"callId\":1,\"parameter\":"
        "{\"inputString\":\"",
        "{\"type\":\"rpcCall\",\"endpoint\":\"countTokens\",\"callId\":1,\"parameter\":"
        "{\"inputString\":\"",
        "{\"type\":\"channelCreate\",\"endpoint\":\"completeRawText\",\"channelId\":1,"
        "\"creationParameter\":{\"modelSpecifier\":{\"type\":\"query\",\"query\":"
        "{\"identifier\":\"m\"}},\"predictionConfigStack\":{\"layers\":[]},"
        "\"rawPrompt\":\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        struct world w;
        world_init(&w);
        struct lmws_session *session = open_session(&w, LMWS_LLM);
        bool raw = i == 2;
        ask_with_text(session, begins[i],
                      raw ? "\"}}"
                          : "\",\"specifier\":{\"type\":\"query\",\"query\":"
                            "{\"identifier\":\"m\"}}}}");
        assert_int_equal(w.generated, 0);
        assert_true(w.piece_bytes >= TEXT_LEN);
        finish_piece(&w);
        assert_int_equal(w.generated, 1);
        assert_in_range(w.text_bytes, TEXT_LEN, TEXT_LEN + 64);
        lmws_session_free(session);
        world_clear(&w);
    }
}

/* The socket takes its next message when that is done. */
static void test_an_uploaded_file_is_read_beside_the_loop(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_FILES);
    ask_with_text(session,
                  "{\"type\":\"rpcCall\",\"endpoint\":\"uploadFileBase64\",\"callId\":1,"
                  "\"parameter\":{\"name\":\"a.png\",\"contentBase64\":\"A",
                  "\"}}");
    assert_int_equal(w.piece_bytes, TEXT_LEN + 1);
    assert_int_equal(w.files_read, 0);
    assert_true(lmws_session_waits(session));
    finish_piece(&w);
    assert_int_equal(w.files_read, 1);
    assert_non_null(strstr(buf_str(&w.said), "file-2"));
    assert_false(lmws_session_waits(session));
    assert_int_equal(w.went_on, 1);
    lmws_session_free(session);
    world_clear(&w);
}

static void test_a_configuration_of_many_fields_is_refused(void **state) {
    struct world w;
    struct buf text = BUF_INIT(1 << 20);
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    for (int fields = LMWS_CONFIG_FIELDS_MAX - 1; fields <= LMWS_CONFIG_FIELDS_MAX; fields++) {
        buf_reset(&text);
        buf_addf(&text,
                 "{\"type\":\"channelCreate\",\"endpoint\":\"predict\","
                 "\"channelId\":%d,\"creationParameter\":{\"predictionConfigStack\":"
                 "{\"layers\":[{\"config\":{\"fields\":[1",
                 fields);
        for (int i = 1; i < fields; i++) buf_add_str(&text, ",1");
        buf_add_str(&text, "]}}]}}}");
        receive(session, buf_str(&text));
        bool refused = strstr(buf_str(&w.said), "more than 4096 layers and fields") != NULL;
        assert_true(refused == (fields == LMWS_CONFIG_FIELDS_MAX));
    }
    buf_clear(&text);
    lmws_session_free(session);
    finish_piece(&w);
    world_clear(&w);
}

/* They would be copied on the loop. */
static void test_a_configuration_of_many_values_is_refused(void **state) {
    static const char begin[] = "{\"type\":\"channelCreate\",\"endpoint\":\"predict\","
                                "\"channelId\":%d,\"creationParameter\":"
                                "{\"predictionConfigStack\":[0";
    struct world w;
    struct buf text = BUF_INIT(1 << 20);
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_LLM);
    for (int more = 0; more < 2; more++) {
        buf_reset(&text);
        buf_addf(&text, begin, more); /* two values: a list, and what is in it */
        for (int i = 2; i < LMWS_CONFIG_VALUES_MAX + more; i++) buf_add_str(&text, ",0");
        buf_add_str(&text, "]}}");
        receive(session, buf_str(&text));
        bool refused = strstr(buf_str(&w.said), "more than 200000 values") != NULL;
        assert_true(refused == (more == 1));
    }
    buf_clear(&text);
    lmws_session_free(session);
    finish_piece(&w);
    world_clear(&w);
}

/* ---- too many calls ---- */

static void open_channels(struct lmws_session *session, int first, int count) {
    for (int i = first; i < first + count; i++) {
        char *text = xasprintf("{\"type\":\"channelCreate\",\"endpoint\":\"alive\","
                               "\"channelId\":%d}",
                               i);
        receive(session, text);
        free(text);
    }
}

static void test_one_socket_has_so_many_channels_and_no_more(void **state) {
    struct world w;
    (void)state;
    world_init(&w);
    struct lmws_session *session = open_session(&w, LMWS_SYSTEM);
    open_channels(session, 0, LMWS_OPS_MAX);
    assert_null(strstr(buf_str(&w.said), "channelError"));
    open_channels(session, LMWS_OPS_MAX, 1);
    assert_non_null(strstr(buf_str(&w.said), "This connection already has 4096 open calls"));
    assert_int_equal(w.ops, LMWS_OPS_MAX);
    lmws_session_free(session);
    world_clear(&w);
}

/* A session that has few may still open some. */
static void test_all_sockets_together_have_so_many_channels(void **state) {
    struct world w;
    struct lmws_session *greedy[LMWS_OPS_ALL / LMWS_OPS_MAX + 1];
    enum { GREEDY = sizeof greedy / sizeof greedy[0] };
    (void)state;
    world_init(&w);
    struct lmws_session *modest = open_session(&w, LMWS_SYSTEM);
    for (int i = 0; i < GREEDY; i++) {
        greedy[i] = open_session(&w, LMWS_SYSTEM);
        open_channels(greedy[i], 0, LMWS_OPS_MAX);
    }
    assert_int_equal(w.ops, LMWS_OPS_ALL + LMWS_OPS_FEW);
    assert_non_null(strstr(buf_str(&w.said), "All connections together have"));
    open_channels(modest, 0, LMWS_OPS_FEW);
    assert_int_equal(w.ops, LMWS_OPS_ALL + 2 * LMWS_OPS_FEW);
    open_channels(modest, LMWS_OPS_FEW, 1);
    assert_int_equal(w.ops, LMWS_OPS_ALL + 2 * LMWS_OPS_FEW);
    for (int i = 0; i < GREEDY; i++) lmws_session_free(greedy[i]);
    open_channels(modest, LMWS_OPS_FEW, 1);
    assert_int_equal(w.ops, LMWS_OPS_FEW + 1);
    lmws_session_free(modest);
    world_clear(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_a_conversation_are_put_together_beside_the_loop),
        cmocka_unit_test(test_a_channel_that_ends_meanwhile_begins_nothing),
        cmocka_unit_test(test_a_socket_that_closes_meanwhile_begins_nothing),
        cmocka_unit_test(test_a_conversation_larger_than_the_budget_is_taken_alone),
        cmocka_unit_test(test_a_conversation_without_room_is_refused),
        cmocka_unit_test(test_a_request_that_no_worker_takes_pushes_nothing_out),
        cmocka_unit_test(test_a_text_becomes_a_request_beside_the_loop),
        cmocka_unit_test(test_an_uploaded_file_is_read_beside_the_loop),
        cmocka_unit_test(test_a_configuration_of_many_fields_is_refused),
        cmocka_unit_test(test_a_configuration_of_many_values_is_refused),
        cmocka_unit_test(test_one_socket_has_so_many_channels_and_no_more),
        cmocka_unit_test(test_all_sockets_together_have_so_many_channels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
