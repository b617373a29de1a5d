/* SPDX-License-Identifier: MIT */
#include "cli/load_pick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/text.h"

struct choice {
    const char **keys;
    size_t count;
};

static void choice_fill(struct choice *c, const struct inventory *inv, const char *part) {
    c->keys = xcalloc(inv->model_count, sizeof *c->keys);
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        if (*model->problem || (part && !strcasestr(model->key, part))) continue;
        c->keys[c->count++] = model->key;
    }
}

static void print_choice(const struct choice *c) {
    for (size_t i = 0; i < c->count; i++) {
        struct buf safe = BUF_INIT(1024);
        text_add_safe(&safe, c->keys[i], strnlen(c->keys[i], 1024));
        fprintf(stderr, "%4zu  %s\n", i + 1, buf_str(&safe));
        buf_clear(&safe);
    }
}

/* One line with a number; an empty line or the end of input chooses nothing. */
static enum pick ask(const struct choice *c, const char **ret_key) {
    char line[32];
    print_choice(c);
    for (;;) {
        fprintf(stderr, "Which one (1-%zu)? ", c->count);
        if (!fgets(line, sizeof line, stdin) || line[0] == '\n') return PICK_NONE;
        char *end = NULL;
        unsigned long n = strtoul(line, &end, 10);
        if (*end == '\n' && n >= 1 && n <= c->count) {
            *ret_key = c->keys[n - 1];
            return PICK_ONE;
        }
    }
}

/* As many names as a sentence holds. */
static enum pick tell_many(const struct choice *c, const char *part, struct error *err) {
    struct buf names = BUF_INIT(160);
    size_t shown = 0;
    while (shown < c->count && buf_addf(&names, "%s%s", shown ? ", " : "", c->keys[shown]))
        shown++;
    error_set(err, ERR_INVALID_REQUEST,
              "%zu models fit%s%.60s: %s%s; name one of them, or take the first with -y.",
              c->count, part ? " " : "", part ? part : "", buf_str(&names),
              shown < c->count ? " and others" : "");
    buf_clear(&names);
    return PICK_MANY;
}

enum pick load_pick(const struct inventory *inv, const char *part, bool first_will_do,
                    const char **ret_key, struct error *err) {
    struct choice choice = { 0 };
    enum pick result = PICK_NONE;
    choice_fill(&choice, inv, part);
    if (choice.count == 1 || (choice.count > 1 && first_will_do)) {
        *ret_key = choice.keys[0];
        result = PICK_ONE;
    } else if (choice.count > 1) {
        bool can_ask = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
        result = can_ask ? ask(&choice, ret_key) : tell_many(&choice, part, err);
    }
    free(choice.keys);
    return result;
}
