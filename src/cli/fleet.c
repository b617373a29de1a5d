/* SPDX-License-Identifier: MIT */
/* fleet.c - `doze fleet`: the servers that know each other, what is loaded where, and where a
 * request would go. */
#include "cli/fleet.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/percent.h"
#include "base/size.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/table.h"

struct fleet_values {
    const char *model;
    bool json;
};

static const struct option_row fleet_options[] = {
    OPTION(fleet, model, "model", 'm', "<model>",
           "Say where a request for this model would go"),
    FLAG(fleet, json, "json", 0, "Print the server's JSON"),
};

enum { MAX_CELL = 1 << 16 };

/* "idle", "busy, 2 running, 1 waiting" */
static void add_state(struct buf *out, yyjson_val *instance) {
    int64_t running = field_int(instance, "running"), waiting = field_int(instance, "waiting");
    buf_addf(out, "%s", field_str(instance, "state"));
    if (running > 0) buf_addf(out, ", %lld running", (long long)running);
    if (waiting > 0) buf_addf(out, ", %lld waiting", (long long)waiting);
}

static void add_resident(struct table *table, yyjson_val *list) {
    struct buf cell = BUF_INIT(MAX_CELL);
    size_t i, max;
    yyjson_val *instance;
    yyjson_arr_foreach(list, i, max, instance) {
        buf_addf(&cell, "%s%s (", i > 0 ? ", " : "", field_str(instance, "id"));
        add_state(&cell, instance);
        buf_add_str(&cell, ")");
    }
    table_add(table, buf_str(&cell));
    buf_clear(&cell);
}

static void add_memory(struct table *table, yyjson_val *node) {
    char left[SIZE_TEXT], limit[SIZE_TEXT], cell[2 * SIZE_TEXT + 8];
    size_format(field_bytes(node, "memory_free_bytes"), left);
    size_format(field_bytes(node, "memory_limit_bytes"), limit);
    (void)snprintf(cell, sizeof cell, "%s of %s", left, limit);
    table_add(table, cell);
}

static void add_count(struct table *table, int64_t count) {
    char cell[32];
    (void)snprintf(cell, sizeof cell, "%lld", (long long)count);
    table_add(table, cell);
}

/* The node that answers has a star. */
static void print_nodes(yyjson_val *root) {
    static const char *const header[] = { "NODE",  "URL",    "VERSION", "FREE",
                                          "CORES", "MODELS", "LOADED" };
    struct table table;
    size_t i, max;
    yyjson_val *node;
    table_init(&table, header, sizeof header / sizeof header[0]);
    yyjson_arr_foreach(yyjson_obj_get(root, "nodes"), i, max, node) {
        struct buf name = BUF_INIT(MAX_CELL);
        bool here = strcmp(field_str(node, "node"), field_str(root, "node")) == 0;
        buf_addf(&name, "%s%s", field_str(node, "node"), here ? " *" : "");
        table_add(&table, buf_str(&name));
        table_add(&table, field_str(node, "url"));
        table_add(&table, field_str(node, "version"));
        add_memory(&table, node);
        add_count(&table, field_int(node, "cores"));
        add_count(&table, (int64_t)yyjson_arr_size(yyjson_obj_get(node, "models")));
        add_resident(&table, yyjson_obj_get(node, "resident"));
        buf_clear(&name);
    }
    table_show(&table);
}

static void print_line(struct buf *line) {
    show_text(stdout, buf_str(line), line->len);
    putchar('\n');
    buf_clear(line);
}

/* A node with another key is a mistake of its owner. */
static void print_keys(yyjson_val *root) {
    size_t i, max;
    yyjson_val *node;
    yyjson_arr_foreach(yyjson_obj_get(root, "nodes"), i, max, node) {
        if (!yyjson_is_false(yyjson_obj_get(node, "same_key"))) continue;
        struct buf line = BUF_INIT(MAX_CELL);
        buf_addf(&line, "%s has another fleet key than %s, or none.", field_str(node, "node"),
                 field_str(root, "node"));
        print_line(&line);
    }
}

static void print_etcd(yyjson_val *etcd) {
    struct buf line = BUF_INIT(MAX_CELL);
    char span[DURATION_TEXT];
    msec since = clock_unix() - field_int(etcd, "since");
    duration_format(since > 0 ? since / 1000 * 1000 : 0, span);
    bool reached = yyjson_is_true(yyjson_obj_get(etcd, "reached"));
    const char *problem = field_str(etcd, "problem");
    buf_addf(&line, "etcd at %s has ", field_str(etcd, "url"));
    if (reached || *problem)
        buf_addf(&line, "%sanswered for %s", reached ? "" : "not ", span);
    else
        buf_addf(&line, "not answered yet");
    buf_addf(&line, *problem ? ": %s" : ".%s", problem);
    print_line(&line);
    const char *rival = field_str(etcd, "name_taken_by");
    if (!*rival) return;
    buf_addf(&line, "The server at %s has this node's name: the others do not see this one.",
             rival);
    print_line(&line);
}

void fleet_print_request(yyjson_val *request, const char *before) {
    size_t i, max;
    yyjson_val *node, *list = yyjson_obj_get(request, "nodes");
    struct buf line = BUF_INIT(MAX_CELL);
    buf_addf(&line, "%s%s", before, field_str(request, "sentence"));
    print_line(&line);
    if (yyjson_arr_size(list) < 2) return;
    puts("Each node alone:");
    yyjson_arr_foreach(list, i, max, node) {
        bool here = strncmp(field_str(node, "sentence"), "This node:", 10) == 0;
        buf_addf(&line, "  %s", field_str(node, "sentence"));
        if (here) buf_addf(&line, " (%s)", field_str(node, "node"));
        print_line(&line);
    }
}

/* What follows the table. */
static void print_state(const struct cli *cli, yyjson_val *root) {
    yyjson_val *etcd = yyjson_obj_get(root, "etcd");
    putchar('\n');
    if (yyjson_is_obj(etcd)) {
        print_etcd(etcd);
        print_keys(root);
        return;
    }
    printf("There is no fleet: this is the only server.\n"
           "To make one, start etcd, and on each server\n%s settings set fleet '{\"etcd\": "
           "\"http://<host of etcd>:2379\"}'\n",
           cli->program);
}

static void fleet_print(const struct cli *cli, const struct fleet_values *v, yyjson_val *root) {
    yyjson_val *request = yyjson_obj_get(root, "request");
    if (v->json) {
        show_value(root);
    } else if (yyjson_is_obj(request)) {
        fleet_print_request(request, "");
    } else if (v->model && yyjson_is_obj(yyjson_obj_get(root, "etcd"))) {
        puts("This node: it is the name of an instance here.");
    } else {
        print_nodes(root);
        print_state(cli, root);
    }
}

static enum outcome fleet_ask(const struct cli *cli, const char *model, yyjson_doc **ret_answer,
                              struct error *err) {
    struct buf path = BUF_INIT(4096);
    buf_add_str(&path, "/api/v1/fleet");
    if (model) {
        buf_add_str(&path, "?model=");
        (void)percent_encode(&path, model, "");
    }
    enum outcome outcome = client_get(cli, buf_str(&path), ret_answer, err);
    buf_clear(&path);
    return outcome;
}

static enum cli_exit fleet_run(const struct cli *cli, const void *values) {
    const struct fleet_values *v = values;
    struct error err;
    yyjson_doc *answer = NULL;
    enum outcome outcome = fleet_ask(cli, v->model, &answer, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    fleet_print(cli, v, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_fleet = {
    COMMAND(fleet, "fleet", NULL, 0, 0),
    .summary = "List the servers of the fleet",
    .details = "They know each other through etcd (the setting fleet). FREE: the memory that "
               "models may still have. MODELS: how many are on its disk. The star marks the "
               "server that answers.",
};
