/* SPDX-License-Identifier: MIT */
/* info.h - models and instances as the clients list them, and the names they have there. */
#ifndef DOZE_API_LMSTUDIO_WS_INFO_H
#define DOZE_API_LMSTUDIO_WS_INFO_H

#include "api/lmstudio_ws/session.h"

/* LlmInfo or EmbeddingInfo. Borrows the view's strings until the document is written. */
yyjson_mut_val *lmws_model_info(yyjson_mut_doc *doc, const struct model_view *model);
/* The same with the fields of an instance. */
yyjson_mut_val *lmws_instance_info(yyjson_mut_doc *doc, const struct lmws_host *host,
                                   const struct model_view *model,
                                   const struct instance_view *instance);

/* publisher/name/file.gguf, as clients write it. */
void lmws_model_path(const struct model_view *model, struct buf *out);
/* "llm" or "embedding". */
const char *lmws_model_domain(const struct model_view *model);
bool lmws_model_in_namespace(const struct model_view *model, enum lmws_namespace ns);

/* The name of an instance_view.reference, and back: 0 if it is none of this run's. */
void lmws_reference_format(const struct lmws_host *host, uint64_t reference, char *text,
                           size_t size);
uint64_t lmws_reference_parse(const struct lmws_host *host, const char *text);

#endif
