/* SPDX-License-Identifier: MIT */
#include "commands_groups.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Run, check the exit code, and that stdout and stderr contain these (NULL: are empty). */
static void check(int code, const char *out, const char *err, const char *const *args) {
    struct result r = run(NULL, args);
    if (r.code != code) fail_msg("code %d:\n%s%s", r.code, buf_str(&r.out), buf_str(&r.err));
    if (out) {
        assert_has(&r.out, out);
    } else {
        assert_string_equal(buf_str(&r.out), "");
    }
    if (err) {
        assert_has(&r.err, err);
    } else {
        assert_string_equal(buf_str(&r.err), "");
    }
    result_clear(&r);
}

#define CHECK(code, out, err, ...)                                                             \
    check(code, out, err, (const char *const[]){ __VA_ARGS__, NULL })

/* Run for its JSON; the caller frees. */
static yyjson_doc *run_json(const char *const *args) {
    struct result r = run(NULL, args);
    assert_int_equal(r.code, 0);
    yyjson_doc *doc = yyjson_read(buf_str(&r.out), r.out.len, 0);
    if (!doc) fail_msg("not JSON: %s", buf_str(&r.out));
    result_clear(&r);
    return doc;
}

static void check_last_body(const char *want) {
    char *body = server_get("/fake/last");
    assert_string_equal(body, want);
    free(body);
}

static void test_usage(void **state) {
    (void)state;
    CHECK(0, "Commands:", NULL, "help");
    CHECK(0, "Commands:", NULL, "--help");
    CHECK(0, "--context-length <n>", NULL, "load", "--help");
    CHECK(0, "--context-length <n>", NULL, "help", "load");
    CHECK(0, "[-- <serve options>]", NULL, "help", "server", "start");
    CHECK(0, "server status", NULL, "server", "--help");
    CHECK(0, "Usage: doze server <command> [options]", NULL, "server", "--help");
    CHECK(0, "`doze server <command> --help` shows", NULL, "help", "server");
    CHECK(0, "Usage: doze help [<command>]", NULL, "help", "help");
    CHECK(0, "the usage of serve", NULL, "help", "serve");
    CHECK(2, NULL, "Unknown command 'sxrve'; did you mean 'serve'?", "help", "sxrve");
    CHECK(0, "doze ", NULL, "version");
    CHECK(2, NULL, "server status", "server");
    CHECK(2, NULL, "did you mean 'load'", "laod");
    CHECK(2, NULL, "Unknown command 'qqqqqqqq'; see `doze help`.", "qqqqqqqq");
    CHECK(2, NULL, "Unknown or incomplete option '--wut'", "ps", "--wut");
    CHECK(2, NULL, "Usage: doze ps;", "ps", "extra");
    CHECK(2, NULL, "--port takes a whole number", "--port", "70000", "ps");
    struct result r = RUN(NULL, NULL);
    assert_int_equal(r.code, 2);
    assert_has(&r.err, "Commands:");
    result_clear(&r);
}

/* Users of other programs type the words they know. */
static void test_words_of_other_programs(void **state) {
    (void)state;
    CHECK(2, NULL, "Unknown command 'pull'; did you mean 'get'?", "pull", "qwen3");
    CHECK(2, NULL, "did you mean 'ls'?", "list");
    CHECK(2, NULL, "did you mean 'unload' or 'server stop'?", "stop");
    CHECK(2, NULL, "did you mean 'server start'?", "start");
    CHECK(2, NULL, "did you mean 'get <words>'?", "help", "search");
}

static void test_unreachable(void **state) {
    (void)state;
    static const char *const commands[][4] = {
        { "ps" },
        { "ls" },
        { "load", "x" },
        { "unload", "x" },
        { "settings" },
        { "status" },
        { "chat", "-p", "x" },
        { "log", "stream" },
        { "log", "--events" },
        { "server", "stop" },
        { "server", "status" },
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *args[8] = { "--port", "1" };
        memcpy(args + 2, commands[i], sizeof commands[i]);
        struct result r = run_as("lms", NULL, args);
        if (r.code != 3) fail_msg("%s: code %d", commands[i][0], r.code);
        bool stop = commands[i][1] && strcmp(commands[i][1], "stop") == 0;
        assert_has(&r.err, stop ? "No server is running on port 1."
                                : "start it with `lms server start`.");
        result_clear(&r);
    }
}

/* What is started here would not answer there. */
static void test_unreachable_elsewhere(void **state) {
    (void)state;
    struct result r = run_as(
        "doze", NULL, (const char *const[]){ "--host", "no.such.host.invalid", "ps", NULL });
    assert_int_equal(r.code, 3);
    assert_has(&r.err, "No server answers at http://no.such.host.invalid:");
    assert_has(&r.err, "check the name");
    assert_has_not(&r.err, "server start");
    result_clear(&r);
}

static void test_environment_names_the_server(void **state) {
    (void)state;
    char port[16];
    snprintf(port, sizeof port, "%d", server_port());
    setenv("DOZE_PORT", port, 1);
    setenv("DOZE_HOST", "0.0.0.0", 1);
    struct result r = run_as("lms", NULL, (const char *const[]){ "status", NULL });
    assert_int_equal(r.code, 0);
    assert_has(&r.out, "Server: ON (port: ");
    result_clear(&r);
    setenv("DOZE_PORT", "many", 1);
    r = run_as("lms", NULL, (const char *const[]){ "status", NULL });
    assert_int_equal(r.code, 2);
    assert_has(&r.err, "DOZE_PORT");
    result_clear(&r);
    unsetenv("DOZE_PORT");
    unsetenv("DOZE_HOST");
}

static void test_load_sends_what_was_asked(void **state) {
    (void)state;
    CHECK(0,
          "Model loaded successfully in 1.25 s.\nTo use the model in the API/SDK, use the "
          "identifier \"qwen3-4b\".\n",
          NULL, "load", "qwen3-4b");
    check_last_body("{\"model\":\"qwen3-4b\"}");
    CHECK(0, "\"instance_id\":\"me\"", NULL, "load", "--ttl", "1h", "qwen3-4b", "-c", "8192",
          "--parallel", "2", "--identifier", "me", "--gpu", "max", "--keep", "--force", "-y",
          "--json");
    check_last_body("{\"model\":\"qwen3-4b\",\"identifier\":\"me\",\"ttl\":3600,"
                    "\"context_length\":8192,\"parallel\":2,\"gpu_layers\":-1,\"keep\":true,"
                    "\"force\":true}");
    CHECK(0, "me2", NULL, "load", "qwen3-4b", "--identifier", "me2", "--ttl", "none", "--gpu",
          "off");
    check_last_body(
        "{\"model\":\"qwen3-4b\",\"identifier\":\"me2\",\"ttl\":-1,\"gpu_layers\":0}");
    CHECK(0, "qwen3-4b", NULL, "load", "qwen3-4b", "--adapter", "no-such-lora.gguf=0.5",
          "--adapter", "a=b.gguf");
    check_last_body("{\"model\":\"qwen3-4b\",\"adapters\":[{\"path\":\"no-such-lora.gguf\","
                    "\"scale\":0.5},{\"path\":\"a=b.gguf\",\"scale\":1.0}]}");
    CHECK(2, NULL, "--adapter takes a file", "load", "qwen3-4b", "--adapter", "a.gguf=nan");
    CHECK(2, NULL, "--adapter takes a file", "load", "qwen3-4b", "--adapter", "=1");
    CHECK(2, NULL, "--adapter can be given 8 times at most", "load", "qwen3-4b", "--adapter=a",
          "--adapter=b", "--adapter=c", "--adapter=d", "--adapter=e", "--adapter=f",
          "--adapter=g", "--adapter=h", "--adapter=i");
    CHECK(2, NULL, "--gpu takes max, off or a share", "load", "qwen3-4b", "--gpu", "half");
    CHECK(0, "qwen3-4b", NULL, "load", "QWEN3-4", "--gpu", "0.5"); /* of 36 layers */
    check_last_body("{\"model\":\"qwen3-4b\",\"gpu_layers\":18}");
}

/* Reading ahead has no instance that could have a draft model, a ttl or a place. */
static void test_prefetch_refuses_what_is_about_a_load(void **state) {
    (void)state;
    static const char refusal[] = "--prefetch loads nothing; leave out what is about a load.";
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--draft-model", "qwen3-0.6b");
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--adapter", "a.gguf");
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--ttl", "1h");
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--gpu", "max");
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--keep");
    CHECK(2, NULL, refusal, "load", "qwen3-4b", "--prefetch", "--estimate-only");
}

static void test_load_by_part_of_the_key(void **state) {
    (void)state;
    CHECK(0, "\"qwen2.5-0.5b-instruct\"", NULL, "load", "0.5B");
    CHECK(1, NULL, "2 models match qwen: qwen2.5-0.5b-instruct, qwen3-4b; name one of ", "load",
          "qwen");
    CHECK(0, "\"qwen2.5-0.5b-instruct\"", NULL, "load", "qwen", "-y");
    CHECK(1, NULL, "doze: There is no model like this; close names: qwen3-4b.", "load",
          "zephyr");
    CHECK(1, NULL, "doze: 4 models match: qwen2.5", "load");
}

static void test_load_failures(void **state) {
    (void)state;
    CHECK(1, NULL, "doze: The file is cut.\n", "load", "qwen3-4b", "--identifier", "fails");
    CHECK(1, NULL, "ended the load without an answer", "load", "qwen3-4b", "--identifier",
          "cut");
}

static void test_load_shows_progress_and_ctrl_c_cancels(void **state) {
    (void)state;
    struct terminal t = terminal_open(
        (const char *const[]){ "load", "qwen3-4b", "--identifier", "slow", NULL });
    terminal_expect(&t, "Loading qwen3-4b [");
    terminal_expect(&t, " 50%");
    terminal_type(&t, "\x03");
    terminal_expect(&t, "doze: The load was cancelled.");
    assert_int_equal(terminal_close(&t), 1);
    free(server_get("/fake/gone"));
    check_last_body("{\"instance_id\":\"slow\"}");
    CHECK(0, NULL, "No models are currently loaded.", "ps");
}

static void test_ctrl_c_leaves_a_load_that_others_wait_for(void **state) {
    (void)state;
    struct terminal t = terminal_open(
        (const char *const[]){ "load", "qwen3-4b", "--identifier", "wanted", NULL });
    terminal_expect(&t, " 50%");
    terminal_type(&t, "\x03");
    terminal_expect(&t,
                    "doze: The load goes on because other requests wait for the model; `doze "
                    "unload wanted` ends it.");
    assert_int_equal(terminal_close(&t), 1);
    CHECK(0, "wanted\n", NULL, "ps", "-q");
}

static void test_load_asks_on_a_terminal(void **state) {
    (void)state;
    struct terminal t = terminal_open((const char *const[]){ "load", "qwen", NULL });
    terminal_expect(&t, "1  qwen2.5-0.5b-instruct  397.81 MB");
    terminal_expect(&t, "2  qwen3-4b                 2.00 GB");
    terminal_expect(&t, "Which one (1-2, or a name)? ");
    terminal_type(&t, "7\n");
    terminal_expect(&t, "'7' is not one of them");
    terminal_expect(&t, "Which one (1-2, or a name)? ");
    terminal_type(&t, "2\n");
    terminal_expect(&t, "identifier \"qwen3-4b\"");
    assert_int_equal(terminal_close(&t), 0);
    t = terminal_open((const char *const[]){ "load", "qwen", NULL });
    terminal_expect(&t, "or a name)? ");
    terminal_type(&t, "qwen\n");
    terminal_expect(&t, "'qwen' is not one of them, or fits several.");
    terminal_type(&t, "INSTRUCT\n");
    terminal_expect(&t, "identifier \"qwen2.5-0.5b-instruct\"");
    assert_int_equal(terminal_close(&t), 0);
    t = terminal_open((const char *const[]){ "load", "qwen", NULL });
    terminal_expect(&t, "or a name)? ");
    terminal_type(&t, "\n");
    terminal_expect(&t, "doze: Nothing was chosen.");
    assert_int_equal(terminal_close(&t), 1);
}

static void test_unload_asks_on_a_terminal(void **state) {
    (void)state;
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "one");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "two");
    struct terminal t = terminal_open((const char *const[]){ "unload", NULL });
    terminal_expect(&t, "2  two");
    terminal_expect(&t, "Which one (1-2, or a name)? ");
    terminal_type(&t, "two\n");
    terminal_expect(&t, "Model \"two\" unloaded.");
    assert_int_equal(terminal_close(&t), 0);
    CHECK(0, "one\n", NULL, "ps", "-q");
}

static void test_ps(void **state) {
    (void)state;
    CHECK(0, NULL, "No models are currently loaded.", "ps");
    CHECK(0, "", NULL, "load", "qwen2.5-0.5b-instruct", "--ttl", "300");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "busy", "--ttl", "5m");
    CHECK(0, "", NULL, "load", "名前-模型", "--identifier", "loading");
    CHECK(
        0,
        "IDENTIFIER               MODEL                    STATUS         SIZE         CONTEXT"
        "    PARALLEL    TTL           PROMPTS\n"
        "qwen2.5-0.5b-instruct    qwen2.5-0.5b-instruct    IDLE           397.81 MB    4096   "
        "    4           4m12s / 5m\n"
        "busy                     qwen3-4b                 GENERATING     2.00 GB      4096   "
        "    4           5m / 5m\n"
        "loading                  名前-模型                LOADING 42%    1.00 KB      4096   "
        "    4           none\n",
        NULL, "ps");
    CHECK(0, "qwen2.5-0.5b-instruct\nbusy\nloading\n", NULL, "ps", "-q");
    CHECK(0, "Loaded Models\nIDENTIFIER ", NULL, "status");
    struct terminal t = terminal_open((const char *const[]){ "ps", NULL }); /* of 80 columns */
    terminal_expect(&t, "  PARALLEL  TTL\033[0m\r\n"); /* no prompts: no column for them */
    terminal_expect(&t, "  IDLE         397.81 MB  4096     4         4m12s / 5m\r\n");
    terminal_expect(&t, "\r\nbusy ");
    assert_int_equal(terminal_close(&t), 0);
}

static void test_status_and_version_as_json(void **state) {
    (void)state;
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "one");
    yyjson_doc *doc = run_json((const char *const[]){ "status", "--json", NULL });
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *one = yyjson_arr_get_first(yyjson_obj_get(root, "instances"));
    assert_true(yyjson_is_true(yyjson_obj_get(root, "running")));
    assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "port")), server_port());
    assert_string_equal(yyjson_get_str(yyjson_obj_get(one, "identifier")), "one");
    yyjson_doc_free(doc);
    CHECK(3, "{\"running\":false}\n", NULL, "--port", "1", "status", "--json");
    CHECK(0, "{\"version\":\"", NULL, "version", "--json");
}

static void test_errors_name_commands(void **state) {
    (void)state;
    CHECK(1, NULL, "doze: There is no such place; `doze ls` lists those there are.", "prompts",
          "clear", "nowhere");
}

static void test_prompts_clear_asks_on_a_terminal(void **state) {
    (void)state;
    static const char *const args[] = { "prompts", "clear", NULL };
    struct terminal t = terminal_open(args);
    terminal_expect(&t, "Delete the processed prompts of all models (y/N)? ");
    terminal_type(&t, "\n");
    terminal_expect(&t, "doze: Nothing was deleted.");
    assert_int_equal(terminal_close(&t), 1);
    t = terminal_open(args);
    terminal_expect(&t, "(y/N)? ");
    terminal_type(&t, "y\n");
    terminal_expect(&t, "Deleted 3 processed prompts, 24.00 MB.");
    assert_int_equal(terminal_close(&t), 0);
    t = terminal_open((const char *const[]){ "prompts", "clear", "-y", NULL });
    terminal_expect(&t, "Deleted 3");
    assert_int_equal(terminal_close(&t), 0);
    CHECK(0, "Deleted 3 processed prompts", NULL, "prompts", "clear");
    CHECK(0, "Deleted 1 processed prompt, 8.00 MB.", NULL, "prompts", "clear", "qwen3-4b");
}

static void test_ps_json(void **state) {
    (void)state;
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "busy", "--ttl", "300");
    yyjson_doc *doc = run_json((const char *const[]){ "ps", "--json", NULL });
    yyjson_val *one = yyjson_arr_get_first(yyjson_doc_get_root(doc));
    assert_int_equal(yyjson_arr_size(yyjson_doc_get_root(doc)), 1);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(one, "identifier")), "busy");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(one, "modelKey")), "qwen3-4b");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(one, "status")), "generating");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(one, "ttlMs")), 300000);
    assert_int_equal(yyjson_get_sint(yyjson_obj_get(one, "lastUsedTime")), 1795356187123);
    assert_true(yyjson_is_null(yyjson_obj_get(one, "idleExpiresInMs")));
    yyjson_doc_free(doc);
}

static void test_ls(void **state) {
    (void)state;
    CHECK(0, "", NULL, "load", "qwen3-4b");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "two");
    CHECK(0,
          "You have 5 models, taking up 2.48 GB of disk space.\n\n"
          "LLM                      PARAMS    ARCH     QUANT    SIZE\n"
          "qwen2.5-0.5b-instruct    0.5B      qwen2    Q8_0     397.81 MB\n"
          "qwen3-4b                 4B        qwen3             2.00 GB      ✓ LOADED (2)\n"
          "名前-模型                          llama             1.00 KB\n"
          "broken                                               10 B         cannot be loaded: "
          "The "
          "file ?[31mis cut.\n\n"
          "EMBEDDING               PARAMS    ARCH          QUANT    SIZE\n"
          "text-embedding-nomic              nomic-bert             84.11 MB\n",
          NULL, "ls");
    CHECK(0, "text-embedding-nomic\n", NULL, "ls", "--embedding", "--quiet");
    yyjson_doc *doc = run_json((const char *const[]){ "ls", "--llm", "--json", NULL });
    yyjson_val *two = yyjson_arr_get(yyjson_doc_get_root(doc), 1);
    assert_int_equal(yyjson_arr_size(yyjson_doc_get_root(doc)), 4);
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(two, "loadedInstances")), 2);
    assert_int_equal(yyjson_get_uint(yyjson_obj_get(two, "sizeBytes")), 2000000000);
    yyjson_doc_free(doc);
}

static void test_unload(void **state) {
    (void)state;
    CHECK(1, NULL, "doze: No model is loaded.", "unload");
    CHECK(1, NULL, "doze: No instance has this name.", "unload", "nobody");
    CHECK(0, "", NULL, "load", "qwen3-4b");
    CHECK(0, "Model \"qwen3-4b\" unloaded.\n", NULL, "unload");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "a");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "b");
    CHECK(2, NULL, "name one of them, or --all: a, b.", "unload");
    CHECK(2, NULL, "not both", "unload", "a", "--all");
    CHECK(0, "[\"a\",\"b\"]\n", NULL, "unload", "--all", "--json");
    CHECK(0, "", NULL, "load", "qwen3-4b", "--identifier", "a");
    CHECK(0, "Model \"a\" unloaded.\nUnloaded 1 model.\n", NULL, "unload", "-a");
    CHECK(0, "Unloaded 0 models.\n", NULL, "unload", "--all");
}

static void test_settings(void **state) {
    (void)state;
    CHECK(0,
          "SETTING        VALUE    MEANING\n"
          "jit            on       Load a model when a request names it\n"
          "default_ttl    1h       Idle time of models that requests load\n"
          "auto_evict     on       Which models make room for others\n"
          "cors           off      Allow web pages of other origins\n",
          NULL, "settings");
    CHECK(0, "3600\n", NULL, "settings", "get", "default_ttl");
    CHECK(0, "on\n", NULL, "settings", "get", "auto_evict");
    CHECK(0, "\"on\"\n", NULL, "settings", "get", "auto_evict", "--json");
    CHECK(1, NULL, "There is no setting 'auto_evct'; did you mean 'auto_evict'?", "settings",
          "get", "auto_evct");
    CHECK(1, NULL, "There is no setting 'default_tt'; did you mean 'default_ttl'?", "settings",
          "set", "default_tt", "3");
    CHECK(2, NULL, "There is no setting 'default_tt'; did you mean 'default_ttl'?", "settings",
          "unset", "default_tt");
    CHECK(0, "fit\n", NULL, "settings", "set", "auto_evict", "fit");
    check_last_body("{\"auto_evict\":\"fit\"}");
    CHECK(0, "true\n", NULL, "settings", "set", "cors", "true");
    check_last_body("{\"cors\":true}");
    CHECK(0, "false\n", NULL, "settings", "set", "cors", "off");
    check_last_body("{\"cors\":false}");
    CHECK(1, NULL, "doze: This setting is of another kind.", "settings", "set", "newer", "x");
    CHECK(2, NULL, "cors takes on or off, not 'maybe'.", "settings", "set", "cors", "maybe");
    CHECK(2, NULL, "default_ttl takes seconds, a span", "settings", "set", "default_ttl", "x");
    CHECK(1, NULL, "another kind", "settings", "set", "default_ttl", "-1");
    check_last_body("{\"default_ttl\":null}");
    CHECK(0, "on\n", NULL, "settings", "unset", "auto_evict");
    check_last_body("{\"auto_evict\":\"on\"}");
    CHECK(2, NULL, "The default of 'newer' is not known.", "settings", "unset", "newer");
    CHECK(2, NULL, "Usage: doze settings [get", "settings", "put", "x");
    CHECK(0, "\"cors\":false}\n", NULL, "settings", "--json");
}

static void test_api_key(void **state) {
    (void)state;
    server_end(NULL);
    setenv("FAKE_KEY", "sesame", 1);
    server_begin(NULL);
    unsetenv("FAKE_KEY");
    CHECK(1, NULL, "doze: The server requires an API key; set DOZE_API_KEY to it.", "settings");
    CHECK(0, "version 9.9).\n", NULL, "server", "status");
    CHECK(0, "\"version\":\"9.9\"}\n", NULL, "server", "status", "--json");
    setenv("DOZE_API_KEY", "mellon", 1);
    CHECK(1, NULL, "doze: The server does not accept the key in DOZE_API_KEY.", "ls");
    setenv("DOZE_API_KEY", "sesame", 1);
    CHECK(0, "version 9.9, 0 loaded).\n", NULL, "server", "status");
    CHECK(0, "on\n", NULL, "settings", "get", "auto_evict");
    unsetenv("DOZE_API_KEY");
}

static void test_log_stream(void **state) {
    (void)state;
    static const char ended[] = "doze: The server ended the log.";
    CHECK(1, "input m\nthe prompt\n\n", ended, "log", "stream");
    CHECK(1, " info  a line\n", ended, "log", "stream", "-s", "server");
    struct result r = RUN(NULL, "log", "stream", "--filter", "input");
    assert_has(&r.out, "the prompt");
    assert_has_not(&r.out, "the answer");
    result_clear(&r);
    r = RUN(NULL, "log", "stream", "--filter", "input,output");
    assert_has(&r.out, "output m\nthe answer\n\n");
    assert_has_not(&r.out, "stats");
    result_clear(&r);
    CHECK(1, "stats m  tokens=7\n", ended, "log", "stream", "--stats");
    r = RUN(NULL, "log", "stream", "--json");
    assert_has(&r.out, "\"text\":\"the prompt\"}\n{\"at\":0");
    result_clear(&r);
    CHECK(2, NULL, "--source takes model or server", "log", "stream", "--source", "moon");
    CHECK(2, NULL, "--filter takes", "log", "stream", "--filter", "all");
    CHECK(2, NULL, "need --source model", "log", "stream", "-s", "server", "--stats");
}

static void test_log_events(void **state) {
    (void)state;
    struct result r = RUN(NULL, "log", "--events");
    assert_int_equal(r.code, 0);
    assert_has(&r.out, "TIME                       INSTANCE    CHANGE");
    assert_has(&r.out, ".066    qwen3-4b    idle \xe2\x86\x92 unloading    ttl\n");
    assert_has(&r.out, "qwen3-4b    unloading \xe2\x86\x92 lost    the server ended without "
                       "unloading it\n");
    assert_has(&r.out, ".123    m?[31m      loading \xe2\x86\x92 absent    load_failed: The "
                       "file is cut.\n");
    assert_has_not(&r.err, "more");
    result_clear(&r);
    r = RUN(NULL, "log", "--events", "--json");
    assert_has(&r.out, "{\"run\":1,\"seq\":7,");
    assert_has(&r.out, "\"reason\":\"ttl\"}\n{\"run\":2,");
    result_clear(&r);
    CHECK(0, "qwen3-4b", "Only the newest 2 changes are shown.", "log", "--events", "--since",
          "7d");
    CHECK(0, "", "Nothing happened in that time.", "log", "--events", "--since", "1h");
    CHECK(0, "", NULL, "log", "--events", "--since", "1h", "--json");
    CHECK(1, NULL, "'since' is odd today.", "log", "--events", "--since", "3d");
    CHECK(1, NULL, "doze: ", "log", "--events", "--since", "2h");
    CHECK(2, NULL, "--since takes a span", "log", "--events", "--since", "1d&limit=1");
    CHECK(2, NULL, "--since takes a span", "log", "--events", "--since", "");
    CHECK(2, NULL, "`doze log --events` or `doze log stream`", "log");
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, server_begin, server_end)

int run_commands(void) {
    const struct CMUnitTest tests[] = {
        SERVED(test_usage),
        SERVED(test_words_of_other_programs),
        SERVED(test_unreachable),
        SERVED(test_unreachable_elsewhere),
        SERVED(test_environment_names_the_server),
        SERVED(test_load_sends_what_was_asked),
        SERVED(test_prefetch_refuses_what_is_about_a_load),
        SERVED(test_load_by_part_of_the_key),
        SERVED(test_load_failures),
        SERVED(test_load_shows_progress_and_ctrl_c_cancels),
        SERVED(test_ctrl_c_leaves_a_load_that_others_wait_for),
        SERVED(test_load_asks_on_a_terminal),
        SERVED(test_unload_asks_on_a_terminal),
        SERVED(test_status_and_version_as_json),
        SERVED(test_errors_name_commands),
        SERVED(test_prompts_clear_asks_on_a_terminal),
        SERVED(test_ps),
        SERVED(test_ps_json),
        SERVED(test_ls),
        SERVED(test_unload),
        SERVED(test_settings),
        SERVED(test_api_key),
        SERVED(test_log_stream),
        SERVED(test_log_events),
    };
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
