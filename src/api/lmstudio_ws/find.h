/* SPDX-License-Identifier: MIT */
/* find.h - which model or instance a client means. Strings of what is found are valid until the
 * next call into the service. */
#ifndef DOZE_API_LMSTUDIO_WS_FIND_H
#define DOZE_API_LMSTUDIO_WS_FIND_H

#include "api/lmstudio_ws/op.h"

struct lmws_found {
    struct model_view model;
    struct instance_view instance;
};

enum lmws_finding { LMWS_FOUND, LMWS_FOUND_NONE, LMWS_FOUND_UNLOADED };

/* By {"instanceReference"} or {"query"}: a loaded instance of the session's namespace. */
enum lmws_finding lmws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                      struct lmws_found *ret_found);
/* The same; on failure it ends the op with the right error. */
bool lmws_specifier_require(struct lmws_op *op, yyjson_val *specifier,
                            struct lmws_found *ret_found);

/* The loaded instance with this instance_view.reference, of the session's namespace. */
bool lmws_reference_find(const struct lmws_session *session, uint64_t reference,
                         struct lmws_found *ret_found);
/* The instance with this identifier, also while it loads or unloads. */
bool lmws_identifier_find(const struct lmws_session *session, const char *identifier,
                          struct lmws_found *ret_found);
/* The model that a key or path means. */
bool lmws_key_find(const struct lmws_session *session, const char *name,
                   struct model_view *ret_model);

#endif
