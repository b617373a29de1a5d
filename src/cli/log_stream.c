/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/show.h"
#include "cli/text.h"

struct log_values {
    const char *source, *filter;
    bool stats, json;
};

static const struct option_row log_options[] = {
    OPTION(log, source, "source", 's', "<model|server>", "What to show (model)"),
    OPTION(log, filter, "filter", 0, "<input,output>",
           "Of model: prompts, answers or both (both)"),
    FLAG(log, stats, "stats", 0, "Of model: figures of each answer too"),
    FLAG(log, json, "json", 0, "One JSON object per line"),
};

static void print_time(yyjson_val *entry) {
    time_t seconds = (time_t)(yyjson_get_num(yyjson_obj_get(entry, "at")) / 1000);
    struct tm local;
    char text[32] = "";
    if (localtime_r(&seconds, &local)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    printf("%s%s%s ", text_begin(stdout, STYLE_DIM), text, text_end(stdout));
}

static const char *entry_str(yyjson_val *entry, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(entry, name));
    return text ? text : "";
}

static void print_text(yyjson_val *entry) {
    yyjson_val *text = yyjson_obj_get(entry, "text");
    if (yyjson_is_str(text)) show_text(stdout, yyjson_get_str(text), yyjson_get_len(text));
    putchar('\n');
}

static void print_line(yyjson_val *entry) {
    print_time(entry);
    printf("%-5s ", entry_str(entry, "level"));
    print_text(entry);
}

/* A prompt or an answer: who and which on one line, then the text, then an empty line. */
static void print_exchange(yyjson_val *entry) {
    const char *model = entry_str(entry, "model");
    print_time(entry);
    printf("%s%s ", text_begin(stdout, STYLE_BOLD), entry_str(entry, "type"));
    show_text(stdout, model, strlen(model));
    printf("%s\n", text_end(stdout));
    print_text(entry);
    putchar('\n');
}

static void print_stats(yyjson_val *entry) {
    size_t i, max;
    yyjson_val *key, *val;
    print_time(entry);
    printf("stats %s", entry_str(entry, "model"));
    yyjson_obj_foreach(yyjson_obj_get(entry, "stats"), i, max, key, val) {
        struct buf text = BUF_INIT(1 << 16);
        json_write_val(val, &text);
        printf("  %s=%s", yyjson_get_str(key), buf_str(&text));
        buf_clear(&text);
    }
    printf("\n\n");
}

struct printer {
    const char *type;
    void (*print)(yyjson_val *entry);
};
static const struct printer printers[] = {
    { "line", print_line },
    { "input", print_exchange },
    { "output", print_exchange },
    { "stats", print_stats },
};

static void print_entry(yyjson_val *entry) {
    const char *type = entry_str(entry, "type");
    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++) {
        if (strcmp(type, printers[i].type) == 0) printers[i].print(entry);
    }
}

static void on_event(void *ctx, const struct sse_event *ev) {
    const struct log_values *v = ctx;
    struct error ignored;
    if (ev->kind == SSE_COMMENT) return;
    yyjson_doc *doc = json_parse_object(ev->text, ev->len, &ignored);
    yyjson_val *entry = yyjson_doc_get_root(doc);
    if (doc) {
        if (v->json) {
            puts(ev->text);
        } else {
            print_entry(entry);
        }
        fflush(stdout);
    }
    yyjson_doc_free(doc);
}

/* "input", "output" or both with a comma, in any order. */
static bool filter_ok(const char *filter) {
    const char *const good[] = { "input", "output", "input,output", "output,input" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (strcmp(filter, good[i]) == 0) return true;
    }
    return false;
}

static bool values_ok(const struct log_values *v, const char *source) {
    if (strcmp(source, "model") != 0 && strcmp(source, "server") != 0) {
        cli_fail(CLI_USAGE, "--source takes model or server, not '%s'.", source);
        return false;
    }
    if (strcmp(source, "model") != 0 && (v->filter || v->stats)) {
        cli_fail(CLI_USAGE, "--filter and --stats go with --source model only.");
        return false;
    }
    if (v->filter && !filter_ok(v->filter)) {
        cli_fail(CLI_USAGE, "--filter takes input, output or input,output, not '%s'.",
                 v->filter);
        return false;
    }
    return true;
}

static enum cli_exit log_stream_run(const struct cli *cli, const void *values) {
    struct log_values v = *(const struct log_values *)values;
    const char *source = v.source ? v.source : "model";
    char path[128];
    if (!values_ok(&v, source)) return CLI_USAGE;
    snprintf(path, sizeof path, "/api/v1/log?source=%s%s%s%s", source,
             v.filter ? "&filter=" : "", v.filter ? v.filter : "",
             v.stats ? "&stats=true" : "");
    struct call call = {
        .method = "GET", .path = path, .on_event = on_event, .ctx = &v, .cancel_fd = -1
    };
    struct buf body = BUF_INIT(CLIENT_MAX_BODY);
    struct error err;
    enum outcome outcome = client_call(cli, &call, &body, &err);
    buf_clear(&body);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    return cli_fail(CLI_FAILED, "The server has ended the log.");
}

const struct command command_log_stream = {
    .name = "log stream",
    .summary = "Show what goes into and comes out of the models, as it happens",
    .details = "Ctrl-C ends it.",
    COMMAND_OPTIONS(log),
    .run = log_stream_run,
};
