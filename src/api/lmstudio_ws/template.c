/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/template.h"

#include <string.h>

#include "base/json.h"

static void add_literal(struct buf *out, yyjson_val *text) {
    if (!yyjson_is_str(text)) return;
    buf_add_str(out, "{{ ");
    json_write_str(out, yyjson_get_str(text), yyjson_get_len(text)); /* Jinja reads the same */
    buf_add_str(out, " }}");
}

static void write_manual(yyjson_val *manual, struct buf *out) {
    static const struct {
        const char *role, *before, *after;
    } roles[] = { { "system", "beforeSystem", "afterSystem" },
                  { "user", "beforeUser", "afterUser" },
                  { "assistant", "beforeAssistant", "afterAssistant" } };
    buf_add_str(out, "{% for message in messages %}");
    for (size_t i = 0; i < 3; i++) {
        buf_addf(out, "{%% if message['role'] == '%s' %%}", roles[i].role);
        add_literal(out, yyjson_obj_get(manual, roles[i].before));
        buf_add_str(out, "{{ message['content'] }}");
        add_literal(out, yyjson_obj_get(manual, roles[i].after));
        buf_add_str(out, "{% endif %}");
    }
    buf_add_str(out, "{% endfor %}{% if add_generation_prompt %}");
    add_literal(out, yyjson_obj_get(manual, "beforeAssistant"));
    buf_add_str(out, "{% endif %}");
}

const char *lmws_template_jinja(yyjson_val *value) {
    const char *type = json_find_str(value, "type");
    if (!type || strcmp(type, "jinja") != 0) return NULL;
    return json_find_str(yyjson_obj_get(value, "jinjaPromptTemplate"), "template");
}

bool lmws_template_write(yyjson_val *value, struct buf *out) {
    const char *type = json_find_str(value, "type"), *jinja = lmws_template_jinja(value);
    yyjson_val *manual = yyjson_obj_get(value, "manualPromptTemplate");
    if (jinja) {
        buf_add_str(out, jinja);
        return true;
    }
    if (!type || strcmp(type, "manual") != 0 || !yyjson_is_obj(manual)) return false;
    write_manual(manual, out);
    return true;
}
