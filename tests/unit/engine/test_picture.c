/* SPDX-License-Identifier: MIT */
/* Pictures of every format that is read, and what is refused. */
#include <string.h>

#include "cmocka_prelude.h"
#include "engine/picture.h"

/* Of a pixel each. */
#define PNG                                                                                    \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ"     \
    "RU5ErkJggg=="
#define GIF "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
#define JPEG                                                                                   \
    "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4n"     \
    "ICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/E"     \
    "ABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="

static void expect(const char *url) {
    struct picture picture = { 0 };
    struct error err = { 0 };
    if (!picture_decode(url, strlen(url), 1, &picture, &err)) fail_msg("%s", err.text);
    assert_int_equal(picture.width, 1);
    assert_int_equal(picture.height, 1);
    picture_clear(&picture);
}

static void test_formats_and_forms_that_are_read(void **state) {
    (void)state;
    expect("data:image/png;base64," PNG);
    expect("DATA:image/png;charset=x;base64," PNG);
    expect(PNG); /* Ollama's clients send it so */
    expect("data:image/gif;base64," GIF);
    expect("data:image/png;base64," JPEG); /* its bytes tell what it is */
}

static void test_colors_are_red_green_blue(void **state) {
    (void)state;
    static const char url[] = "data:image/png;base64," PNG;
    struct picture picture = { 0 };
    struct error err;
    assert_true(picture_decode(url, sizeof url - 1, 1, &picture, &err));
    static const unsigned char red[] = { 255, 0, 0 };
    assert_memory_equal(picture.rgb, red, sizeof red);
    picture_clear(&picture);
}

static void refuse(const char *url, enum err_code code, const char *words) {
    struct picture picture;
    struct error err = { 0 };
    assert_false(picture_decode(url, strlen(url), 7, &picture, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, "Picture 7"));
    if (!strstr(err.text, words)) fail_msg("%s", err.text);
}

static void test_what_is_no_picture_is_refused(void **state) {
    (void)state;
    refuse("", ERR_INVALID_REQUEST, "cannot be read");
    refuse("data:", ERR_INVALID_REQUEST, "no base64");
    refuse("data:image/png,x", ERR_INVALID_REQUEST, "no base64");
    refuse("data:image/png;base64,====", ERR_INVALID_REQUEST, "not valid base64");
    refuse("data:image/png;base64,aGVsbG8=", ERR_INVALID_REQUEST, "cannot be read");
    refuse("https://example.invalid/a.png", ERR_NOT_SUPPORTED, "nothing is fetched");
    refuse("file:///etc/passwd", ERR_NOT_SUPPORTED, "nothing is fetched");
}

/* Other bytes, another hash. */
/* 8 x 8 pixels, and a part that says it has 977 MB. Found by the fuzzer. */
static void test_a_part_gets_no_more_memory_than_a_picture_has(void **state) {
    (void)state;
    refuse(
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAARElEQVR4nD3ByxqAIBRAwZPvHFMhCgbixlbu"
        "+v+fa9fiDPyT7xxTIQoG4sZW7vr/n2vX4gz8DqWNdR6UlSFKAu1OyaWBCQ6ljXUelJUhSgI6SURBVHicPcHL"
        "GoAgFEDBk+8cUyEKBuLGVu76/59r1+IM/JPvy8vLy8vLywAAAElFRK5CYII=",
        ERR_INVALID_REQUEST, "outofmem");
}

static void test_hashes(void **state) {
    (void)state;
    unsigned char one[PICTURE_HASH_SIZE], other[PICTURE_HASH_SIZE];
    picture_hash("data:a", 6, one);
    picture_hash("data:b", 6, other);
    assert_memory_not_equal(one, other, sizeof one);
    picture_hash("data:a", 6, other);
    assert_memory_equal(one, other, sizeof one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_and_forms_that_are_read),
        cmocka_unit_test(test_colors_are_red_green_blue),
        cmocka_unit_test(test_what_is_no_picture_is_refused),
        cmocka_unit_test(test_a_part_gets_no_more_memory_than_a_picture_has),
        cmocka_unit_test(test_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
