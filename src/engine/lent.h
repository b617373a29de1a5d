/* SPDX-License-Identifier: MIT */
/*
 * lent.h - memory of another node for a part of a model: ggml's RPC, both ends of it.
 *
 * The protocol has no authentication and trusts its peer. So neither end opens a socket
 * (lent_transport.cpp): each has one from its daemon, on LENT_FD, and the daemons carry the
 * bytes sealed (fleet/sealed.h). The lender is a process of its own, in the sandbox, with the
 * memory that was agreed and no more.
 *
 * If the other side is gone, the process ends.
 */
#ifndef DOZE_ENGINE_LENT_H
#define DOZE_ENGINE_LENT_H

#include <ggml-backend.h>
#include <stdbool.h>

#include "base/error.h"
#include "engine/link.h"

/* For the borrower: the lent memory as a device, for the life of the process. Waits until the
 * lender answers. NULL: the lender speaks another version. */
ggml_backend_dev_t lent_device(void);
/* Has lent_device been called? Then the process must end by _exit, because the library cannot
 * free the device. */
bool lent_is_used(void);

/* For the lender, with the payload of MSG_LEND: enter the sandbox, say READY, and serve until
 * the borrower leaves. False: it could not begin. */
bool lent_serve(struct link *link, const char *payload, size_t len, struct error *err)
    __attribute__((warn_unused_result));

#endif
