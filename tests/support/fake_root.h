/* SPDX-License-Identifier: MIT */
/* fake_root.h - a folder with a made-up /proc and /sys. */
#ifndef DOZE_TEST_FAKE_ROOT_H
#define DOZE_TEST_FAKE_ROOT_H

/* cmocka's set-up and tear-down; *state is the folder's path. One at a time. */
int fake_root_make(void **state);
int fake_root_remove(void **state);

/* Write the file, with the folders above it. */
void fake_root_put(const char *path, const char *text);

#endif
