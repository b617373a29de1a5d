/* SPDX-License-Identifier: MIT */
#include "hub/hub_environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"

#define PUBLIC_HUB "https://huggingface.co"

/* The variable's value; NULL if it is not set or empty. */
static const char *given(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool is_loopback_http(const char *base) {
    static const char *const hosts[] = { "http://127.0.0.1", "http://localhost",
                                         "http://[::1]" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(base, hosts[i], len) == 0 && strchr(":/", base[len])) return true;
    }
    return false;
}

/* The text without white space at its end; NULL if nothing is left, or if it could break a
 * header. */
static char *trimmed(const char *text) {
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1])) len--;
    if (len == 0 || strcspn(text, "\r\n") < len) return NULL;
    return xstrndup(text, len);
}

static char *read_token(const char *home) {
    if (given("HF_TOKEN")) return trimmed(given("HF_TOKEN"));
    struct buf text = BUF_INIT(4096);
    struct error ignored;
    char *path = given("HF_TOKEN_PATH") ? xstrdup(given("HF_TOKEN_PATH"))
                                        : xasprintf("%s/token", home);
    char *token = file_read(path, &text, &ignored) ? trimmed(buf_str(&text)) : NULL;
    buf_clear(&text);
    free(path);
    return token;
}

void hub_environment_read(struct hub_environment *ret) {
    const char *base = given("HF_ENDPOINT"), *offline = given("HF_HUB_OFFLINE");
    char *home = given("HF_HOME") ? xstrdup(given("HF_HOME"))
                                  : user_dir("XDG_CACHE_HOME", ".cache", "huggingface");
    *ret = (struct hub_environment){ 0 };
    ret->base = xstrdup(base ? base : PUBLIC_HUB);
    for (size_t len = strlen(ret->base); len > 0 && ret->base[len - 1] == '/'; len--)
        ret->base[len - 1] = '\0';
    ret->plain = is_loopback_http(ret->base);
    ret->base_is_bad = !ret->plain && strncmp(ret->base, "https://", 8) != 0;
    ret->token = read_token(home);
    ret->cache = given("HF_HUB_CACHE") ? xstrdup(given("HF_HUB_CACHE"))
                                       : xasprintf("%s/hub", home);
    ret->offline = offline && strchr("1yYtT", offline[0]);
    free(home);
}

void hub_environment_clear(struct hub_environment *env) {
    free(env->base);
    free(env->token);
    free(env->cache);
    *env = (struct hub_environment){ 0 };
}
