/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json.h"
#include "cli/show.h"

struct ps_values {
    bool json, quiet;
};

static const struct option_row ps_options[] = {
    FLAG(ps, json, "json", 0, "Print a JSON array"),
    FLAG(ps, quiet, "quiet", 'q', "Print the identifiers only"),
};

static enum cli_exit ps_run(const struct cli *cli, const void *values) {
    const struct ps_values *v = values;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json) {
        yyjson_mut_val *list;
        yyjson_mut_doc *doc = json_array_new(&list);
        show_add_instances(doc, list, &inv);
        show_json(doc);
    } else if (v->quiet) {
        for (size_t i = 0; i < inv.instance_count; i++) puts(inv.instances[i].id);
    } else if (inv.instance_count == 0) {
        fprintf(stderr, "No models are currently loaded.\n");
    } else {
        show_instances(&inv);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_ps = {
    COMMAND(ps, "ps", NULL, 0, 0),
    .summary = "List the loaded models",
    .details = "TTL: what is left of the idle time, and all of it: `4m12s / 5m`. PROMPTS: "
               "processed prompts in its store, their size, and how often one was used: `3 "
               "(24 MB), 5 hits`.",
};
