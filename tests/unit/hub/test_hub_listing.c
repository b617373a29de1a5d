/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "hub/hub_listing.h"

#define SHA "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void test_gguf_files_of_a_tree(void **state) {
    (void)state;
    static const char page[] =
        "[{\"type\":\"file\",\"path\":\"m.gguf\",\"size\":7,\"oid\":\"x\",\"lfs\":{\"oid\":"
        "\"" SHA "\",\"size\":7}},{\"type\":\"directory\",\"path\":\"d.gguf\",\"size\":0},"
        "{\"type\":\"file\",\"path\":\"README.md\",\"size\":3},"
        "{\"type\":\"file\",\"path\":\"d/n.GGUF\",\"size\":5}]";
    struct hub_files files = { 0 };
    struct error err;
    assert_true(hub_read_tree(page, strlen(page), &files, &err));
    assert_int_equal(files.count, 2);
    assert_string_equal(files.list[0].path, "m.gguf");
    assert_string_equal(files.list[0].sha256, SHA);
    assert_int_equal(files.list[0].size, 7);
    assert_string_equal(files.list[1].path, "d/n.GGUF");
    assert_string_equal(files.list[1].sha256, "");
    assert_true(hub_read_tree("[]", 2, &files, &err)); /* another page */
    assert_int_equal(files.count, 2);
    hub_files_clear(&files);
}

static void test_hostile_entries_are_skipped(void **state) {
    (void)state;
    static const char *const entries[] = {
        "{\"type\":\"file\",\"path\":\"../m.gguf\",\"size\":7}",
        "{\"type\":\"file\",\"path\":\"/m.gguf\",\"size\":7}",
        "{\"type\":\"file\",\"path\":\".hidden.gguf\",\"size\":7}",
        "{\"type\":\"file\",\"path\":\"m.gguf\",\"size\":-7}",
        "{\"type\":\"file\",\"path\":\"m.gguf\",\"size\":18446744073709551615}",
        "{\"type\":\"file\",\"path\":7,\"size\":7}",
        "{\"type\":\"file\",\"path\":\"m.gguf\",\"lfs\":7}",
        "7",
        "null",
    };
    struct error err;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        struct hub_files files = { 0 };
        char page[256];
        (void)snprintf(page, sizeof page, "[%s]", entries[i]);
        assert_true(hub_read_tree(page, strlen(page), &files, &err));
        if (files.count) fail_msg("%s is a file", entries[i]);
        hub_files_clear(&files);
    }
}

static void test_what_is_no_list_is_an_error(void **state) {
    (void)state;
    struct hub_files files = { 0 };
    struct hub_found found[2];
    struct error err;
    assert_false(hub_read_tree("{}", 2, &files, &err));
    assert_false(hub_read_tree("<html>", 6, &files, &err));
    assert_int_equal(err.code, ERR_IO);
    err.code = ERR_NONE;
    assert_int_equal(hub_read_search("{}", 2, found, 2, &err), 0);
    assert_int_equal(err.code, ERR_IO);
}

static void test_revisions(void **state) {
    (void)state;
    static const char refs[] = "{\"branches\":[{\"name\":\"main\",\"targetCommit\":\"" COMMIT
                               "\"}],\"tags\":[{\"name\":\"v1\",\"targetCommit\":\"ffff" COMMIT
                               "\"},{\"name\":\"v2\",\"targetCommit\":\"" COMMIT "\"}]}";
    char commit[HUB_COMMIT_SIZE];
    struct error err;
    assert_true(hub_read_commit(refs, strlen(refs), "main", commit, &err));
    assert_string_equal(commit, COMMIT);
    assert_true(hub_read_commit(refs, strlen(refs), "v2", commit, &err));
    assert_false(
        hub_read_commit(refs, strlen(refs), "v1", commit, &err)); /* no commit number */
    assert_false(hub_read_commit(refs, strlen(refs), "v3", commit, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(hub_read_commit("", 0, COMMIT, commit, &err));
    assert_false(hub_read_commit("[", 1, "main", commit, &err));
}

static void test_search_results(void **state) {
    (void)state;
    static const char page[] =
        "[{\"id\":\"a/b\",\"downloads\":5,\"likes\":2},{\"id\":\"../x\"},"
        "{\"id\":\"c/d\"},{\"id\":\"e/f\"}]";
    struct hub_found found[2];
    struct error err;
    assert_int_equal(hub_read_search(page, strlen(page), found, 2, &err), 2);
    assert_string_equal(found[0].name, "a/b");
    assert_int_equal(found[0].downloads, 5);
    assert_string_equal(found[1].name, "c/d");
}

static void expect_next(const char *link, const char *wanted) {
    size_t len = 0;
    const char *next = hub_next_page(link, &len);
    if (!wanted) {
        assert_null(next);
        return;
    }
    assert_non_null(next);
    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(next, wanted, len);
}

static void test_the_next_page_of_a_link_header(void **state) {
    (void)state;
    expect_next("<https://h/a?b=1>; rel=\"next\"", "https://h/a?b=1");
    expect_next("<x>; rel=\"prev\", <y>; rel=\"next\"", "y");
    expect_next("<y>; title=\"t\"; rel=next, <z>; rel=last", "y");
    expect_next("<y>; rel=\"last\"", NULL);
    expect_next("", NULL);
    expect_next("<never closed; rel=\"next\"", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gguf_files_of_a_tree),
        cmocka_unit_test(test_hostile_entries_are_skipped),
        cmocka_unit_test(test_what_is_no_list_is_an_error),
        cmocka_unit_test(test_revisions),
        cmocka_unit_test(test_search_results),
        cmocka_unit_test(test_the_next_page_of_a_link_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
