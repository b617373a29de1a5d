/* SPDX-License-Identifier: MIT */
/*
 * download_plan.c - what `lms get` asks of client.repository: find a name, plan its download,
 * choose another quantization, and download.
 *
 * A plan's channel gets the plan when the hub has listed the repository, then again for each
 * choice of the client; the download begins with its "commit".
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "base/json.h"
#include "base/xalloc.h"

enum { FOUND_DEFAULT = 10, FOUND_MAX = 25 };

/* State of both ops. */
struct plan {
    const struct lmws_hub *hub;
    void *handle;                    /* NULL: no question to the hub is open */
    char *repo;                      /* "owner/repo"; of a search: what was searched for */
    char *owner, *name;              /* of LM Studio's own hub; NULL: of another */
    char *quantization, *file;       /* what the client prefers; NULL: nothing */
    struct lmws_hub_option *options; /* with copies of their texts */
    size_t count, selected, recommended;
    int64_t version;
    bool committed;
};

static char *copy_or_null(const char *text) {
    return text ? xstrdup(text) : NULL;
}

static void plan_clear(void *state) {
    struct plan *plan = state;
    if (plan->handle) plan->hub->drop(plan->hub->self, plan->handle, false);
    for (size_t i = 0; i < plan->count; i++) {
        free((char *)plan->options[i].file);
        free((char *)plan->options[i].quantization);
        free((char *)plan->options[i].key);
    }
    free(plan->options);
    free(plan->repo);
    free(plan->owner);
    free(plan->name);
    free(plan->quantization);
    free(plan->file);
}

static struct plan *plan_begin(struct lmws_op *op, char *repo) {
    struct plan *plan = xcalloc(1, sizeof *plan);
    *plan = (struct plan){ .hub = op->session->host->hub, .repo = repo, .version = 1 };
    op->state = plan;
    op->clear_state = plan_clear;
    return plan;
}

/* The hub has answered. False: with an error, which ends the op. */
static bool is_good(struct lmws_op *op, const struct error *error) {
    ((struct plan *)op->state)->handle = NULL;
    if (error) lmws_op_fail(op, error);
    return !error;
}

/* ---- fuzzyFindStaffPicks ---- */

/* The client takes no other owners and names than those of LM Studio's own hub: small letters,
 * digits, and single hyphens between them; in names dots, too. */
static bool is_artifact_part(const char *text, size_t len, const char *separators) {
    bool after_letter = false;
    for (size_t i = 0; i < len; i++) {
        bool letter = isdigit((unsigned char)text[i]) || islower((unsigned char)text[i]);
        if (!letter && !(after_letter && strchr(separators, text[i]))) return false;
        after_letter = letter;
    }
    return after_letter;
}

static void add_pick(yyjson_mut_doc *doc, yyjson_mut_val *list, const char *found,
                     const char *wanted) {
    char *text = xstrdup(found), *slash = strchr(text, '/');
    for (char *p = text; *p; p++) *p = (char)tolower((unsigned char)*p);
    if (slash && is_artifact_part(text, (size_t)(slash - text), "-") &&
        is_artifact_part(slash + 1, strlen(slash + 1), "-.")) {
        yyjson_mut_val *pick = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_strncpy(doc, pick, "owner", text, (size_t)(slash - text));
        yyjson_mut_obj_add_strcpy(doc, pick, "name", slash + 1);
        yyjson_mut_obj_add_int(doc, pick, "revisionNumber", 1);
        yyjson_mut_obj_add_int(doc, pick, "createdAtTimestamp", 0);
        yyjson_mut_obj_add_strcpy(doc, pick, "description", found);
        yyjson_mut_obj_add_bool(doc, pick, "exact", strcasecmp(slash + 1, wanted) == 0);
    }
    free(text);
}

static void on_picks(void *ctx, const char *const *names, size_t count,
                     const struct error *error) {
    struct lmws_op *op = ctx;
    const struct plan *plan = op->state;
    if (!is_good(op, error)) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *result = yyjson_mut_obj(doc);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, result, "results");
    for (size_t i = 0; i < count; i++) add_pick(doc, list, names[i], plan->repo);
    lmws_op_result(op, doc, result);
}

void lmws_find_staff_picks(struct lmws_op *op, yyjson_val *param) {
    const char *words = json_find_str(param, "searchTerm");
    yyjson_val *limit = yyjson_obj_get(param, "limit");
    int64_t most = yyjson_is_int(limit) ? yyjson_get_sint(limit) : FOUND_DEFAULT;
    struct plan *plan = plan_begin(op, xstrdup(words ? words : ""));
    struct lmws_hub_sink sink = { .on_found = on_picks, .ctx = op };
    most = most < 1 ? 1 : most > FOUND_MAX ? FOUND_MAX : most;
    plan->handle = plan->hub->search(plan->hub->self, plan->repo, (size_t)most, &sink);
}

/* ---- the plan as the client sees it ---- */

static void add_choice(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct lmws_hub_option *option) {
    yyjson_mut_obj_add_strcpy(doc, out, "displayName", option->file);
    yyjson_mut_obj_add_uint(doc, out, "sizeBytes", option->size);
    if (*option->quantization)
        yyjson_mut_obj_add_strcpy(doc, out, "quantName", option->quantization);
    yyjson_mut_obj_add_str(doc, out, "compatibilityType", "gguf");
}

static void add_options(yyjson_mut_doc *doc, yyjson_mut_val *node, const struct plan *plan) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, node, "downloadOptions");
    for (size_t i = 0; i < plan->count; i++) {
        const struct lmws_hub_option *option = &plan->options[i];
        yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
        add_choice(doc, out, option);
        yyjson_mut_obj_add_str(doc, out, "fitEstimation",
                               option->fits ? "fitWithoutGPU" : "willNotFit");
        yyjson_mut_obj_add_str(doc, out, "availability",
                               option->key ? "downloaded" : "notDownloaded");
        if (option->recommended) yyjson_mut_obj_add_bool(doc, out, "recommended", true);
    }
    yyjson_mut_obj_add_uint(doc, node, "selectedDownloadOptionIndex", plan->selected);
    yyjson_mut_obj_add_uint(doc, node, "recommendedDownloadOptionIndex", plan->recommended);
}

/* LM Studio's hub has recipes, which name models elsewhere; doze takes it for the model. */
static void add_artifact(yyjson_mut_doc *doc, yyjson_mut_val *nodes, const struct plan *plan) {
    yyjson_mut_val *node = yyjson_mut_arr_add_obj(doc, nodes);
    yyjson_mut_obj_add_str(doc, node, "type", "artifact");
    yyjson_mut_obj_add_strcpy(doc, node, "owner", plan->owner);
    yyjson_mut_obj_add_strcpy(doc, node, "name", plan->name);
    yyjson_mut_obj_add_str(doc, node, "state", "completed");
    yyjson_mut_obj_add_str(doc, node, "artifactType", "model");
    yyjson_mut_obj_add_int(doc, node, "sizeBytes", 0);
    yyjson_mut_arr_add_int(doc, yyjson_mut_obj_add_arr(doc, node, "dependencyNodes"), 1);
}

static void add_model(yyjson_mut_doc *doc, yyjson_mut_val *nodes, const struct plan *plan) {
    const struct lmws_hub_option *chosen = &plan->options[plan->selected];
    yyjson_mut_val *node = yyjson_mut_arr_add_obj(doc, nodes);
    yyjson_mut_obj_add_str(doc, node, "type", "model");
    yyjson_mut_obj_add_str(doc, node, "state", chosen->key ? "satisfied" : "completed");
    yyjson_mut_obj_add_strcpy(doc, node, "dependencyLabel", plan->repo);
    yyjson_mut_obj_add_int(doc, node, "resolvedSources", 1);
    yyjson_mut_obj_add_int(doc, node, "totalSources", 1);
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, node,
                                                 chosen->key ? "alreadyOwned" : "selected");
    add_choice(doc, out, chosen);
    yyjson_mut_obj_add_strcpy(doc, out, "modelKey", chosen->key ? chosen->key : plan->repo);
    add_options(doc, node, plan);
}

static void send_plan(struct lmws_op *op, const char *type) {
    const struct plan *plan = op->state;
    const struct lmws_hub_option *chosen = &plan->options[plan->selected];
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, type);
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, message, "plan");
    yyjson_mut_val *nodes = yyjson_mut_obj_add_arr(doc, out, "nodes");
    if (plan->owner) add_artifact(doc, nodes, plan);
    add_model(doc, nodes, plan);
    yyjson_mut_obj_add_uint(doc, out, "downloadSizeBytes", chosen->key ? 0 : chosen->size);
    yyjson_mut_obj_add_str(doc, out, "downloadAction",
                           chosen->key ? "none" : "startNewDownload");
    yyjson_mut_obj_add_int(doc, out, "version", plan->version);
    lmws_op_send(op, doc, message);
}

/* ---- createDownloadPlan ---- */

static bool is_preferred(const struct plan *plan, const struct lmws_hub_option *option) {
    if (plan->file) return strcmp(plan->file, option->file) == 0;
    return plan->quantization && strcasecmp(plan->quantization, option->quantization) == 0;
}

static size_t owned_or_recommended(const struct plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->options[i].key) return i;
    }
    return plan->recommended;
}

static void take_options(struct plan *plan, const struct lmws_hub_option *options,
                         size_t count) {
    plan->options = xcalloc(count, sizeof *plan->options);
    plan->count = count;
    for (size_t i = 0; i < count; i++) {
        plan->options[i] = options[i];
        plan->options[i].file = xstrdup(options[i].file);
        plan->options[i].quantization = xstrdup(options[i].quantization);
        plan->options[i].key = copy_or_null(options[i].key);
        if (options[i].recommended) plan->recommended = i;
    }
    plan->selected = owned_or_recommended(plan);
    for (size_t i = count; i-- > 0;) {
        if (is_preferred(plan, &plan->options[i])) plan->selected = i;
    }
}

static bool finds_preferred(const struct plan *plan, struct error *err) {
    const char *wanted = plan->file ? plan->file : plan->quantization;
    bool found = !wanted || is_preferred(plan, &plan->options[plan->selected]);
    if (!found)
        error_set(err, ERR_NOT_FOUND, "%.120s has no %.80s; leave it out to see what there is.",
                  plan->repo, wanted);
    return found;
}

static void on_plan_options(void *ctx, const struct lmws_hub_option *options, size_t count,
                            const struct error *error) {
    struct lmws_op *op = ctx;
    struct plan *plan = op->state;
    struct error err;
    if (!is_good(op, error)) return;
    if (count == 0) {
        error_set(&err, ERR_NOT_SUPPORTED, "%.120s has no GGUF model.", plan->repo);
        lmws_op_fail(op, &err);
        return;
    }
    take_options(plan, options, count);
    if (!finds_preferred(plan, &err)) {
        lmws_op_fail(op, &err);
        return;
    }
    send_plan(op, "planUpdated");
    send_plan(op, "planReady");
}

static void ask_for_options(struct lmws_op *op) {
    struct plan *plan = op->state;
    struct lmws_hub_sink sink = { .on_options = on_plan_options, .ctx = op };
    plan->handle = plan->hub->options(plan->hub->self, plan->repo, &sink);
}

/* LM Studio writes names in small letters; the hub's own spelling is asked for. */
static void on_spelling(void *ctx, const char *const *names, size_t count,
                        const struct error *error) {
    struct lmws_op *op = ctx;
    struct plan *plan = op->state;
    if (!is_good(op, error)) return;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], plan->repo) != 0) continue;
        free(plan->repo);
        plan->repo = xstrdup(names[i]);
        break;
    }
    ask_for_options(op);
}

static void ask_for_spelling(struct lmws_op *op) {
    struct plan *plan = op->state;
    struct lmws_hub_sink sink = { .on_found = on_spelling, .ctx = op };
    plan->handle = plan->hub->search(plan->hub->self, plan->repo, FOUND_MAX, &sink);
}

static void read_preference(struct plan *plan, yyjson_val *opts) {
    yyjson_val *wish = yyjson_arr_get_first(yyjson_obj_get(opts, "resolutionPreference"));
    plan->quantization = copy_or_null(json_find_str(wish, "quantName"));
    plan->file = copy_or_null(json_find_str(wish, "fileName"));
}

void lmws_create_download_plan(struct lmws_op *op, yyjson_val *param) {
    yyjson_val *target = yyjson_obj_get(param, "target");
    yyjson_val *source = yyjson_obj_get(target, "source");
    bool artifact = yyjson_equals_str(yyjson_obj_get(target, "type"), "artifact");
    const char *owner = json_find_str(artifact ? target : source, artifact ? "owner" : "user");
    const char *name = json_find_str(artifact ? target : source, artifact ? "name" : "repo");
    struct error err;
    if (!owner || !name) {
        error_set(&err, ERR_INVALID_REQUEST, "Name a repository: owner/name.");
        lmws_op_fail(op, &err);
        return;
    }
    struct plan *plan = plan_begin(op, xasprintf("%s/%s", owner, name));
    read_preference(plan, yyjson_obj_get(param, "opts"));
    if (artifact) {
        plan->owner = xstrdup(owner);
        plan->name = xstrdup(name);
        ask_for_spelling(op);
    } else {
        ask_for_options(op);
    }
}

/* ---- what the client says on the channel ---- */

static void on_plan_progress(void *ctx, uint64_t done, uint64_t total, double speed) {
    lmws_send_progress(ctx, done, total, speed);
}

static void on_plan_got(void *ctx, const char *model_key, const struct error *error) {
    struct lmws_op *op = ctx;
    if (is_good(op, error)) lmws_send_success(op, model_key);
}

static void commit(struct lmws_op *op) {
    struct plan *plan = op->state;
    const struct lmws_hub_option *chosen = &plan->options[plan->selected];
    struct lmws_hub_sink sink = { .on_got = on_plan_got,
                                  .on_progress = on_plan_progress,
                                  .ctx = op };
    char *name = lmws_option_name(plan->repo, chosen);
    plan->committed = true;
    plan->handle = plan->hub->get(plan->hub->self, name, &sink);
    free(name);
}

static void choose(struct lmws_op *op, yyjson_val *message) {
    struct plan *plan = op->state;
    yyjson_val *index = yyjson_obj_get(message, "selectedDownloadOptionIndex");
    yyjson_val *version = yyjson_obj_get(message, "requestedPlanVersion");
    if (yyjson_is_int(index) && yyjson_get_uint(index) < plan->count)
        plan->selected = (size_t)yyjson_get_uint(index);
    if (yyjson_is_null(index)) plan->selected = owned_or_recommended(plan);
    plan->version++;
    if (yyjson_is_int(version) && yyjson_get_sint(version) > plan->version)
        plan->version = yyjson_get_sint(version);
    send_plan(op, "planUpdated");
    send_plan(op, "planReady");
}

static void cancel(struct lmws_op *op) {
    struct plan *plan = op->state;
    if (plan->handle) plan->hub->drop(plan->hub->self, plan->handle, plan->committed);
    plan->handle = NULL;
    lmws_op_close(op);
}

void lmws_download_plan_message(struct lmws_op *op, yyjson_val *message) {
    const struct plan *plan = op->state;
    const char *type = json_find_str(message, "type");
    bool ready = plan->count > 0 && !plan->committed;
    if (!type) return;
    if (strncmp(type, "cancel", strlen("cancel")) == 0) {
        cancel(op);
    } else if (ready && strcmp(type, "commit") == 0) {
        commit(op);
    } else if (ready && strcmp(type, "setSelectedDownloadOptionIndex") == 0) {
        choose(op, message);
    }
}
