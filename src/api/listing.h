/* SPDX-License-Identifier: MIT */
/*
 * listing.h - the names a client may put into `model`, each once: every model by its key, and
 * every instance by its identifier where that is not its own model's key. Broken models are
 * left out: no request could use them. Pure.
 */
#ifndef DOZE_API_LISTING_H
#define DOZE_API_LISTING_H

#include "api/service.h"
#include "base/buf.h"

/* Strings and views are borrowed from the snapshot. */
struct listing_entry {
    const char *id;
    const struct model_view *model;
    const struct instance_view *instance; /* NULL: the model itself */
};

/* With JIT loading every name works; without it, those of loaded instances. */
bool listing_serves(const struct listing_entry *entry, bool jit);

/* What a dialect shows of an entry, and whether it shows it. */
struct listing_form {
    /* jit: names of models that are not loaded work, too. NULL: shows all. */
    bool (*shows)(const struct listing_entry *entry, bool jit);
    void (*fill)(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct listing_entry *entry);
    /* Adds to the root of the whole list; NULL: nothing. */
    void (*end)(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *data);
};

/* Append an object for each entry that the form shows to `data`, an array of doc, in the order
 * of listing_format; without form->end. */
void listing_fill(const struct service_models *models, const struct listing_form *form,
                  yyjson_mut_doc *doc, yyjson_mut_val *data);

/* {"object":"list","data":[...]}, in the snapshot's order, a model before its instances. */
void listing_format(const struct service_models *models, const struct listing_form *form,
                    struct buf *out);
/* One entry by its id; false if none is shown under it. */
bool listing_format_one(const struct service_models *models, const char *id,
                        const struct listing_form *form, struct buf *out);

/* Has its memory and can answer at once. */
bool instance_is_loaded(const struct instance_view *instance);
/* Loading, or waiting to be loaded. */
bool instance_is_coming(const struct instance_view *instance);

/* The entry's loaded instance: itself; of a model the one whose identifier is its key, else the
 * first. NULL if none is loaded. */
const struct instance_view *entry_loaded(const struct listing_entry *entry);

#endif
