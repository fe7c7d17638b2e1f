# SPDX-License-Identifier: Apache-2.0
"""Phones that come back: resumed, over workers, over the death of it all."""
import ssl
import sys

from clients import context, tcp
from daemon import Daemon
from harness import fact, quiet_port, same, tap
from lab import Lab, listener

LAB = Lab()
PHONES = 8
OLD = {"profile": "legacy", "null_cipher": True}
# Version, options and ciphers of the phones; what the listener offers.
MODES = {
    "TLS 1.2 session id": ("1.2", ssl.OP_NO_TICKET, None, {}),
    "TLS 1.2 ticket": ("1.2", 0, None, {}),
    "TLS 1.3 PSK": ("1.3", 0, None, {}),
    "TLS 1.0 session id": ("1.0", ssl.OP_NO_TICKET, "AES256-SHA", OLD),
    "TLS 1.0 ticket": ("1.0", 0, "AES128-SHA", OLD),
    "NULL-SHA session id": ("1.0", ssl.OP_NO_TICKET, "NULL-SHA", OLD),
    "NULL-SHA ticket": ("1.2", 0, "NULL-SHA", OLD),
}


def visit(daemon, made, session=None):
    """Connects, says hello, goes: was it resumed, and the next session."""
    with tcp(daemon.port("sip")) as raw, \
            made.wrap_socket(raw, session=session) as connection:
        connection.sendall(b"\r\n\r\n")
        same(connection.recv(2), b"\r\n")
        return connection.session_reused, connection.session


NAMES = [f"SEP0200000000{i:02X}" for i in range(PHONES)]


def contexts(mode):
    version, options, ciphers, _ = MODES[mode]
    made = []
    for name in NAMES:
        one = context(LAB.phone(name), version)
        one.options |= options
        if ciphers:
            one.set_ciphers(ciphers + ":@SECLEVEL=0")
        made.append(one)
    return made


def kept(port, status, offer, mode):
    """A configuration whose keys and sessions outlive the process, and where
    phones that come like this may register."""
    profile = "authenticated" if mode.startswith("NULL") else "encrypted"
    return LAB.config(
        devices={name: {"profile": profile} for name in NAMES},
        workers=2, status={"port": status},
        listeners=[listener("sip", "tls", port, **offer)],
        tls={"ticket_keys": "ticket.keys", "session_cache": "sessions"})


def they_resume_after(end, mode):
    """As after a power cut, and as after an upgrade: stopped, started."""
    port, status = quiet_port(), quiet_port()
    phones = contexts(mode)
    offer = MODES[mode][3]
    with Daemon(kept(port, status, offer, mode)) as daemon:
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
    with Daemon(kept(port, status, offer, mode)) as daemon:
        for one, session in zip(phones, sessions):
            same(visit(daemon, one, session)[0], True, f"after {end}")
        same(daemon.get("/v1/status")["connections"]["resumed"], PHONES)


def who_is_offered_other_things_starts_anew():
    """The same port, but what was allowed there is not any more."""
    port, status = quiet_port(), quiet_port()
    for mode, ciphers in (("NULL-SHA ticket", "NULL-SHA:AES128-SHA"),
                          ("TLS 1.2 ticket", "AES128-SHA")):
        one = contexts(mode)[0]
        with Daemon(kept(port, status, OLD, mode)) as daemon:
            _, session = visit(daemon, one)
            same(visit(daemon, one, session)[0], True, mode)
        one.set_ciphers(ciphers + ":@SECLEVEL=0")
        for offer in ({}, {"profile": "legacy"}, {"ciphers": "all-rsa"}):
            with Daemon(kept(port, status, offer, mode)) as daemon:
                same(visit(daemon, one, session)[0], False, f"{mode} {offer}")
                offered = daemon.get("/v1/status")["resumption"]["offered"]
                same(offered["other-listener"], 1, f"{mode} {offer}")


def in_memory_only_ends_with_the_process():
    port, status = quiet_port(), quiet_port()
    fixed = LAB.config(listeners=[listener("sip", "tls", port)],
                       status={"port": status})
    one = contexts("TLS 1.2 ticket")[0]
    with Daemon(fixed) as daemon:
        _, session = visit(daemon, one)
        same(visit(daemon, one, session)[0], True)
    with Daemon(fixed) as daemon:
        same(visit(daemon, one, session)[0], False)


def off_is_off():
    with Daemon(LAB.config(
            tls={"resumption": "off"},
            listeners=[listener("sip", **OLD)])) as daemon:
        for mode in MODES:
            one = contexts(mode)[0]
            _, session = visit(daemon, one)
            same(visit(daemon, one, session)[0], False, mode)


if __name__ == "__main__":
    sys.exit(tap.run(
        *(fact(f"they resume after {end}: {mode}", they_resume_after, end,
               mode) for end in ("kill -9", "SIGTERM") for mode in MODES),
        who_is_offered_other_things_starts_anew,
        in_memory_only_ends_with_the_process,
        off_is_off))
