/* SPDX-License-Identifier: MIT */
/* Loads with LoRA adapters, as the supervisor plans and orders them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "catalog/gguf_writer.h"
#include "catalog/temp_folder.h"
#include "scene.h"

static void *folder;
static char *model_path;

static void write_file_of(const char *name, const char *kind, const char *architecture,
                          const char *tensor, uint64_t columns, uint64_t rows) {
    struct buf bytes = BUF_INIT(1 << 12);
    put_header(&bytes, 1, 3);
    put_text_pair(&bytes, "general.architecture", architecture);
    put_text_pair(&bytes, "general.type", kind);
    put_text_pair(&bytes, "adapter.type", "lora");
    put_tensor(&bytes, tensor, columns, rows, 0, 0);
    put_data(&bytes, columns * rows * 4);
    write_file(folder, name, &bytes);
    buf_clear(&bytes);
}

static void write_adapter(const char *name, const char *kind, const char *architecture) {
    write_file_of(name, kind, architecture, "blk.0.attn_q.weight.lora_a", 8, 2);
}

/* The model "one" has a folder with adapters. */
static int open_scene(void **state) {
    if (temp_folder_make(&folder) != 0 || scene_open(state) != 0) return -1;
    struct scene *s = *state;
    model_path = xasprintf("%s/model.gguf", (const char *)folder);
    s->models[0].path = model_path;
    write_adapter("a.gguf", "adapter", "llama");
    write_adapter("b.gguf", "adapter", "llama");
    write_adapter("qwen.gguf", "adapter", "qwen2");
    write_adapter("model-not.gguf", "model", "llama");
    write_file_of("wide.gguf", "adapter", "llama", "blk.0.attn_q.weight.lora_a", 16, 2);
    write_file_of("tall.gguf", "adapter", "llama", "blk.0.attn_q.weight.lora_b", 2, 9);
    write_file_of("model.gguf", "model", "llama", "blk.0.attn_q.weight", 8, 8);
    return 0;
}

static int close_scene(void **state) {
    int failed = scene_close(state);
    free(model_path);
    return temp_folder_remove(&folder) != 0 || failed ? -1 : 0;
}

#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

static struct load_request adapted(const char *identifier, const char *path, double scale) {
    struct load_request request = request_for("one");
    request.identifier = identifier;
    request.settings.adapters = (struct load_adapters){ 1, { { path, scale } } };
    return request;
}

/* Threads have read the headers that were asked for, and what follows is done. */
static void settle(struct scene *s) {
    while (s->loop.active_reqs.count > 0 || uv_backend_timeout(&s->loop) == 0)
        uv_run(&s->loop, UV_RUN_ONCE);
}

/* Every thread of the pool waits until the test opens the gate. */
enum { POOL_THREADS = 4 };
static uv_sem_t gate;
static uv_work_t waiting[POOL_THREADS];

static void wait_at_gate(uv_work_t *work) {
    (void)work;
    uv_sem_wait(&gate);
}

static void close_gate(struct scene *s) {
    uv_sem_init(&gate, 0);
    for (int i = 0; i < POOL_THREADS; i++)
        uv_queue_work(&s->loop, &waiting[i], wait_at_gate, NULL);
}

static void open_gate(struct scene *s) {
    for (int i = 0; i < POOL_THREADS; i++) uv_sem_post(&gate);
    settle(s);
    uv_sem_destroy(&gate);
}

static void load_read(struct scene *s, struct load_request request, struct told *told) {
    (void)load(s, request, told);
    settle(s);
}

static void ask_read(struct scene *s, const char *model, struct told *told) {
    ask(s, model, told);
    settle(s);
}

/* "<path> <scale>" of the first adapter that the worker was told to load; "" if it has none. */
static void told_adapter(int n, char text[4200]) {
    struct error err;
    const char *payload = puppet_heard(puppet(n), MSG_LOAD);
    yyjson_doc *doc = json_parse_object(payload, strlen(payload), &err);
    yyjson_val *one = yyjson_doc_ptr_get(doc, "/adapters/0");
    text[0] = '\0';
    if (one)
        snprintf(text, 4200, "%s %g", json_find_str(one, "path"),
                 yyjson_get_num(yyjson_obj_get(one, "scale")));
    yyjson_doc_free(doc);
}

static void expect_told(int n, const char *name, double scale) {
    char told[4200], want[4200] = "";
    if (name) snprintf(want, sizeof want, "%s/%s %g", (const char *)folder, name, scale);
    told_adapter(n, told);
    assert_string_equal(told, want);
}

static void test_a_name_is_a_file_beside_the_model(void **state) {
    struct scene *s = *state;
    char name[] = "a.gguf", absolute[4096];
    load_read(s, adapted("mine", name, 0.5), &s->told[0]);
    memset(name, 'x', strlen(name)); /* what the request had is gone */
    expect_told(0, "a.gguf", 0.5);
    say(s, 0, MSG_READY, READY);
    assert_string_equal(instance(s)->settings->adapters.list[0].path, "a.gguf");
    snprintf(absolute, sizeof absolute, "%s/b.gguf", (const char *)folder);
    load_read(s, adapted("other", absolute, -1), &s->told[1]);
    expect_told(1, "b.gguf", -1);
}

static void test_what_cannot_be_is_refused_before_a_worker_is_started(void **state) {
    struct scene *s = *state;
    char *fifo = xasprintf("%s/fifo", (const char *)folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    free(fifo);
    static const struct {
        const char *name, *part;
    } cases[] = {
        { "c.gguf", "There is no adapter 'c.gguf'" },
        { "a.gguf/x", "There is no adapter 'a.gguf/x'" },
        { "qwen.gguf", "of the architecture 'qwen2', but 'one' is 'llama'" },
        { "model-not.gguf", "holds no adapter" },
        { ".", "not a regular file" },
        { "fifo", "not a regular file" },
        { "/dev/zero", "not a regular file" },
        { "wide.gguf", "for 'blk.0.attn_q.weight' it needs 16 columns, and the model has 8" },
        { "tall.gguf", "for 'blk.0.attn_q.weight' it needs 9 rows, and the model has 8" },
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    for (int i = 0; i < CASES; i++) {
        load_read(s, adapted("mine", cases[i].name, 1), &s->told[i]);
        assert_int_equal(s->told[i].errors, 1);
        assert_int_equal(s->told[i].error.code, ERR_INVALID_REQUEST);
        assert_string_equal(s->told[i].error.param, "adapters");
        if (!strstr(s->told[i].error.text, cases[i].part))
            fail_msg("\"%s\" does not say \"%s\"", s->told[i].error.text, cases[i].part);
    }
    assert_int_equal(puppet_count(), 0);
}

/* What was seen of a file counts for the model that it was looked at with. */
static void test_an_adapter_may_fit_another_model(void **state) {
    struct scene *s = *state;
    static char path[4096]; /* until the scene ends */
    snprintf(path, sizeof path, "%s/two.gguf", (const char *)folder);
    write_file_of("two.gguf", "model", "llama", "blk.0.attn_q.weight", 16, 8);
    s->models[1].path = path;
    load_read(s, adapted("mine", "wide.gguf", 1), &s->told[0]);
    assert_int_equal(s->told[0].error.code, ERR_INVALID_REQUEST);
    struct load_request two = adapted("other", "wide.gguf", 1);
    two.model = "two";
    load_read(s, two, &s->told[1]);
    expect_told(0, "wide.gguf", 1);
}

/* Headers may be long: while a thread reads them the loop does other things. */
static void test_headers_are_read_beside_the_loop(void **state) {
    struct scene *s = *state;
    close_gate(s);
    (void)load(s, adapted("mine", "a.gguf", 1), &s->told[0]);
    (void)load(s, adapted("other", "b.gguf", 1), &s->told[1]); /* waits for its turn */
    call_id left = load(s, adapted("third", "b.gguf", 1), &s->told[2]);
    assert_int_equal(puppet_count(), 0);
    assert_int_equal(s->loop.active_reqs.count, POOL_THREADS + 1); /* one at a time */
    supervisor_cancel(s->sup, left);
    open_gate(s);
    assert_int_equal(puppet_count(), 2);
    expect_told(0, "a.gguf", 1);
    expect_told(1, "b.gguf", 1);
    (void)load(s, adapted("fourth", "a.gguf", 1), &s->told[3]); /* it is known */
    assert_int_equal(puppet_count(), 3);
}

static void test_a_server_that_stops_waits_for_no_header(void **state) {
    struct scene *s = *state;
    close_gate(s);
    (void)load(s, adapted("mine", "a.gguf", 1), &s->told[0]);
    (void)load(s, adapted("other", "b.gguf", 1), &s->told[1]);
    supervisor_shutdown(s->sup);
    turn(s);
    assert_int_equal(s->told[0].error.code, ERR_SHUTTING_DOWN);
    assert_int_equal(s->told[1].error.code, ERR_SHUTTING_DOWN);
    open_gate(s);
    assert_int_equal(puppet_count(), 0);
    assert_int_equal(told_of(&s->told[0]) + told_of(&s->told[1]), 2);
}

/* What a header said counts until the file is another. */
static void test_a_file_that_changed_is_looked_at_again(void **state) {
    struct scene *s = *state;
    char *path = xasprintf("%s/a.gguf", (const char *)folder);
    load_read(s, adapted("first", "a.gguf", 1), &s->told[0]);
    write_adapter("a.gguf", "adapter", "qwen2");
    load_read(s, adapted("second", "a.gguf", 1), &s->told[1]);
    assert_int_equal(s->told[1].errors, 1);
    assert_int_equal(unlink(path), 0);
    load_read(s, adapted("third", "a.gguf", 1), &s->told[2]);
    assert_non_null(strstr(s->told[2].error.text, "There is no adapter"));
    assert_int_equal(puppet_count(), 1);
    free(path);
}

/* Rule Failure: intent outlives the worker, and with it how it was loaded. */
static void test_a_replacement_has_the_adapters_of_the_worker_that_died(void **state) {
    struct scene *s = *state;
    char name[] = "b.gguf";
    load_read(s, adapted("mine", name, 0.25), &s->told[0]);
    memset(name, 'x', strlen(name));
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    ask_read(s, "mine", &s->told[1]);
    expect_told(1, "b.gguf", 0.25);
}

/* A worker's report of its settings is gone with the message. */
static void test_what_a_worker_reports_changes_no_adapters(void **state) {
    struct scene *s = *state;
    load_read(s, adapted("mine", "a.gguf", 1), &s->told[0]);
    say(s, 0, MSG_READY,
        "{\"context_length\":512,\"parallel\":4,\"memory_bytes\":1000,"
        "\"adapters\":[{\"path\":\"/etc/passwd\",\"scale\":2}]}");
    const struct load_adapters *adapters = &instance(s)->settings->adapters;
    assert_int_equal(adapters->count, 1);
    assert_string_equal(adapters->list[0].path, "a.gguf");
    assert_true(adapters->list[0].scale == 1);
}

static void set_models(struct scene *s, const char *text) {
    struct error err;
    yyjson_doc *doc = json_parse(text, strlen(text), &err);
    assert_true(settings_patch(&s->settings, yyjson_doc_get_root(doc), &err));
    yyjson_doc_free(doc);
}

/* The settings may be changed, and their texts be gone, while the instance lives. */
static void test_a_request_loads_with_the_adapters_of_the_settings(void **state) {
    struct scene *s = *state;
    set_models(s, "{\"models\":{\"one\":{\"adapters\":[{\"path\":\"a.gguf\"}]}}}");
    ask_read(s, "one", &s->told[0]);
    expect_told(0, "a.gguf", 1);
    say(s, 0, MSG_READY, READY);
    set_models(s, "{\"models\":{\"one\":{\"adapters\":[{\"path\":\"b.gguf\"}]}}}");
    assert_string_equal(instance(s)->settings->adapters.list[0].path, "a.gguf");
    struct load_request none = request_for("one");
    none.identifier = "plain";
    none.settings.adapters.count = 0;
    load_read(s, none, &s->told[1]);
    expect_told(1, NULL, 0);
}

static void test_a_loaded_model_serves_though_its_adapter_is_gone(void **state) {
    struct scene *s = *state;
    char *path = xasprintf("%s/a.gguf", (const char *)folder);
    set_models(s, "{\"models\":{\"one\":{\"adapters\":[{\"path\":\"a.gguf\"}]}}}");
    ask_read(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    assert_int_equal(unlink(path), 0);
    ask_read(s, "one", &s->told[1]);
    assert_int_equal(s->told[1].errors, 0);
    free(path);
}

/* A file mostly of nothing. */
static void test_memory_1_adapters_count_before_the_load(void **state) {
    struct scene *s = *state;
    char *path = xasprintf("%s/a.gguf", (const char *)folder);
    s->settings.memory_limit = 600 << 20;
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_int_equal(truncate(path, 1 << 30), 0);
    load_read(s, adapted("mine", "a.gguf", 1), &s->told[0]);
    assert_int_equal(s->told[0].error.code, ERR_NO_MEMORY);
    assert_int_equal(puppet_count(), 0);
    load_read(s, adapted("mine", "b.gguf", 1), &s->told[1]);
    assert_int_equal(puppet_count(), 1);
    free(path);
}

static void test_an_estimate_counts_the_files_of_the_adapters(void **state) {
    struct scene *s = *state;
    struct stat st;
    char *path = xasprintf("%s/a.gguf", (const char *)folder);
    assert_int_equal(stat(path, &st), 0);
    struct load_request request = adapted(NULL, "a.gguf", 1);
    struct estimate_sink sink = { .on_end = told_estimate, .ctx = &s->told[0] };
    (void)supervisor_estimate(s->sup, &request, sink);
    turn(s);
    settle(s);
    say(s, 0, MSG_MEASURED, "{\"model\":100,\"context\":10}");
    assert_int_equal(s->told[0].results, 1);
    assert_int_equal(s->told[0].estimate.model, 100 + st.st_size);
    free(path);
    die(s, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_a_name_is_a_file_beside_the_model),
        WITH_FOLDER(test_what_cannot_be_is_refused_before_a_worker_is_started),
        WITH_FOLDER(test_an_adapter_may_fit_another_model),
        WITH_FOLDER(test_headers_are_read_beside_the_loop),
        WITH_FOLDER(test_a_server_that_stops_waits_for_no_header),
        WITH_FOLDER(test_a_file_that_changed_is_looked_at_again),
        WITH_FOLDER(test_a_replacement_has_the_adapters_of_the_worker_that_died),
        WITH_FOLDER(test_what_a_worker_reports_changes_no_adapters),
        WITH_FOLDER(test_a_request_loads_with_the_adapters_of_the_settings),
        WITH_FOLDER(test_a_loaded_model_serves_though_its_adapter_is_gone),
        WITH_FOLDER(test_memory_1_adapters_count_before_the_load),
        WITH_FOLDER(test_an_estimate_counts_the_files_of_the_adapters),
    };
    return cmocka_run_group_tests_name("supervisor_adapters", tests, NULL, NULL);
}
