/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/no_model.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "cli/body.h"
#include "cli/chat.h"
#include "cli/fields.h"
#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/repl.h"

extern const struct command command_get;

struct chat_values {
    const char *prompt, *system;
    struct option_ttl ttl;
    bool stats;
};

/* -p means --prompt here, so --port has no letter in this command. */
static const struct option_row chat_options[] = {
    OPTION(chat, prompt, "prompt", 'p', "<text>", "Ask this one question"),
    OPTION(chat, system, "system", 's', "<text>", "The system message"),
    OPTION(chat, system, "system-prompt", 0, "<text>", NULL),
    OPTION(chat, ttl, "ttl", 0, "<span>", "Unload when idle for this long (300, 5m, none)"),
    FLAG(chat, stats, "stats", 0, "Print tokens and speed after each answer"),
};

enum { MAX_PROMPT = 16000000, CHUNK = 1 << 16 };

/* Append all of stdin, after an empty line if there is a prompt already. */
static bool add_stdin(struct buf *prompt) {
    if (prompt->len > 0) buf_add_str(prompt, "\n\n");
    for (;;) {
        char *room = buf_reserve(prompt, CHUNK);
        if (!room) {
            cli_fail(CLI_FAILED, "The prompt is larger than %d MB; send less.",
                     MAX_PROMPT / 1000000);
            return false;
        }
        ssize_t got = read(STDIN_FILENO, room, CHUNK);
        if (got == 0) return true;
        if (got < 0 && errno != EINTR) {
            cli_fail(CLI_FAILED, "stdin cannot be read: %s.", strerror(errno));
            return false;
        }
        if (got > 0) prompt->len += (size_t)got;
    }
}

/* Ctrl-C closes the connection and leaves the terminal as it was. */
static enum cli_exit ask_question(struct chat *chat, const struct buf *prompt) {
    struct error err;
    int fd = interrupt_open();
    enum outcome outcome = chat_ask(chat, prompt->data, prompt->len, fd, &err);
    if (outcome == OUTCOME_CANCELLED) interrupt_drain(fd);
    interrupt_close(fd);
    return client_fail(outcome, &err);
}

static enum cli_exit ask_once(struct chat *chat, const char *given) {
    struct buf prompt = BUF_INIT(MAX_PROMPT + CHUNK);
    enum cli_exit code = CLI_FAILED;
    if (given) buf_add_str(&prompt, given);
    if (isatty(STDIN_FILENO) || add_stdin(&prompt)) {
        while (prompt.len > 0 && strchr(" \t\r\n", prompt.data[prompt.len - 1])) {
            prompt.data[--prompt.len] = '\0';
        }
        code = prompt.len
                   ? ask_question(chat, &prompt)
                   : cli_fail(CLI_USAGE, "The prompt is empty; give one with -p or on stdin.");
    }
    buf_clear(&prompt);
    return code;
}

/* Ask what a request for the model would cause; an answer that says it would be refused counts
 * as refused, with its reason. */
static enum outcome ask_explain(const struct cli *cli, const char *model, struct error *err) {
    struct buf path = BUF_INIT(4096);
    yyjson_doc *doc = NULL;
    buf_add_str(&path, "/api/v1/explain?model=");
    (void)percent_encode(&path, model, "");
    enum outcome outcome = client_get(cli, buf_str(&path), &doc, err);
    yyjson_val *answer = yyjson_doc_get_root(doc);
    if (outcome == OUTCOME_DONE && strcmp(field_str(answer, "outcome"), "refused") == 0) {
        client_read_refusal(cli, field_str(answer, "code"), field_str(answer, "sentence"), err);
        outcome = OUTCOME_REFUSED;
    }
    yyjson_doc_free(doc);
    buf_clear(&path);
    return outcome;
}

/* Before a conversation: does the server know the model, and are there any? */
static enum cli_exit check_model(const struct cli *cli, const char *model, bool any) {
    struct error err;
    if (!model && !any) {
        error_no_models(&err);
        return cli_fail(CLI_FAILED, "%s", err.text);
    }
    if (!model) {
        return cli_fail(CLI_FAILED, "Say which model to talk to; `%s ls` lists them.",
                        cli->program);
    }
    return client_fail(ask_explain(cli, model, &err), &err);
}

static enum cli_exit converse(const struct cli *cli, struct chat *chat, const char *model,
                              bool any) {
    enum cli_exit code = check_model(cli, model, any);
    return code == CLI_DONE ? repl_run(chat) : code;
}

/* The words of a prompt that stands behind the model's name, or of -p. */
static bool join_prompt(const struct cli *cli, const struct chat_values *v,
                        struct buf *prompt) {
    if (v->prompt) buf_add_str(prompt, v->prompt);
    for (int i = 1; i < cli->arg_count; i++) {
        buf_addf(prompt, "%s%s", prompt->len ? " " : "", cli->args[i]);
    }
    return v->prompt || cli->arg_count > 1;
}

/* any: there are models. */
static enum cli_exit chat_with(const struct cli *cli, const struct chat_values *v,
                               const char *model, bool any) {
    struct chat_options chosen = { model, v->system, v->ttl, v->stats };
    struct buf prompt = BUF_INIT(MAX_PROMPT);
    struct chat *chat = chat_new(cli, &chosen);
    bool given = join_prompt(cli, v, &prompt);
    enum cli_exit code = given || !isatty(STDIN_FILENO)
                             ? ask_once(chat, given ? buf_str(&prompt) : NULL)
                             : converse(cli, chat, model, any);
    buf_clear(&prompt);
    chat_free(chat);
    return code;
}

/* What `run` does before it asks; NULL in `chat`. */
typedef enum cli_exit prepare_fn(const struct cli *cli, const struct chat_values *v,
                                 const struct inventory *inv, const char *model);

static enum cli_exit talk(const struct cli *cli, const struct chat_values *v,
                          prepare_fn *prepare) {
    const char *name = cli->arg_count > 0 ? cli->args[0] : NULL;
    struct inventory inv = { 0 };
    struct error err;
    if (v->system && !utf8_is_valid(v->system, strlen(v->system))) {
        return cli_fail(CLI_USAGE, "The system message is not UTF-8 text.");
    }
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    const char *key = model_choice(&inv, name);
    const char *model = key ? key : name;
    enum cli_exit code = prepare ? prepare(cli, v, &inv, model) : CLI_DONE;
    if (code == CLI_DONE) code = chat_with(cli, v, model, inv.model_count > 0);
    inventory_clear(&inv);
    return code;
}

static enum cli_exit chat_run(const struct cli *cli, const void *values) {
    return talk(cli, values, NULL);
}

/* --- run: get and load first --- */

/* "owner/repo": a name of the hub, and no file. */
static bool is_repository(const char *name) {
    return strchr(name, '/') && *name != '/' && *name != '.';
}

static bool is_on_disk(const struct inventory *inv, const char *name) {
    for (size_t i = 0; i < inv->model_count; i++) {
        if (strcasecmp(inv->models[i].key, name) == 0) return true;
    }
    return false;
}

/* As `doze get`; quiet where its output would mix with the answer. */
static enum cli_exit get_model(const struct cli *cli) {
    char program[] = "get", quiet[] = "--quiet", *argv[] = { program, quiet, NULL };
    void *values = xcalloc(1, command_get.values_size);
    struct option_set set = { command_get.options, command_get.option_count, values };
    struct option_sets sets = { .sets = &set, .count = 1 };
    struct cli get = *cli;
    struct error err;
    int first = 0;
    enum cli_exit code = CLI_USAGE;
    get.arg_count = 1; /* the model; the rest is the question */
    if (options_parse(&sets, isatty(STDOUT_FILENO) ? 1 : 2, argv, &first, &err)) {
        code = command_get.run(&get, values);
    }
    free(values);
    return code;
}

static enum cli_exit load_model(const struct cli *cli, const struct chat_values *v,
                                const char *model) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    struct error err;
    yyjson_mut_obj_add_str(body, root, "model", model);
    body_add_ttl(body, &v->ttl);
    struct call call = { .method = "POST", .path = "/api/v1/models/load", .body = body };
    enum outcome outcome = client_call(cli, &call, NULL, &err);
    yyjson_mut_doc_free(body);
    return client_fail(outcome, &err);
}

/* A request would be refused because JIT loading is off, or because the model is not here: load
 * it, or get it. What else is wrong, the request itself says. */
static enum cli_exit prepare_model(const struct cli *cli, const struct chat_values *v,
                                   const struct inventory *inv, const char *model) {
    struct error err;
    enum outcome outcome = ask_explain(cli, model, &err);
    if (outcome != OUTCOME_REFUSED || err.code != ERR_MODEL_NOT_FOUND) return CLI_DONE;
    if (is_on_disk(inv, model)) return load_model(cli, v, model);
    return is_repository(model) ? get_model(cli) : CLI_DONE;
}

static enum cli_exit run_run(const struct cli *cli, const void *values) {
    return talk(cli, values, prepare_model);
}

const struct command command_chat = {
    COMMAND(chat, "chat", "[<model>]", 0, 1),
    .summary = "Talk to a model, on a terminal or through pipes",
    .details = "With -p, or with text on stdin, one question is asked and its answer "
               "printed; stdin follows the text of -p. <model> may be a part of a key. Without "
               "it: the only loaded model, or the one you pick on a terminal. /help lists the "
               "commands of a conversation.",
};

enum { RUN_MAX_ARGS = 1000 };

const struct command command_run = {
    .name = "run",
    .args = "<model> [<prompt>]",
    .min_args = 1,
    .max_args = RUN_MAX_ARGS,
    .options = chat_options,
    .option_count = sizeof chat_options / sizeof chat_options[0],
    .values_size = sizeof(struct chat_values),
    .run = run_run,
    .summary = "Talk to a model, or ask it one question",
    .details =
        "As `chat`, with the question behind the model's name: `run gemma Why is the "
        "sky blue?` The model is loaded if it is not, and unloads after its ttl. Text on "
        "stdin follows the question.",
};
