/* SPDX-License-Identifier: MIT */
/* Every kind of made model, loaded and run by libllama itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "make.h"
#include "options.h"
#include "pieces.h"
#include "say.h"

static char folder[] = "/tmp/doze-make-model-XXXXXX";
static char path[256]; /* of the one file at a time that a test makes */

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/m.gguf", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void assert_ok(bool ok, const struct error *err) {
    if (!ok) fail_msg("%s", err->text);
}

/* What the file at path says after the prompt; the caller frees. */
static char *said_after(const char *prompt, int64_t tokens, bool *ret_ended) {
    struct say_options options = { .model = path, .prompt = prompt, .tokens = tokens };
    struct buf text = BUF_INIT(1 << 16);
    struct error err;

    assert_ok(say_text(&options, &text, ret_ended, &err), &err);
    return buf_take(&text);
}

static void assert_says(const char *prompt, const char *text) {
    bool ended;
    char *said = said_after(prompt, 500, &ended);

    assert_string_equal(said, text);
    assert_true(ended);
    free(said);
}

static void test_spoken_says_its_text_after_any_prompt(void **state) {
    static const char text[] =
        "The cat and the cat and the cat. Naïve café: 日本語のとても長いテキスト "
        "🎉🎉🎉🎉🎉🎉, the end of the cat.";
    static const char *const prompts[] = {
        "x", "The cat", "of the cat.", "日本",
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    };
    struct spoken_options options = { .decoder.out = path, .text = text };
    struct error err;

    (void)state;
    assert_ok(spoken_make(&options, &err), &err);
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) assert_says(prompts[i], text);
}

static void test_spoken_may_say_special_strings_of_its_template(void **state) {
    static const char text[] =
        "<think>\nHm.\n</think>\n\n<tool_call>\n{\"name\": \"get_weather\", "
        "\"arguments\": {\"city\": \"Paris\"}}\n</tool_call><|eot_id|>!";
    char *chat_template = xasprintf("%s/t.jinja", folder);
    FILE *file = fopen(chat_template, "w");
    struct spoken_options options = {
        .decoder = { .out = path, .chat_template = chat_template }, .text = text
    };
    struct error err;

    (void)state;
    assert_non_null(file);
    fputs("<|start_header_id|>{{ messages[0].content }}<|eot_id|><tool_call>", file);
    assert_int_equal(fclose(file), 0);
    assert_ok(spoken_make(&options, &err), &err);
    assert_says("<|start_header_id|>assistant", text);
    assert_int_equal(unlink(chat_template), 0);
    free(chat_template);
}

/* In a GGUF file a text stands behind its key, its type (4 bytes) and its length (8). */
static bool template_is(const char *expected) {
    static const char key[] = "tokenizer.chat_template";
    static char start[1 << 16];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(start, 1, sizeof start - 64, file);
    assert_int_equal(fclose(file), 0);
    const char *at = memmem(start, len, key, strlen(key));
    assert_non_null(at);
    return strncmp(at + strlen(key) + 12, expected, strlen(expected)) == 0;
}

static void test_a_template_wins_over_that_of_the_vocabulary(void **state) {
    (void)state;
    struct error err;
    char *chat_template = xasprintf("%s/t.jinja", folder),
         *from = xasprintf("%s/v.gguf", folder);
    struct random_options first = { .decoder.out = from }, second = { .vocab = from };
    FILE *file = fopen(chat_template, "w");
    assert_non_null(file);
    fputs("one", file);
    assert_int_equal(fclose(file), 0);
    first.decoder.chat_template = chat_template;
    assert_ok(random_make(&first, &err), &err);
    second.decoder.out = path;
    assert_ok(random_make(&second, &err), &err);
    assert_true(template_is("one"));
    file = fopen(chat_template, "w");
    assert_non_null(file);
    fputs("two", file);
    assert_int_equal(fclose(file), 0);
    second.decoder.chat_template = chat_template;
    assert_ok(random_make(&second, &err), &err);
    assert_true(template_is("two"));
    assert_int_equal(unlink(chat_template), 0);
    assert_int_equal(unlink(from), 0);
    free(chat_template);
    free(from);
}

static void test_spoken_loop_never_ends(void **state) {
    struct spoken_options options = { .decoder.out = path, .text = "tick tock ", .loop = true };
    struct error err;
    bool ended;
    char *said;

    (void)state;
    assert_ok(spoken_make(&options, &err), &err);
    said = said_after("x", 400, &ended);
    assert_false(ended);
    for (size_t i = 0; said[i]; i++) assert_int_equal(said[i], options.text[i % 10]);
    assert_true(strlen(said) > 1000);
    free(said);
}

static void test_spoken_says_another_text_after_its_marker(void **state) {
    static const char text[] = "<tool_call>the text, the text</tool_call>";
    static const char then[] = "That is the text, then.";
    struct spoken_options options = { .decoder.out = path, .text = text, .then = then };
    struct spoken_options same = { .decoder.out = path, .text = "hello", .then = "hello" };
    struct error err;

    (void)state;
    assert_ok(spoken_make(&options, &err), &err);
    assert_says("<|im_start|>assistant\n", text);
    assert_says("<|im_start|>assistant\n<|then|>", then);
    assert_says("<|then|>x", text);
    assert_false(spoken_make(&same, &err));
    assert_string_equal(err.param, "then");
}

static void test_spoken_in_every_type_and_architecture(void **state) {
    static const char *const types[] = { "f16", "f32", "q8_0", "q4_0" };
    static const char *const archs[] = { "llama", "qwen2" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct spoken_options options = {
            .decoder = { .out = path, .type = types[i], .arch = archs[i % 2], .size = 3 << 20 },
            .text = "one two three, two three one."
        };
        assert_ok(spoken_make(&options, &err), &err);
        assert_says("go", options.text);
    }
}

static void test_spoken_refuses_what_it_could_not_say(void **state) {
    struct spoken_options narrow = {
        .decoder = { .out = path, .embd = 16, .heads = 2, .kv_heads = 1 },
        .text = "a b c d e f g h i j k l m n o p"
    };
    struct spoken_options short_text = { .decoder.out = path, .text = "a" };
    struct spoken_options both = { .decoder.out = path, .text = "ab", .text_file = path };
    struct spoken_options nowhere = { .decoder.out = "/nonexistent/x.gguf", .text = "hello" };
    struct error err;

    (void)state;
    (void)unlink(path);
    assert_false(spoken_make(&narrow, &err));
    assert_string_equal(err.param, "embd");
    assert_false(spoken_make(&short_text, &err));
    assert_false(spoken_make(&both, &err));
    assert_int_equal(access(path, F_OK), -1);
    assert_false(spoken_make(&nowhere, &err));
    assert_int_equal(err.code, ERR_IO);
}

static char *random_says(int64_t seed, const char *prompt) {
    struct random_options options = { .decoder = { .out = path }, .seed = seed };
    struct error err;
    bool ended;
    char *said;

    assert_ok(random_make(&options, &err), &err);
    said = said_after(prompt, 30, &ended);
    assert_false(ended);
    return said;
}

static void test_random_depends_on_seed_and_whole_prompt(void **state) {
    char *long_prompt = xasprintf("a%0500d", 7);
    char *first = random_says(1, long_prompt), *again = random_says(1, long_prompt);
    char *other_seed = random_says(2, long_prompt), *other_start;

    (void)state;
    long_prompt[0] = 'b';
    other_start = random_says(1, long_prompt);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other_seed);
    assert_string_not_equal(first, other_start);
    free(long_prompt);
    free(first);
    free(again);
    free(other_seed);
    free(other_start);
}

static void test_random_comes_near_to_the_size_asked(void **state) {
    static const char *const types[] = { "f16", "q8_0", "q4_0", "f32" };
    struct error err;
    struct stat st;

    (void)state;
    for (int64_t size = 2 << 20, i = 0; i < 4; size *= 2, i++) {
        struct random_options options = { .decoder = {
                                              .out = path, .type = types[i], .size = size } };
        assert_ok(random_make(&options, &err), &err);
        assert_int_equal(stat(path, &st), 0);
        assert_in_range(st.st_size, size * 3 / 4, size * 4 / 3);
        bool ended;
        free(said_after("hello", 2, &ended));
    }
}

static char *said_with(const char *model, const char *adapter, double scale) {
    struct say_options options = {
        .model = model, .prompt = "Who?", .adapter = adapter, .scale = scale, .tokens = 40
    };
    struct buf text = BUF_INIT(1 << 16);
    struct error err;
    bool ended;

    assert_ok(say_text(&options, &text, &ended, &err), &err);
    return buf_take(&text);
}

/* Both ways of writing W + scale * alpha / rank * B * A; without it, or with scale 0, another
 * text. */
static void test_an_adapter_says_what_the_merged_model_says(void **state) {
    char *adapter = xasprintf("%s/lora.gguf", folder), *merged = xasprintf("%s/w.gguf", folder);
    struct random_options model = { .decoder = { .out = path, .type = "f32" } };
    struct adapter_options lora = { .out = adapter, .model = path, .rank = 8, .alpha = 3 };
    struct merged_options both = {
        .out = merged, .model = path, .adapter = adapter, .scale = 0.75
    };
    struct error err;

    (void)state;
    assert_ok(random_make(&model, &err), &err);
    assert_ok(adapter_make(&lora, &err), &err);
    assert_ok(merged_make(&both, &err), &err);
    char *plain = said_with(path, NULL, 1), *none = said_with(path, adapter, 0);
    char *applied = said_with(path, adapter, 0.75), *written = said_with(merged, NULL, 1);
    assert_string_equal(none, plain);
    assert_string_equal(applied, written);
    assert_string_not_equal(applied, plain);
    free(plain);
    free(none);
    free(applied);
    free(written);
    assert_int_equal(unlink(adapter), 0);
    assert_int_equal(unlink(merged), 0);
    free(adapter);
    free(merged);
}

static void vector_of(const char *text, float *ret_unit, int32_t length) {
    struct say_options options = { .model = path, .prompt = text };
    struct error err;
    int32_t found = 0;
    float *vector = say_vector(&options, &found, &err);
    double square = 0;

    assert_ok(vector != NULL, &err);
    assert_int_equal(found, length);
    for (int32_t i = 0; i < length; i++) square += (double)vector[i] * (double)vector[i];
    for (int32_t i = 0; i < length; i++) ret_unit[i] = vector[i] / (float)sqrt(square);
    free(vector);
}

static double likeness(const float *a, const float *b, int n) {
    double sum = 0;

    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static void test_embedding_tells_texts_apart(void **state) {
    enum { LENGTH = 128 };
    static const char *const poolings[] = { "mean", "cls" };
    float cat[LENGTH], same[LENGTH], cats[LENGTH], law[LENGTH];
    struct error err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct embedding_options options = { .out = path, .pooling = poolings[i] };
        assert_ok(embedding_make(&options, &err), &err);
        vector_of("the cat sat on the mat", cat, LENGTH);
        vector_of("the cat sat on the mat", same, LENGTH);
        vector_of("the cats sat on the mats", cats, LENGTH);
        vector_of("judgment of 12 court rulings!", law, LENGTH);
        assert_true(likeness(cat, same, LENGTH) > 0.9999);
        assert_true(likeness(cat, cats, LENGTH) < 0.999);
        assert_true(likeness(cat, law, LENGTH) < likeness(cat, cats, LENGTH));
    }
}

static void test_broken_files_are_refused_each_for_its_reason(void **state) {
    char kinds[256], *rest = kinds, *kind;
    int count = 0;

    (void)state;
    (void)snprintf(kinds, sizeof kinds, "%s", broken_kinds);
    while ((kind = strsep(&rest, "|"))) {
        struct broken_options options = { .out = path, .kind = kind };
        struct say_options say = { .model = path, .prompt = "x" };
        struct buf text = BUF_INIT(1 << 16);
        struct error err;
        bool ended;

        assert_ok(broken_make(&options, &err), &err);
        assert_false(say_text(&say, &text, &ended, &err));
        assert_int_equal(err.code, ERR_LOAD_FAILED);
        assert_int_equal(text.len, 0);
        buf_clear(&text);
        count++;
    }
    assert_int_equal(count, 9);
}

static void remove_demo(const char *name) {
    char *parts[] = { xasprintf("%s/doze/%s/%s.gguf", folder, name, name),
                      xasprintf("%s/doze/%s", folder, name), xasprintf("%s/doze", folder) };

    for (int i = 0; i < 3; i++) {
        (void)remove(parts[i]); /* the shared folder stays until it is empty */
        free(parts[i]);
    }
}

static void test_demo_makes_two_models_and_leaves_them_alone(void **state) {
    static const char *const names[] = { "doze-demo-hello", "doze-demo-guide" };
    struct demo_options options = { .dir = folder };
    struct error err;
    struct stat st;

    (void)state;
    assert_ok(demo_make(&options, &err), &err);
    for (int i = 0; i < 2; i++) {
        bool ended;
        char *said;
        (void)snprintf(path, sizeof path, "%s/doze/%s/%s.gguf", folder, names[i], names[i]);
        said = said_after("hello?", 1000, &ended);
        assert_true(ended);
        assert_non_null(strstr(said, "doze"));
        free(said);
    }
    assert_int_equal(truncate(path, 5), 0);
    assert_ok(demo_make(&options, &err), &err);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 5); /* what stands there already is the user's */
    remove_demo(names[0]);
    remove_demo(names[1]);
    (void)snprintf(path, sizeof path, "%s/m.gguf", folder);
}

/* Pieces are different, at least two bytes long, and together the text. */
static void assert_cut_well(const char *text) {
    size_t len = strlen(text), *ends = xcalloc(len, sizeof *ends), start = 0;
    size_t count = pieces_cut(text, len, ends);

    assert_true(count >= 1 && count <= len / 2);
    assert_int_equal(ends[count - 1], len);
    for (size_t i = 0; i < count; start = ends[i++]) {
        size_t begin = 0;
        assert_true(ends[i] >= start + 2);
        for (size_t k = 0; k < i; begin = ends[k++])
            assert_false(ends[k] - begin == ends[i] - start &&
                         memcmp(text + begin, text + start, ends[i] - start) == 0);
    }
    free(ends);
}

static void test_pieces_are_all_different(void **state) {
    char text[64];

    (void)state;
    assert_cut_well("ab");
    assert_cut_well("a b");
    assert_cut_well("go go go go go go go go go go go");
    assert_cut_well("to be or not to be, that is to be");
    assert_cut_well("<|im_end|><|im_end|><|im_end|>");
    for (size_t len = 2; len < sizeof text; len++) {
        memset(text, 'a', len);
        text[len] = '\0';
        assert_cut_well(text);
        for (size_t i = 0; i < len; i++) text[i] = "a "[i % 2];
        assert_cut_well(text);
    }
}

struct sample {
    const char *text, *word;
    int64_t count, bytes;
    double real;
    bool flag;
};

static const struct option_spec sample_specs[] = {
    { "text", OPTION_TEXT, offsetof(struct sample, text), "TEXT", 0, 0, "" },
    { "word", OPTION_WORD, offsetof(struct sample, word), "one|two", 0, 0, "" },
    { "count", OPTION_COUNT, offsetof(struct sample, count), "N", 1, 9, "" },
    { "bytes", OPTION_BYTES, offsetof(struct sample, bytes), "N", 1, INT64_C(1) << 40, "" },
    { "real", OPTION_REAL, offsetof(struct sample, real), "X", -1, 1, "" },
    { "flag", OPTION_FLAG, offsetof(struct sample, flag), NULL, 0, 0, "" },
    { 0 },
};
static const struct command_spec sample_command = { "sample", "", sample_specs };

static bool parse_sample(const char *a, const char *b, struct sample *ret, struct error *err) {
    char *argv[] = { (char[]){ "sample" }, xstrdup(a), b ? xstrdup(b) : NULL, NULL };
    bool help, ok;

    *ret = (struct sample){ 0 };
    ok = options_parse(&sample_command, b ? 3 : 2, argv, ret, &help, err);
    if (ret->text) ret->text = strcmp(ret->text, "v") == 0 ? "v" : "?";
    if (ret->word) ret->word = strcmp(ret->word, "two") == 0 ? "two" : "?";
    free(argv[1]);
    free(argv[2]);
    return ok;
}

static void test_options_are_read(void **state) {
    struct sample sample;
    struct error err;

    (void)state;
    assert_true(parse_sample("--text", "v", &sample, &err));
    assert_string_equal(sample.text, "v");
    assert_true(parse_sample("--word=two", NULL, &sample, &err));
    assert_string_equal(sample.word, "two");
    assert_true(parse_sample("--count", "9", &sample, &err));
    assert_int_equal(sample.count, 9);
    assert_true(parse_sample("--bytes", "3M", &sample, &err));
    assert_int_equal(sample.bytes, 3 << 20);
    assert_true(parse_sample("--real", "-0.5", &sample, &err));
    assert_true(sample.real == -0.5);
    assert_true(parse_sample("--flag", NULL, &sample, &err));
    assert_true(sample.flag);
}

static void test_bad_options_are_refused(void **state) {
    static const char *const bad[][2] = {
        { "--count", "0" },
        { "--count", "10" },
        { "--count", "1K" },
        { "--count", "x" },
        { "--bytes", "1T" },
        { "--bytes", "" },
        { "--real", "1.5" },
        { "--real", "nan" },
        { "--real", "" },
        { "--real", "0.5x" },
        { "--word", "three" },
        { "--word", "one|two" },
        { "--word", "on" },
        { "--nope", "1" },
        { "--text", NULL },
        { "stray", NULL },
        { "--bytes", "9223372036854775807G" },
    };
    struct sample sample;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(parse_sample(bad[i][0], bad[i][1], &sample, &err));
        assert_int_equal(err.code, ERR_INVALID_REQUEST);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_all_different),
        cmocka_unit_test(test_options_are_read),
        cmocka_unit_test(test_bad_options_are_refused),
        cmocka_unit_test(test_spoken_says_its_text_after_any_prompt),
        cmocka_unit_test(test_spoken_may_say_special_strings_of_its_template),
        cmocka_unit_test(test_a_template_wins_over_that_of_the_vocabulary),
        cmocka_unit_test(test_spoken_loop_never_ends),
        cmocka_unit_test(test_spoken_says_another_text_after_its_marker),
        cmocka_unit_test(test_spoken_in_every_type_and_architecture),
        cmocka_unit_test(test_spoken_refuses_what_it_could_not_say),
        cmocka_unit_test(test_random_depends_on_seed_and_whole_prompt),
        cmocka_unit_test(test_random_comes_near_to_the_size_asked),
        cmocka_unit_test(test_an_adapter_says_what_the_merged_model_says),
        cmocka_unit_test(test_embedding_tells_texts_apart),
        cmocka_unit_test(test_broken_files_are_refused_each_for_its_reason),
        cmocka_unit_test(test_demo_makes_two_models_and_leaves_them_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
