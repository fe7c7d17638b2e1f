# SPDX-License-Identifier: Apache-2.0
"""Phones that come back: resumed, over workers, over the death of it all."""
import ssl
import sys

from clients import context, tcp
from daemon import Daemon
from harness import fact, same, tap
from lab import Lab, listener

LAB = Lab()
PHONES = 8
MODES = {
    "TLS 1.2 session id": ("1.2", ssl.OP_NO_TICKET),
    "TLS 1.2 ticket": ("1.2", 0),
    "TLS 1.3 PSK": ("1.3", 0),
}


def visit(daemon, made, session=None):
    """Connects, says hello, goes: was it resumed, and the next session."""
    with tcp(daemon.port("sip")) as raw, \
            made.wrap_socket(raw, session=session) as connection:
        connection.sendall(b"\r\n\r\n")
        same(connection.recv(2), b"\r\n")
        return connection.session_reused, connection.session


def contexts(mode):
    version, options = MODES[mode]
    made = []
    for i in range(PHONES):
        one = context(LAB.phone(f"SEP0200000000{i:02X}"), version)
        one.options |= options
        made.append(one)
    return made


def kept(port, status):
    """A configuration whose keys and sessions outlive the process."""
    return LAB.config(
        workers=2, status={"port": status},
        listeners=[listener("sip", "tls", port)],
        tls={"ticket_keys": "ticket.keys", "session_cache": "sessions"})


def they_resume_after(end, mode):
    """As after a power cut, and as after an upgrade: stopped, started."""
    with Daemon(LAB.config()) as daemon:
        port, status = daemon.port("sip"), daemon.port("status", "http")
    phones = contexts(mode)
    with Daemon(kept(port, status)) as daemon:
        sessions = []
        for one in phones:
            resumed, session = visit(daemon, one)
            same(resumed, False, "first visit")
            sessions.append(session)
        # Either worker takes them: what resumes is shared.
        for one, session in zip(phones, sessions):
            same(visit(daemon, one, session)[0], True, "second visit")
        if end == "kill -9":
            daemon.kill()
    with Daemon(kept(port, status)) as daemon:
        for one, session in zip(phones, sessions):
            same(visit(daemon, one, session)[0], True, f"after {end}")
        same(daemon.get("/v1/status")["connections"]["resumed"], PHONES)


def in_memory_only_ends_with_the_process():
    with Daemon(LAB.config()) as daemon:
        port, status = daemon.port("sip"), daemon.port("status", "http")
    fixed = LAB.config(listeners=[listener("sip", "tls", port)],
                       status={"port": status})
    one = contexts("TLS 1.2 ticket")[0]
    with Daemon(fixed) as daemon:
        _, session = visit(daemon, one)
        same(visit(daemon, one, session)[0], True)
    with Daemon(fixed) as daemon:
        same(visit(daemon, one, session)[0], False)


def off_is_off():
    with Daemon(LAB.config(tls={"resumption": "off"})) as daemon:
        for mode in MODES:
            one = contexts(mode)[0]
            _, session = visit(daemon, one)
            same(visit(daemon, one, session)[0], False, mode)


if __name__ == "__main__":
    sys.exit(tap.run(
        *(fact(f"they resume after {end}: {mode}", they_resume_after, end,
               mode) for end in ("kill -9", "SIGTERM") for mode in MODES),
        in_memory_only_ends_with_the_process,
        off_is_off))
