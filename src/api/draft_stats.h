/* SPDX-License-Identifier: MIT */
/* draft_stats.h - how many tokens of an answer were guessed, in LM Studio's words. */
#ifndef DOZE_API_DRAFT_STATS_H
#define DOZE_API_DRAFT_STATS_H

#include <yyjson.h>

#include "api/service.h"

/* Of REST: total_draft_tokens_count, ...; of the SDK: totalDraftTokensCount, ... */
enum draft_stats_names { DRAFT_STATS_REST, DRAFT_STATS_SDK };

/* Nothing if none was guessed. The draft model is named if there is one. */
void draft_stats_add(const struct service_usage *usage, enum draft_stats_names names,
                     yyjson_mut_doc *doc, yyjson_mut_val *stats);

#endif
