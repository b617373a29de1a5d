/* SPDX-License-Identifier: MIT */
/* log.c - `doze log --events`: what happened to the models, also in earlier runs of the server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

struct log_values {
    const char *since;
    bool events, json;
};

static const struct option_row log_options[] = {
    FLAG(log, events, "events", 0, "Show each change of each model, the newest last"),
    OPTION(log, since, "since", 0, "<1d>", "From so long ago: 30m, 12h, 7d (1d)"),
    FLAG(log, json, "json", 0, "One JSON object per line"),
};

static const char *text_of(yyjson_val *obj, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(obj, name));
    return text ? text : "";
}

static void add_time(struct table *t, yyjson_val *event) {
    int64_t at = yyjson_get_sint(yyjson_obj_get(event, "at"));
    time_t seconds = (time_t)(at / 1000);
    struct tm local;
    char text[32] = "", whole[40];
    if (localtime_r(&seconds, &local)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    snprintf(whole, sizeof whole, "%s.%03d", text, (int)(at % 1000));
    table_add(t, whole);
}

static void add_row(struct table *t, yyjson_val *event) {
    const char *error = text_of(event, "error");
    struct buf change = BUF_INIT(4096), reason = BUF_INIT(4096);
    buf_addf(&change, "%s \xe2\x86\x92 %s", text_of(event, "from"), text_of(event, "to"));
    buf_addf(&reason, "%s%s%s", text_of(event, "reason"), *error ? ": " : "", error);
    add_time(t, event);
    table_add(t, text_of(event, "id"));
    table_add(t, buf_str(&change));
    table_add(t, buf_str(&reason));
    buf_clear(&change);
    buf_clear(&reason);
}

static void print_table(yyjson_val *events) {
    static const char *const header[] = { "TIME", "INSTANCE", "CHANGE", "REASON" };
    struct table table;
    size_t i, max;
    yyjson_val *event;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(events, i, max, event) {
        add_row(&table, event);
    }
    table_print(&table, stdout);
    table_clear(&table);
}

static void print_json(yyjson_val *events) {
    size_t i, max;
    yyjson_val *event;
    yyjson_arr_foreach(events, i, max, event) {
        struct buf line = BUF_INIT(1 << 20);
        json_write_val(event, &line);
        puts(buf_str(&line));
        buf_clear(&line);
    }
}

static void print(const struct log_values *v, yyjson_val *root) {
    yyjson_val *events = yyjson_obj_get(root, "events");
    if (yyjson_is_true(yyjson_obj_get(root, "truncated"))) {
        fprintf(stderr, "There are more; these are the newest %zu.\n", yyjson_arr_size(events));
    }
    if (v->json) {
        print_json(events);
    } else if (yyjson_arr_size(events) == 0) {
        fprintf(stderr, "Nothing happened since then.\n");
    } else {
        print_table(events);
    }
}

/* The server knows what a span is; here only what would change the address. */
static bool since_ok(const char *since) {
    size_t len = strlen(since);
    return len > 0 && len < 32 && strspn(since, "0123456789dhms") == len;
}

static enum cli_exit fetch(const struct cli *cli, const char *path,
                           const struct log_values *v) {
    struct buf body;
    struct error err;
    yyjson_doc *doc = NULL;
    enum outcome outcome = client_get(cli, path, &body, &err);
    if (outcome == OUTCOME_DONE) {
        doc = json_parse_object(buf_str(&body), body.len, &err);
        if (!doc) outcome = OUTCOME_BROKEN;
    }
    if (doc) print(v, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    buf_clear(&body);
    return outcome == OUTCOME_DONE ? CLI_DONE : client_fail(outcome, &err);
}

static enum cli_exit log_run(const struct cli *cli, const void *values) {
    const struct log_values *v = values;
    const char *since = v->since ? v->since : "1d";
    char path[128];
    if (!v->events) {
        return cli_fail(CLI_USAGE, "Say what to show: `%s log --events` or `%s log stream`.",
                        cli->program, cli->program);
    }
    if (!since_ok(since)) {
        return cli_fail(CLI_USAGE, "--since takes a span like 30m, 12h or 7d, not '%s'.",
                        since);
    }
    snprintf(path, sizeof path, "/api/v1/history?since=%s&limit=50000", since);
    return fetch(cli, path, v);
}

const struct command command_log = {
    .name = "log",
    .args = "--events",
    .summary = "Show what happened to the models, and why",
    .details = "Also what happened in earlier runs of the server, up to 30 days ago.\n"
               "`log stream` is something else: what goes into and out of the models, live.",
    COMMAND_OPTIONS(log),
    .run = log_run,
};
