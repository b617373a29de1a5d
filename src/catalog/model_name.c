/* SPDX-License-Identifier: MIT */
#include "catalog/model_name.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/names.h"
#include "base/split_files.h"
#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "catalog/text_safe.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Quantizations that are not (I|T)Q<digits>... */
static const char *const other_quantizations[] = { "F16",  "F32",   "BF16",  "FP16",
                                                   "FP32", "MXFP4", "NVFP4", "MXFP4_MOE" };
/* Prefixes of quantizations: "-UD-Q4_K_XL", ".i1-Q4_K_M". */
static const char *const quantization_marks[] = { "ud", "i1" };

/* File names without information: the folder's name is used instead. */
static const char *const empty_names[] = { "", "model", "ggml-model", "ggml" };

static bool is_separator(char c) {
    return c == '-' || c == '.' || c == '_' || c == ' ';
}

static bool is_quantization(const char *text, size_t len) {
    for (size_t i = 0; i < COUNT(other_quantizations); i++) {
        const char *word = other_quantizations[i];
        if (ascii_equal(text, len, word, strlen(word))) return true;
    }
    size_t at = 0;
    if (len > 0 && (ascii_lower(text[0]) == 'i' || ascii_lower(text[0]) == 't')) at++;
    if (len < at + 2 || ascii_lower(text[at]) != 'q') return false;
    if (text[at + 1] < '0' || text[at + 1] > '9') return false;
    for (size_t i = at + 2; i < len; i++) {
        char c = ascii_lower(text[i]);
        bool ok = c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (!ok) return false;
    }
    return len - at < 12;
}

/* Where the quantization at the end begins; len if there is none. */
static size_t quantization_start(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        bool word = i == 0 || is_separator(text[i - 1]);
        if (word && is_quantization(text + i, len - i)) return i;
    }
    return len;
}

static size_t without_word(const char *text, size_t len, const char *word) {
    size_t word_len = strlen(word);
    bool there = ascii_ends_with(text, len, word) &&
                 (len == word_len || is_separator(text[len - word_len - 1]));
    return there ? len - word_len : len;
}

static size_t without_separators(const char *text, size_t len) {
    while (len > 0 && is_separator(text[len - 1])) len--;
    return len;
}

static size_t base_len(const char *text, size_t len) {
    len = without_separators(text, without_word(text, len, "gguf"));
    size_t start = quantization_start(text, len);
    if (start < len) {
        len = without_separators(text, start);
        for (size_t i = 0; i < COUNT(quantization_marks); i++) {
            len = without_separators(text, without_word(text, len, quantization_marks[i]));
        }
    }
    return without_separators(text, without_word(text, len, "gguf"));
}

static size_t stem_len(const char *file) {
    struct split_name split;
    if (split_name_parse(file, &split)) return split.stem_len;
    size_t len = strlen(file);
    return ascii_ends_with(file, len, ".gguf") ? len - strlen(".gguf") : len;
}

static bool says_nothing(const char *text, size_t len) {
    for (size_t i = 0; i < COUNT(empty_names); i++) {
        if (ascii_equal(text, len, empty_names[i], strlen(empty_names[i]))) return true;
    }
    return false;
}

char *model_base(const struct model_place *place) {
    const char *from = place->file;
    size_t len = base_len(from, stem_len(from));
    if (says_nothing(from, len) && place->folder_len > 0) {
        from = place->folder;
        len = base_len(from, place->folder_len);
    }
    char *base = text_safe(from, len);
    for (char *c = base; *c; c++) {
        *c = *c == ' ' || *c == '@' || *c == '?' ? '-' : ascii_lower(*c);
    }
    if (base[0]) return base;
    free(base);
    return xstrdup("model");
}

char *model_stem(const struct model_place *place) {
    return text_safe(place->file, stem_len(place->file));
}

void model_name_quantization(const char *file, char ret_name[16]) {
    size_t len = stem_len(file);
    size_t start = quantization_start(file, len);
    ret_name[0] = '\0';
    if (len - start >= 16) return;
    for (size_t i = start; i < len; i++) {
        char c = ascii_lower(file[i]);
        ret_name[i - start] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    ret_name[len - start] = '\0';
}

bool model_name_is_projector(const char *file) {
    return strcasestr(file, "mmproj") != NULL;
}

static const char *next_part(const char *path, size_t *ret_len) {
    const char *slash = strchr(path, '/');
    *ret_len = slash ? (size_t)(slash - path) : strlen(path);
    return slash ? slash + 1 : NULL;
}

/* models--<publisher>--<folder>/snapshots/<revision>/..., anywhere in the path. */
static bool parse_hub(const char *path, struct model_place *place) {
    static const char mark[] = "models--", snapshots[] = "/snapshots/";
    const char *hub = path;
    while (hub && strncmp(hub, mark, sizeof mark - 1) != 0) {
        hub = strchr(hub, '/');
        if (hub) hub++;
    }
    const char *slash = hub ? strchr(hub, '/') : NULL;
    if (!slash || strncmp(slash, snapshots, sizeof snapshots - 1) != 0) return false;
    const char *revision = slash + sizeof snapshots - 1;
    if (!strchr(revision, '/')) return false;
    hub += sizeof mark - 1;
    const char *dashes = memmem(hub, (size_t)(slash - hub), "--", 2);
    place->revision = revision;
    place->folder = dashes ? dashes + 2 : hub;
    place->folder_len = (size_t)(slash - place->folder);
    if (dashes) {
        place->publisher = hub;
        place->publisher_len = (size_t)(dashes - hub);
    }
    return true;
}

struct model_place model_place_parse(const char *path) {
    struct model_place place = { .file = path_name(path) };
    if (parse_hub(path, &place)) return place;
    size_t first_len, second_len;
    const char *second = next_part(path, &first_len);
    if (!second) return place; /* flat */
    const char *third = next_part(second, &second_len);
    if (!third) { /* one folder: the model's */
        place.folder = path;
        place.folder_len = first_len;
        return place;
    }
    place.publisher = path;
    place.publisher_len = first_len;
    place.folder = second;
    place.folder_len = second_len;
    return place;
}

/* The key without "@quant". */
static size_t key_base_len(const char *key) {
    const char *at = strchr(key, '@');
    return at ? (size_t)(at - key) : strlen(key);
}

static bool means_key(const struct model *model, const char *name, size_t len) {
    if (ascii_equal(name, len, model->key, strlen(model->key))) return true;
    const char *at = memrchr(name, '@', len);
    if (!at) return false;
    size_t before = (size_t)(at - name), after = len - before - 1;
    return ascii_equal(name, before, model->key, key_base_len(model->key)) &&
           ascii_equal(at + 1, after, model->quantization, strlen(model->quantization));
}

/* Does the file's name end in this word? The hub's quantizations are such words. */
static bool file_ends_in(const struct model *model, const char *word, size_t len) {
    const char *file = path_name(model->path);
    size_t stem = stem_len(file);
    if (len == 0 || stem <= len || !strchr("-.", file[stem - len - 1])) return false;
    return ascii_equal(file + stem - len, len, word, len);
}

/* How much of a name stands before "@" and the model's quantization; all of it if it ends in
 * something else. */
static size_t without_quantization(const struct model *model, const char *name, size_t len) {
    const char *at = memrchr(name, '@', len), *quantization = model->quantization;
    if (!at) return len;
    size_t before = (size_t)(at - name), rest = len - before - 1;
    bool same = ascii_equal(at + 1, rest, quantization, strlen(quantization)) ||
                file_ends_in(model, at + 1, rest);
    return same ? before : len;
}

/* "base", or its repository: "base-GGUF", which may have a quantization behind it. */
static bool means_base(const struct model *model, const char *name, size_t len) {
    size_t bare = without_quantization(model, name, len);
    bare = without_separators(name, without_word(name, bare, "gguf"));
    return means_key(model, name, len) ||
           ascii_equal(name, bare, model->key, key_base_len(model->key));
}

static bool means_publisher(const struct model *model, const char *name, size_t len) {
    const char *slash = memchr(name, '/', len);
    if (!slash) return false;
    size_t before = (size_t)(slash - name);
    return ascii_equal(name, before, model->publisher, strlen(model->publisher)) &&
           means_base(model, slash + 1, len - before - 1);
}

bool model_name_matches_of_any(const struct model *model, const char *name) {
    const char *slash = strchr(name, '/');
    if (!slash || slash == name || strchr(slash + 1, '/')) return false;
    return means_base(model, slash + 1, strlen(slash + 1));
}

/* The end of the path, with or without ".gguf" or the split suffix. */
static bool means_file(const struct model *model, const char *name, size_t len) {
    size_t path_len = strlen(model->path);
    size_t ends[] = { path_len, stem_len(model->path),
                      ascii_ends_with(model->path, path_len, ".gguf") ? path_len - 5
                                                                      : path_len };
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (ends[i] < len || !ascii_equal(model->path + ends[i] - len, len, name, len))
            continue;
        if (ends[i] == len || name[0] == '/' || model->path[ends[i] - len - 1] == '/')
            return true;
    }
    return false;
}

bool model_name_matches(const struct model *model, const char *name) {
    size_t len = strlen(name);
    if (len == 0) return false;
    return means_key(model, name, len) || means_publisher(model, name, len) ||
           means_file(model, name, len);
}

char *model_name_untag(const char *name, char mark) {
    static const char *const hosts[] = { "hf.co/", "huggingface.co/" };
    const char *bare = name;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        size_t len = strlen(hosts[i]);
        if (strncasecmp(name, hosts[i], len) == 0) bare = name + len;
    }
    const char *tag = strrchr(bare, ':');
    if (!tag && bare == name) return NULL;
    if (!tag) return xstrdup(bare);
    if (strcasecmp(tag, ":latest") == 0) return xstrndup(bare, (size_t)(tag - bare));
    char *plain = xstrdup(bare);
    plain[tag - bare] = mark;
    return plain;
}
