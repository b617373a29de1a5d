/* SPDX-License-Identifier: MIT */
#include "cli/load_cancel.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "cli/inventory.h"

/* Until the server notices that our connection is closed, it counts us as waiting. */
enum { ROUNDS = 20, ROUND_MS = 50 };

/* The instance that we asked for, one that is still loading if there is one; NULL: gone. */
static const struct listed_instance *find_ours(const struct inventory *inv, const char *model,
                                               const char *identifier) {
    const struct listed_instance *found = NULL;
    for (size_t i = 0; i < inv->instance_count; i++) {
        const struct listed_instance *it = &inv->instances[i];
        bool ours = identifier ? strcmp(it->id, identifier) == 0
                               : strcasecmp(it->model_key, model) == 0 ||
                                     strcasecmp(it->id, model) == 0;
        bool loading = strcmp(it->state, "loading") == 0 || strcmp(it->state, "queued") == 0;
        if (ours && (!found || loading)) found = it;
    }
    return found;
}

enum fate { FATE_GONE, FATE_WANTED, FATE_UNKNOWN };

/* Look once; unload the instance if no other request uses it or waits for it. */
static enum fate look(const struct cli *cli, const char *model, const char *identifier) {
    struct inventory inv;
    struct error err;
    if (inventory_fetch(cli, &inv, &err) != OUTCOME_DONE) return FATE_UNKNOWN;
    const struct listed_instance *ours = find_ours(&inv, model, identifier);
    enum fate fate = FATE_GONE;
    if (ours && (ours->waiting > 0 || ours->running > 0)) {
        fate = FATE_WANTED;
    } else if (ours) {
        enum outcome outcome = instance_unload(cli, ours->id, &err);
        bool gone = outcome == OUTCOME_DONE ||
                    (outcome == OUTCOME_REFUSED && err.code == ERR_MODEL_NOT_FOUND);
        fate = gone ? FATE_GONE : FATE_UNKNOWN;
    }
    inventory_clear(&inv);
    return fate;
}

enum cli_exit load_cancel(const struct cli *cli, const char *model, const char *identifier) {
    enum fate fate = FATE_WANTED;
    for (int round = 0; round < ROUNDS && fate == FATE_WANTED; round++) {
        if (round > 0) poll(NULL, 0, ROUND_MS);
        fate = look(cli, model, identifier);
    }
    switch (fate) {
    case FATE_GONE:
        return cli_fail(CLI_FAILED, "The load was cancelled.");
    case FATE_WANTED:
        return cli_fail(CLI_FAILED,
                        "The load goes on because other requests wait for the model; "
                        "`%s unload %s` ends it.",
                        cli->program, identifier ? identifier : model);
    case FATE_UNKNOWN:
        return cli_fail(CLI_FAILED, "The load may go on; `%s ps` shows it.", cli->program);
    }
    return CLI_FAILED;
}
