/* SPDX-License-Identifier: MIT */
#include "base/file_sum.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { VALUE_SIZE = 160 };

static const char name[] = "user.doze.sha256";

/* "<sum> <size> <seconds>.<nanoseconds>" */
static void format(const char *sum, const struct stat *st, char ret[VALUE_SIZE]) {
    (void)snprintf(ret, VALUE_SIZE, "%.64s %lld %lld.%09ld", sum, (long long)st->st_size,
                   (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

void file_sum_keep(int fd, const char sum[FILE_SUM_SIZE]) {
    struct stat st;
    char value[VALUE_SIZE];
    if (fstat(fd, &st) != 0) return;
    format(sum, &st, value);
    (void)fsetxattr(fd, name, value, strlen(value), 0);
}

bool file_sum_find(const char *path, char ret_sum[FILE_SUM_SIZE]) {
    struct stat st;
    char value[VALUE_SIZE] = "", now[VALUE_SIZE];
    ssize_t len = getxattr(path, name, value, sizeof value - 1);
    if (len < FILE_SUM_SIZE || stat(path, &st) != 0) return false;
    if (strspn(value, "0123456789abcdef") != FILE_SUM_SIZE - 1) return false;
    format(value, &st, now);
    if (strcmp(value, now) != 0) return false;
    memcpy(ret_sum, value, FILE_SUM_SIZE - 1);
    ret_sum[FILE_SUM_SIZE - 1] = '\0';
    return true;
}
