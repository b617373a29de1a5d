/* SPDX-License-Identifier: MIT */
/* form.h - what differs between the answers of chats and of completions. */
#ifndef DOZE_API_OPENAI_FORM_H
#define DOZE_API_OPENAI_FORM_H

#include "api/choice.h"

struct openai_form {
    const char *id_prefix, *object, *chunk_object;
    /* Fields of the first chunk's choice; NULL: none is needed. */
    void (*add_opening)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index);
    /* ... of the choice in the chunk of a SERVICE_DELTA, or of SERVICE_DONE, which adds
     * nothing. */
    void (*add_piece)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                      const struct service_event *ev, const char *reply_id);
    /* ... of the choice in a whole answer. */
    void (*add_whole)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                      const struct choice *from, const char *reply_id);
    /* The worker's entries, an array that lives as long as doc, as the form shows them; takes
     * it. *offset: see choice.text_offset. */
    yyjson_mut_val *(*format_logprobs)(yyjson_mut_doc *doc, yyjson_mut_val *entries,
                                       int64_t *offset);
};

extern const struct openai_form openai_chat_form, openai_completion_form;

#endif
