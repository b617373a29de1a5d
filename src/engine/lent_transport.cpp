/* SPDX-License-Identifier: MIT */
/*
 * lent_transport.cpp - how ggml's RPC carries its bytes here, in the place of its own
 * transport: over the socket on LENT_FD, which the daemon has opened. Nothing listens and
 * nothing connects.
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <transport.h>

#include "ipc/message.h"

struct socket_t::impl {
    bool given = false; /* accept() has given the connection away */
};

socket_t::socket_t(std::unique_ptr<impl> p) : pimpl(std::move(p)) {}

socket_t::~socket_t() = default;

bool socket_t::send_data(const void *data, size_t size) {
    const char *at = static_cast<const char *>(data);
    while (size > 0) {
        ssize_t sent = write(LENT_FD, at, size);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) _exit(LENT_EXIT);
        at += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

bool socket_t::recv_data(void *data, size_t size) {
    char *at = static_cast<char *>(data);
    while (size > 0) {
        ssize_t got = read(LENT_FD, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(LENT_EXIT);
        at += got;
        size -= static_cast<size_t>(got);
    }
    return true;
}

bool socket_t::flush() {
    return true;
}

socket_ptr socket_t::accept() {
    if (pimpl->given) return nullptr;
    pimpl->given = true;
    return socket_ptr(new socket_t(std::make_unique<impl>()));
}

void socket_t::get_caps(uint8_t *caps) {
    memset(caps, 0, RPC_CONN_CAPS_SIZE);
}

void socket_t::update_caps(const uint8_t *caps) {
    (void)caps;
}

socket_ptr socket_t::create_server(const char *host, int port) {
    (void)host;
    (void)port;
    return socket_ptr(new socket_t(std::make_unique<impl>()));
}

socket_ptr socket_t::connect(const char *host, int port) {
    return create_server(host, port);
}

bool rpc_transport_init() {
    return true;
}

void rpc_transport_shutdown() {}
