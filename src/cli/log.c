/* SPDX-License-Identifier: MIT */
/* log.c - `doze log --events`: what happened to the models, also in earlier runs. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

struct log_values {
    const char *since;
    struct option_int count;
    bool events, all, json;
};

static const struct option_row log_options[] = {
    FLAG(log, events, "events", 0, "Show each change of each model, newest last"),
    OPTION(log, since, "since", 0, "<span>", "How far back: 30m, 12h, 7d (default 1d)"),
    FLAG(log, all, "all", 'a', "Also each beginning and end of work"),
    OPTION(log, count, "lines", 'n', "<n>", "Only the newest <n> changes", .min = 1,
           .max = 50000),
    FLAG(log, json, "json", 0, "Print one JSON object per line"),
};

static void add_time(struct table *t, int64_t at) {
    time_t seconds = (time_t)(at / 1000);
    struct tm local;
    char text[32] = "", whole[40];
    if (localtime_r(&seconds, &local)) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    snprintf(whole, sizeof whole, "%s.%03d", text, (int)(at % 1000));
    table_add(t, whole);
}

static void log_add_row(struct table *t, yyjson_val *event) {
    const char *error = field_str(event, "error");
    struct buf change = BUF_INIT(4096), reason = BUF_INIT(4096);
    buf_addf(&change, "%s \xe2\x86\x92 %s", field_str(event, "from"), field_str(event, "to"));
    buf_addf(&reason, "%s%s%s", field_str(event, "reason"), *error ? ": " : "", error);
    add_time(t, field_int(event, "at"));
    table_add(t, field_str(event, "id"));
    table_add(t, buf_str(&change));
    table_add(t, buf_str(&reason));
    buf_clear(&change);
    buf_clear(&reason);
}

static bool is_work(yyjson_val *event) {
    const char *from = field_str(event, "from"), *to = field_str(event, "to");
    return (strcmp(from, "idle") == 0 && strcmp(to, "busy") == 0) ||
           (strcmp(from, "busy") == 0 && strcmp(to, "idle") == 0);
}

static bool log_wants(const struct log_values *v, yyjson_val *event) {
    return v->all || !is_work(event);
}

/* How many of the wanted events are older than those that --lines leaves. */
static size_t log_skipped(const struct log_values *v, yyjson_val *events) {
    size_t wanted = 0, i, max;
    yyjson_val *event;
    yyjson_arr_foreach(events, i, max, event) wanted += log_wants(v, event);
    size_t most = v->count.given ? (size_t)v->count.value : wanted;
    return wanted > most ? wanted - most : 0;
}

/* Call `show` for each event; returns how many are wanted. */
static size_t log_each(const struct log_values *v, yyjson_val *events,
                       void (*show)(void *ctx, yyjson_val *event, bool wanted), void *ctx) {
    size_t skip = log_skipped(v, events), seen = 0, i, max;
    yyjson_val *event;
    yyjson_arr_foreach(events, i, max, event) {
        bool wanted = log_wants(v, event) && seen++ >= skip;
        show(ctx, event, wanted);
    }
    return seen;
}

static void log_show_json(void *ctx, yyjson_val *event, bool wanted) {
    (void)ctx;
    if (wanted) show_value(event);
}

/* ---- the table, with those that a server took along when it ended ---- */

enum { RESIDENTS_MAX = 256 };

struct log_table {
    struct table table;
    yyjson_val *last[RESIDENTS_MAX]; /* the newest event of each instance of the run */
    size_t count;
};

static void log_add_lost(struct table *t, yyjson_val *last) {
    char change[96];
    snprintf(change, sizeof change, "%s \xe2\x86\x92 lost", field_str(last, "to"));
    table_add(t, "");
    table_add(t, field_str(last, "id"));
    table_add(t, change);
    table_add(t, "the server ended without unloading it");
}

/* The next run begins: what was there is gone. */
static void log_end_run(struct log_table *t, bool wanted) {
    for (size_t i = 0; wanted && i < t->count; i++) {
        if (strcmp(field_str(t->last[i], "to"), "absent") != 0)
            log_add_lost(&t->table, t->last[i]);
    }
    t->count = 0;
}

static void log_show_row(void *ctx, yyjson_val *event, bool wanted) {
    struct log_table *t = ctx;
    size_t i = 0;
    bool next = t->count > 0 && field_int(event, "run") != field_int(t->last[0], "run");
    if (next) log_end_run(t, wanted);
    while (i < t->count && strcmp(field_str(t->last[i], "id"), field_str(event, "id")) != 0)
        i++;
    if (i < RESIDENTS_MAX) t->last[i] = event;
    if (i == t->count && i < RESIDENTS_MAX) t->count++;
    if (wanted) log_add_row(&t->table, event);
}

/* run: of the server that answers. */
static size_t log_print_table(const struct log_values *v, yyjson_val *events, int64_t run) {
    static const char *const header[] = { "TIME", "INSTANCE", "CHANGE", "REASON" };
    struct log_table t = { .count = 0 };
    table_init(&t.table, header, sizeof header / sizeof header[0]);
    size_t shown = log_each(v, events, log_show_row, &t);
    if (t.count > 0 && run > 0 && field_int(t.last[0], "run") != run)
        log_end_run(&t, shown > 0);
    if (shown > 0)
        table_show(&t.table);
    else
        table_clear(&t.table);
    return shown;
}

static void log_print(const struct log_values *v, yyjson_val *root) {
    yyjson_val *events = yyjson_obj_get(root, "events");
    if (yyjson_is_true(yyjson_obj_get(root, "truncated"))) {
        fprintf(stderr, "Only the newest %zu changes are shown.\n", yyjson_arr_size(events));
    }
    if (v->json) {
        (void)log_each(v, events, log_show_json, NULL);
    } else if (log_print_table(v, events, field_int(root, "run")) == 0) {
        fprintf(stderr, "Nothing happened in that time.\n");
    }
}

static enum cli_exit log_run(const struct cli *cli, const void *values) {
    const struct log_values *v = values;
    const char *since = v->since ? v->since : "1d";
    char path[128];
    yyjson_doc *answer = NULL;
    struct error err;
    if (!v->events) {
        return cli_fail(CLI_USAGE, "Say what to show: `%s log --events` or `%s log stream`.",
                        cli->program, cli->program);
    }
    /* The server checks the span; here only that it leaves the URL intact. */
    size_t len = strspn(since, "0123456789.dhmsun");
    if (len == 0 || len >= 32 || since[len]) {
        return cli_fail(CLI_USAGE, "--since takes a span like 30m, 12h or 7d, not '%s'.",
                        since);
    }
    snprintf(path, sizeof path, "/api/v1/history?since=%s&limit=50000", since);
    enum outcome outcome = client_get(cli, path, &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    log_print(v, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_log = {
    COMMAND(log, "log", "--events", 0, 0),
    .summary = "Show what happened to the models, and why",
    .details = "Earlier runs of the server are included, up to 30 days back; what was loaded "
               "when one was killed is shown as lost. `log stream` "
               "shows what goes into and comes out of the models, live.",
};
