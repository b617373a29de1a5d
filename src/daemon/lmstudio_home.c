/* SPDX-License-Identifier: MIT */
#include "daemon/lmstudio_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/dirs.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc_file.h"
#include "base/xalloc.h"
#include "daemon/api_key.h"

/* KEY_MIN: a shorter one is not secret. */
enum { KEY_LEN = 32, KEY_MIN = 16, FILE_MAX = 1 << 16 };

/* The first two say where the server is, the third is half of the release build's passkey. */
enum { FILE_PROBE, FILE_CONFIG, FILE_KEY, FILE_COUNT };
static const char *const names[FILE_COUNT] = { "http-server.json", "http-server-config.json",
                                               "lms-key-2" };

struct lmstudio_home {
    char *folder; /* NULL: none */
    char *paths[FILE_COUNT];
    char *written[FILE_COUNT]; /* what we wrote; NULL: nothing */
};

static bool exists(const char *folder, const char *name) {
    char *path = xasprintf("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* The pointer's content without the line's end; NULL if there is none. */
static char *read_pointer(const char *user_home) {
    struct buf text = BUF_INIT(FILE_MAX);
    struct error err;
    char *path = xasprintf("%s/.lmstudio-home-pointer", user_home);
    char *folder = NULL;
    if (file_read(path, &text, &err)) {
        size_t len = strcspn(buf_str(&text), "\r\n");
        if (len > 0 && text.data[0] == '/') folder = xstrndup(text.data, len);
    }
    free(path);
    buf_clear(&text);
    return folder;
}

static char *find_folder(const char *user_home) {
    char *folder = read_pointer(user_home);
    if (folder) return folder;
    if (exists(user_home, ".cache/lm-studio"))
        return xasprintf("%s/.cache/lm-studio", user_home);
    return xasprintf("%s/.lmstudio", user_home);
}

struct lmstudio_home *lmstudio_home_new(const char *user_home) {
    struct lmstudio_home *home = xcalloc(1, sizeof *home);
    if (!user_home || !*user_home) return home;
    home->folder = find_folder(user_home);
    for (int i = 0; i < FILE_COUNT; i++) {
        home->paths[i] = xasprintf("%s/.internal/%s", home->folder, names[i]);
    }
    return home;
}

void lmstudio_home_free(struct lmstudio_home *home) {
    if (!home) return;
    for (int i = 0; i < FILE_COUNT; i++) {
        free(home->paths[i]);
        free(home->written[i]);
    }
    free(home->folder);
    free(home);
}

bool lmstudio_home_is_installed(const struct lmstudio_home *home) {
    static const char *const marks[] = { ".internal/app-install-location.json",
                                         ".internal/llmster-install-location.json",
                                         "settings.json", "bin/lms" };
    for (size_t i = 0; home->folder && i < sizeof marks / sizeof marks[0]; i++) {
        if (exists(home->folder, marks[i])) return true;
    }
    return false;
}

/* An existing key is kept: another server of this user may use it. False if there is none and
 * none could be made. */
static bool choose_key(const struct lmstudio_home *home, char *key) {
    static const char digits[] = "0123456789abcdef";
    struct buf text = BUF_INIT(KEY_LEN);
    struct error err;
    bool there = file_read(home->paths[FILE_KEY], &text, &err) && text.len == KEY_LEN;
    if (there) memcpy(key, text.data, KEY_LEN);
    buf_clear(&text);
    if (there) return true;
    unsigned char bytes[KEY_LEN];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return false;
    for (int i = 0; i < KEY_LEN; i++) key[i] = digits[bytes[i] & 15];
    return true;
}

static bool write_file(struct lmstudio_home *home, int i, const char *text, struct error *err) {
    if (home->written[i] && strcmp(home->written[i], text) == 0) return true;
    if (!file_replace_for_now(home->paths[i], text, strlen(text), err)) return false;
    free(home->written[i]);
    home->written[i] = xstrdup(text);
    return true;
}

static void format_probe(const struct lmstudio_ports *ports, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "port", ports->sdk_port);
    yyjson_mut_obj_add_int(doc, root, "pid", getpid());
    json_write_end(doc, out);
}

static void format_config(const struct lmstudio_ports *ports, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "port", ports->port);
    yyjson_mut_obj_add_str(doc, root, "networkInterface", ports->host);
    json_write_end(doc, out);
}

/* The name that the process with this number has; "" if there is none. */
static void read_name(int64_t pid, char ret[32]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    (void)proc_file_read(path, ret, 32);
}

/* Another doze of this user has written the files and still runs: clients keep finding it. */
static bool is_taken(const struct lmstudio_home *home) {
    struct buf text = BUF_INIT(FILE_MAX);
    struct error err;
    char theirs[32], ours[32];
    yyjson_doc *doc = file_read(home->paths[FILE_PROBE], &text, &err)
                          ? json_parse_object(buf_str(&text), text.len, &err)
                          : NULL;
    int64_t pid = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "pid"));
    yyjson_doc_free(doc);
    buf_clear(&text);
    if (pid <= 0 || pid == getpid()) return false;
    read_name(pid, theirs);
    read_name(getpid(), ours);
    return *ours && strcmp(theirs, ours) == 0;
}

bool lmstudio_home_write(struct lmstudio_home *home, const struct lmstudio_ports *ports,
                         struct error *err) {
    if (!home->folder || lmstudio_home_is_installed(home) || is_taken(home)) return true;
    char key[KEY_LEN + 1] = "";
    char *internal = xasprintf("%s/.internal", home->folder);
    struct buf probe = BUF_INIT(FILE_MAX), config = BUF_INIT(FILE_MAX);
    format_probe(ports, &probe);
    format_config(ports, &config);
    bool ok = dirs_make(internal, 0700, err) &&
              write_file(home, FILE_PROBE, buf_str(&probe), err) &&
              write_file(home, FILE_CONFIG, buf_str(&config), err);
    if (ok && !home->written[FILE_KEY] && choose_key(home, key))
        ok = write_file(home, FILE_KEY, key, err);
    free(internal);
    buf_clear(&probe);
    buf_clear(&config);
    return ok;
}

void lmstudio_home_remove(struct lmstudio_home *home) {
    bool ours = true;
    for (int i = 0; i < FILE_COUNT; i++) {
        struct buf text = BUF_INIT(FILE_MAX);
        struct error err;
        if (home->written[i] && ours) {
            ours = file_read(home->paths[i], &text, &err) &&
                   strcmp(buf_str(&text), home->written[i]) == 0;
            if (ours) (void)unlink(home->paths[i]);
        }
        free(home->written[i]);
        home->written[i] = NULL;
        buf_clear(&text);
    }
    if (!home->folder) return;
    char *internal = xasprintf("%s/.internal", home->folder);
    (void)rmdir(internal); /* only if it is empty */
    (void)rmdir(home->folder);
    free(internal);
}

bool lmstudio_home_knows(const struct lmstudio_home *home, const char *passkey) {
    struct buf text = BUF_INIT(FILE_MAX);
    struct error err;
    bool known = false;
    if (home->folder && file_read(home->paths[FILE_KEY], &text, &err)) {
        char *key = buf_take(&text);
        key[strcspn(key, " \t\r\n")] = '\0';
        known = strlen(key) >= KEY_MIN && api_key_ends(key, passkey);
        free(key);
    }
    buf_clear(&text);
    return known;
}
