/* SPDX-License-Identifier: MIT */
/*
 * fail.h - ends an op with an error: a title, and for some errors a code with facts
 * (displayData) from which the clients make texts of their own.
 */
#ifndef DOZE_API_LMSTUDIO_WS_FAIL_H
#define DOZE_API_LMSTUDIO_WS_FAIL_H

#include "api/lmstudio_ws/op.h"

/* {"title","rootTitle"}, both the sentence; copies it. */
yyjson_mut_val *lmws_error_object(yyjson_mut_doc *doc, const char *title);

void lmws_op_fail(struct lmws_op *op, const struct error *err);
/* A key or path that means no model. */
void lmws_op_fail_path(struct lmws_op *op, const char *path, const struct error *err);
/* An identifier that no loaded instance has. */
void lmws_op_fail_identifier(struct lmws_op *op, const char *identifier);
/* A query that no loaded instance fits; query may be of any form or NULL. */
void lmws_op_fail_query(struct lmws_op *op, yyjson_val *query);
/* A reference to an instance that is gone. */
void lmws_op_fail_unloaded(struct lmws_op *op);
/* A model of another kind than the session's namespace. */
void lmws_op_fail_domain(struct lmws_op *op, const struct model_view *model);
/* A preset, of which doze has none. */
void lmws_op_fail_preset(struct lmws_op *op, const char *preset);
/* Answers a call of an endpoint that doze does not have. */
void lmws_op_fail_not_offered(struct lmws_session *session, enum lmws_op_kind kind, int64_t id,
                              const char *endpoint);
/* Answers a call that cannot begin, as too many are open. */
void lmws_op_fail_full(struct lmws_session *session, enum lmws_op_kind kind, int64_t id);

#endif
