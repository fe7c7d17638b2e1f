# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and the daemon, and keeps what each said."""
import select
import socket
import threading

from clients import tcp
from harness import DEADLINE_S, LOOPBACK


class Proxy:
    """Hands on one connection's bytes, and keeps who said what."""

    def __init__(self, port):
        self.bytes = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        client, _ = self._listener.accept()
        with client, tcp(self._target) as server:
            other = {client: ("up", server), server: ("down", client)}
            while True:
                ready, _, _ = select.select(list(other), [], [], DEADLINE_S)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    way, to = other[one]
                    self.bytes.append((way, data))
                    to.sendall(data)
                if not ready:
                    return

    def join(self):
        self._thread.join(2 * DEADLINE_S)
        self._listener.close()


class Through:
    """A daemon whose port is the proxy's."""

    def __init__(self, port):
        self._port = port

    def port(self, *_):
        return self._port
