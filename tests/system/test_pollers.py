# SPDX-License-Identifier: Apache-2.0
"""Pollers of the status plane: greedy, slow, rude; none hangs it."""
import socket
import sys
import time

from clients import tcp
from daemon import Daemon
from harness import DEADLINE_S, LOOPBACK, SLOW, fact, same, tap, wait_until
from lab import Lab

LAB = Lab()
CROWD = 400  # many times as many as the plane has places for
HALF = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
STAY_S = 10  # after which a client whose answer goes out makes room


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
        wait_until("the status plane", served, STAY_S * SLOW, 0.5)
        tap.remark(f"answered after {time.monotonic() - since:.1f} s")
        daemon.signal(15)
        same(daemon.process.wait((STAY_S - 1) * SLOW), 0, "exit status")
        for one in crowd:
            one.close()


def endless_body_is_refused_at_its_headers():
    with Daemon(LAB.config()) as daemon:
        with tcp(daemon.port("status", "http")) as one:
            one.sendall(b"POST /v1/status HTTP/1.1\r\nHost: localhost\r\n"
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


# ---- what comes over the wire ----

def said_to(daemon, data):
    """All that is answered until the connection ends."""
    with tcp(daemon.port("status", "http")) as one:
        one.settimeout(DEADLINE_S)
        said = b""
        try:
            one.sendall(data)
            while more := one.recv(65536):
                said += more
        except ConnectionError:
            pass  # it had read enough
        return said


def request(path, *headers, method="GET", host="Host: localhost"):
    head = [f"{method} {path} HTTP/1.1", host, *headers, "", ""]
    return "\r\n".join(filter(None, head[:-2])).encode(
        "latin-1") + b"\r\n\r\n"


ODD = (
    ("bytes that are no UTF-8 in a path", "/v1/phones/%FF%FE", b" 404 "),
    ("a percent sign alone", "/v1/phones/%zz%", b" 404 "),
    ("a slash in a name", "/v1/phones/A%2FB", b" 404 "),
    ("no UTF-8 in a query", "/v1/phones?namePrefix=%FF%FE", b" 200 "),
    ("no UTF-8 as a parameter", "/v1/phones?%FF=1", b" 400 "),
    ("a NUL in a value", "/v1/phones?limit=1%001", b" 400 "),
    ("a NUL in a parameter", "/v1/phones?limit%00=1", b" 400 "),
    ("a whole address", "http://evil.example/v1/status", b" 404 "),
    ("an endless query", "/v1/phones?a=" + 12000 * "y", b" 414 "),
    ("a hundred parameters", "/v1/phones?" + "&".join(
        f"a{n}=" for n in range(100)), b" 414 "),
    ("an endless path", "/" + 100000 * "y", b" 414 "),
)
AMBIGUOUS = (
    ("two hosts", ("Host: localhost",)),
    ("two lengths", ("Content-Length: 0", "Content-Length: 40")),
    ("a length and chunks", ("Content-Length: 4",
                             "Transfer-Encoding: chunked")),
)
SMUGGLED = b"0\r\n\r\nGET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


def odd_requests_are_answered_and_harm_nobody():
    with Daemon(LAB.config()) as daemon:
        for what, path, status in ODD:
            said = said_to(daemon, request(path, "Connection: close"))
            assert said.startswith(b"HTTP/1.1" + status), (what, said[:200])
        flood = [f"X-{n}: y" for n in range(5000)]
        for headers in (flood, ["X: " + 100000 * "y"]):
            said = said_to(daemon, request("/healthz", *headers))
            assert b" 431 " in said[:20], said[:200]
        for host in ("", "Host : localhost"):
            said = said_to(daemon, request("/healthz", host=host))
            assert b" 400 " in said[:20], said[:200]
        assert answers(daemon)


def no_request_hides_in_another():
    with Daemon(LAB.config()) as daemon:
        for what, headers in AMBIGUOUS:
            for method in ("GET", "POST"):
                said = said_to(daemon, request(
                    "/healthz", *headers, method=method) + SMUGGLED)
                assert said.startswith(b"HTTP/1.1 400 "), (what, said[:200])
                assert b"problem:ambiguous" in said, (what, said)
                same(said.count(b"HTTP/1.1 "), 1, f"answers to {what}")


def pipelined_requests_are_answered_in_turn():
    with Daemon(LAB.config()) as daemon:
        said = said_to(daemon, 50 * request("/healthz") + request(
            "/v1/status", "Connection: close"))
        same(said.count(b"HTTP/1.1 200 OK"), 51, "answers")
        assert said.rindex(b"HTTP/1.1 200 OK") < said.index(b'"node"'), said


def head_has_the_headers_and_no_body():
    with Daemon(LAB.config()) as daemon:
        for path in ("/", "/v1/status", "/v1/phones", "/v1/events",
                     "/metrics", "/v1/nothing"):
            said = said_to(daemon, request(
                path, "Connection: close", method="HEAD"))
            head, _, body = said.partition(b"\r\n\r\n")
            same(body, b"", path)
            assert b"Content-Type: " in head, (path, head)


def lists_of_etags_are_read_whatever_they_hold():
    with Daemon(LAB.config()) as daemon:
        tag = said_to(daemon, request(
            "/healthz", "Connection: close")).split(b"ETag: ")[1].split(
                b"\r\n")[0].decode()
        many = ", ".join(f'"{n}"' for n in range(1000))
        for known, status in (
                (f"{many}, {tag}", 304), (f"{tag}, {many}", 304),
                (f"W/{tag}", 304), ("*", 304), (many, 200), (",,,\"", 200),
                (tag[:-1], 200), (f"{tag[:-1]}x\"", 200), ("\xff", 200)):
            said = said_to(daemon, request(
                "/healthz", f"If-None-Match: {known}", "Connection: close"))
            assert said.startswith(f"HTTP/1.1 {status} ".encode()), (
                known[:80], said[:200])


def a_thousand_readers_of_events_leave_the_plane_alive():
    with Daemon(LAB.config()) as daemon:
        told, others = 0, set()
        crowd = []
        for _ in range(1000):
            one = tcp(daemon.port("status", "http"))
            one.settimeout(DEADLINE_S)
            one.sendall(request("/v1/events"))
            said = one.recv(12)
            told += said == b"HTTP/1.1 200"
            others.add(said)
            if said == b"HTTP/1.1 200":
                crowd.append(one)  # and never reads on
            else:
                one.close()
        same((told, others), (16, {b"HTTP/1.1 200", b"HTTP/1.1 503"}),
             "readers that are served, and what the others are told")
        assert answers(daemon)
        for one in crowd:
            one.close()


def facts():
    yield fact("four hundred silent clients do not hang the plane",
               crowd_leaves_the_plane_alive, False)
    yield fact("four hundred trickling clients do not hang the plane",
               crowd_leaves_the_plane_alive, True)
    yield endless_body_is_refused_at_its_headers
    yield from (
        odd_requests_are_answered_and_harm_nobody,
        no_request_hides_in_another, pipelined_requests_are_answered_in_turn,
        head_has_the_headers_and_no_body,
        lists_of_etags_are_read_whatever_they_hold,
        a_thousand_readers_of_events_leave_the_plane_alive)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
