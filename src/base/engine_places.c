/* SPDX-License-Identifier: MIT */
#include "base/engine_places.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own_file.h"
#include "base/proc_file.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"

enum { OF_USER, OF_ALL };

static char *place_of_all(void) {
    struct error err;
    char *worker = own_file("doze-engine", &err);
    if (!worker) return NULL;
    char *place = xasprintf("%.*s/engines", (int)(strrchr(worker, '/') - worker), worker);
    free(worker);
    return place;
}

char *engine_place(int index) {
    const char *only = getenv("DOZE_ENGINES_DIR");
    if (only && *only) return index == 0 ? xstrdup(only) : NULL;
    if (index == OF_ALL) return place_of_all();
    return user_dir("XDG_DATA_HOME", ".local/share", "doze/engines");
}

char *engine_place_to_install(void) {
    char *place = geteuid() == 0 ? engine_place(OF_ALL) : NULL;
    return place ? place : engine_place(OF_USER);
}

/* As the script writes it, with a line feed. */
static bool has_version(const char *folder, const char *version) {
    char text[64];
    char *file = xasprintf("%s/version", folder);
    bool read = proc_file_read(file, text, sizeof text);
    free(file);
    text[strcspn(text, "\n")] = '\0';
    return read && strcmp(text, version) == 0;
}

char *engine_place_find(const char *variant, const char *version) {
    for (int i = 0; i < ENGINE_PLACES; i++) {
        char *place = engine_place(i);
        char *folder = place ? xasprintf("%s/%s", place, variant) : NULL;
        free(place);
        if (folder && has_version(folder, version)) return folder;
        free(folder);
    }
    return NULL;
}
