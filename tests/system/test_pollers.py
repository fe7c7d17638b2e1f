# SPDX-License-Identifier: Apache-2.0
"""Pollers of the status plane: greedy, slow, rude; none hangs it."""
import socket
import sys
import time

from clients import tcp
from daemon import Daemon
from harness import LOOPBACK, SLOW, fact, same, tap, wait_until
from lab import Lab

LAB = Lab()
CROWD = 70  # more than the plane has places for
HALF = b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "
STAY_S = 10  # after which a client makes room for others


def answers(daemon):
    """Does /healthz answer a newcomer within two seconds?"""
    with socket.socket() as one:
        one.settimeout(2)
        try:
            one.connect((LOOPBACK, daemon.port("status", "http")))
            one.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b" 200 " in one.recv(100)
        except OSError:
            return False


def crowd_leaves_the_plane_alive(trickling):
    with Daemon(LAB.config()) as daemon:
        port = daemon.port("status", "http")
        crowd = [tcp(port) for _ in range(CROWD)]
        for one in crowd:
            one.sendall(HALF)

        def served():
            for one in crowd if trickling else ():
                try:
                    one.sendall(b"x")
                except OSError:
                    pass  # it had to go
            return answers(daemon)

        since = time.monotonic()
        wait_until("the status plane", served, 3 * STAY_S * SLOW, 0.5)
        tap.remark(f"answered after {time.monotonic() - since:.1f} s")
        daemon.signal(15)
        same(daemon.process.wait((STAY_S - 1) * SLOW), 0, "exit status")
        for one in crowd:
            one.close()


def endless_body_is_refused_at_its_headers():
    with Daemon(LAB.config()) as daemon:
        with tcp(daemon.port("status", "http")) as one:
            one.sendall(b"POST /v1/status HTTP/1.1\r\nHost: x\r\n"
                        b"Content-Length: 999999999999\r\n\r\n")
            said = one.recv(1000)
            assert b" 413 " in said, said
            before = daemon.get("/v1/status")["memory"]["residentBytes"]
            try:
                for _ in range(200):
                    one.sendall(bytes(1 << 16))
            except OSError:
                pass
            after = daemon.get("/v1/status")["memory"]["residentBytes"]
        assert after < before + (8 << 20), f"{before} -> {after} bytes"


def facts():
    yield fact("seventy silent clients do not hang the plane",
               crowd_leaves_the_plane_alive, False)
    yield fact("seventy trickling clients do not hang the plane",
               crowd_leaves_the_plane_alive, True)
    yield endless_body_is_refused_at_its_headers


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
