/* SPDX-License-Identifier: MIT */
/* own_address.h - the address of this machine on the way to another one. */
#ifndef DOZE_DAEMON_OWN_ADDRESS_H
#define DOZE_DAEMON_OWN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { OWN_ADDRESS_SIZE = 64 };

/* This machine's address on the way to the host of the URL, or of the first of several. No
 * packet is sent and no name is looked up: false if the host is a name, or there is no way. */
bool own_address_towards(const char *url, char ret[OWN_ADDRESS_SIZE]);

#endif
