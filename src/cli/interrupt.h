/* SPDX-License-Identifier: MIT */
/* interrupt.h - Ctrl-C as something to wait for instead of the end of the program. */
#ifndef DOZE_CLI_INTERRUPT_H
#define DOZE_CLI_INTERRUPT_H

/* From now on SIGINT does not end the program but makes the returned descriptor readable. -1 if
 * the kernel refuses: then SIGINT ends the program as before. */
int interrupt_open(void);

/* SIGINT ends the program again; one that was not drained does so at once. Accepts -1. */
void interrupt_close(int fd);

/* Forget the interrupts that have come so far. */
void interrupt_drain(int fd);

#endif
