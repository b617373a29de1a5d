/* SPDX-License-Identifier: MIT */
#include "base/edit_distance.h"

#include <string.h>

#include "cmocka_prelude.h"

static void check(const char *a, const char *b, size_t want) {
    assert_int_equal(edit_distance(a, strlen(a), b, strlen(b)), want);
    assert_int_equal(edit_distance(b, strlen(b), a, strlen(a)), want);
}

static void test_distances(void **state) {
    (void)state;
    check("", "", 0);
    check("", "abc", 3);
    check("load", "load", 0);
    check("load", "lod", 1);
    check("load", "loud", 1);
    check("abcd", "acbd", 1); /* a swap is one edit */
    check("ca", "abc", 3);    /* 2 in the unrestricted form */
    check("kitten", "sitting", 3);
}

static void test_long_texts_are_compared_by_their_beginning(void **state) {
    (void)state;
    char a[2 * EDIT_DISTANCE_MAX], b[2 * EDIT_DISTANCE_MAX];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    b[0] = 'y';
    b[EDIT_DISTANCE_MAX - 1] = 'y';
    b[EDIT_DISTANCE_MAX] = 'y';
    assert_int_equal(edit_distance(a, sizeof a, b, sizeof b), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_long_texts_are_compared_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
