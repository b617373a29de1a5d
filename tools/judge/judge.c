/* SPDX-License-Identifier: MIT */
/*
 * judge.c - may an answer be this text under that schema? Without a model's choice.
 *
 *   judge MODEL.gguf doze|stock <cases
 *
 * doze: as the engine keeps answers to response_format. stock: by the grammar that the engine's
 * library makes of a schema, which is all that llama-server of the same release has.
 *
 * A case is a line {"schema":…,"texts":["…",…]}, its answer a line too:
 *   {"verdicts":[true,…],"unenforced":"not, if"}   allowed or not; keywords, as doze names them
 *   {"refused":"why"}                              nothing is made of the schema
 *   {"died":true}                                  it took a process down, or 10 s
 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "engine/backends.h"
#include "engine/guidance.h"
#include "engine/log_capture.h"
#include "engine/model.h"
#include "engine/tokens.h"

enum { LIMIT_SECONDS = 10 };

static struct model model;

static void die(const char *what) {
    (void)fprintf(stderr, "judge: %s\n", what);
    exit(1);
}

static void print(yyjson_mut_doc *doc) {
    char *line = yyjson_mut_write(doc, 0, NULL);
    if (!line) die("no memory");
    puts(line);
    free(line);
    yyjson_mut_doc_free(doc);
    (void)fflush(stdout);
}

/* ---- rules for constraint_new() ---- */

static struct plan *plan_of(const char *schema, struct error *err) {
    static const char talk[] = "[{\"role\":\"user\",\"content\":\"Go\"}]";
    yyjson_doc *messages = yyjson_read(talk, sizeof talk - 1, 0);
    struct chat_input input = { .messages = yyjson_doc_get_root(messages),
                                .schema = schema,
                                .parallel_tool_calls = -1,
                                .reasoning_budget = -1,
                                .add_generation_prompt = true };
    struct plan *plan = plan_new(model.templates, &input, err);
    yyjson_doc_free(messages);
    return plan;
}

static bool write_doze(const char *schema, yyjson_mut_doc *doc, yyjson_mut_val *ret,
                       struct error *err) {
    struct plan *plan = plan_of(schema, err);
    if (!plan) return false;
    plan_write(plan, doc, ret);
    plan_free(plan);
    return true;
}

static bool write_stock(const char *schema, yyjson_mut_doc *doc, yyjson_mut_val *ret,
                        struct error *err) {
    char *grammar = stock_grammar(schema, err);
    if (!grammar) return false;
    yyjson_mut_val *rules = yyjson_mut_obj_add_obj(doc, ret, "constraint");
    yyjson_mut_obj_add_strcpy(doc, rules, "grammar", grammar);
    free(grammar);
    return true;
}

/* ---- verdicts ---- */

static bool says(struct constraint *constraint, const char *text, size_t len) {
    struct tokens tokens = { 0 };
    struct error err;
    if (!tokens_from_text(&tokens, model.vocab, text, len, TOKENS_PLAIN, &err)) die(err.text);
    bool allowed = true;
    for (size_t i = 0; allowed && i < tokens.count; i++)
        allowed = constraint_accept(constraint, tokens.data[i]);
    tokens_clear(&tokens);
    return allowed && constraint_accept(constraint, llama_vocab_eos(model.vocab));
}

static void add_verdicts(yyjson_val *rules, yyjson_val *texts, yyjson_mut_doc *doc,
                         yyjson_mut_val *root) {
    yyjson_mut_val *verdicts = yyjson_mut_arr(doc), *refused = NULL;
    size_t i, count;
    yyjson_val *text;
    yyjson_arr_foreach(texts, i, count, text) {
        struct error err;
        struct constraint *constraint = constraint_new(model.vocab, rules, &err);
        if (!constraint) {
            refused = yyjson_mut_strcpy(doc, err.text);
            break;
        }
        yyjson_mut_arr_add_bool(doc, verdicts,
                                says(constraint, yyjson_get_str(text), yyjson_get_len(text)));
        constraint_free(constraint);
    }
    yyjson_mut_obj_add_val(doc, root, refused ? "refused" : "verdicts",
                           refused ? refused : verdicts);
}

static void judge(const char *line, bool stock) {
    yyjson_doc *in = yyjson_read(line, strlen(line), 0);
    yyjson_val *one = yyjson_doc_get_root(in);
    char *schema = yyjson_val_write(yyjson_obj_get(one, "schema"), 0, NULL);
    yyjson_val *texts = yyjson_obj_get(one, "texts");
    if (!schema || !yyjson_is_arr(texts)) die("a line is not a case");
    yyjson_mut_val *made, *root;
    yyjson_mut_doc *plan = json_object_new(&made), *out = json_object_new(&root);
    struct error err = { 0 };
    if ((stock ? write_stock : write_doze)(schema, plan, made, &err)) {
        yyjson_doc *doc = yyjson_mut_doc_imut_copy(plan, NULL);
        yyjson_val *rules = yyjson_doc_get_root(doc);
        const char *names = yyjson_get_str(yyjson_obj_get(rules, "unenforced"));
        if (names) yyjson_mut_obj_add_strcpy(out, root, "unenforced", names);
        add_verdicts(yyjson_obj_get(rules, "constraint"), texts, out, root);
        yyjson_doc_free(doc);
    } else {
        yyjson_mut_obj_add_strcpy(out, root, "refused", err.text);
    }
    print(out);
    yyjson_mut_doc_free(plan);
    free(schema);
    yyjson_doc_free(in);
}

/* In a process of its own, as in the engine. */
static void judge_apart(const char *line, bool stock) {
    int status = 0;
    pid_t child = fork();
    if (child < 0) die("no process");
    if (child == 0) {
        alarm(LIMIT_SECONDS);
        judge(line, stock);
        _exit(0);
    }
    if (waitpid(child, &status, 0) == child && status == 0) return;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "died", true);
    print(doc);
}

static void open_model(const char *path) {
    struct load_message load;
    struct error err;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "path", path);
    char *text = yyjson_mut_write(doc, 0, NULL);
    log_capture_start();
    plan_shim_quiet();
    backends_load();
    if (!text || !load_message_parse(&load, text, strlen(text), &err) ||
        !model_open(&model, &load, NULL, NULL, NULL, &err))
        die(err.text);
    load_message_clear(&load);
    free(text);
    yyjson_mut_doc_free(doc);
}

int main(int argc, char **argv) {
    bool stock = argc == 3 && strcmp(argv[2], "stock") == 0;
    if (!stock && !(argc == 3 && strcmp(argv[2], "doze") == 0))
        die("usage: judge MODEL.gguf doze|stock <cases");
    open_model(argv[1]);
    if (!stock) guidance_warm(model.vocab);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) judge_apart(line, stock);
    free(line);
    model_close(&model);
    return 0;
}
