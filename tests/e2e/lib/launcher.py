#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""launcher.py SOCKETS NEWS PROGRAM [ARGUMENT...] - what systemd does for a service with sockets.

Opens SOCKETS listening sockets on the loopback address and a socket for news (sd_notify) at the
path NEWS. The first connection, or the line "start" on standard input, starts the program with the
sockets; when it has ended, the next connection starts it again. Other lines name a signal for it.
Writes one JSON object a line: {"ports"}, {"start": pid}, {"news": text}, {"exit": code or
-signal}. Ends, and ends the program, when standard input does.
"""
import json
import os
import selectors
import signal
import socket
import sys

FIRST = 3  # SD_LISTEN_FDS_START


def say(**fact):
    print(json.dumps(fact), flush=True)


class Launcher:
    def __init__(self, count, news, program):
        self.program = program
        self.news_path = news
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        self.news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.news.bind(news)
        self.child = None  # pid
        self.child_end = None  # a descriptor that becomes readable then
        self.select = selectors.DefaultSelector()
        self.select.register(self.news, selectors.EVENT_READ, self.on_news)
        self.select.register(sys.stdin, selectors.EVENT_READ, self.on_line)
        self.await_connection()
        say(ports=[s.getsockname()[1] for s in self.sockets])

    def await_connection(self):
        for listening in self.sockets:
            self.select.register(listening, selectors.EVENT_READ, self.start)

    def start(self):
        for listening in self.sockets:
            self.select.unregister(listening)
        self.child = os.fork()
        if self.child == 0:
            self.become_program()
        self.child_end = os.pidfd_open(self.child)
        self.select.register(self.child_end, selectors.EVENT_READ, self.on_exit)
        say(start=self.child)

    def become_program(self):
        high = [os.dup(s.fileno()) for s in self.sockets]  # out of the way of the targets
        for number, descriptor in enumerate(high):
            os.dup2(descriptor, FIRST + number, inheritable=True)
        os.closerange(FIRST + len(high), 256)
        environment = dict(os.environ, NOTIFY_SOCKET=self.news_path, LISTEN_PID=str(os.getpid()),
                           LISTEN_FDS=str(len(high)))
        os.execvpe(self.program[0], self.program, environment)

    def on_news(self):
        say(news=self.news.recv(4096).decode())

    def on_exit(self):
        _, status = os.waitpid(self.child, 0)
        self.select.unregister(self.child_end)
        os.close(self.child_end)
        self.child = None
        while self.drain_news():
            pass
        self.await_connection()
        say(exit=os.waitstatus_to_exitcode(status))

    def drain_news(self):
        try:
            say(news=self.news.recv(4096, socket.MSG_DONTWAIT).decode())
            return True
        except BlockingIOError:
            return False

    def on_line(self):
        line = sys.stdin.readline().strip()
        if not line:
            self.end()
        elif line == "start":
            self.start()
        elif self.child:
            os.kill(self.child, getattr(signal, line))

    def end(self):
        if self.child:
            os.kill(self.child, signal.SIGTERM)
            os.waitpid(self.child, 0)
        sys.exit(0)

    def run(self):
        while True:
            for key, _ in self.select.select():
                key.data()


Launcher(int(sys.argv[1]), sys.argv[2], sys.argv[3:]).run()
