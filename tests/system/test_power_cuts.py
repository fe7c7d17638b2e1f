# SPDX-License-Identifier: Apache-2.0
"""Power is cut in the middle of a visit to CAPF, and the phone comes again."""
import os
import sys

from enrolment import run_at_one_place
from harness import fact, same, wait_until

# Those of an install, in order.
STEPS = ("connect", "tls", "auth-request", "auth-response", "key-request",
         "in-progress", "key-made", "key-response", "store-request",
         "stored", "store-response", "end-session")


def dies_and_comes_again(at, step):
    """Whatever was cut: in the end phone and ledger agree."""
    place = at.another()
    place.order("install", "--mode", "mic")
    report = place.visit("--auth", "mic", "--die-after", step)
    same((report.code, report.only["capf"]["outcome"]), (0, "died"),
         report.console)
    # The daemon has seen the connection end.
    wait_until("CAPF to be without visits", lambda: place.daemon.get(
        "/v1/capf")["visits"] == 0)
    had = os.path.join(place.flash, "lsc.pem")
    same(os.path.exists(had), STEPS.index(step) >= STEPS.index("stored"))
    if place.show()["state"] == "pending":
        report = place.enrolled()
    place.status_is("Upgrade Success")
    # Whom CAPF did not hear of made another key: the LSC of the first is
    # not the phone's any more.
    lost = step == "stored"
    place.holds_its_lsc(report, ("installed", "replaced") if lost
                        else ("installed",))


def dies_in_a_delete(at, step):
    place = at.another()
    place.order("install", "--mode", "null")
    place.enrolled()
    place.order("delete", "--mode", "mic")
    report = place.visit("--auth", "mic", "--die-after", step)
    same((report.code, report.only["capf"]["outcome"]), (0, "died"))
    wait_until("CAPF to be without visits", lambda: place.daemon.get(
        "/v1/capf")["visits"] == 0)
    if place.show()["state"] == "pending":
        place.enrolled()
    place.status_is("Delete Success")
    same([r["state"] for r in place.ledger()], ["deleted"])
    same(os.path.exists(os.path.join(place.flash, "lsc.pem")), False)


def facts(at):
    for step in STEPS:
        yield fact(f"power cut after {step}, and again: one LSC, one ledger",
                   dies_and_comes_again, at, step)
    for step in ("delete-request", "deleted", "delete-response"):
        yield fact(f"power cut after {step}, and again: deleted",
                   dies_in_a_delete, at, step)


if __name__ == "__main__":
    sys.exit(run_at_one_place(facts))
