/* SPDX-License-Identifier: MIT */
#include "engine/rules_check.h"

#include <string.h>

#include "base/json.h"
#include "engine/guidance.h"
#include "engine/picture.h"
#include "engine/plan_shim.h"

/* Behind a text, a set of characters or a comment that begins here; else the next character. */
static const char *skip(const char *at) {
    char end = *at == '"' ? '"' : *at == '[' ? ']' : *at == '#' ? '\n' : '\0';
    if (!end) return at + 1;
    for (at++; *at && *at != end; at++) {
        if (*at == '\\' && at[1] && end != '\n') at++;
    }
    return *at ? at + 1 : at;
}

/* A grammar names tokens by their text ("<think>") or number ("<[7]>"). Numbers are read
 * without a vocabulary, so each text becomes one: whether the model has such a token shows
 * when it is loaded, but all else can be judged. */
static void number_tokens(const char *grammar, struct buf *out) {
    for (const char *at = grammar, *next; *at; at = next) {
        const char *end = *at == '<' && at[1] != '[' ? strchr(at, '>') : NULL;
        next = end ? end + 1 : skip(at);
        if (end)
            (void)buf_add_str(out, "<[0]>");
        else
            (void)buf_add(out, at, (size_t)(next - at));
    }
}

static bool check_grammar(const char *grammar, struct error *err) {
    struct buf numbered = BUF_INIT(3 * strlen(grammar) + 1); /* "<>" is the shortest text */
    number_tokens(grammar, &numbered);
    struct llama_sampler *sampler = llama_sampler_init_grammar(NULL, buf_str(&numbered),
                                                               "root");
    buf_clear(&numbered);
    if (sampler) llama_sampler_free(sampler);
    return sampler || error_set_param(err, ERR_INVALID_REQUEST, "grammar",
                                      "The grammar of the request cannot be used: it cannot be "
                                      "read, or is none.");
}

static bool can_guide(const char *schema, struct error *err) {
    static const struct guidance_thinking none;
    yyjson_doc *doc = json_parse(schema, strlen(schema), err);
    if (!doc) return false;
    struct buf grammar = BUF_INIT(4 << 20), unenforced = BUF_INIT(1024);
    bool ok = guidance_grammar(NULL, yyjson_doc_get_root(doc), &none, &grammar, &unenforced,
                               err);
    struct guidance *guidance = ok ? guidance_new(NULL, buf_str(&grammar), err) : NULL;
    guidance_free(guidance);
    buf_clear(&grammar);
    buf_clear(&unenforced);
    yyjson_doc_free(doc);
    return guidance != NULL;
}

/* Which of the two a model uses depends on its template; what both refuse no model can use. */
static bool check_schema(yyjson_val *rules, const char *schema, struct error *err) {
    bool guided = guidance_is_there() && !yyjson_obj_get(rules, "calls") &&
                  !yyjson_obj_get(rules, "grammar");
    return plan_shim_can_use(schema, err) || (guided && can_guide(schema, err));
}

static bool check_pictures(yyjson_val *pictures, struct error *err) {
    yyjson_val *url;
    size_t i, count;
    yyjson_arr_foreach(pictures, i, count, url) {
        struct picture picture = { 0 };
        bool ok = picture_decode(yyjson_get_str(url), yyjson_get_len(url), i + 1, &picture,
                                 err);
        picture_clear(&picture);
        if (!ok) return false;
    }
    return true;
}

bool rules_check(yyjson_val *rules, struct error *err) {
    const char *template = json_find_str(rules, "template");
    const char *schema = json_find_str(rules, "schema");
    const char *grammar = json_find_str(rules, "grammar");
    yyjson_val *tools = yyjson_obj_get(rules, "tools");
    return (!template || chat_templates_can_parse(template, err)) &&
           (!tools || plan_shim_can_call(tools, err)) &&
           (!schema || check_schema(rules, schema, err)) &&
           (!grammar || check_grammar(grammar, err)) &&
           check_pictures(yyjson_obj_get(rules, "pictures"), err);
}
