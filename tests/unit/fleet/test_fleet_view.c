/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/fleet_view.h"
#include "fleet/node_proof.h"
#include "fleet/prefix_chain.h"
#include "fleet/prefix_text.h"
#include "fleet/published.h"

enum { NOW = 5000000, UNIX_NOW = 7000000 };

#define NODE                                                                                   \
    "{\"url\":\"http://x\",\"memory_limit_bytes\":8000000000,\"memory_free_bytes\":"           \
    "8000000000,\"cores\":4,\"jit_limit\":4,\"auto_evict\":\"fit\"}"
#define MODEL(size) "{\"models\":[{\"key\":\"m\",\"size_bytes\":" size "}]}"
#define LOADED(more) "{\"instances\":[{\"id\":\"m\",\"state\":\"idle\"" more "}]}"

static const char *const tried[] = { "b", "c" };

static struct fleet_question question(const char *key) {
    return (struct fleet_question){ .name = "m",
                                    .key = key,
                                    .here = "a",
                                    .secret = "",
                                    .tried = tried,
                                    .now = NOW,
                                    .unix_now = UNIX_NOW };
}

/* Three nodes with nothing. */
static struct fleet_table three(void) {
    struct fleet_table table = { 0 };
    fleet_table_put(&table, "nodes/a", NODE);
    fleet_table_put(&table, "nodes/b", NODE);
    fleet_table_put(&table, "nodes/c", NODE);
    return table;
}

/* The node that the request goes to; "": none. */
static const char *choose(const struct fleet_table *table, const struct fleet_question *q,
                          struct placement *ret) {
    static char name[FLEET_NODE_SIZE];
    struct fleet_view view;
    assert_true(fleet_view_make(table, q, &view));
    fleet_view_choose(&view, NOW, ret);
    bool refused = ret->where == PLACEMENT_REFUSE;
    (void)snprintf(name, sizeof name, "%s", refused ? "" : view.nodes[ret->node].name);
    fleet_view_clear(&view);
    return name;
}

static void test_the_node_with_the_file_is_chosen(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    assert_string_equal(choose(&table, &q, &p), "");
    assert_int_equal(p.refusal, PLACEMENT_NO_FILE);
    fleet_table_put(&table, "models/b", MODEL("1000"));
    assert_string_equal(choose(&table, &q, &p), "b");
    assert_true(p.claims);
    q.name = "m:latest"; /* as Ollama's clients say */
    assert_string_equal(choose(&table, &q, &p), "b");
    fleet_table_put(&table, "models/c", MODEL("1000"));
    fleet_table_put(&table, "resident/m/c", LOADED(""));
    assert_string_equal(choose(&table, &q, &p), "c"); /* loaded there */
    assert_false(p.claims);
    assert_string_equal(choose(&table, &q, &p), "c");
    q.name = "m2";
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_clear(&table);
}

static void test_a_node_that_was_tried_is_left_out(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    fleet_table_put(&table, "models/b", MODEL("1000"));
    fleet_table_put(&table, "resident/m/b", LOADED(""));
    q.tried_count = 1;
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_put(&table, "models/c", MODEL("1000"));
    assert_string_equal(choose(&table, &q, &p), "c");
    fleet_table_clear(&table);
}

/* Nodes a and b have different files of one name. */
static struct fleet_table three_with_two_files(void) {
    struct fleet_table table = three();
    fleet_table_put(&table, "models/a", MODEL("1000"));
    fleet_table_put(&table, "models/b", MODEL("2000"));
    return table;
}

static void test_another_file_of_the_same_name_is_another_model(void **state) {
    (void)state;
    struct fleet_table table = three_with_two_files();
    struct fleet_question q = question("m");
    struct placement p;
    fleet_table_put(&table, "resident/m/b", LOADED(""));
    assert_string_equal(choose(&table, &q, &p), "a");
    fleet_table_put(&table, "models/b", MODEL("1000"));
    assert_string_equal(choose(&table, &q, &p), "b");
    fleet_table_put(&table, "models/a",
                    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"sha256\":\"1\"}]}");
    fleet_table_put(&table, "models/b",
                    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"sha256\":\"2\"}]}");
    assert_string_equal(choose(&table, &q, &p), "a");
    fleet_table_clear(&table);
}

#define ADAPTED(mark)                                                                          \
    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"sha256\":\"1\",\"adapters\":\"" mark    \
    "\"}]}"

static void test_a_model_with_other_adapters_is_another_model(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question("m");
    struct fleet_view view;
    struct placement p;
    fleet_table_put(&table, "models/a",
                    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"sha256\":\"1\"}]}");
    fleet_table_put(&table, "models/b", ADAPTED("x"));
    fleet_table_put(&table, "resident/m/b", LOADED(""));
    assert_string_equal(choose(&table, &q, &p), "a"); /* which has none */
    fleet_table_put(&table, "models/a", ADAPTED("y"));
    assert_string_equal(choose(&table, &q, &p), "a");
    fleet_table_put(&table, "models/a", ADAPTED("x"));
    assert_string_equal(choose(&table, &q, &p), "b");
    assert_true(fleet_view_make(&table, &q, &view));
    assert_true(view.has_adapters);
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

static void test_an_identifier_means_its_node(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    q.name = "mine";
    fleet_table_put(&table, "models/b", MODEL("1000"));
    fleet_table_put(&table, "models/c", MODEL("1000"));
    fleet_table_put(&table, "resident/m/b", LOADED(""));
    fleet_table_put(&table, "resident/m/c",
                    "{\"instances\":[{\"id\":\"mine\",\"state\":\"busy\",\"running\":9}]}");
    assert_string_equal(choose(&table, &q, &p), "c");
    fleet_table_clear(&table);
}

static void test_a_node_without_the_proof_does_not_exist(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    char proof[NODE_PROOF_SIZE], entry[512];
    fleet_table_put(&table, "models/b", MODEL("1000"));
    q.secret = "key";
    assert_string_equal(choose(&table, &q, &p), "");
    node_proof_of_entry("key", "b", "http://x", proof);
    (void)snprintf(entry, sizeof entry, "{\"url\":\"http://x\",\"proof\":\"%s\"}", proof);
    fleet_table_put(&table, "nodes/b", entry);
    assert_string_equal(choose(&table, &q, &p), "b");
    q.secret = ""; /* this node has none, that one has */
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_clear(&table);
}

static void test_a_claim_says_who_loads_and_since_when(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question("m");
    struct placement p;
    struct fleet_view view;
    fleet_table_put(&table, "models/a", MODEL("1000"));
    fleet_table_put(&table, "models/b", MODEL("1000"));
    fleet_table_put(&table, "claim/m", "{\"node\":\"b\",\"since\":6999000}");
    assert_string_equal(choose(&table, &q, &p), "b");
    assert_int_equal(p.where, PLACEMENT_WAIT);
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.nodes[1].claimed, NOW - 1000);
    fleet_view_clear(&view);
    fleet_table_put(&table, "claim/m", "{\"node\":\"gone\"}");
    assert_string_not_equal(choose(&table, &q, &p), "");
    assert_true(p.claims);
    fleet_table_clear(&table);
}

static void test_a_claim_for_another_model_of_the_name_is_none(void **state) {
    (void)state;
    struct fleet_table table = three_with_two_files();
    struct fleet_question q = question("m");
    struct placement p;
    fleet_table_put(&table, "claim/m", "{\"node\":\"b\",\"since\":6999000}");
    assert_string_equal(choose(&table, &q, &p), "a");
    assert_true(p.claims);
    assert_true(fleet_view_has_other(&table, "a", "m", "b"));
    assert_false(fleet_view_has_other(&table, "a", "m", "c"));
    fleet_table_put(&table, "models/b", MODEL("1000"));
    assert_string_equal(choose(&table, &q, &p), "b");
    assert_false(fleet_view_has_other(&table, "a", "m", "b"));
    fleet_table_put(&table, "claim/m", "{\"node\":\"c\",\"since\":6999000}");
    assert_string_equal(choose(&table, &q, &p), "c"); /* which fetches it */
    fleet_table_clear(&table);
}

static void test_a_model_that_seems_too_large_is_for_its_node_to_refuse(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    fleet_table_put(&table, "models/b", MODEL("900000000000"));
    assert_string_equal(choose(&table, &q, &p), "b");
    fleet_table_clear(&table);
}

static void test_what_was_just_sent_counts_until_it_is_published(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct fleet_view view;
    struct fleet_sent sent[FLEET_SENT_MAX] = {
        { "b", NOW },
        { "b", NOW - FLEET_SENT_SPAN + 1 },
        { "b", NOW - FLEET_SENT_SPAN },
        { "a", NOW - FLEET_SENT_SPAN_HERE + 1 },
        { "a", NOW - FLEET_SENT_SPAN_HERE },
    };
    q.sent = sent;
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.nodes[0].sent, 1);
    assert_int_equal(view.nodes[1].sent, 2);
    assert_int_equal(view.nodes[2].sent, 0);
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

static void test_numbers_of_others_are_bounded(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    struct fleet_view view;
    fleet_table_put(&table, "nodes/b",
                    "{\"url\":\"x\",\"cores\":-3,\"memory_limit_bytes\":1e300,"
                    "\"memory_free_bytes\":\"7\",\"jit_limit\":99999999999999}");
    fleet_table_put(&table, "models/b", MODEL("18446744073709551615"));
    fleet_table_put(&table, "resident/m/b",
                    LOADED(",\"running\":-1,\"waiting\":1e18,\"load_time_seconds\":1e300,"
                           "\"idle_expires_at\":9223372036854775807,\"memory_bytes\":-5"));
    fleet_table_put(&table, "resident/m/nobody", LOADED(""));
    assert_true(fleet_view_make(&table, &q, &view));
    const struct placement_node *b = &view.nodes[1];
    assert_int_equal(b->cores, 0);
    assert_int_equal(b->memory_limit, 0);
    assert_int_equal(b->jit_limit, UINT32_MAX);
    assert_int_equal(b->instance_count, 1);
    assert_int_equal(b->instances[0].running, 0);
    assert_int_equal(b->instances[0].load, 0);
    assert_true(b->instances[0].expires == MSEC_NEVER);
    fleet_view_clear(&view);
    assert_string_equal(choose(&table, &q, &p), "b");
    fleet_table_clear(&table);
}

static void test_memory_is_lent_to_who_has_the_key_only(void **state) {
    (void)state;
    char proof[NODE_PROOF_SIZE];
    struct fleet_table table = { 0 };
    struct fleet_question q = question("m");
    struct fleet_view view;
    fleet_table_put(&table, "nodes/a", "{\"url\":\"x\",\"lend_free_bytes\":7}");
    fleet_table_put(&table, "nodes/b", "{\"url\":\"x\",\"lend_free_bytes\":7}");
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.nodes[1].lend_free, 0); /* there is no key */
    fleet_view_clear(&view);
    q.secret = "key";
    node_proof_of_entry("key", "b", "x", proof);
    char *entry = xasprintf("{\"url\":\"x\",\"lend_free_bytes\":7,\"proof\":\"%s\"}", proof);
    fleet_table_put(&table, "nodes/b", entry);
    free(entry);
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.nodes[1].lend_free, 7);
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

/* The node has the conversation up to its second block. */
static void put_held(struct fleet_table *table, const char *node, const char *model,
                     const struct prefix_marks *marks) {
    struct held_prompts held = { 0 };
    struct buf value = BUF_INIT(1 << 16);
    char key[32];
    uint64_t hash = hash_add(HASH_BEGIN, model, strlen(model));
    held_prompts_add(
        &held,
        (struct held_prompt){ .model = hash, .head = prefix_mark_of(marks->hashes[1], hash) });
    published_format_prefixes(&held, 3, &value);
    (void)snprintf(key, sizeof key, "prefixes/%s", node);
    fleet_table_put(table, key, buf_str(&value));
    buf_clear(&value);
}

static void test_a_conversation_goes_where_its_prompt_is(void **state) {
    (void)state;
    static const char prompt[3 * PREFIX_BLOCK_BYTES];
    struct fleet_table table = three();
    struct fleet_question q = question("m");
    struct placement p;
    struct prefix_marks marks;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_strn(doc, root, "prompt", prompt, sizeof prompt);
    prefix_marks_make(&marks, "key", root);
    q.marks = &marks;
    q.prompt = 3 * PREFIX_BLOCK_TOKENS;
    for (const char *node = "abc"; *node; node++) {
        char models[] = "models/?", resident[] = "resident/m/?";
        models[sizeof models - 2] = resident[sizeof resident - 2] = *node;
        fleet_table_put(&table, models, MODEL("1000000000"));
        fleet_table_put(&table, resident, LOADED(",\"tokens_per_second\":10"));
    }
    assert_string_equal(choose(&table, &q, &p), "a"); /* as good as the others, and here */
    put_held(&table, "c", "another model", &marks);
    assert_string_equal(choose(&table, &q, &p), "a");
    put_held(&table, "c", "m", &marks);
    assert_string_equal(choose(&table, &q, &p), "c");
    assert_int_equal(p.rule, PLACEMENT_RULE_PREFIX);
    assert_int_equal(p.held, 2 * PREFIX_BLOCK_TOKENS);
    q.marks = NULL;
    assert_string_equal(choose(&table, &q, &p), "a");
    prefix_marks_clear(&marks);
    yyjson_mut_doc_free(doc);
    fleet_table_clear(&table);
}

/* By the model, the node, and the file. */
static void test_a_parked_worker_waits_for_its_model(void **state) {
    (void)state;
    struct fleet_table table = three();
    struct fleet_question q = question(NULL);
    struct placement p;
    fleet_table_put(&table, "models/b", MODEL("1000000000"));
    fleet_table_put(&table, "models/c", MODEL("1000000000"));
    for (const char *node = "bc"; *node; node++) {
        char key[] = "resident/m/?", other[] = "resident/other/?", name[] = { *node, '\0' };
        key[sizeof key - 2] = other[sizeof other - 2] = *node;
        fleet_table_put(&table, other, "{\"instances\":[],\"parked\":true}");
        (void)choose(&table, &q, &p);
        assert_int_equal(p.rule, PLACEMENT_RULE_ROOM);
        fleet_table_put(&table, key, "{\"instances\":[],\"parked\":1}"); /* not so published */
        (void)choose(&table, &q, &p);
        assert_int_equal(p.rule, PLACEMENT_RULE_ROOM);
        fleet_table_put(&table, key, "{\"instances\":[],\"parked\":true}");
        assert_string_equal(choose(&table, &q, &p), name);
        assert_int_equal(p.rule, PLACEMENT_RULE_PARKED);
        fleet_table_put(&table, key, NULL);
        fleet_table_put(&table, other, NULL);
    }
    fleet_table_clear(&table);
}

#define FILE_OF(sum, more)                                                                     \
    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"sha256\":\"" sum "\"" more "}]}"
#define AT ",\"path\":\"p/q/m.gguf\""

/* Nodes with proofs, as files are for nodes with the fleet key; b has no memory. */
static struct fleet_table three_with_key(void) {
    struct fleet_table table = { 0 };
    for (const char *node = "abc"; *node; node++) {
        char key[] = "nodes/?", name[] = { *node, '\0' }, proof[NODE_PROOF_SIZE], entry[512];
        key[sizeof key - 2] = *node;
        node_proof_of_entry("key", name, "http://x", proof);
        (void)snprintf(entry, sizeof entry,
                       "{\"url\":\"http://x\",\"proof\":\"%s\",\"memory_limit_bytes\":%d,"
                       "\"memory_free_bytes\":1000000000,\"disk_free_bytes\":2000}",
                       proof, *node == 'b' ? 1 : 1000000000);
        fleet_table_put(&table, key, entry);
    }
    return table;
}

static void test_a_file_is_fetched_from_a_node_that_cannot_load_it(void **state) {
    (void)state;
    struct fleet_table table = three_with_key();
    struct fleet_question q = question(NULL);
    struct fleet_view view;
    struct placement p;
    q.secret = "key";
    q.forwarded = true; /* here, or nowhere */
    fleet_table_put(&table, "models/b", FILE_OF("12", AT));
    fleet_table_put(&table, "models/c", FILE_OF("12", ""));
    assert_string_equal(choose(&table, &q, &p), "a");
    assert_int_equal(p.rule, PLACEMENT_RULE_FETCH);
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.file_count, 1);
    assert_string_equal(view.files[0].path, "p/q/m.gguf");
    assert_true(fleet_view_is_source(&table, &view, 1));
    assert_false(fleet_view_is_source(&table, &view, 0));
    assert_false(fleet_view_is_source(&table, &view, 2)); /* it does not say where */
    fleet_view_clear(&view);
    fleet_table_put(&table, "models/a", FILE_OF("12", AT));
    assert_true(fleet_view_make(&table, &q, &view));
    assert_false(fleet_view_is_source(&table, &view, 0)); /* this node */
    fleet_view_clear(&view);
    fleet_table_put(&table, "models/c", FILE_OF("34", AT)); /* another file */
    assert_true(fleet_view_make(&table, &q, &view));
    assert_false(fleet_view_is_source(&table, &view, 2));
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

#define PARTS(sum, more)                                                                       \
    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000,\"files\":["                              \
    "{\"path\":\"p/q/m.gguf\",\"size_bytes\":1000,\"sha256\":\"12\"},"                         \
    "{\"path\":\"p/q/mmproj.gguf\",\"size_bytes\":500,\"sha256\":\"" sum "\"}" more "]}]}"

/* From a node that has each of them. */
static void test_a_model_of_several_files_is_fetched_whole(void **state) {
    (void)state;
    struct fleet_table table = three_with_key();
    struct fleet_question q = question(NULL);
    struct fleet_view view;
    struct placement p;
    q.secret = "key";
    q.forwarded = true;
    fleet_table_put(&table, "models/b", PARTS("34", ""));
    fleet_table_put(&table, "models/c", PARTS("34", ""));
    assert_string_equal(choose(&table, &q, &p), "a");
    assert_int_equal(p.rule, PLACEMENT_RULE_FETCH);
    assert_true(fleet_view_make(&table, &q, &view));
    assert_int_equal(view.file_count, 2);
    assert_int_equal(view.request.file, 1500);
    assert_true(fleet_view_is_source(&table, &view, 1));
    assert_true(fleet_view_is_source(&table, &view, 2));
    static const char *const others[] = { PARTS("56", ""), FILE_OF("12", AT),
                                          PARTS("34", ",{}"), "{\"models\":[]}" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fleet_table_put(&table, "models/c", others[i]);
        assert_false(fleet_view_is_source(&table, &view, 2));
    }
    fleet_view_clear(&view);
    fleet_table_put(&table, "models/b", /* more than the disk takes */
                    PARTS("34", ",{\"path\":\"x\",\"size_bytes\":501,\"sha256\":\"7\"}"));
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_clear(&table);
}

static void test_a_file_without_checksum_key_or_room_is_not_fetched(void **state) {
    (void)state;
    struct fleet_table table = three_with_key();
    struct fleet_question q = question(NULL);
    struct placement p;
    q.secret = "key";
    q.forwarded = true;
    fleet_table_put(&table, "models/b", FILE_OF("12", ""));
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_put(&table, "models/b",
                    "{\"models\":[{\"key\":\"m\",\"size_bytes\":1000" AT "}]}");
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_put(&table, "models/b",
                    "{\"models\":[{\"key\":\"m\",\"size_bytes\":2001,\"sha256\":\"12\"" AT
                    "}]}");
    assert_string_equal(choose(&table, &q, &p), ""); /* larger than the disk */
    fleet_table_put(&table, "models/b", FILE_OF("12", AT));
    assert_string_equal(choose(&table, &q, &p), "a");
    fleet_table_put(&table, "models/a", FILE_OF("34", AT)); /* another model by this name */
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_clear(&table);
    table = three(); /* without the fleet key */
    q.secret = "";
    fleet_table_put(&table, "nodes/a",
                    "{\"url\":\"http://x\",\"memory_limit_bytes\":1000000000,"
                    "\"memory_free_bytes\":1000000000,\"disk_free_bytes\":2000}");
    fleet_table_put(&table, "models/b", FILE_OF("12", AT));
    assert_string_equal(choose(&table, &q, &p), "");
    fleet_table_clear(&table);
}

static void test_a_node_that_is_not_in_the_table_has_no_view(void **state) {
    (void)state;
    struct fleet_table table = { 0 };
    struct fleet_question q = question("m");
    struct fleet_view view;
    assert_false(fleet_view_make(&table, &q, &view));
    fleet_view_clear(&view);
    fleet_table_put(&table, "nodes/b", NODE);
    assert_false(fleet_view_make(&table, &q, &view));
    fleet_view_clear(&view);
    fleet_table_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_node_with_the_file_is_chosen),
        cmocka_unit_test(test_a_node_that_was_tried_is_left_out),
        cmocka_unit_test(test_another_file_of_the_same_name_is_another_model),
        cmocka_unit_test(test_a_model_with_other_adapters_is_another_model),
        cmocka_unit_test(test_an_identifier_means_its_node),
        cmocka_unit_test(test_a_node_without_the_proof_does_not_exist),
        cmocka_unit_test(test_a_claim_says_who_loads_and_since_when),
        cmocka_unit_test(test_a_claim_for_another_model_of_the_name_is_none),
        cmocka_unit_test(test_a_model_that_seems_too_large_is_for_its_node_to_refuse),
        cmocka_unit_test(test_what_was_just_sent_counts_until_it_is_published),
        cmocka_unit_test(test_numbers_of_others_are_bounded),
        cmocka_unit_test(test_memory_is_lent_to_who_has_the_key_only),
        cmocka_unit_test(test_a_parked_worker_waits_for_its_model),
        cmocka_unit_test(test_a_conversation_goes_where_its_prompt_is),
        cmocka_unit_test(test_a_file_is_fetched_from_a_node_that_cannot_load_it),
        cmocka_unit_test(test_a_model_of_several_files_is_fetched_whole),
        cmocka_unit_test(test_a_file_without_checksum_key_or_room_is_not_fetched),
        cmocka_unit_test(test_a_node_that_is_not_in_the_table_has_no_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
