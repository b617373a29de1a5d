/* SPDX-License-Identifier: MIT */
#include "fleet/held_file.h"

#include <string.h>

#include "base/json.h"

void held_file_format(const struct held_prompts *held, const char *secret, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "secret", secret);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "prompts");
    for (size_t i = 0; i < held->count; i++) {
        yyjson_mut_val *prompt = yyjson_mut_arr_add_arr(doc, list);
        yyjson_mut_arr_add_uint(doc, prompt, held->list[i].model);
        yyjson_mut_arr_add_uint(doc, prompt, held->list[i].head);
    }
    (void)json_write(doc, out); /* out says whether it fits */
    yyjson_mut_doc_free(doc);
}

void held_file_read(yyjson_val *root, const char *secret, struct held_prompts *ret) {
    yyjson_val *list = yyjson_obj_get(root, "prompts"), *prompt;
    size_t i, max;
    const char *of = json_find_str(root, "secret");
    *ret = (struct held_prompts){ 0 };
    if (!of || strcmp(of, secret) != 0) return;
    yyjson_arr_foreach(list, i, max, prompt) {
        yyjson_val *model = yyjson_arr_get(prompt, 0), *head = yyjson_arr_get(prompt, 1);
        if (!yyjson_is_uint(model) || !yyjson_is_uint(head)) continue;
        held_prompts_append(ret, (struct held_prompt){ .model = yyjson_get_uint(model),
                                                       .head = yyjson_get_uint(head) });
    }
}
