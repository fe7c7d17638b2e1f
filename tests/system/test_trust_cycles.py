# SPDX-License-Identifier: Apache-2.0
"""A CA comes and goes, again and again, while phones register.

usage: test_trust_cycles.py [CYCLES]  (a few in the suite; 10000 by hand)

Whose CA stayed is never refused. Whose CA went is never let in once the order
that took it was answered, neither by a full handshake nor by a session; and
while its CA is in, always. What the process holds is said at the beginning, in
the middle and at the end.
"""
import os
import ssl
import sys
import threading

import sip
from clients import context, tcp
from daemon import Daemon
from harness import SANITIZER, SLOW, same, tap
from lab import Lab

LAB = Lab()
STORE = "trust"
CYCLES = int(sys.argv[1]) if len(sys.argv) > 1 else 40
WARM = CYCLES // 10
# Traffic of phones whose CA stays, and of one whose CA does not.
STAYERS = [f"SEP0200000001{i:02X}" for i in range(3)]
GUEST = "SEP0200000002AA"
GROWTH_MAX = 4 << 20


class Traffic:
    """Registers phones, one after the other, until it is told to stop."""

    def __init__(self, daemon, faults):
        self.daemon = daemon
        self.faults = faults
        self.registered = self.resumed = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(device,))
                         for device in STAYERS]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, device):
        made = context(LAB.phone(device), "1.3")
        session = None
        while not self._stop.is_set():
            try:
                resumed, session = register(self.daemon, made, device,
                                            session)
            except (OSError, AssertionError) as fault:
                self.faults.append(f"{device}: {fault!r}")
                return
            self.registered += 1
            self.resumed += resumed
            # Every other time all of the handshake.
            session = session if self.registered % 2 else None


def register(daemon, made, device, session):
    with tcp(daemon.port("sip")) as raw, \
            made.wrap_socket(raw, session=session) as connection:
        talk = sip.Talk(connection, device)
        same(talk.ask(talk.register()).status, 200)
        return connection.session_reused, connection.session


def guest_is_let_in(daemon, made, session=None):
    """Whether, and the session."""
    try:
        return True, register(daemon, made, GUEST, session)[1]
    except (ssl.SSLError, ConnectionError):
        return False, None


def resident(daemon):
    return daemon.get("/v1/status")["memory"]["residentBytes"]


def cycle(daemon, made, number, faults):
    path = LAB.path(STORE, "guest.pem")
    with open(LAB.path("ca", "other-capf.pem"), "rb") as f:
        ca = f.read()
    with open(LAB.path(STORE, ".guest"), "wb") as f:
        f.write(ca)
    os.rename(f.name, path)
    same(daemon.order("/v1/trust/reload")["generation"], 2 * number)
    let_in, session = guest_is_let_in(daemon, made)
    if not let_in:
        faults.append(f"cycle {number}: refused with its CA in")
    os.unlink(path)
    same(daemon.order("/v1/trust/reload")["generation"], 2 * number + 1)
    for offered in (session, None):
        if guest_is_let_in(daemon, made, offered)[0]:
            faults.append(f"cycle {number}: let in after its CA went "
                          f"({'session' if offered else 'no session'})")


def a_ca_comes_and_goes_under_traffic():
    LAB.store(STORE)
    guest = context(LAB.phone(GUEST, "foreign"), "1.3")
    sizes, faults = [], []
    with Daemon(LAB.config(trust={"callmanager": STORE},
                           admin={"socket": "admin.sock"},
                           log={"level": "notice"})) as daemon:
        with Traffic(daemon, faults) as traffic:
            for number in range(1, CYCLES + 1):
                cycle(daemon, guest, number, faults)
                if number in (WARM, CYCLES // 2, CYCLES):
                    sizes.append(resident(daemon))
                if faults:
                    break
        same(faults, [])
        same(len(sizes), 3)
    tap.remark(f"{CYCLES} cycles; {traffic.registered} registrations of "
               f"phones that stayed, {traffic.resumed} resumed; resident "
               f"after {WARM}, {CYCLES // 2} and {CYCLES} cycles: "
               f"{sizes} bytes")
    assert traffic.registered > CYCLES, traffic.registered
    if SANITIZER is None:
        assert sizes[2] - sizes[0] < GROWTH_MAX * SLOW, sizes


if __name__ == "__main__":
    sys.exit(tap.run(a_ca_comes_and_goes_under_traffic))
