# SPDX-License-Identifier: Apache-2.0
"""SIGTERM, SIGINT and SIGKILL: how the registrar ends, and comes back."""
import signal
import sys
import time

from clients import PROTOCOLS, Phones, credential_words, tcp
from daemon import Daemon
from harness import SLOW, fact, quiet_port, same, tap
from lab import Lab, listener

LAB = Lab()
DEVICES = {"sccp": "SEP0200000000A1", "sip": "SEP0200000000B1"}
HANDSHAKE_MS = 120000
END_S = min(10 * SLOW, 60)  # no handshake is waited for


def phones_of(daemon):
    return [Phones(daemon, protocol,
                   *credential_words(LAB.phone(DEVICES[protocol])))
            for protocol in PROTOCOLS]


def lost(phones):
    for one in phones:
        with one:
            one.wait().outcome("lost")


def ends_at_once(number):
    with Daemon(LAB.config(tls={"handshake_ms": HANDSHAKE_MS})) as daemon:
        phones = phones_of(daemon)
        with tcp(daemon.port("sip")):  # in the middle of its handshake
            daemon.wait_registered(2)
            since = time.monotonic()
            daemon.signal(number)
            same(daemon.process.wait(END_S), 0, "exit status")
        taken = time.monotonic() - since
        lost(phones)
        daemon.log.join()
        reasons = {e.fields["device"]: e.fields["reason"]
                   for e in daemon.events("unregistered")}
        same(len(daemon.events("stopped")), 1, "stopped")
    same(reasons, {device: "callManagerRestart(15)"
                   for device in DEVICES.values()})
    tap.remark(f"ended after {taken:.3f} s")


def phones_come_back_after_a_kill():
    config = LAB.config(listeners=[listener("sccp", port=quiet_port()),
                                   listener("sip", port=quiet_port())],
                        status={"port": quiet_port()})
    with Daemon(config) as daemon:
        phones = phones_of(daemon)
        daemon.wait_registered(2)
        daemon.kill()
        lost(phones)
    with Daemon(config) as daemon:
        same(daemon.registered(), 0, "phones known from nowhere")
        phones = phones_of(daemon)
        daemon.wait_registered(2)
        for one in phones:
            with one:
                one.leave().outcome("registered")


def a_reload_under_registrations_cuts_nobody():
    LAB.store("trust")
    with Daemon(LAB.config(trust={"callmanager": "trust"})) as daemon:
        phones = phones_of(daemon)
        daemon.wait_registered(2)
        for generation in range(2, 22):
            LAB.store("trust", *(["other-capf"] if generation % 2 == 0
                                 else []))
            daemon.reload()
            same(daemon.get("/v1/status")["trust"]["generation"], generation)
        same(daemon.registered(), 2)
        same(daemon.events("unregistered"), [])
        for one in phones:
            with one:
                one.leave().outcome("registered")


if __name__ == "__main__":
    sys.exit(tap.run(
        fact("SIGTERM ends it, phones or not", ends_at_once, signal.SIGTERM),
        fact("SIGINT ends it likewise", ends_at_once, signal.SIGINT),
        phones_come_back_after_a_kill,
        a_reload_under_registrations_cuts_nobody))
