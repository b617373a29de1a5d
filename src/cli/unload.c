/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/inventory.h"
#include "cli/show.h"

struct unload_values {
    bool all, json;
};

static const struct option_row unload_options[] = {
    FLAG(unload, all, "all", 'a', "Unload every loaded model"),
    FLAG(unload, json, "json", 0, "Print a JSON array of what was unloaded"),
};

static enum outcome unload_one(const struct cli *cli, const char *id, struct error *err) {
    struct buf body = BUF_INIT(1 << 16), answer = BUF_INIT(CLIENT_MAX_BODY);
    buf_add_str(&body, "{\"instance_id\":");
    json_write_str(&body, id, strlen(id));
    buf_add_str(&body, "}");
    struct call call = { .method = "POST",
                         .path = "/api/v1/models/unload",
                         .body = buf_str(&body),
                         .cancel_fd = -1 };
    enum outcome outcome = client_call(cli, &call, &answer, err);
    buf_clear(&body);
    buf_clear(&answer);
    return outcome;
}

/* Without a name: the only instance there is. */
static enum cli_exit tell_choice(const struct inventory *inv) {
    struct buf names = BUF_INIT(4096);
    if (inv->instance_count == 0) return cli_fail(CLI_FAILED, "No model is loaded.");
    for (size_t i = 0; i < inv->instance_count; i++) {
        buf_addf(&names, "%s%s", i ? ", " : "", inv->instances[i].id);
    }
    enum cli_exit code = cli_fail(
        CLI_USAGE, "Several models are loaded; say which one, or --all: %s.", buf_str(&names));
    buf_clear(&names);
    return code;
}

static void print_unloaded(const struct unload_values *v, const char *const *ids,
                           size_t count) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, list);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_arr_add_str(doc, list, ids[i]);
        if (!v->json) printf("Model \"%s\" unloaded.\n", ids[i]);
    }
    if (v->json) {
        show_json(doc);
    } else {
        yyjson_mut_doc_free(doc);
    }
}

/* One that left by itself in the meantime (ttl, eviction) is no failure of --all. */
static enum cli_exit unload_all(const struct cli *cli, const struct unload_values *v,
                                const struct inventory *inv) {
    const char **ids = xcalloc(inv->instance_count, sizeof *ids);
    enum cli_exit code = CLI_DONE;
    size_t count = 0;
    struct error err;
    for (size_t i = 0; i < inv->instance_count; i++) {
        enum outcome outcome = unload_one(cli, inv->instances[i].id, &err);
        if (outcome == OUTCOME_DONE) {
            ids[count++] = inv->instances[i].id;
        } else if (outcome != OUTCOME_REFUSED || err.code != ERR_MODEL_NOT_FOUND) {
            code = client_fail(outcome, &err);
            break;
        }
    }
    print_unloaded(v, ids, count);
    if (!v->json) printf("Unloaded %zu model%s.\n", count, count == 1 ? "" : "s");
    free(ids);
    return code;
}

static enum cli_exit unload_named(const struct cli *cli, const struct unload_values *v,
                                  const char *id) {
    struct error err;
    enum outcome outcome = unload_one(cli, id, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    print_unloaded(v, &id, 1);
    return CLI_DONE;
}

static enum cli_exit unload_run(const struct cli *cli, const void *values) {
    const struct unload_values *v = values;
    struct inventory inv;
    struct error err;
    if (cli->arg_count > 0 && v->all)
        return cli_fail(CLI_USAGE, "Give a name or --all, not both.");
    if (cli->arg_count > 0) return unload_named(cli, v, cli->args[0]);
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = CLI_DONE;
    if (v->all) {
        code = unload_all(cli, v, &inv);
    } else if (inv.instance_count == 1) {
        code = unload_named(cli, v, inv.instances[0].id);
    } else {
        code = tell_choice(&inv);
    }
    inventory_clear(&inv);
    return code;
}

const struct command command_unload = {
    .name = "unload",
    .args = "[<identifier>]",
    .summary = "Unload a model",
    .details =
        "Running answers of the model end at once. Without a name: the only loaded model.",
    COMMAND_OPTIONS(unload),
    .max_args = 1,
    .run = unload_run,
};
