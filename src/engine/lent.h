/* SPDX-License-Identifier: MIT */
/*
 * lent.h - memory of another node for a part of a model: ggml's RPC, both ends of it.
 *
 * The protocol has no authentication and trusts its peer. So neither end opens a socket
 * (lent_transport.cpp): each has one from its daemon, on LENT_FD, and the daemons carry the
 * bytes sealed (fleet/sealed.h). Who lends is a process of its own, in the sandbox, with the
 * memory that was agreed and no more.
 *
 * If the other side is gone, the process ends: it cannot go on alone.
 */
#ifndef DOZE_ENGINE_LENT_H
#define DOZE_ENGINE_LENT_H

#include <ggml-backend.h>
#include <stdbool.h>

#include "base/error.h"
#include "engine/link.h"

/* Who borrows: the device that the lent memory is, for the life of the process. Waits until the
 * lender answers. NULL: it speaks another version. */
ggml_backend_dev_t lent_device(void);
/* Has it been asked for? Then the process ends by _exit: the library frees nothing of it. */
bool lent_is_used(void);

/* Who lends (MSG_LEND, its payload): enter the sandbox, say READY, and serve until the borrower
 * leaves. False: it did not come to that. */
bool lent_serve(struct link *link, const char *payload, size_t len, struct error *err)
    __attribute__((warn_unused_result));

#endif
