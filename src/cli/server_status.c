/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/health.h"
#include "cli/show.h"

struct server_status_values {
    bool json, quiet, verbose;
    const char *log_level;
};

static const struct option_row server_status_options[] = {
    FLAG(server_status, json, "json", 0, "Print JSON"),
    FLAG(server_status, quiet, "quiet", 'q', "Print nothing but JSON; the exit code says it"),
    FLAG(server_status, verbose, "verbose", 'v', "Also show the address and what is loaded"),
    OPTION(server_status, log_level, "log-level", 0, "<level>",
           "error and warn: as --quiet; debug: as --verbose"),
};

/* health: NULL if the server is not running; inv: NULL if it does not tell what is loaded. */
static void server_status_print_json(const struct cli *cli, const struct health *health,
                                     const struct inventory *inv) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "running", health != NULL);
    if (health) {
        yyjson_mut_obj_add_int(doc, root, "port", cli->port.value);
        yyjson_mut_obj_add_int(doc, root, "pid", health->pid);
        yyjson_mut_obj_add_str(doc, root, "version", health->version);
        if (*health->warning) yyjson_mut_obj_add_str(doc, root, "warning", health->warning);
    }
    if (inv) yyjson_mut_obj_add_uint(doc, root, "loaded", inv->instance_count);
    show_json(doc);
}

static void print_details(const struct cli *cli, const struct inventory *inv) {
    char base[300];
    client_base(cli, base);
    printf("Address: %s\n", base);
    if (inv && inv->instance_count > 0) show_instances(inv);
    if (!inv) puts("What is loaded it tells only with its API key; set DOZE_API_KEY to it.");
}

static void server_status_print(const struct cli *cli, const struct health *health,
                                const struct inventory *inv) {
    printf("The server is running on port %d (pid %lld, version %s", (int)cli->port.value,
           (long long)health->pid, health->version);
    if (inv) printf(", %zu loaded", inv->instance_count);
    puts(").");
    if (*health->warning) printf("Warning: %s\n", health->warning);
}

/* --quiet, --verbose and --log-level, of which `lms` takes one at a time. */
static bool read_level(struct server_status_values *v) {
    static const char *const levels[] = { "error", "warn", "info", "debug" };
    int level = v->log_level ? WORDS_FIND(levels, v->log_level) : 2;
    bool one = v->quiet + v->verbose + (v->log_level != NULL) <= 1;
    if (level == 0 || level == 1) v->quiet = true;
    if (level == 3) v->verbose = true;
    return level >= 0 && one;
}

static void server_status_tell(const struct cli *cli, const struct server_status_values *v,
                               const struct health *health, const struct inventory *inv) {
    if (v->json) {
        server_status_print_json(cli, health, inv);
    } else if (!v->quiet) {
        server_status_print(cli, health, inv);
        if (v->verbose) print_details(cli, inv);
    }
}

/* No server: `lms` says so on stdout; here it is an error unless --quiet. */
static enum cli_exit tell_stopped(const struct cli *cli, const struct server_status_values *v,
                                  const struct error *err) {
    if (v->json) server_status_print_json(cli, NULL, NULL);
    if (v->json || v->quiet) return CLI_UNREACHABLE;
    return client_fail(OUTCOME_UNREACHABLE, err);
}

/* /health needs no API key, the list of models does: without the key the server is still seen
 * to be running. */
static enum cli_exit server_status_run(const struct cli *cli, const void *values) {
    struct server_status_values v = *(const struct server_status_values *)values;
    struct health health;
    struct inventory inv = { 0 };
    struct error err;
    if (!read_level(&v)) {
        return cli_fail(CLI_USAGE, "Give one of --quiet, --verbose and --log-level "
                                   "error|warn|info|debug.");
    }
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_UNREACHABLE) return tell_stopped(cli, &v, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    outcome = inventory_fetch(cli, &inv, &err);
    bool locked = outcome == OUTCOME_REFUSED && err.code == ERR_API_KEY;
    if (outcome != OUTCOME_DONE && !locked) return client_fail(outcome, &err);
    server_status_tell(cli, &v, &health, locked ? NULL : &inv);
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_server_status = {
    COMMAND(server_status, "server status", NULL, 0, 0),
    .summary = "Show whether the server runs",
    .details = "Exit code 3 if it does not.",
};
