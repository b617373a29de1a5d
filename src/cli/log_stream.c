/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/text.h"

struct log_stream_values {
    const char *source, *filter;
    bool stats, json;
};

static const struct option_row log_stream_options[] = {
    OPTION(log_stream, source, "source", 's', "<source>", "model (the default) or server"),
    OPTION(log_stream, filter, "filter", 0, "<kinds>",
           "input, output or input,output (default)"),
    FLAG(log_stream, stats, "stats", 0, "Also show the figures of each answer"),
    FLAG(log_stream, json, "json", 0, "Print one JSON object per line"),
};

static void print_time(yyjson_val *entry) {
    time_t seconds = (time_t)(field_int(entry, "at") / 1000);
    struct tm local;
    char text[32] = "";
    if (localtime_r(&seconds, &local)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    printf("%s%s%s ", text_begin(stdout, STYLE_DIM), text, text_end(stdout));
}

static void print_text(yyjson_val *entry) {
    yyjson_val *text = yyjson_obj_get(entry, "text");
    if (yyjson_is_str(text)) show_text(stdout, yyjson_get_str(text), yyjson_get_len(text));
    putchar('\n');
}

static void print_server_line(yyjson_val *entry) {
    print_time(entry);
    printf("%-5s ", field_str(entry, "level"));
    print_text(entry);
}

/* A prompt or an answer: kind and model on one line, then the text, then an empty line. */
static void print_exchange(yyjson_val *entry) {
    const char *model = field_str(entry, "model");
    print_time(entry);
    printf("%s%s ", text_begin(stdout, STYLE_BOLD), field_str(entry, "type"));
    show_text(stdout, model, strlen(model));
    printf("%s\n", text_end(stdout));
    print_text(entry);
    putchar('\n');
}

static void print_stats(yyjson_val *entry) {
    const char *model = field_str(entry, "model");
    size_t i, max;
    yyjson_val *key, *val;
    print_time(entry);
    fputs("stats ", stdout);
    show_text(stdout, model, strlen(model));
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
    { "line", print_server_line },
    { "input", print_exchange },
    { "output", print_exchange },
    { "stats", print_stats },
};

static void log_stream_on_event(void *ctx, const struct sse_event *ev) {
    const struct log_stream_values *v = ctx;
    struct error ignored;
    if (ev->kind == SSE_COMMENT) return;
    yyjson_doc *doc = json_parse_object(ev->text, ev->len, &ignored);
    if (!doc) return;
    yyjson_val *entry = yyjson_doc_get_root(doc);
    const char *type = field_str(entry, "type");
    if (v->json) puts(ev->text);
    for (size_t i = 0; i < sizeof printers / sizeof printers[0] && !v->json; i++) {
        if (strcmp(type, printers[i].type) == 0) printers[i].print(entry);
    }
    fflush(stdout);
    yyjson_doc_free(doc);
}

static bool values_ok(const struct log_stream_values *v, const char *source) {
    static const char *const filters[] = { "input", "output", "input,output", "output,input" };
    if (strcmp(source, "runtime") == 0) {
        cli_fail(CLI_USAGE,
                 "The engine has no log of its own here: what it says is in --source "
                 "server.");
        return false;
    }
    if (strcmp(source, "model") != 0 && strcmp(source, "server") != 0) {
        cli_fail(CLI_USAGE, "--source takes model or server, not '%s'.", source);
        return false;
    }
    if (strcmp(source, "model") != 0 && (v->filter || v->stats)) {
        cli_fail(CLI_USAGE, "--filter and --stats need --source model.");
        return false;
    }
    if (v->filter && WORDS_FIND(filters, v->filter) < 0) {
        cli_fail(CLI_USAGE, "--filter takes input, output or input,output, not '%s'.",
                 v->filter);
        return false;
    }
    return true;
}

static enum cli_exit log_stream_run(const struct cli *cli, const void *values) {
    struct log_stream_values v = *(const struct log_stream_values *)values;
    const char *source = v.source ? v.source : "model";
    char path[128];
    struct error err;
    if (!values_ok(&v, source)) return CLI_USAGE;
    snprintf(path, sizeof path, "/api/v1/log?source=%s%s%s%s", source,
             v.filter ? "&filter=" : "", v.filter ? v.filter : "",
             v.stats ? "&stats=true" : "");
    struct call call = {
        .method = "GET", .path = path, .on_event = log_stream_on_event, .ctx = &v
    };
    enum outcome outcome = client_call(cli, &call, NULL, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    return cli_fail(CLI_FAILED, "The server ended the log.");
}

const struct command command_log_stream = {
    COMMAND(log_stream, "log stream", NULL, 0, 0),
    .summary = "Show live what goes into and out of the models",
    .details = "Ctrl-C ends the command.",
};
