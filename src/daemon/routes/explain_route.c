/* SPDX-License-Identifier: MIT */
/* explain_route.c - GET /api/v1/explain?model=X: what would happen to a request for X now, and
 * why each instance is loaded, until when, and what would make it leave. */
#include <stdlib.h>

#include "base/json.h"
#include "daemon/fleet_explain.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"
#include "supervisor/supervisor.h"

static const char *const outcome_words[] = {
    [LC_OUTCOME_REFUSED] = "refused", [LC_OUTCOME_SERVED] = "served",
    [LC_OUTCOME_QUEUED] = "queued",   [LC_OUTCOME_JOINS] = "joins_load",
    [LC_OUTCOME_LOADS] = "loads",     [LC_OUTCOME_WAITS] = "waits",
};

static double seconds(msec span) {
    return (double)span / 1000;
}

static void add_names(struct buf *out, const struct forecast *f) {
    for (size_t i = 0; i < f->evict_count; i++) {
        const char *comma = i == 0 ? "" : i + 1 == f->evict_count ? " and " : ", ";
        (void)buf_addf(out, "%s'%s'", comma, f->evicts[i]);
    }
}

static void add_span(struct buf *out, double span) {
    if (span < 0.1)
        buf_add_str(out, "less than 0.1 s");
    else
        (void)buf_addf(out, "about %.1f s", span);
}

/* How long an answer takes is not known before the first has ended. */
static void waiting_sentence(struct buf *out, const struct forecast *f) {
    bool known = f->wait.seconds > 0;
    (void)buf_addf(out, "'%s' would be loaded", f->model_key);
    if (known) {
        buf_add_str(out, " in ");
        add_span(out, f->wait.seconds);
    }
    if (f->evict_count > 0) {
        buf_add_str(out, known ? ", after " : " after ");
        add_names(out, f);
        buf_add_str(out, f->evict_count == 1 ? " has left" : " have left");
    }
    if (f->lc.ahead > 0)
        (void)buf_addf(out, "; it waits for %u running answer%s%s", f->lc.ahead,
                       f->lc.ahead == 1 ? "" : "s",
                       known ? "" : ", and how long that takes is not known yet");
    buf_add_str(out, ".");
}

/* As the request would be told while it waits (Order, rule 4). */
static void queue_sentence(struct buf *out, const struct forecast *f) {
    (void)buf_addf(out, "'%s' would serve it; it would have place %u in line", f->instance,
                   f->wait.place);
    if (f->wait.seconds > 0) {
        buf_add_str(out, ", for ");
        add_span(out, f->wait.seconds);
    }
    buf_add_str(out, ".");
}

static void forecast_sentence(struct buf *out, const struct forecast *f) {
    switch (f->lc.outcome) {
    case LC_OUTCOME_REFUSED:
        return; /* the error says it */
    case LC_OUTCOME_SERVED:
        (void)buf_addf(out, "'%s' would serve it at once.", f->instance);
        return;
    case LC_OUTCOME_QUEUED:
        queue_sentence(out, f);
        return;
    case LC_OUTCOME_JOINS:
        (void)buf_addf(out, "It would wait for the load of '%s', which ends in ", f->model_key);
        add_span(out, seconds(f->lc.load));
        buf_add_str(out, ".");
        return;
    case LC_OUTCOME_LOADS:
        (void)buf_addf(out, "'%s' would be loaded at once, in ", f->model_key);
        add_span(out, seconds(f->lc.load));
        buf_add_str(out, ".");
        return;
    case LC_OUTCOME_WAITS:
        waiting_sentence(out, f);
        return;
    }
}

/* What would make a jit instance leave before its ttl. */
static const char *eviction_rule(enum lc_auto_evict mode) {
    switch (mode) {
    case LC_EVICT_ON:
    case LC_EVICT_PER_TYPE:
        return "or sooner, when another model needs its place or memory is short";
    case LC_EVICT_FIT:
        return "or sooner, when a load or a growing context needs its memory";
    case LC_EVICT_OFF:
        break;
    }
    return "and for no other reason";
}

static void leaving_sentence(struct buf *out, const struct instance_view *view,
                             enum lc_auto_evict mode) {
    bool jit = view->origin == ORIGIN_JIT;
    const char *rule = jit ? eviction_rule(mode) : "and is never evicted";
    if (view->state == INSTANCE_DRAINING || view->state == INSTANCE_UNLOADING)
        buf_add_str(out, "It is leaving; a request for it waits for a fresh load.");
    else if (view->ttl == MSEC_NEVER)
        (void)buf_addf(out, "It has no ttl: it leaves when it is unloaded by hand, %s.", rule);
    else if (view->expires_in != MSEC_NEVER)
        (void)buf_addf(out, "Its ttl ends in %.0f s; it leaves then, %s.",
                       seconds(view->expires_in), rule);
    else
        (void)buf_addf(out, "It leaves %.0f s after its last request, %s.", seconds(view->ttl),
                       rule);
}

static void add_instance(yyjson_mut_doc *doc, yyjson_mut_val *list,
                         const struct instance_view *view, enum lc_auto_evict mode) {
    struct buf why = BUF_INIT(1024);
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_strcpy(doc, obj, "id", view->identifier);
    yyjson_mut_obj_add_strcpy(doc, obj, "model", view->model_key);
    yyjson_mut_obj_add_str(doc, obj, "state", instance_state_name(view->state));
    yyjson_mut_obj_add_str(doc, obj, "origin", instance_origin_name(view->origin));
    yyjson_mut_obj_add_str(doc, obj, "here",
                           view->origin == ORIGIN_JIT ? "A request loaded it."
                                                      : "It was loaded by name.");
    leaving_sentence(&why, view, mode);
    yyjson_mut_obj_add_strcpy(doc, obj, "leaves", buf_str(&why));
    buf_clear(&why);
}

static void add_instances(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct routes *r) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "instances");
    enum lc_auto_evict mode = settings_store_get(r->settings)->rules.auto_evict;
    struct service_models all = r->service->models(r->service->self);
    for (size_t m = 0; m < all.count; m++) {
        for (size_t i = 0; i < all.models[m].instance_count; i++)
            add_instance(doc, list, &all.models[m].instances[i], mode);
    }
}

/* Others' loads may come first. */
static msec load_begins_in(const struct forecast *f) {
    bool waits = f->lc.outcome == LC_OUTCOME_WAITS;
    return waits ? f->lc.gate + f->lc.wait.load - f->lc.load : f->lc.gate;
}

static void add_forecast(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct forecast *f) {
    struct buf sentence = BUF_INIT(1 << 14);
    yyjson_mut_obj_add_strcpy(doc, root, "model", f->model_key);
    yyjson_mut_obj_add_str(doc, root, "outcome", outcome_words[f->lc.outcome]);
    if (f->instance) yyjson_mut_obj_add_strcpy(doc, root, "instance", f->instance);
    yyjson_mut_obj_add_uint(doc, root, "waits_for", f->lc.ahead);
    yyjson_mut_obj_add_real(doc, root, "begins_in_seconds", seconds(load_begins_in(f)));
    yyjson_mut_obj_add_real(doc, root, "load_seconds", seconds(f->lc.load));
    yyjson_mut_val *evicts = yyjson_mut_obj_add_arr(doc, root, "evicts");
    for (size_t i = 0; i < f->evict_count; i++)
        yyjson_mut_arr_add_strcpy(doc, evicts, f->evicts[i]);
    forecast_sentence(&sentence, f);
    yyjson_mut_obj_add_strcpy(doc, root, "sentence", buf_str(&sentence));
    buf_clear(&sentence);
}

static void add_refusal(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name,
                        const struct error *err) {
    yyjson_mut_obj_add_strcpy(doc, root, "model", name);
    yyjson_mut_obj_add_str(doc, root, "outcome", outcome_words[LC_OUTCOME_REFUSED]);
    yyjson_mut_obj_add_str(doc, root, "code", error_name(err->code));
    yyjson_mut_obj_add_strcpy(doc, root, "sentence", err->text);
}

static void add_fleet(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct routes *r,
                      const char *name) {
    yyjson_mut_val *fleet = fleet_explain(r->fleet, r->supervisor, name, doc);
    if (fleet) yyjson_mut_obj_add_val(doc, root, "fleet", fleet);
}

/* 0: not given; -1: no number. */
static int64_t read_context(const struct exchange *x) {
    const char *text = exchange_query(x, "context_length");
    char *end;
    if (!text) return 0;
    long long n = strtoll(text, &end, 10);
    return *text && !*end && n >= LOAD_MIN_CONTEXT && n <= LOAD_MAX_CONTEXT ? n : -1;
}

void route_explain(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    const char *name = exchange_query(x, "model");
    int64_t context = read_context(x);
    struct forecast f;
    struct error err;
    if (!name || !*name) {
        error_set_param(&err, ERR_INVALID_REQUEST, "model",
                        "'model' is missing; ask with ?model= and a name that "
                        "GET /api/v1/models lists.");
        exchange_fail(x, &err);
        return;
    }
    if (context < 0) {
        error_set_param(&err, ERR_INVALID_REQUEST, "context_length",
                        "'context_length' must be between %d and %d.", LOAD_MIN_CONTEXT,
                        LOAD_MAX_CONTEXT);
        exchange_fail(x, &err);
        return;
    }
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (supervisor_forecast(r->supervisor, name, context, &f, &err))
        add_forecast(doc, root, &f);
    else
        add_refusal(doc, root, name, &err);
    add_instances(doc, root, r);
    add_fleet(doc, root, r, name);
    reply_doc(x, doc);
}
