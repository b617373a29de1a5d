/* SPDX-License-Identifier: MIT */
/* The OpenAPI document and the table of routes say the same. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "daemon/routes/openapi.h"
#include "daemon/routes/routes.h"

static yyjson_doc *doc;

static int set_up(void **state) {
    struct error err;
    (void)state;
    doc = json_parse_object((const char *)openapi_json, openapi_json_len, &err);
    if (!doc) print_error("openapi.json: %s\n", err.text);
    return doc ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    yyjson_doc_free(doc);
    return 0;
}

/* What "#/paths/~1v1~1models" means; NULL: nothing. */
static yyjson_val *target(const char *ref) {
    return *ref == '#' ? yyjson_doc_ptr_get(doc, ref + 1) : NULL;
}

static yyjson_val *path_item(yyjson_val *item) {
    const char *ref = json_find_str(item, "$ref");
    return ref ? target(ref) : item;
}

static void test_every_route_is_in_the_document(void **state) {
    struct routes routes = { 0 };
    struct http_options options = routes_http_options(&routes);
    yyjson_val *paths = yyjson_obj_get(yyjson_doc_get_root(doc), "paths");
    size_t missing = 0;
    (void)state;
    for (size_t i = 0; i < options.route_count; i++) {
        const struct http_route *route = &options.routes[i];
        char method[8] = "";
        for (size_t c = 0; route->method[c] && c + 1 < sizeof method; c++)
            method[c] = (char)(route->method[c] | 0x20);
        if (yyjson_obj_get(path_item(yyjson_obj_get(paths, route->path)), method)) continue;
        print_error("Add %s %s to src/daemon/routes/openapi.json.\n", route->method,
                    route->path);
        missing++;
    }
    assert_int_equal(missing, 0);
}

static bool is_route(const char *method, const char *path) {
    struct routes routes = { 0 };
    struct http_options options = routes_http_options(&routes);
    for (size_t i = 0; i < options.route_count; i++) {
        const struct http_route *route = &options.routes[i];
        if (strcasecmp(route->method, method) == 0 && strcmp(route->path, path) == 0)
            return true;
    }
    return false;
}

static void test_nothing_but_routes_is_in_the_document(void **state) {
    size_t path_at, path_count, at, count, unknown = 0;
    yyjson_val *path, *item, *method, *operation;
    yyjson_val *paths = yyjson_obj_get(yyjson_doc_get_root(doc), "paths");
    (void)state;
    yyjson_obj_foreach(paths, path_at, path_count, path, item) {
        yyjson_obj_foreach(path_item(item), at, count, method, operation) {
            if (is_route(yyjson_get_str(method), yyjson_get_str(path))) continue;
            print_error("Remove %s of %s from src/daemon/routes/openapi.json.\n",
                        yyjson_get_str(method), yyjson_get_str(path));
            unknown++;
        }
    }
    assert_int_equal(unknown, 0);
}

static size_t dangling_in(yyjson_val *val) {
    size_t at, count, dangling = 0;
    yyjson_val *key, *member;
    if (yyjson_is_arr(val)) {
        yyjson_arr_foreach(val, at, count, member) dangling += dangling_in(member);
        return dangling;
    }
    yyjson_obj_foreach(val, at, count, key, member) {
        if (yyjson_equals_str(key, "$ref") && !target(yyjson_get_str(member))) {
            print_error("There is no %s.\n", yyjson_get_str(member));
            dangling++;
        }
        dangling += dangling_in(member);
    }
    return dangling;
}

static void test_every_reference_leads_somewhere(void **state) {
    (void)state;
    assert_int_equal(dangling_in(yyjson_doc_get_root(doc)), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_in_the_document),
        cmocka_unit_test(test_nothing_but_routes_is_in_the_document),
        cmocka_unit_test(test_every_reference_leads_somewhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
