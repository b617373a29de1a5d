/* SPDX-License-Identifier: MIT */
#include "engine/history.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "engine/tool_text.h"

/* No text becomes longer than a few copies of the request's body, which has a limit. */
enum { TEXT_MAX = 1 << 30 };
enum { ID_LENGTH = 9 };

static const char NO_RESULT[] = "This call was interrupted; there is no result.";
static const char OPENING[] = "(The conversation has begun before.)";

/* ---- arguments ---- */

/* Arguments must be an object: anything else, or what was cut off, is put into one. The caller
 * frees. */
static char *arguments_text(yyjson_val *arguments) {
    const char *text = yyjson_get_str(arguments);
    size_t len = text ? yyjson_get_len(arguments) : 0;
    yyjson_doc *doc = text ? yyjson_read(text, len, 0) : NULL;
    yyjson_val *root = text ? yyjson_doc_get_root(doc) : arguments;
    struct buf out = BUF_INIT(TEXT_MAX);
    if (yyjson_is_obj(root)) {
        (void)json_write_val(root, &out);
    } else if ((text && len == 0) || !arguments || yyjson_is_null(root)) {
        (void)buf_add_str(&out, "{}");
    } else {
        (void)buf_add_str(&out, "{\"value\":");
        if (root) (void)json_write_val(root, &out);
        if (!root) (void)json_write_str(&out, text, len);
        (void)buf_add_str(&out, "}");
    }
    yyjson_doc_free(doc);
    return buf_take(&out);
}

static bool is_object_text(yyjson_val *arguments) {
    if (!yyjson_is_str(arguments)) return yyjson_is_obj(arguments);
    yyjson_doc *doc = yyjson_read(yyjson_get_str(arguments), yyjson_get_len(arguments), 0);
    bool object = yyjson_is_obj(yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return object;
}

static void repair_call(yyjson_mut_doc *doc, yyjson_mut_val *call, yyjson_val *sent) {
    yyjson_val *arguments = yyjson_obj_get(yyjson_obj_get(sent, "function"), "arguments");
    yyjson_mut_val *function = yyjson_mut_obj_get(call, "function");
    if (!yyjson_mut_obj_get(call, "type"))
        yyjson_mut_obj_add_str(doc, call, "type", "function");
    if (!function || is_object_text(arguments)) return;
    char *text = arguments_text(arguments);
    (void)yyjson_mut_obj_remove_key(function, "arguments");
    yyjson_mut_obj_add_strcpy(doc, function, "arguments", text);
    free(text);
}

static void read_string(yyjson_val *val, struct buf *out) {
    if (yyjson_is_str(val)) (void)buf_add(out, yyjson_get_str(val), yyjson_get_len(val));
}

/* A text, or the texts of parts, one a line. */
static void read_text(yyjson_val *content, struct buf *out) {
    size_t i, count;
    yyjson_val *part;
    read_string(content, out);
    yyjson_arr_foreach(content, i, count, part) {
        if (i > 0) (void)buf_add_str(out, "\n");
        read_string(yyjson_obj_get(part, "text"), out);
    }
}

static bool has_role(yyjson_val *message, const char *role) {
    return yyjson_equals_str(yyjson_obj_get(message, "role"), role);
}

static bool is_system(yyjson_val *message) {
    return has_role(message, "system") || has_role(message, "developer");
}

static bool is_result(yyjson_val *message) {
    return has_role(message, "tool") || has_role(message, "function");
}

/* Templates that know parts expect them from the user only; some drop others. */
static void repair_parts(yyjson_mut_doc *doc, yyjson_mut_val *copy, yyjson_val *message) {
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (!yyjson_is_arr(content) || !(is_system(message) || is_result(message))) return;
    struct buf text = BUF_INIT(TEXT_MAX);
    read_text(content, &text);
    (void)yyjson_mut_obj_remove_key(copy, "content");
    yyjson_mut_obj_add_strncpy(doc, copy, "content", buf_str(&text), text.len);
    buf_clear(&text);
}

static yyjson_mut_val *as_sent(yyjson_mut_doc *doc, yyjson_val *messages) {
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    size_t i, count, k, calls;
    yyjson_val *message, *call;
    yyjson_arr_foreach(messages, i, count, message) {
        yyjson_mut_val *copy = yyjson_val_mut_copy(doc, message);
        yyjson_mut_val *copies = yyjson_mut_obj_get(copy, "tool_calls");
        yyjson_mut_arr_append(list, copy);
        repair_parts(doc, copy, message);
        yyjson_arr_foreach(yyjson_obj_get(message, "tool_calls"), k, calls, call) {
            repair_call(doc, yyjson_mut_arr_get(copies, k), call);
        }
    }
    return list;
}

/* ---- a conversation as turns ---- */

enum turn_kind { TURN_SYSTEM, TURN_USER, TURN_MODEL };

struct call {
    const char *id, *name; /* of the messages */
    char *arguments;
    struct buf result;
    bool answered;
};

struct turn {
    enum turn_kind kind;
    struct buf text, reasoning;
    struct call *calls;
    size_t call_count;
};

struct history {
    struct turn *turns;
    size_t count;
};

static void turn_clear(struct turn *turn) {
    for (size_t i = 0; i < turn->call_count; i++) {
        free(turn->calls[i].arguments);
        buf_clear(&turn->calls[i].result);
    }
    free(turn->calls);
    buf_clear(&turn->text);
    buf_clear(&turn->reasoning);
}

static void history_clear(struct history *h) {
    for (size_t i = 0; i < h->count; i++) turn_clear(&h->turns[i]);
    free(h->turns);
}

/* Both arrays have room for all from the beginning, so that pointers into them stay. */
static struct turn *turn_add(struct history *h, enum turn_kind kind) {
    struct turn *turn = &h->turns[h->count++];
    turn->kind = kind;
    buf_init(&turn->text, TEXT_MAX);
    buf_init(&turn->reasoning, TEXT_MAX);
    return turn;
}

static struct turn *last_turn(struct history *h) {
    return h->count > 0 ? &h->turns[h->count - 1] : NULL;
}

static void add_paragraph(struct buf *to, const char *text, size_t len) {
    if (to->len > 0 && len > 0) (void)buf_add_str(to, "\n\n");
    (void)buf_add(to, text, len);
}

static void add_buf(struct buf *to, const struct buf *text) {
    add_paragraph(to, buf_str(text), text->len);
}

static void read_user(struct history *h, const struct buf *text) {
    struct turn *last = last_turn(h);
    if (!last || last->kind != TURN_USER) last = turn_add(h, TURN_USER);
    add_buf(&last->text, text);
}

static void read_system(struct history *h, const struct buf *text) {
    struct turn *last = last_turn(h);
    if (last && last->kind != TURN_SYSTEM) {
        read_user(h, text);
        return;
    }
    if (!last) last = turn_add(h, TURN_SYSTEM);
    add_buf(&last->text, text);
}

static bool has_results(const struct turn *turn) {
    for (size_t i = 0; i < turn->call_count; i++) {
        if (turn->calls[i].answered) return true;
    }
    return false;
}

static void read_calls(struct turn *turn, yyjson_val *calls) {
    size_t i, count, all = turn->call_count + yyjson_arr_size(calls);
    yyjson_val *val;
    turn->calls = xrealloc(turn->calls, (all + 1) * sizeof *turn->calls);
    yyjson_arr_foreach(calls, i, count, val) {
        yyjson_val *function = yyjson_obj_get(val, "function");
        const char *name = json_find_str(function, "name"), *id = json_find_str(val, "id");
        turn->calls[turn->call_count++] = (struct call){
            .id = id ? id : "",
            .name = name ? name : "unknown",
            .arguments = arguments_text(yyjson_obj_get(function, "arguments")),
            .result = BUF_INIT(TEXT_MAX),
        };
    }
}

/* One without anything in it is left out. */
static void read_model(struct history *h, yyjson_val *message, const struct buf *text) {
    yyjson_val *calls = yyjson_obj_get(message, "tool_calls");
    yyjson_val *thoughts = yyjson_obj_get(message, "reasoning_content");
    size_t thought = yyjson_is_str(thoughts) ? yyjson_get_len(thoughts) : 0;
    struct turn *last = last_turn(h);
    if (text->len == 0 && thought == 0 && yyjson_arr_size(calls) == 0) return;
    if (!last || last->kind != TURN_MODEL || has_results(last)) last = turn_add(h, TURN_MODEL);
    add_buf(&last->text, text);
    if (thought > 0) add_paragraph(&last->reasoning, yyjson_get_str(thoughts), thought);
    read_calls(last, calls);
}

/* The call with this id; or the first that has no result. */
static struct call *find_call(struct history *h, const char *id) {
    struct turn *turn = last_turn(h);
    if (turn && turn->kind == TURN_USER && h->count > 1) turn--;
    struct call *open = NULL;
    for (size_t i = 0; turn && i < turn->call_count; i++) {
        struct call *call = &turn->calls[i];
        if (call->answered) continue;
        if (id && strcmp(call->id, id) == 0) return call;
        if (!open) open = call;
    }
    return open;
}

/* A result that belongs to no call, for example after the beginning of a conversation was cut
 * off, becomes a text. */
static void read_result(struct history *h, yyjson_val *message, const struct buf *text) {
    struct call *call = find_call(h, json_find_str(message, "tool_call_id"));
    if (!call) {
        read_user(h, text);
        return;
    }
    call->answered = true;
    (void)buf_add(&call->result, buf_str(text), text->len);
}

static void read_message(struct history *h, yyjson_val *message) {
    struct buf text = BUF_INIT(TEXT_MAX);
    read_text(yyjson_obj_get(message, "content"), &text);
    if (is_system(message)) {
        read_system(h, &text);
    } else if (has_role(message, "assistant")) {
        read_model(h, message, &text);
    } else if (is_result(message)) {
        read_result(h, message, &text);
    } else {
        read_user(h, &text);
    }
    buf_clear(&text);
}

static bool has_user(const struct history *h) {
    for (size_t i = 0; i < h->count; i++) {
        if (h->turns[i].kind == TURN_USER) return true;
    }
    return false;
}

static void read_messages(struct history *h, yyjson_val *messages) {
    size_t i, count;
    yyjson_val *message;
    h->turns = xcalloc(yyjson_arr_size(messages) + 2, sizeof *h->turns);
    yyjson_arr_foreach(messages, i, count, message) read_message(h, message);
    if (!has_user(h) && h->count == 1 && h->turns->kind == TURN_SYSTEM)
        h->turns->kind = TURN_USER;
}

/* A turn before that at `index`. */
static struct turn *turn_insert(struct history *h, size_t index, enum turn_kind kind) {
    (void)turn_add(h, kind);
    struct turn added = h->turns[h->count - 1];
    memmove(&h->turns[index + 1], &h->turns[index], (h->count - 1 - index) * sizeof *h->turns);
    h->turns[index] = added;
    return &h->turns[index];
}

/* The system message first, if there is one, then the user. */
static void begin_properly(struct history *h, const char *system) {
    bool has_system = h->count > 0 && h->turns->kind == TURN_SYSTEM;
    if (system && !has_system) (void)turn_insert(h, 0, TURN_SYSTEM);
    if (system) add_paragraph(&h->turns->text, system, strlen(system));
    size_t first = has_system || system ? 1 : 0;
    if (first < h->count && h->turns[first].kind == TURN_USER) return;
    struct turn *opening = turn_insert(h, first, TURN_USER);
    (void)buf_add_str(&opening->text, OPENING);
}

static const struct buf *result_of(struct call *call) {
    if (!call->answered) (void)buf_add_str(&call->result, NO_RESULT);
    call->answered = true;
    return &call->result;
}

/* ---- without calls ---- */

/* Move results into the user's next turn, which must exist. */
static void write_results(struct turn *turn, struct turn *user) {
    struct buf text = BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < turn->call_count; i++) {
        const struct buf *result = result_of(&turn->calls[i]);
        tool_text_result(&text, buf_str(result), result->len);
    }
    add_buf(&text, &user->text);
    buf_clear(&user->text);
    user->text = text;
}

static void flatten_turn(struct history *h, size_t index) {
    struct turn *turn = &h->turns[index];
    if (turn->call_count == 0) return;
    for (size_t i = 0; i < turn->call_count; i++) {
        tool_text_call(&turn->text, turn->calls[i].name, turn->calls[i].arguments);
    }
    bool followed = index + 1 < h->count && h->turns[index + 1].kind == TURN_USER;
    if (!followed) (void)turn_insert(h, index + 1, TURN_USER);
    write_results(&h->turns[index], &h->turns[index + 1]);
    struct turn rest = { .calls = turn->calls, .call_count = turn->call_count };
    turn->calls = NULL;
    turn->call_count = 0;
    turn_clear(&rest);
}

static size_t turns_with_calls(const struct history *h) {
    size_t sum = 0;
    for (size_t i = 0; i < h->count; i++) sum += h->turns[i].call_count > 0;
    return sum;
}

static void flatten(struct history *h) {
    size_t most = h->count + turns_with_calls(h) + 1;
    h->turns = xrealloc(h->turns, most * sizeof *h->turns);
    for (size_t i = 0; i < h->count; i++) flatten_turn(h, i);
}

static void drop_system(struct history *h) {
    if (h->turns->kind != TURN_SYSTEM) return;
    struct turn *system = &h->turns[0], *user = &h->turns[1];
    add_buf(&system->text, &user->text);
    system->kind = TURN_USER;
    turn_clear(user);
    h->count--;
    memmove(user, user + 1, (h->count - 1) * sizeof *user);
}

/* ---- writing ---- */

static yyjson_mut_val *write_message(yyjson_mut_doc *doc, yyjson_mut_val *list,
                                     const char *role, const struct buf *text) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_str(doc, message, "role", role);
    yyjson_mut_obj_add_strncpy(doc, message, "content", buf_str(text), text->len);
    return message;
}

/* Some templates insist on ids in Mistral's form. Ids in that form stay; others are derived
 * from what was sent, so that a conversation gets the same ids each time. */
static void write_id(char *ret, const char *id, size_t number) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (strlen(id) == ID_LENGTH && strspn(id, letters) == ID_LENGTH) {
        memcpy(ret, id, ID_LENGTH + 1);
        return;
    }
    uint64_t hash = 14695981039346656037U + number; /* FNV-1a */
    for (; *id; id++) hash = (hash ^ (unsigned char)*id) * 1099511628211U;
    for (size_t i = 0; i < ID_LENGTH; i++) {
        ret[i] = letters[hash % (sizeof letters - 1)];
        hash /= sizeof letters - 1;
    }
    ret[ID_LENGTH] = '\0';
}

static void write_call(yyjson_mut_doc *doc, yyjson_mut_val *message, const struct call *call,
                       const char *id) {
    yyjson_mut_val *calls = yyjson_mut_obj_get(message, "tool_calls");
    if (!calls) calls = yyjson_mut_obj_add_arr(doc, message, "tool_calls");
    yyjson_mut_val *val = yyjson_mut_arr_add_obj(doc, calls);
    yyjson_mut_obj_add_strcpy(doc, val, "id", id);
    yyjson_mut_obj_add_str(doc, val, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(doc, val, "function");
    yyjson_mut_obj_add_strcpy(doc, function, "name", call->name);
    yyjson_mut_obj_add_strcpy(doc, function, "arguments", call->arguments);
}

static void write_result(yyjson_mut_doc *doc, yyjson_mut_val *list, struct call *call,
                         const char *id) {
    yyjson_mut_val *message = write_message(doc, list, "tool", result_of(call));
    yyjson_mut_obj_add_strcpy(doc, message, "tool_call_id", id);
    yyjson_mut_obj_add_strcpy(doc, message, "name", call->name);
}

static yyjson_mut_val *write_model(yyjson_mut_doc *doc, yyjson_mut_val *list,
                                   const struct turn *turn) {
    yyjson_mut_val *message = write_message(doc, list, "assistant", &turn->text);
    if (turn->reasoning.len > 0)
        yyjson_mut_obj_add_strncpy(doc, message, "reasoning_content", buf_str(&turn->reasoning),
                                   turn->reasoning.len);
    return message;
}

/* Write messages with `together` calls each, followed by their results. */
static void write_calls(yyjson_mut_doc *doc, yyjson_mut_val *list, struct turn *turn,
                        size_t number, size_t together) {
    const struct buf nothing = { 0 };
    yyjson_mut_val *message = write_model(doc, list, turn);
    for (size_t from = 0; from < turn->call_count; from += together) {
        char id[ID_LENGTH + 1];
        size_t to = from + together < turn->call_count ? from + together : turn->call_count;
        if (from > 0) message = write_message(doc, list, "assistant", &nothing);
        for (size_t i = from; i < to; i++) {
            write_id(id, turn->calls[i].id, number + i);
            write_call(doc, message, &turn->calls[i], id);
        }
        for (size_t i = from; i < to; i++) {
            write_id(id, turn->calls[i].id, number + i);
            write_result(doc, list, &turn->calls[i], id);
        }
    }
}

/* Move what the user says after the last result into that result. True: there was such a
 * turn. */
static bool fold_user(struct history *h, size_t index) {
    struct turn *turn = &h->turns[index];
    bool followed = index + 1 < h->count && h->turns[index + 1].kind == TURN_USER;
    if (turn->call_count == 0 || !followed) return false;
    struct call *last = &turn->calls[turn->call_count - 1];
    (void)result_of(last);
    add_buf(&last->result, &h->turns[index + 1].text);
    return true;
}

static void write_turns(yyjson_mut_doc *doc, yyjson_mut_val *list, struct history *h,
                        enum history_form form) {
    size_t calls = 0;
    for (size_t i = 0; i < h->count; i++) {
        struct turn *turn = &h->turns[i];
        bool folded = form == HISTORY_NARROW && fold_user(h, i);
        if (turn->kind == TURN_MODEL) {
            write_calls(doc, list, turn, calls, form == HISTORY_NARROW ? 1 : SIZE_MAX / 2);
            calls += turn->call_count;
        } else {
            (void)write_message(doc, list, turn->kind == TURN_USER ? "user" : "system",
                                &turn->text);
        }
        if (folded) i++;
    }
}

static yyjson_mut_val *in_form(yyjson_mut_doc *doc, yyjson_val *messages,
                               enum history_form form, const char *system) {
    struct history h = { 0 };
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    read_messages(&h, messages);
    begin_properly(&h, system);
    if (form >= HISTORY_PLAIN) flatten(&h);
    if (form == HISTORY_BARE) drop_system(&h);
    write_turns(doc, list, &h, form);
    history_clear(&h);
    return list;
}

yyjson_doc *history_write(yyjson_val *messages, enum history_form form, const char *system) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, form == HISTORY_AS_SENT
                                     ? as_sent(doc, messages)
                                     : in_form(doc, messages, form, system));
    yyjson_doc *written = yyjson_mut_doc_imut_copy(doc, NULL);
    yyjson_mut_doc_free(doc);
    return written;
}

/* ---- looking at messages ---- */

static bool has_text(yyjson_val *message) {
    yyjson_val *content = yyjson_obj_get(message, "content");
    return yyjson_is_arr(content) || (yyjson_is_str(content) && yyjson_get_len(content) > 0);
}

struct history_facts history_look(yyjson_val *messages) {
    struct history_facts facts = { 0 };
    size_t i, count, open = 0; /* calls that have no result yet */
    yyjson_val *message;
    yyjson_arr_foreach(messages, i, count, message) {
        size_t calls = yyjson_arr_size(yyjson_obj_get(message, "tool_calls"));
        bool result = is_result(message);
        if (calls > 0 || result) facts.calls = true;
        if (calls > 1 || (calls == 1 && has_text(message))) facts.crowded = true;
        if (result ? open == 0 : open > 0) facts.unpaired = true;
        open = result && open > 0 ? open - 1 : calls;
    }
    facts.open = open > 0;
    return facts;
}

static bool is_space(char ch) {
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

/* Templates may drop the white space around a text. */
bool history_kept(yyjson_val *messages, const char *prompt, size_t len) {
    size_t i, count;
    yyjson_val *message;
    yyjson_arr_foreach(messages, i, count, message) {
        yyjson_val *content = yyjson_obj_get(message, "content");
        const char *text = yyjson_get_str(content);
        if (!is_system(message) || !text) continue;
        size_t size = yyjson_get_len(content);
        for (; size > 0 && is_space(*text); text++) size--;
        while (size > 0 && is_space(text[size - 1])) size--;
        if (size > 0 && !memmem(prompt, len, text, size)) return false;
    }
    return true;
}
