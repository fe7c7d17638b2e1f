# SPDX-License-Identifier: Apache-2.0
"""Two thousand phones stay registered, and status answers meanwhile."""
import resource
import sys
import time

from clients import Phones
from daemon import Daemon
from harness import DEADLINE_S, SANITIZER, SLOW, same, tap, wait_until
from lab import Lab

LAB = Lab()
PHONES = 2000 if SANITIZER is None else 200
EACH = PHONES // 2
FIRST = {"sccp": "SEP0200000C0000", "sip": "SEP0200000D0000"}
KEEPALIVE_S = 5
EXPIRES_S = 25  # refreshed 5 s before
ASKED = 20
# All come at once, and their one process may have to share its core.
COMING_S = min(180 * SLOW, 600)


def figures(daemon, path):
    """How long an answer takes: the middle of them, and the slowest."""
    taken = []
    for _ in range(ASKED):
        since = time.monotonic()
        daemon.fetch(path)
        taken.append(1000 * (time.monotonic() - since))
    taken.sort()
    return (f"{path} with {PHONES} phones: {taken[len(taken) // 2]:.1f} ms "
            f"in the middle, {taken[-1]:.1f} ms at worst")


def fleet(daemon, protocol):
    return Phones(daemon, protocol, "--count", EACH, "--lab", LAB.dir,
                  "--device", FIRST[protocol], "--line", "200000",
                  "--rate", 400 // SLOW, "--timeout", COMING_S)


def heard_since(daemon, since):
    """Every phone, since then (a time as status has it)."""
    return all(phone["lastSeen"] > since
               for phone in daemon.get("/v1/phones")["phones"])


def counted(daemon):
    status = daemon.get("/v1/status")
    return {key: status["phones"][key] for key in
            ("known", "registered", "sccp", "sip", "tls", "lsc")}


ALL = {"known": PHONES, "registered": PHONES, "sccp": EACH, "sip": EACH,
       "tls": PHONES, "lsc": PHONES}


def they_stay_registered_through_keepalives_and_refreshes():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < PHONES + 500:
        raise tap.Skip("the limit of open files is too low for it")
    config = LAB.config(sccp={"keepalive_s": KEEPALIVE_S},
                        sip={"expires_s": EXPIRES_S},
                        # Whom it refuses does not come again.
                        limits={"half_open_per_address": PHONES,
                                "patience_ms": 1000 * COMING_S},
                        tls={"handshake_ms": 120000})
    began = time.monotonic()
    with Daemon(config) as daemon, fleet(daemon, "sccp") as sccp, \
            fleet(daemon, "sip") as sip:
        daemon.wait_registered(PHONES, COMING_S)
        tap.remark(f"all registered after {time.monotonic() - began:.1f} s")
        now = daemon.get("/v1/status")["now"]
        for path in ("/v1/status", "/v1/phones", "/v1/phones/"
                     + FIRST["sccp"]):
            tap.remark(figures(daemon, path))
        # An SCCP phone says KeepAlive, a SIP phone nothing but REGISTER.
        wait_until("keepalives and refreshes",
                   lambda: heard_since(daemon, now), EXPIRES_S + DEADLINE_S,
                   every=1)
        same(counted(daemon), ALL, "phones")
        same(daemon.events("unregistered"), [], "registrations that ended")
        same(daemon.get("/v1/failures")["total"], 0, "refusals")
        listed = daemon.get("/v1/phones")
        status = daemon.get("/v1/status")
        tap.remark(f"{status['memory']['residentBytes'] / PHONES / 1024:.1f} KB "
                   "resident a phone")
        reports = [phones.leave() for phones in (sccp, sip)]
        daemon.wait_registered(0)
    same(listed["count"], PHONES)
    names = [phone["name"] for phone in listed["phones"]]
    same(len(set(names)), PHONES, "names")
    same(names, sorted(names), "their order")
    for report in reports:
        same((report.code, report.summary["outcomes"]["registered"]),
             (0, EACH), f"{report.summary}")


if __name__ == "__main__":
    sys.exit(tap.run(they_stay_registered_through_keepalives_and_refreshes))
