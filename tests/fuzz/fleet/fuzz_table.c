/* SPDX-License-Identifier: MIT */
/*
 * fuzz_table.c - any text as what other nodes publish: lines of keys and values in turn. The
 * table stays sorted, and the list of nodes has nothing but what docs/fleet.md names.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
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
        assert(yyjson_mut_obj_size(node) == 11);
    }
    yyjson_mut_doc_free(doc);
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
    fleet_table_clear(&table);
    free(text);
    return 0;
}
