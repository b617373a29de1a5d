/* SPDX-License-Identifier: MIT */
/*
 * ws_fake.h - a session of LM Studio's WebSocket dialect with a service and a host made of
 * paper, driven by a script: golden transcripts and the fuzzer share it.
 *
 * A line "> text" is a message of the client; the session is admitted beforehand unless the
 * first line is "stranger". "! name json" is an event of the last call into the service:
 * loading, evicting, progress, loaded, gone, failed, estimated; started, prompt, delta, vector,
 * done, error; log, pause, resume; hub, of the last question to the hub. The first word of the
 * script is the namespace.
 */
#ifndef DOZE_TESTS_WS_FAKE_H
#define DOZE_TESTS_WS_FAKE_H

#include "base/buf.h"

/* Run the script; append what the session said ("< text") and asked for ("= text"). */
void ws_fake_run(const char *script, struct buf *out);

#endif
