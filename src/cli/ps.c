/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/show.h"
#include "cli/text.h"

struct ps_values {
    bool json, quiet, watch;
};

static const struct option_row ps_options[] = {
    FLAG(ps, json, "json", 0, "Print a JSON array"),
    FLAG(ps, quiet, "quiet", 'q', "Print the identifiers only"),
    FLAG(ps, watch, "watch", 'w', "Show the list again every second, until Ctrl-C"),
};

enum { WATCH_MS = 1000 };

static void ps_print(const struct ps_values *v, const struct inventory *inv) {
    if (v->json) {
        yyjson_mut_val *list;
        yyjson_mut_doc *doc = json_array_new(&list);
        show_add_instances(doc, list, inv);
        show_json(doc);
    } else if (v->quiet) {
        for (size_t i = 0; i < inv->instance_count; i++) puts(inv->instances[i].id);
    } else if (inv->instance_count == 0 && inv->parked_count == 0) {
        fputs("No models are currently loaded.\n", v->watch ? stdout : stderr);
    } else {
        show_instances(inv);
    }
}

static enum cli_exit ps_once(const struct cli *cli, const struct ps_values *v) {
    static const char clear_screen[] = "\033[H\033[2J\033[3J";
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->watch && text_moves_cursor(stdout)) fputs(clear_screen, stdout);
    ps_print(v, &inv);
    inventory_clear(&inv);
    return CLI_DONE;
}

static enum cli_exit ps_watch(const struct cli *cli, const struct ps_values *v) {
    struct pollfd interrupt = { .fd = interrupt_open(), .events = POLLIN };
    enum cli_exit code;
    do {
        code = ps_once(cli, v);
        fflush(stdout);
    } while (code == CLI_DONE && poll(&interrupt, 1, WATCH_MS) == 0);
    interrupt_drain(interrupt.fd);
    interrupt_close(interrupt.fd);
    return code;
}

static enum cli_exit ps_run(const struct cli *cli, const void *values) {
    const struct ps_values *v = values;
    return v->watch ? ps_watch(cli, v) : ps_once(cli, v);
}

const struct command command_ps = {
    COMMAND(ps, "ps", NULL, 0, 0),
    .summary = "List the loaded models",
    .details = "TTL: what is left of the idle time, and all of it: `4m12s / 5m`. PROMPTS: "
               "processed prompts in its store, their size, and how often one was used: `3 "
               "(24 MB), 5 hits`. PARKED: the model is not loaded, but a worker still has it, "
               "so that its next load takes a tenth of a second (`doze unload MODEL` ends "
               "it).",
};
