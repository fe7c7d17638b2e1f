# SPDX-License-Identifier: Apache-2.0
"""Bad input closes its own connection, by a named rule, and no other one."""
import struct
import sys
import threading
import time

import sccp
import sip
from clients import (call, client_hello, closed_by_peer, credential_words,
                     tcp, tls)
from daemon import Daemon
from harness import DEADLINE_S, SLOW, fact, holds, same, tap
from lab import Lab

LAB = Lab()
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"

# Long enough for a phone on a busy machine, short enough to wait for, and
# below the time that any message has to be whole in.
HANDSHAKE_MS = FIRST_MS = 1500 * max(2, min(SLOW, 4))
MESSAGE_MS = 10000
GAP_S = HANDSHAKE_MS / 30000


def config(**changes):
    return LAB.config(tls={"handshake_ms": HANDSHAKE_MS},
                      limits={"first_message_ms": FIRST_MS},
                      devices={DEVICE: {"profile": "non-secure"}}, **changes)


def served(daemon):
    """Others are, in both protocols."""
    for protocol in ("sccp", "sip"):
        call(daemon, protocol, *credential_words(LAB.phone(OTHER))) \
            .outcome("registered")


def refused(daemon, connection, rule, answer=None, **fields):
    """The connection is closed by that rule, which is said and logged."""
    said = closed_by_peer(connection)
    failure = daemon.wait_failure(rule, **fields)
    logged = daemon.wait_event("refused", rule=rule)
    assert failure["why"] and failure["cure"], failure
    same(logged.fields["why"], failure["why"], "why in the log")
    if answer is not None:
        holds(said.decode(errors="replace"), answer)
    served(daemon)


# ---- bytes ----

TOO_LONG_SIP = (b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch="
                b"z9hG4bK1\r\nFrom: <sip:1@x>;tag=1\r\nTo: <sip:1@x>\r\n"
                b"Call-ID: 1\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
                b"Content-Length: %s\r\n\r\n")
NO_LENGTH = b"\r\n".join(
    line for line in (TOO_LONG_SIP % b"0").split(b"\r\n")
    if not line.startswith(b"Content-Length"))


def bytes_of(message):
    return message if isinstance(message, bytes) else message()


# name, service, bytes, rule, and what the answer holds
BYTES = [
    ("frame of length 3", "sccp", struct.pack("<III", 3, 0, 0),
     "sccp-length-under-4", ""),
    ("frame longer than the cap", "sccp", struct.pack("<III", 4097, 0, 0x20),
     "sccp-frame-too-long", ""),
    ("frame of 4 GB", "sccp", struct.pack("<III", 0xFFFFFFFF, 0, 0x20),
     "sccp-frame-too-long", ""),
    ("version that no phone has", "sccp", struct.pack("<III", 4, 0x4000, 0),
     "sccp-lost-framing", ""),
    ("Register too short", "sccp", sccp.frame(sccp.REGISTER, bytes(35)),
     "sccp-register-too-short", None),
    ("SIP to an SCCP port", "sccp", TOO_LONG_SIP % b"0",
     "sccp-frame-too-long", ""),
    ("header without end", "sip", b"REGISTER sip:x SIP/2.0\r\nX: "
     + b"x" * 9000, "sip-head-too-long", "SIP/2.0 513 "),
    ("line without end", "sip", b"x" * 9000, "sip-head-too-long", None),
    ("message longer than the cap", "sip", TOO_LONG_SIP % b"12000",
     "sip-message-too-long", "SIP/2.0 413 "),
    ("Content-Length of 20 digits", "sip",
     TOO_LONG_SIP % b"99999999999999999999", "sip-message-too-long",
     "SIP/2.0 413 "),
    ("no Content-Length", "sip", NO_LENGTH, "sip-bad-content-length",
     "SIP/2.0 400 "),
    ("negative Content-Length", "sip", TOO_LONG_SIP % b"-1",
     "sip-bad-content-length", "SIP/2.0 400 "),
    ("bare line feeds", "sip", (TOO_LONG_SIP % b"0").replace(b"\r", b""),
     "sip-bad-line-end", "SIP/2.0 400 "),
    ("SCCP to a SIP port", "sip", sccp.register(DEVICE) + b"\r\n",
     "sip-not-sip", None),
    ("HTTP to a SIP port", "sip", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
     "sip-not-sip", None),
]


def bad_bytes(service, message, rule, answer):
    for transport in ("tls", "tcp"):
        with Daemon(config()) as daemon:
            port = daemon.port(service, transport)
            made = tls(port, LAB.phone(DEVICE)) if transport == "tls" \
                else tcp(port)
            with made as connection:
                connection.sendall(message)
                refused(daemon, connection, rule, answer, protocol=service,
                        transport=transport)


def bad_bytes_of_a_registered_phone_end_its_registration():
    with Daemon(config()) as daemon, \
            tls(daemon.port("sccp"), LAB.phone(OTHER)) as connection:
        sccp.Talk(connection).register(OTHER)
        daemon.wait_phone(OTHER, "registered")
        connection.sendall(struct.pack("<III", 20000, 0, 0x44))
        refused(daemon, connection, "sccp-frame-too-long", device=OTHER)
        same(daemon.phone(OTHER)["state"], "unregistered")


GARBAGE = [
    ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("plain SCCP", sccp.register(DEVICE)),
    ("zeros", bytes(64)),
    ("an SSLv2 hello", bytes.fromhex("802e0100020015000000100100800300800700c0"
                                     "06004002008004008000000400fefffe") +
     bytes(16)),
]


def garbage_instead_of_tls(data):
    for service in ("sccp", "sip"):
        with Daemon(config()) as daemon, \
                tcp(daemon.port(service)) as connection:
            connection.sendall(data)
            closed_by_peer(connection)
            failure = daemon.failures()[0]
            same((failure["stage"], failure["protocol"]), ("tls", service))
            assert failure["rule"] in ("tls-protocol", "tls-alert-sent"), \
                failure
            assert failure["why"] and failure["cure"], failure
            served(daemon)


# ---- time ----

def elapsed(since):
    return time.monotonic() - since


def closed_at(since, milliseconds):
    """Not before its deadline, and not long after."""
    late = elapsed(since) - milliseconds / 1000
    assert -0.1 < late < DEADLINE_S, f"{late:.3f} s after the deadline"


def silent_before_tls():
    with Daemon(config()) as daemon, tcp(daemon.port("sccp")) as connection:
        since = time.monotonic()
        closed_by_peer(connection)
        closed_at(since, HANDSHAKE_MS)
        refused(daemon, connection, "tls-handshake-late")


def silent_after_tls(service, rule):
    with Daemon(config()) as daemon, \
            tls(daemon.port(service), LAB.phone(DEVICE)) as connection:
        since = time.monotonic()
        closed_by_peer(connection)
        closed_at(since, FIRST_MS)
        refused(daemon, connection, rule)


def silent_over_plain_tcp(service, rule):
    with Daemon(config()) as daemon, \
            tcp(daemon.port(service, "tcp")) as connection:
        since = time.monotonic()
        closed_by_peer(connection)
        closed_at(since, FIRST_MS)
        refused(daemon, connection, rule)


class Trickle:
    """Sends a byte now and then until the other side has had enough."""

    def __init__(self, connection, data):
        self.connection = connection
        self.data = data
        self.sent = 0
        assert len(data) * GAP_S * 1000 > 1.5 * FIRST_MS, "too few bytes"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            for byte in self.data:
                self.connection.sendall(bytes([byte]))
                self.sent += 1
                time.sleep(GAP_S)  # this is what it does, not a wait
        except OSError:
            pass

    def was_cut_off(self):
        """A deadline that each byte put off would have let it end."""
        self._thread.join(DEADLINE_S)
        assert 5 < self.sent < len(self.data), (
            f"{self.sent} of {len(self.data)} bytes were sent")


def trickled_handshake_has_one_absolute_deadline():
    with Daemon(config()) as daemon, tcp(daemon.port("sip")) as connection:
        since = time.monotonic()
        trickle = Trickle(connection, client_hello())
        closed_by_peer(connection)
        closed_at(since, HANDSHAKE_MS)
        trickle.was_cut_off()
        refused(daemon, connection, "tls-handshake-late")


def trickled_first_message_has_one_absolute_deadline(service, data, rule):
    with Daemon(config()) as daemon, \
            tcp(daemon.port(service, "tcp")) as connection:
        since = time.monotonic()
        trickle = Trickle(connection, data)
        closed_by_peer(connection)
        closed_at(since, FIRST_MS)
        trickle.was_cut_off()
        refused(daemon, connection, rule)


def trickled_later_message_is_late_too():
    """The registered phone that begins a message and never ends it."""
    with Daemon(config()) as daemon, \
            tls(daemon.port("sip"), LAB.phone(OTHER)) as connection:
        talk = sip.Talk(connection, OTHER)
        same(talk.ask(talk.register()).status, 200)
        since = time.monotonic()
        connection.sendall(talk.register()[:-20])
        said = closed_by_peer(connection, 20 * SLOW)
        holds(said.decode(), "SIP/2.0 400 ", "did not end in time")
        closed_at(since, MESSAGE_MS)
        refused(daemon, connection, "sip-message-late", device=OTHER)
        same(daemon.phone(OTHER)["state"], "unregistered")


def idle_connection_is_closed():
    """Silence is no fault, so only the log knows."""
    made = LAB.config(limits={"idle_ms": 1000}, log={"level": "debug"},
                      devices={DEVICE: {"profile": "non-secure"}})
    for service in ("sccp", "sip"):
        with Daemon(made) as daemon, \
                tcp(daemon.port(service, "tcp")) as connection:
            first = sccp.frame(sccp.KEEP_ALIVE) if service == "sccp" \
                else sip.Talk(connection, DEVICE).request("OPTIONS")
            connection.sendall(first)
            assert closed_by_peer(connection), "no answer to its first one"
            daemon.wait_event("closed", why=f"{service}-idle")


def flood_is_throttled():
    """Standby keepalives as fast as they go; each one is answered so far."""
    with Daemon(config()) as daemon, \
            tcp(daemon.port("sccp", "tcp")) as connection:
        try:
            for _ in range(400):
                connection.sendall(10 * sccp.frame(sccp.KEEP_ALIVE))
        except OSError:
            pass
        refused(daemon, connection, "sccp-throttled")


def facts():
    for name, service, message, rule, answer in BYTES:
        yield fact(f"{name} ends by {rule}", bad_bytes, service, message,
                   rule, answer)
    yield bad_bytes_of_a_registered_phone_end_its_registration
    for name, data in GARBAGE:
        yield fact(f"{name} instead of TLS is refused",
                   garbage_instead_of_tls, data)
    yield silent_before_tls
    yield fact("silent SCCP phone behind its handshake is closed",
               silent_after_tls, "sccp", "sccp-first-frame-late")
    yield fact("silent SIP phone behind its handshake is closed",
               silent_after_tls, "sip", "sip-first-message-late")
    yield fact("silent SCCP phone over TCP is closed",
               silent_over_plain_tcp, "sccp", "sccp-first-frame-late")
    yield fact("silent SIP phone over TCP is closed",
               silent_over_plain_tcp, "sip", "sip-first-message-late")
    yield trickled_handshake_has_one_absolute_deadline
    yield fact("trickled first SCCP frame has one absolute deadline",
               trickled_first_message_has_one_absolute_deadline, "sccp",
               sccp.register(DEVICE), "sccp-first-frame-late")
    yield fact("trickled first SIP message has one absolute deadline",
               trickled_first_message_has_one_absolute_deadline, "sip",
               TOO_LONG_SIP % b"0", "sip-first-message-late")
    yield trickled_later_message_is_late_too
    yield idle_connection_is_closed
    yield flood_is_throttled


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
