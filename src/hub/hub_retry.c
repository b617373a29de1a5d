/* SPDX-License-Identifier: MIT */
#include "hub/hub_retry.h"

#include <string.h>

enum { LONGEST_WAIT_S = 60, LONGEST_ASKED_S = 3600 };

struct refusal {
    const char *code;
    enum err_code error;
    const char *sentence; /* with one %s: the repository */
};

static const struct refusal refusals[] = {
    { "GatedRepo", ERR_FORBIDDEN,
      "%s is gated: accept its terms on its page and set HF_TOKEN for doze to a token of that "
      "account." },
    { "RepoNotFound", ERR_NOT_FOUND,
      "There is no repository %s, or it is private; check the name, or set HF_TOKEN for doze "
      "to a token that may read it." },
    { "RevisionNotFound", ERR_NOT_FOUND, "%s has no such revision; check its name." },
    { "EntryNotFound", ERR_NOT_FOUND, "%s has no such file; check its name." },
};

static const struct refusal *find_refusal(const struct hub_answer *answer) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (strcmp(answer->error_code, refusals[i].code) == 0) return &refusals[i];
    }
    if (answer->status == 403) return &refusals[0];
    return answer->status == 401 || answer->status == 404 ? &refusals[1] : NULL;
}

enum hub_verdict hub_judge(const struct hub_answer *answer, const char *about,
                           struct error *err) {
    if (answer->status / 100 == 2) return HUB_OK;
    if (answer->status == 0) {
        error_set(err, ERR_IO, "The hub cannot be reached: %s.", answer->reason);
        return HUB_RETRY;
    }
    if (answer->status == 408 || answer->status == 429 || answer->status / 100 == 5) {
        error_set(err, ERR_IO, "The hub is busy or broken (status %ld); try again later.",
                  answer->status);
        return HUB_RETRY;
    }
    const struct refusal *refusal = find_refusal(answer);
    if (refusal) {
        const char *mark = strstr(refusal->sentence, "%s");
        error_set(err, refusal->error, "%.*s%.120s%s", (int)(mark - refusal->sentence),
                  refusal->sentence, about, mark + 2);
        return HUB_FAILED;
    }
    error_set(err, ERR_INVALID_REQUEST, "The hub refuses the request for %.120s (status %ld).",
              about, answer->status);
    return HUB_FAILED;
}

msec hub_delay(unsigned tries, int retry_after, double chance) {
    if (retry_after > 0)
        return (msec)(retry_after < LONGEST_ASKED_S ? retry_after : LONGEST_ASKED_S) * 1000;
    msec longest = LONGEST_WAIT_S * 1000, wait = 1000;
    for (unsigned i = 1; i < tries && wait < longest; i++) wait *= 2;
    if (wait > longest) wait = longest;
    msec half = wait / 2;
    return half + (msec)((double)half * chance);
}
