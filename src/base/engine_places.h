/* SPDX-License-Identifier: MIT */
/*
 * engine_places.h - the folders that have variants of the engine, one in a folder of its own
 * with its name (setup/engine-variant.sh): the user's, then the one that all users have.
 * DOZE_ENGINES_DIR stands for both.
 */
#ifndef DOZE_BASE_ENGINE_PLACES_H
#define DOZE_BASE_ENGINE_PLACES_H

enum { ENGINE_PLACES = 2 };

/* The caller frees. NULL: there is none. Main thread. */
char *engine_place(int index);

/* Where this user's `doze engine install` puts one: root's is for all users. */
char *engine_place_to_install(void);

/* The folder of a variant that is installed in the given version; the caller frees. NULL if it
 * is not. */
char *engine_place_find(const char *variant, const char *version);

#endif
