#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test-nginx.py DOZE MAKE_MODEL - through nginx with packaging/nginx/doze.conf a stream arrives
token by token, and doze notices when its client leaves.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

CONF = Path(__file__).parent / "nginx/doze.conf"
NGINX = """error_log {folder}/nginx.log; pid {folder}/pid;
events {{ }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{site} }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def start_doze(doze, folder):
    reader, writer = os.pipe()
    child = subprocess.Popen(
        [doze, "serve", "--port", "0", "--models-dir", folder / "models", "--state-dir",
         folder / "state", "--ready-fd", str(writer), "--log-level",
         "debug"],
        env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, text=True,
        pass_fds=[writer])
    os.close(writer)
    return child, int(os.read(reader, 16))


def start_nginx(folder, doze_port):
    """nginx goes into the background once it listens; the command that stops it, and its port."""
    port = free_port()
    site = CONF.read_text().replace("127.0.0.1:1234", f"127.0.0.1:{doze_port}")
    site = site.replace("listen 8080", f"listen 127.0.0.1:{port}")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, site=site))
    command = ["nginx", "-c", folder / "nginx.conf", "-e", folder / "nginx.log"]
    subprocess.run(command, check=True)
    return [*command, "-s", "stop"], port


def stream(port):
    """A connection on which an answer without end streams, and its text so far."""
    body = json.dumps({"model": "m", "stream": True,
                       "messages": [{"role": "user", "content": "Hello?"}]}).encode()
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) +
                   body)
    text, pieces = b"", 0
    while text.count(b"data: ") < 40:
        got = client.recv(65536)
        assert got, text
        text += got
        pieces += 1
    assert text.startswith(b"HTTP/1.1 200"), text
    assert pieces >= 10, f"40 events came in {pieces} pieces"
    return client


def check(doze, make_model, folder):
    (folder / "models").mkdir()
    subprocess.run([make_model, "spoken", "--loop", "--text", "tick tock goes the clock. ",
                    "--type", "q8_0", "--size", "100M", "--context", "131072", "--out",
                    folder / "models/m.gguf"], check=True)
    server, doze_port = start_doze(doze, folder)
    stop_nginx, port = start_nginx(folder, doze_port)
    try:
        client = stream(port)
        print("nginx: an answer came in small pieces while it was being made")
        client.close()
        for line in server.stderr:
            if re.search(r"m: busy -> idle", line):
                break
        else:
            raise AssertionError("the server ended")
        print("nginx: the answer was cancelled when the client left")
    finally:
        subprocess.run(stop_nginx, check=True)
        server.terminate()
        server.wait()


home = Path(tempfile.mkdtemp(prefix="doze-nginx-"))
check(*(str(Path(word).resolve()) for word in sys.argv[1:]), home)
shutil.rmtree(home)
