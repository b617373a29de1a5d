/* SPDX-License-Identifier: MIT */
/* model_choice.h - the model that a person means by a part of its name. */
#ifndef DOZE_CLI_MODEL_CHOICE_H
#define DOZE_CLI_MODEL_CHOICE_H

#include "cli/inventory.h"
#include "cli/pick.h"

/* The models whose key contains `part` in any case (NULL: all) and that can be loaded; chats:
 * without those for embeddings. Names are borrowed from the inventory; the caller frees the
 * array. */
struct pick_item *model_choice_list(const struct inventory *inv, const char *part, bool chats,
                                    size_t *ret_count);

/* The model whose key is the name in any case, else the only one whose key contains it, broken
 * ones included. NULL, after a sentence on stderr that names the candidates, if there is no
 * such model or there are several. */
const struct listed_model *model_choice_named(const struct cli *cli,
                                              const struct inventory *inv, const char *name);

/* For a chat: the key of the one model that `name` is a part of, or that is picked on a
 * terminal where there are several. Without a name, on a terminal: the only loaded model, else
 * one that is picked of the loaded ones or, where none is loaded, of all. NULL: the name itself
 * will do, or the server says what is wrong with it. Borrowed from the inventory. */
const char *model_choice(const struct inventory *inv, const char *name);

#endif
