/* SPDX-License-Identifier: MIT */
/* interrupt.h - turns Ctrl-C into a readable descriptor. */
#ifndef DOZE_CLI_INTERRUPT_H
#define DOZE_CLI_INTERRUPT_H

/* From now on SIGINT makes the returned descriptor readable instead of ending the program. -1
 * if the kernel refuses; then SIGINT still ends the program. */
int interrupt_open(void);

/* SIGINT ends the program again, at once if one is pending. Accepts -1. */
void interrupt_close(int fd);

/* Discard pending interrupts. */
void interrupt_drain(int fd);

#endif
