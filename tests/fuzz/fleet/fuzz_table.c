/* SPDX-License-Identifier: MIT */
/*
 * fuzz_table.c - any text as what other nodes publish: lines of keys and values in turn. The
 * table stays sorted, the list of nodes has nothing but what docs/fleet.md names, and a request
 * goes to a node that is listed and was not tried.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/fleet_view.h"
#include "fleet/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sorted(const struct fleet_table *table) {
    for (size_t i = 1; i < table->count; i++)
        assert(strcmp(table->list[i - 1].key, table->list[i].key) < 0);
}

static void check_list(const struct fleet_table *table) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *list = published_list(table, "0123456789abcdef", doc), *node;
    size_t i, max;
    yyjson_mut_arr_foreach(list, i, max, node) {
        assert(fleet_node_is_name(yyjson_mut_get_str(yyjson_mut_obj_get(node, "node"))));
        assert(yyjson_mut_obj_size(node) == 15);
    }
    yyjson_mut_doc_free(doc);
}

/* As node a, which has the model or not. */
static void check_choice(const struct fleet_table *table, const char *key) {
    uint64_t hashes[] = { 7, 8, 9 };
    struct prefix_marks marks = { .hashes = hashes, .count = 3 };
    static const char *const tried[] = { "b" };
    struct fleet_question question = { .name = "m",
                                       .key = key,
                                       .here = "a",
                                       .secret = "",
                                       .marks = &marks,
                                       .tried = tried,
                                       .tried_count = 1,
                                       .now = 5000,
                                       .unix_now = 7000 };
    struct fleet_view view;
    struct placement p;
    char text[PLACEMENT_TEXT];
    if (fleet_view_make(table, &question, &view)) {
        fleet_view_choose(&view, 5000, &p);
        placement_explain(&p, &view.table, &view.request, text);
        assert(p.where == PLACEMENT_REFUSE || p.node < view.table.count);
        assert(p.where != PLACEMENT_NODE || !view.nodes[p.node].tried);
        assert(p.where != PLACEMENT_NODE || view.urls[p.node]);
    }
    fleet_view_clear(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fleet_table table = { 0 };
    char *text = xstrndup((const char *)data, size), *rest = text, *key;
    while ((key = strsep(&rest, "\n")) && rest) {
        const char *value = strsep(&rest, "\n");
        if (*key && strlen(key) <= 1000) fleet_table_put(&table, key, *value ? value : NULL);
    }
    check_sorted(&table);
    check_list(&table);
    check_choice(&table, NULL);
    check_choice(&table, "m");
    fleet_table_clear(&table);
    free(text);
    return 0;
}
