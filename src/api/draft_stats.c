/* SPDX-License-Identifier: MIT */
#include "api/draft_stats.h"

void draft_stats_add(const struct service_usage *usage, enum draft_stats_names names,
                     yyjson_mut_doc *doc, yyjson_mut_val *stats) {
    static const char *const words[][5] = {
        [DRAFT_STATS_REST] = { "total_draft_tokens_count", "accepted_draft_tokens_count",
                               "rejected_draft_tokens_count", "ignored_draft_tokens_count",
                               "draft_model" },
        [DRAFT_STATS_SDK] = { "totalDraftTokensCount", "acceptedDraftTokensCount",
                              "rejectedDraftTokensCount", "ignoredDraftTokensCount",
                              "usedDraftModelKey" },
    };
    int64_t total = usage->draft.total, accepted = usage->draft.accepted;
    int64_t ignored = usage->draft.ignored;
    if (total == 0) return;
    yyjson_mut_obj_add_int(doc, stats, words[names][0], total);
    yyjson_mut_obj_add_int(doc, stats, words[names][1], accepted);
    yyjson_mut_obj_add_int(doc, stats, words[names][2], total - accepted - ignored);
    yyjson_mut_obj_add_int(doc, stats, words[names][3], ignored);
    if (usage->draft.pauses > 0 && names == DRAFT_STATS_REST)
        yyjson_mut_obj_add_int(doc, stats, "draft_pauses_count", usage->draft.pauses);
    if (usage->draft.model)
        yyjson_mut_obj_add_strcpy(doc, stats, words[names][4], usage->draft.model);
}
