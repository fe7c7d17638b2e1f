# SPDX-License-Identifier: Apache-2.0
"""What happened to a device lasts: registered, lost, refused, replaced."""
import json
import os
import sys

from clients import Phones, call, credential_words
from daemon import Daemon
from harness import DIALTONE, good, holds, run, same, tap, wait_until
from lab import Lab

LAB = Lab()
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"


def history(daemon, name=DEVICE):
    status, body = daemon.fetch(f"/v1/phones/{name}/history")
    return json.loads(body)["events"] if status == 200 else []


def names(events):
    return [event["event"] for event in events]


def live_a_little(daemon):
    """In, out, and refused."""
    with Phones(daemon, "sip", *credential_words(LAB.phone(DEVICE))) as phone:
        daemon.wait_registered(1)
        phone.leave()
    daemon.wait_phone(DEVICE, "unregistered")
    for _ in range(3):
        call(daemon, "sccp", *credential_words(
            LAB.phone(DEVICE, "foreign"))).outcome("alert")
    wait_until("three refusals", lambda: any(
        f["count"] == 3 for f in daemon.failures()))


def what_happened_is_told_newest_first():
    with Daemon(LAB.config()) as daemon:
        live_a_little(daemon)
        refused, lost, registered = history(daemon)
        same(daemon.phone(DEVICE)["status"],
             {"space": "deviceStatus", "code": 4, "name": "rejected"})
    same(names((refused, lost, registered)), ["refused", "lost", "registered"])
    same((refused["rule"], refused["times"]), ("unknown-ca", 3))
    same(refused["reason"], {"space": "registrationFailure", "code": 10,
                             "name": "authenticationError"})
    same(lost["reason"]["name"], "deviceUnregistered")
    same((registered["protocol"], registered["transport"],
          registered["certificate"]["kind"]), ("sip", "tls", "LSC"))


def it_lasts_over_a_restart_and_a_kill():
    config = LAB.config(state={"folder": LAB.path("state")})
    with Daemon(config) as daemon:
        live_a_little(daemon)
    with Daemon(config) as daemon:
        before = history(daemon)
        same(names(before), ["refused", "lost", "registered"])
        call(daemon, "sip", *credential_words(LAB.phone(OTHER)))
        wait_until("the other's history", lambda: history(daemon, OTHER))
        daemon.kill()
    with Daemon(config) as daemon:
        same(history(daemon), before)
        assert history(daemon, OTHER), "what was asked for was written"


def the_table_fits_the_terminal():
    with Daemon(LAB.config()) as daemon:
        live_a_little(daemon)
        for columns in (80, 132):
            said = good(DIALTONE, "--url", daemon.url, "phone", "history",
                        DEVICE, env=dict(os.environ, COLUMNS=str(columns)))
            head, first, *rest = said.splitlines()
            assert max(map(len, said.splitlines())) <= columns, said
            holds(head, "AT", "EVENT", "FROM", "OVER", "WHY")
            holds(first, "refused x3", "unknown-ca", "sccp/tls")
            same(len(rest), 2, "rows more")
        asked = json.loads(good(DIALTONE, "--url", daemon.url, "--json",
                                "phone", "history", DEVICE))
        same(asked["events"], history(daemon))
        done = run(DIALTONE, "--url", daemon.url, "phone", "history", OTHER)
        same(done.returncode, 1)
        holds(done.stderr, "nothing is kept of a phone of this name")


def a_newer_connection_is_told_as_replacing():
    words = credential_words(LAB.phone(DEVICE))
    with Daemon(LAB.config()) as daemon:
        with Phones(daemon, "sccp", *words):
            daemon.wait_event("registered", device=DEVICE)
            mark = daemon.mark()
            with Phones(daemon, "sccp", *words):
                daemon.wait_event("registered", mark, device=DEVICE)
                found = names(history(daemon))
    same(found, ["registered", "replaced", "registered"])


def an_admins_order_is_told():
    changes = {"admin": {"socket": LAB.path("admin.sock")}}
    with Daemon(LAB.config(**changes)) as daemon, \
            Phones(daemon, "sccp", *credential_words(LAB.phone(DEVICE))):
        daemon.wait_registered(1)
        good(DIALTONE, "--url", daemon.url, "phone", "reset", DEVICE)
        found = wait_until("the order", lambda: next(
            (e for e in history(daemon) if e["event"] == "reset"), None))
    same(found["why"], "an admin's order")
    assert "address" not in found, found


if __name__ == "__main__":
    sys.exit(tap.run(
        what_happened_is_told_newest_first,
        it_lasts_over_a_restart_and_a_kill,
        the_table_fits_the_terminal,
        a_newer_connection_is_told_as_replacing,
        an_admins_order_is_told))
