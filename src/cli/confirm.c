/* SPDX-License-Identifier: MIT */
#include "cli/confirm.h"

#include <stdio.h>

bool confirm_ask(const char *question, enum confirm_default otherwise) {
    char answer[16];
    fprintf(stderr, "%s %s? ", question, otherwise == CONFIRM_YES ? "(Y/n)" : "(y/N)");
    if (!fgets(answer, sizeof answer, stdin)) return false;
    if (*answer == '\n') return otherwise == CONFIRM_YES;
    return *answer == 'y' || *answer == 'Y';
}
