/* SPDX-License-Identifier: MIT */
#include "api/parsed.h"
#include "api/rerank/translate.h"
#include "base/json.h"

enum { RERANK_MAX_DOCUMENTS = 2048 };

static bool query_translate(struct translation *t) {
    yyjson_val *query = translation_field(t, "query");
    if (!query) return translation_missing(t, "query", "the text that documents have to fit");
    if (!yyjson_is_str(query)) return translation_wrong_type(t, "query", "a string");
    yyjson_mut_obj_add_val(t->doc, t->out, "query", yyjson_val_mut_copy(t->doc, query));
    return true;
}

/* A text, or an object that holds it as "text"; NULL: neither. */
static yyjson_val *text_of(yyjson_val *document) {
    yyjson_val *text = yyjson_is_obj(document) ? yyjson_obj_get(document, "text") : document;
    return yyjson_is_str(text) ? text : NULL;
}

static bool document_add(struct translation *t, yyjson_mut_val *list, yyjson_val *document,
                         size_t index) {
    yyjson_val *text = text_of(document);
    if (text) return yyjson_mut_arr_append(list, yyjson_val_mut_copy(t->doc, text));
    (void)error_set(t->err, ERR_INVALID_REQUEST,
                    "A document must be a string or an object with the string 'text'.");
    return translation_error_inside_item(t->err, "documents", index);
}

static bool documents_translate(struct translation *t) {
    yyjson_val *documents = translation_field(t, "documents"), *document;
    size_t i, count;
    if (!documents) return translation_missing(t, "documents", "an array of texts");
    if (!yyjson_is_arr(documents)) return translation_wrong_type(t, "documents", "an array");
    if (yyjson_arr_size(documents) == 0 || yyjson_arr_size(documents) > RERANK_MAX_DOCUMENTS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "documents",
                               "'documents' must hold 1 to %d texts.", RERANK_MAX_DOCUMENTS);
    }
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "documents");
    yyjson_arr_foreach(documents, i, count, document) {
        if (!document_add(t, list, document, i)) return false;
    }
    return true;
}

static bool options_read(struct parsed *parsed, struct translation *t) {
    bool shown = false;
    if (!json_read_int(t->in, "top_n", 1, INT64_MAX, &parsed->options.top_n, t->err) ||
        !json_read_bool(t->in, "return_documents", &shown, t->err))
        return false;
    if (shown) {
        yyjson_mut_val *list = yyjson_mut_obj_get(t->out, "documents");
        parsed->options.echo = yyjson_mut_doc_new(NULL);
        yyjson_mut_doc_set_root(parsed->options.echo,
                                yyjson_mut_val_mut_copy(parsed->options.echo, list));
    }
    return true;
}

static bool read(struct parsed *parsed, struct translation *t) {
    parsed->options.stream = false; /* there are no pieces */
    return query_translate(t) && documents_translate(t) && options_read(parsed, t);
}

bool rerank_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err) {
    return parsed_read_one(op, body, len, read, ret_parsed, err);
}
