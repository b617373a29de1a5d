/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <string.h>

#include "hub/hub_name.h"

static void expect(const char *text, const char *owner, const char *repo,
                   const char *quantization, const char *revision, const char *file) {
    struct hub_name name;
    if (!hub_name_parse(text, &name)) fail_msg("'%s' is no name", text);
    assert_string_equal(name.owner, owner);
    assert_string_equal(name.repo, repo);
    assert_string_equal(name.quantization, quantization);
    assert_string_equal(name.revision, revision);
    assert_string_equal(name.file, file);
}

static void test_names_of_repositories(void **state) {
    (void)state;
    expect("owner/repo", "owner", "repo", "", "", "");
    expect("owner/repo/", "owner", "repo", "", "", "");
    expect("owner/repo@q4_k_m", "owner", "repo", "q4_k_m", "", "");
    expect("owner/repo:Q4_K_M", "owner", "repo", "Q4_K_M", "", "");
    expect("hf.co/owner/repo:Q4_K_M", "owner", "repo", "Q4_K_M", "", "");
    expect("HF.co/Owner/Repo-1.5", "Owner", "Repo-1.5", "", "", "");
    expect("huggingface.co/owner/repo", "owner", "repo", "", "", "");
}

static void test_names_of_files(void **state) {
    (void)state;
    expect("owner/repo/file.gguf", "owner", "repo", "", "", "file.gguf");
    expect("owner/repo/Q8_0/file.gguf", "owner", "repo", "", "", "Q8_0/file.gguf");
}

static void test_urls(void **state) {
    (void)state;
    expect("https://huggingface.co/owner/repo", "owner", "repo", "", "", "");
    expect("https://hub.example:8080/owner/repo/tree/v1.0", "owner", "repo", "", "v1.0", "");
    expect("https://h/owner/repo/tree/main/", "owner", "repo", "", "main", "");
    expect("https://h/owner/repo/resolve/main/a/b.gguf?download=true", "owner", "repo", "",
           "main", "a/b.gguf");
    expect("http://h/owner/repo/blob/abc123/b.gguf#L1", "owner", "repo", "", "abc123",
           "b.gguf");
}

static void test_words_are_no_name(void **state) {
    (void)state;
    static const char *const none[] = { "",           "qwen",        "qwen 3",      "/repo",
                                        "owner/",     "a b/c",       "https://",    "https://h",
                                        "https://h/", "owner/repo@", "owner/repo:", "hf.co/x" };
    struct hub_name name;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (hub_name_parse(none[i], &name)) fail_msg("'%s' is a name", none[i]);
    }
}

static void test_no_name_leaves_its_folder(void **state) {
    (void)state;
    static const char *const none[] = {
        "../x",        "a/..",  "./a",         "a/.b",        "a/b/../c.gguf", "a/b/.c",
        "a/b//c.gguf", "a/b\n", "a/b@../../x", "a/b/tree/..", "a/b\\c",        "a/b%2e"
    };
    struct hub_name name;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (hub_name_parse(none[i], &name)) fail_msg("'%s' is a name", none[i]);
    }
}

static void test_parts_that_are_too_long(void **state) {
    (void)state;
    char text[2 * HUB_NAME_PATH];
    struct hub_name name;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    text[1] = '/';
    assert_false(hub_name_parse(text, &name));
    memcpy(text, "o/r/", 4);
    assert_false(hub_name_parse(text, &name));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_repositories),
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_words_are_no_name),
        cmocka_unit_test(test_no_name_leaves_its_folder),
        cmocka_unit_test(test_parts_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
