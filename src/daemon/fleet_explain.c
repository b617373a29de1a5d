/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_explain.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "fleet/prospects.h"
#include "supervisor/supervisor.h"

static yyjson_mut_val *describe(const struct fleet_view *view, uint32_t node,
                                const struct placement *p, const char *more,
                                yyjson_mut_doc *doc) {
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    char text[PLACEMENT_TEXT];
    placement_explain(p, &view->table, &view->request, text);
    char *sentence = xasprintf("%s%s", text, more);
    if (node == PLACEMENT_NO_NODE)
        yyjson_mut_obj_add_null(doc, obj, "node");
    else
        yyjson_mut_obj_add_strcpy(doc, obj, "node", view->nodes[node].name);
    yyjson_mut_obj_add_str(doc, obj, "rule", placement_rule_name(p->rule));
    if (p->where == PLACEMENT_REFUSE)
        yyjson_mut_obj_add_null(doc, obj, "first_token_seconds");
    else
        yyjson_mut_obj_add_real(doc, obj, "first_token_seconds", (double)p->first / 1000);
    yyjson_mut_obj_add_strcpy(doc, obj, "sentence", sentence);
    free(sentence);
    return obj;
}

/* Otherwise nothing would tell the owner why it is not fetched. */
static const char adapters_stay[] = " Its settings name adapters, so nodes without it do not "
                                    "fetch it; put its files there, too, and set the same "
                                    "adapters.";

static yyjson_mut_val *describe_all(struct fleet_view *view, msec now, yyjson_mut_doc *doc) {
    struct prospect prospects[PROSPECTS_MAX];
    struct placement p;
    uint32_t count = prospects_make(view, now, prospects);
    fleet_view_choose(view, now, &p);
    bool refused = p.where == PLACEMENT_REFUSE;
    yyjson_mut_val *obj = describe(view, refused ? PLACEMENT_NO_NODE : p.node, &p,
                                   view->has_adapters ? adapters_stay : "", doc);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, "nodes");
    for (uint32_t i = 0; i < count; i++)
        yyjson_mut_arr_append(
            list, describe(view, prospects[i].node, &prospects[i].placement, "", doc));
    return obj;
}

yyjson_mut_val *fleet_explain(const struct fleet_node *node,
                              const struct supervisor *supervisor, const char *name,
                              yyjson_mut_doc *doc) {
    bool one;
    if (!fleet_node_is_on(node)) return NULL;
    struct fleet_question question = { .name = name,
                                       .key = supervisor_meaning(supervisor, name, &one) };
    yyjson_mut_val *obj = NULL;
    struct fleet_view view;
    if (one) return NULL;
    fleet_node_ask(node, &question);
    if (fleet_view_make(fleet_node_table(node), &question, &view))
        obj = describe_all(&view, question.now, doc);
    fleet_view_clear(&view);
    return obj;
}

bool fleet_explain_elsewhere(const struct fleet_node *node, const char *name,
                             struct error *ret_err) {
    struct fleet_question question = { .name = name };
    struct fleet_view view;
    struct placement p = { .where = PLACEMENT_REFUSE };
    if (!fleet_node_is_on(node)) return false;
    fleet_node_ask(node, &question);
    if (fleet_view_make(fleet_node_table(node), &question, &view))
        fleet_view_choose(&view, question.now, &p);
    bool found = p.where == PLACEMENT_NODE || p.where == PLACEMENT_WAIT;
    if (found)
        error_set(
            ret_err, ERR_MODEL_NOT_FOUND,
            "This server has no model '%.80s', but the node '%s' of the fleet has it. SDK "
            "connections stay on one server: connect to %.120s, or use the REST API.",
            name, view.nodes[p.node].name, view.urls[p.node]);
    fleet_view_clear(&view);
    return found;
}
