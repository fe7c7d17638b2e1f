# SPDX-License-Identifier: Apache-2.0
"""A registration ends with its connection, its expiry or its keepalive."""
import sys

from clients import PROTOCOLS, Phones, call, credential_words
from daemon import Daemon
from harness import DEADLINE_S, fact, same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"

KEEPALIVE_S, EXPIRES_S = 5, 25  # the least that the configuration takes
LATE_S = 10  # what a refresh that comes late is given


def words(device):
    return credential_words(LAB.phone(device))


def ends_with_its_connection(protocol):
    with Daemon(LAB.config()) as daemon:
        call(daemon, protocol, *words(DEVICE), "--no-unregister") \
            .outcome("registered")
        phone = daemon.wait_phone(DEVICE, "unregistered")
        event = daemon.wait_event("unregistered", device=DEVICE)
    same(phone["reason"], {"space": "unregistration", "code": 6,
                           "name": "connectivityError"})
    same(event.fields["reason"], "connectivityError(6)")


def gone_by_silence(daemon, phone, why):
    same(phone["reason"], {"space": "unregistration", "code": 13,
                           "name": "keepAliveTimeout"})
    event = daemon.wait_event("unregistered", device=phone["name"])
    same((event.fields["reason"], event.fields["why"]),
         ("keepAliveTimeout(13)", why))


def silent_phones_are_gone_in_time():
    """Both at once: one waits 3 keepalives, the other its expiry."""
    config = LAB.config(sccp={"keepalive_s": KEEPALIVE_S},
                        sip={"expires_s": EXPIRES_S})
    with Daemon(config) as daemon:
        with Phones(daemon, "sccp", *words("SEP0200000000C1")) as sccp, \
                Phones(daemon, "sip", *words("SEP0200000000D1")) as sip:
            daemon.wait_registered(2)
            sccp.freeze()
            sip.freeze()
            phone = daemon.wait_phone("SEP0200000000C1", "unregistered",
                                      3 * KEEPALIVE_S + DEADLINE_S)
            gone_by_silence(daemon, phone, "sccp-keepalive-timeout")
            phone = daemon.wait_phone("SEP0200000000D1", "unregistered",
                                      EXPIRES_S + LATE_S + DEADLINE_S)
            gone_by_silence(daemon, phone, "sip-expired")


if __name__ == "__main__":
    sys.exit(tap.run(
        *(fact(f"{p.upper()} registration ends with its connection",
               ends_with_its_connection, p) for p in PROTOCOLS),
        silent_phones_are_gone_in_time))
