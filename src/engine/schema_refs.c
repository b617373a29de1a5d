/* SPDX-License-Identifier: MIT */
#include "engine/schema_refs.h"

#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "base/xalloc.h"
#include "engine/schema_json.h"

#define COPY "doze-ref-"

/* A schema that has a name of its own: an absolute URI, maybe with an anchor behind "#". */
struct place {
    char *uri;
    yyjson_mut_val *schema;
};

/* A reference to be rewritten. */
struct link {
    char *uri; /* absolute, fragment included */
    yyjson_mut_val *schema;
    const char *key;
};

struct refs {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    const char *root_uri; /* of the first place */
    bool old;             /* drafts 4 to 7: what stands beside $ref does not count */
    const char *id_key;
    struct place *places;
    size_t place_count, place_room;
    struct link *links;
    size_t link_count;
    yyjson_mut_val **copies; /* of these; as many as links at most */
    size_t copy_count;
    int recursive; /* $recursiveAnchors */
};

static const char *get_str(yyjson_mut_val *schema, const char *key) {
    return yyjson_mut_get_str(schema_get(schema, key));
}

/* ---- URIs ---- */

static bool has_scheme(const char *uri) {
    size_t len = strcspn(uri, ":/?#");
    return len > 0 && uri[len] == ':';
}

/* Of a URI, what a path from its root goes behind. */
static size_t authority_len(const char *uri) {
    const char *at = strstr(uri, "://");
    return at ? (size_t)(at + 3 - uri) + strcspn(at + 3, "/?#") : 0;
}

static size_t folder_len(const char *uri, size_t len) {
    while (len > 0 && uri[len - 1] != '/') len--;
    return len;
}

/* RFC 3986, section 5.2, for paths without dots. base has no fragment. */
static char *resolve(const char *base, const char *uri) {
    size_t kept = strlen(base);
    if (has_scheme(uri))
        kept = 0;
    else if (*uri == '/')
        kept = authority_len(base);
    else if (*uri && *uri != '#')
        kept = folder_len(base, strcspn(base, "?"));
    return xasprintf("%.*s%s", (int)kept, base, uri);
}

/* ---- what there is ---- */

/* Takes the URI. The first of a name is the one. */
static void add_place(struct refs *r, char *uri, yyjson_mut_val *schema) {
    if (r->place_count == r->place_room) {
        r->place_room = r->place_room ? 2 * r->place_room : 16;
        r->places = xrealloc(r->places, r->place_room * sizeof *r->places);
    }
    r->places[r->place_count++] = (struct place){ uri, schema };
}

static void add_anchor(struct refs *r, const char *base, const char *name,
                       yyjson_mut_val *schema) {
    if (name) add_place(r, xasprintf("%s#%s", base, name), schema);
}

/* As the libraries follow it from the root. */
static bool is_plain(const struct refs *r, const char *base, const char *ref) {
    return strcmp(base, r->root_uri) == 0 && !strpbrk(ref, "~%") &&
           (strcmp(ref, "#") == 0 || (strncmp(ref, "#/", 2) == 0 && ref[2]));
}

static void add_link(struct refs *r, yyjson_mut_val *schema, const char *key,
                     const char *base) {
    const char *ref = get_str(schema, key);
    if (!ref || r->link_count > SCHEMA_REFS_MAX) return;
    if (strcmp(key, "$ref") == 0 && is_plain(r, base, ref)) return;
    r->links = xrealloc(r->links, (r->link_count + 1) * sizeof *r->links);
    r->links[r->link_count++] = (struct link){ resolve(base, ref), schema, key };
}

static void walk(struct refs *r, yyjson_mut_val *schema, const char *base);

/* Of an object each value, of an array each item. */
static void walk_all(struct refs *r, yyjson_mut_val *all, const char *base) {
    yyjson_mut_val *name, *one;
    size_t i, count;
    yyjson_mut_obj_foreach(all, i, count, name, one) walk(r, one, base);
    yyjson_mut_arr_foreach(all, i, count, one) walk(r, one, base);
}

static void walk_parts(struct refs *r, yyjson_mut_val *schema, const char *base) {
    static const char *const lists[] = { "$defs",
                                         "definitions",
                                         "properties",
                                         "dependencies",
                                         "patternProperties",
                                         "dependentSchemas",
                                         "prefixItems",
                                         "allOf",
                                         "anyOf",
                                         "oneOf" };
    static const char *const parts[] = { "additionalItems",
                                         "additionalProperties",
                                         "contains",
                                         "propertyNames",
                                         "not",
                                         "if",
                                         "then",
                                         "else",
                                         "unevaluatedItems",
                                         "unevaluatedProperties" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        walk_all(r, schema_get(schema, lists[i]), base);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        walk(r, schema_get(schema, parts[i]), base);
    yyjson_mut_val *items = schema_get(schema, "items");
    if (yyjson_mut_is_arr(items))
        walk_all(r, items, base);
    else
        walk(r, items, base);
}

/* The URI of a schema that begins a document of its own; NULL: it is a part of another. */
static char *own_uri(struct refs *r, yyjson_mut_val *schema, const char *base) {
    const char *id = get_str(schema, r->id_key);
    if (!id || (r->old && schema_get(schema, "$ref"))) return NULL;
    if (*id == '#') {
        add_anchor(r, base, id + 1, schema);
        return NULL;
    }
    char *uri = resolve(base, id);
    uri[strcspn(uri, "#")] = '\0';
    return uri;
}

static void walk(struct refs *r, yyjson_mut_val *schema, const char *base) {
    if (!yyjson_mut_is_obj(schema)) return;
    char *own = schema == r->root ? NULL : own_uri(r, schema, base);
    if (own) {
        base = own;
        add_place(r, xstrdup(own), schema);
    }
    add_anchor(r, base, get_str(schema, "$anchor"), schema);
    add_anchor(r, base, get_str(schema, "$dynamicAnchor"), schema);
    if (yyjson_mut_is_true(schema_get(schema, "$recursiveAnchor"))) r->recursive++;
    add_link(r, schema, "$ref", base);
    add_link(r, schema, "$dynamicRef", base);
    add_link(r, schema, "$recursiveRef", base);
    walk_parts(r, schema, base);
    free(own);
}

/* ---- where they lead ---- */

static yyjson_mut_val *find_place(const struct refs *r, const char *uri, size_t len) {
    for (size_t i = 0; i < r->place_count; i++) {
        const char *name = r->places[i].uri;
        if (strncmp(name, uri, len) == 0 && name[len] == '\0') return r->places[i].schema;
    }
    return NULL;
}

/* In place: ~1 is a slash, ~0 a tilde. */
static void unescape(char *name) {
    char *out = name;
    for (; *name; name++) {
        *out = *name;
        if (name[0] == '~' && (name[1] == '0' || name[1] == '1'))
            *out = *++name == '0' ? '~' : '/';
        out++;
    }
    *out = '\0';
}

static yyjson_mut_val *step(yyjson_mut_val *at, char *name) {
    unescape(name);
    if (yyjson_mut_is_arr(at)) {
        char *end;
        size_t index = strtoul(name, &end, 10);
        return *name && !*end ? yyjson_mut_arr_get(at, index) : NULL;
    }
    return yyjson_mut_obj_get(at, name);
}

/* pointer: begins with a slash; it is changed. */
static yyjson_mut_val *follow(yyjson_mut_val *at, char *pointer) {
    while (at && pointer) {
        char *name = pointer + 1;
        pointer = strchr(name, '/');
        if (pointer) *pointer = '\0';
        at = step(at, name);
        if (pointer) *pointer = '/';
    }
    return at;
}

yyjson_mut_val *schema_refs_follow(yyjson_mut_val *root, const char *ref) {
    yyjson_mut_val *at = root;
    if (strncmp(ref, "#/", 2) != 0) return NULL;
    for (ref++; at && *ref == '/';) {
        size_t len = strcspn(++ref, "/");
        at = yyjson_mut_is_arr(at) ? yyjson_mut_arr_get(at, (size_t)strtoul(ref, NULL, 10))
                                   : yyjson_mut_obj_getn(at, ref, len);
        ref += len;
    }
    return at;
}

static yyjson_mut_val *find(const struct refs *r, const char *uri) {
    size_t len = strcspn(uri, "#");
    if (!uri[len] || !uri[len + 1]) return find_place(r, uri, len);
    if (uri[len + 1] != '/') return find_place(r, uri, strlen(uri));
    char *pointer = xstrdup(uri + len + 1);
    yyjson_mut_val *target = percent_decode(pointer) ? follow(find_place(r, uri, len), pointer)
                                                     : NULL;
    free(pointer);
    return target;
}

/* Where it stands in the text does not say what it means: there are several of its name. */
static bool is_ambiguous(const struct refs *r, const struct link *l) {
    const char *hash = strchr(l->uri, '#');
    int named = 0;
    if (strcmp(l->key, "$recursiveRef") == 0) return r->recursive > 1;
    if (strcmp(l->key, "$dynamicRef") != 0 || !hash) return false;
    for (size_t i = 0; i < r->place_count; i++) {
        const char *name = get_str(r->places[i].schema, "$dynamicAnchor");
        named += name && strcmp(name, hash + 1) == 0 && strchr(r->places[i].uri, '#');
    }
    return named > 1;
}

/* ---- rewriting ---- */

static size_t copy_number(struct refs *r, yyjson_mut_val *target) {
    for (size_t i = 0; i < r->copy_count; i++) {
        if (r->copies[i] == target) return i;
    }
    r->copies[r->copy_count] = target;
    return r->copy_count++;
}

static void point(struct refs *r, const struct link *l, yyjson_mut_val *target) {
    char *ref = target == r->root ? xstrdup("#")
                                  : xasprintf("#/$defs/" COPY "%zu", copy_number(r, target));
    (void)yyjson_mut_obj_remove_key(l->schema, l->key);
    yyjson_mut_obj_add_strcpy(r->doc, l->schema, "$ref", ref);
    free(ref);
}

static bool add_copies(struct refs *r, struct error *err) {
    size_t values = 0;
    if (r->copy_count == 0) return true;
    if (!yyjson_mut_is_obj(schema_get(r->root, "$defs"))) {
        (void)yyjson_mut_obj_remove_key(r->root, "$defs");
        yyjson_mut_obj_add_obj(r->doc, r->root, "$defs");
    }
    for (size_t i = 0; i < r->copy_count; i++) {
        values += schema_values(r->copies[i]);
        if (values > SCHEMA_REFS_COPIES_MAX)
            return error_set(err, ERR_INVALID_REQUEST,
                             "what its references lead to is too large: shorten it.");
        char *name = xasprintf(COPY "%zu", i);
        yyjson_mut_obj_put(schema_get(r->root, "$defs"), yyjson_mut_strcpy(r->doc, name),
                           yyjson_mut_val_mut_copy(r->doc, r->copies[i]));
        free(name);
    }
    return true;
}

static bool lose(const struct link *l, enum schema_refs_lost lost, bool *ret_dropped,
                 struct error *err) {
    const char *ref = get_str(l->schema, l->key);
    if (lost == SCHEMA_REFS_KEEP) return true;
    if (*ref == '#')
        return error_set(err, ERR_INVALID_REQUEST,
                         "its reference \"%.80s\" leads nowhere: correct it.", ref);
    (void)yyjson_mut_obj_remove_key(l->schema, l->key);
    *ret_dropped = true;
    return true;
}

static bool rewrite(struct refs *r, enum schema_refs_lost lost, bool *ret_dropped,
                    struct error *err) {
    if (r->link_count > SCHEMA_REFS_MAX)
        return error_set(
            err, ERR_INVALID_REQUEST,
            "more than %d of its references are not plain pointers: leave some out.",
            SCHEMA_REFS_MAX);
    r->copies = xcalloc(r->link_count + 1, sizeof(yyjson_mut_val *));
    for (size_t i = 0; i < r->link_count; i++) {
        const struct link *l = &r->links[i];
        bool other = strcmp(l->key, "$ref") != 0;
        if (other && (schema_get(l->schema, "$ref") || is_ambiguous(r, l))) continue;
        yyjson_mut_val *target = find(r, l->uri);
        if (target)
            point(r, l, target);
        else if (!lose(l, lost, ret_dropped, err))
            return false;
    }
    return add_copies(r, err);
}

static bool is_of_draft(yyjson_mut_val *root, const char *draft) {
    const char *schema = get_str(root, "$schema");
    return schema && strstr(schema, draft);
}

static void clear(struct refs *r) {
    for (size_t i = 0; i < r->place_count; i++) free(r->places[i].uri);
    for (size_t i = 0; i < r->link_count; i++) free(r->links[i].uri);
    free(r->places);
    free(r->links);
    free(r->copies);
}

bool schema_refs_write(yyjson_mut_doc *doc, enum schema_refs_lost lost, bool *ret_dropped,
                       struct error *err) {
    struct refs r = { .doc = doc, .root = yyjson_mut_doc_get_root(doc) };
    r.old = is_of_draft(r.root, "/draft-0");
    r.id_key = is_of_draft(r.root, "/draft-04") ? "id" : "$id";
    char *uri = own_uri(&r, r.root, "");
    if (!uri) uri = xstrdup("");
    add_place(&r, uri, r.root);
    r.root_uri = uri;
    walk(&r, r.root, uri);
    bool ok = rewrite(&r, lost, ret_dropped, err);
    clear(&r);
    return ok;
}
