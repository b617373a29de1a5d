/* SPDX-License-Identifier: MIT */
/*
 * session.h - the WebSocket dialect of LM Studio's SDK and command line.
 *
 * A session is one authenticated socket of one namespace: it turns the client's messages into
 * calls of struct service and their events into messages. Pure but for what it is given: the
 * service, and a host for what is the daemon's (HTTP port, log, uploaded files).
 *
 * Clients drop a reply that does not fit their schema, and its promise never settles. So absent
 * values are left out, never null (except ttlMs, lastUsedTime, deviceIdentifier); a result of
 * nothing has no `result`; every call is answered by rpcResult or rpcError, and every channel
 * ends with channelClose or channelError, even for an endpoint that doze does not have.
 */
#ifndef DOZE_API_LMSTUDIO_WS_SESSION_H
#define DOZE_API_LMSTUDIO_WS_SESSION_H

#include "api/permission.h"
#include "api/service.h"
#include "base/buf.h"
#include "base/byte_budget.h"

enum { LMWS_KEY_SIZE = 16 };

/* The path of the socket's URL. */
enum lmws_namespace {
    LMWS_LLM = 1,
    LMWS_EMBEDDING = 2,
    LMWS_SYSTEM = 4,
    LMWS_DIAGNOSTICS = 8,
    LMWS_FILES = 16,
    LMWS_REPOSITORY = 32,
    LMWS_PLUGINS = 64,
    LMWS_RUNTIME = 128,
    LMWS_DECISION = 256, /* newer clients list it; doze has no such models */
};

/* "llm", ...; 0 if there is no namespace of that name. */
enum lmws_namespace lmws_namespace_parse(const char *name);

/* An uploaded file; strings are borrowed until the next call into the host. */
struct lmws_file {
    const char *identifier, *name;
    const char *type;   /* LM Studio's word: "image", "text/plain", "unknown", ... */
    const char *mime;   /* of images: "image/png"; else "" */
    const char *base64; /* as it was uploaded */
    const char *text;   /* of text files, UTF-8; else NULL */
    size_t size;        /* bytes of the content */
    void *owner;        /* the host's own */
};

/* Work on a large text, and what follows when that is done. */
struct lmws_piece {
    void (*work)(void *ctx); /* maybe on another thread: touches nothing of the session's */
    void (*on_done)(void *ctx);
    void *ctx;
};

/* `lms runtime ls` */
struct lmws_engine {
    const char *name, *version, *platform,
        *architecture;             /* "llama.cpp-linux-x86_64", "0.5.0", .. */
    const char *const *extensions; /* "AVX2", ...; NULL at the end */
};

/* A quantization of a model on the hub that can be downloaded. */
struct lmws_hub_option {
    const char *file, *quantization; /* quantization: "" if the file's name does not tell */
    uint64_t size;
    bool fits;        /* into this machine's memory */
    bool recommended; /* what is downloaded if none is named */
    const char *key;  /* of the model, if it is here already; else NULL */
};

/* Where the results of a question to the hub go; all borrowed for the call. */
struct lmws_hub_sink {
    /* The last call each, of its question: with a result, or with an error. */
    void (*on_found)(void *ctx, const char *const *names, size_t count,
                     const struct error *error);
    void (*on_options)(void *ctx, const struct lmws_hub_option *options, size_t count,
                       const struct error *error);
    void (*on_got)(void *ctx, const char *model_key, const struct error *error);
    /* Before on_got. */
    void (*on_progress)(void *ctx, uint64_t done, uint64_t total, double bytes_per_second);
    void *ctx;
};

/* Downloads of models. Questions are answered later, never in the call that asks. */
struct lmws_hub {
    void *self;
    /* What the words find. */
    void *(*search)(void *self, const char *words, size_t limit,
                    const struct lmws_hub_sink *sink);
    /* What can be downloaded from a repository, "owner/repo". */
    void *(*options)(void *self, const char *repo, const struct lmws_hub_sink *sink);
    /* Download "owner/repo" or "owner/repo@quantization". */
    void *(*get)(void *self, const char *name, const struct lmws_hub_sink *sink);
    /* Do not call the sink. stop: also end the download and delete what it fetched; else it
     * goes on. Not to be called after the sink's last call. */
    void (*drop)(void *self, void *question, bool stop);
};

struct lmws_host {
    void *self;
    const struct lmws_hub *hub;
    const struct service *service;
    /* Of what clients send, until it is answered, and of answers until they are complete;
     * NULL: it is not counted. */
    struct byte_budget *budget, *answers;
    size_t *ops; /* calls and channels open on all sockets */
    const char *version, *machine;
    int build, pid;
    uint64_t boot; /* different in each run: references of an older one are not ours */
    struct lmws_engine engine;

    /* Are these credentials accepted? peer: its address. ret_key is for `may`. */
    bool (*admit)(void *self, const char *peer, const char *identifier, const char *passkey,
                  char ret_key[LMWS_KEY_SIZE]);
    /* May an authenticated client do this now? *ret_allowed: the models that it may use,
     * borrowed until the loop goes on. Fails with ERR_API_KEY (revoked since) or
     * ERR_FORBIDDEN. */
    bool (*may)(void *self, const char *key, enum permission permission,
                const struct allowed_models **ret_allowed, struct error *err);
    /* Also serve HTTP on this port (0: the configured one) of this interface (NULL: likewise);
     * cors: -1 leaves the setting. */
    bool (*http_start)(void *self, int port, const char *interface, int cors,
                       struct error *err);
    bool (*http_stop)(void *self, struct error *err);
    void (*shutdown)(void *self);
    /* Has another server of the fleet the model? err says which, and what to do. */
    bool (*elsewhere)(void *self, const char *name, struct error *err);
    /* A client's words for the daemon's log. */
    void (*note)(void *self, const char *text);
    /* Begin to keep a file for all sessions; NULL if it is too large, or there is no memory for
     * it now. held: as the transport's. base64 is borrowed until file_put, which follows. */
    void *(*file_begin)(void *self, const char *name, const char *base64, size_t held,
                        struct error *err);
    void (*file_read)(void *upload); /* on any thread */
    /* Takes the upload; false if it is not base64. */
    bool (*file_put)(void *self, void *upload, struct lmws_file *ret, struct error *err);
    bool (*file_find)(void *self, const char *identifier, struct lmws_file *ret);
    /* What was found stays as it is until it is released, even if it is found no longer. */
    void (*file_hold)(void *self, const struct lmws_file *file);
    void (*file_release)(void *self, const struct lmws_file *file);
    /* Do the piece of work: at once if its bytes are few, else when a thread is free. */
    void (*offload)(void *self, size_t bytes, const struct lmws_piece *piece);
    /* Follow the log: fn gets every later line, borrowed for the call. NULL: too many do. */
    void *(*log_follow)(void *self, void (*fn)(void *ctx, const struct log_line *line),
                        void *ctx);
    void (*log_leave)(void *self, void *follower);
};

/* Where a session's messages go. Called from inside lmws_* functions and service sinks. */
struct lmws_transport {
    void (*send)(void *ctx, const char *json, size_t len);
    /* Drop the client: send no more, close with this reason (a literal). */
    void (*hang_up)(void *ctx, const char *reason);
    /* The client is authenticated: larger messages may come. */
    void (*on_admitted)(void *ctx);
    /* Bytes of the message that is being received, which are counted already. */
    size_t (*held)(void *ctx);
    /* The session, which waited (lmws_session_waits), takes messages again. Never from inside
     * lmws_session_receive. */
    void (*go_on)(void *ctx);
    void *ctx;
    const char *peer; /* the client's address, for the session's life */
};

struct lmws_session;

/* Borrows host for its life. */
struct lmws_session *lmws_session_new(enum lmws_namespace ns, const struct lmws_host *host,
                                      struct lmws_transport transport);
/* Parse one text message, any bytes; safe on any thread. NULL: the error says why. The caller
 * frees it. */
yyjson_doc *lmws_message_parse(const char *text, size_t len, struct error *err);
/* Take the result of lmws_message_parse: doc, or NULL and the error, which is borrowed for the
 * call. */
void lmws_session_receive(struct lmws_session *session, yyjson_doc *doc,
                          const struct error *err);
/* Is the message still worked on? Then the next one, and lmws_session_free, have to wait for
 * the transport's go_on. Only after one that the host works on elsewhere. */
bool lmws_session_waits(const struct lmws_session *session);
/* The client reads too slowly / fast enough again. */
void lmws_session_pause(struct lmws_session *session, bool paused);
/* The socket is gone: cancels predictions and unfinished loads. Not from inside its own calls.
 */
void lmws_session_free(struct lmws_session *session);

#endif
