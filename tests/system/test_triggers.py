# SPDX-License-Identifier: Apache-2.0
"""What ends a session: six triggers, in each of the three ways to resume."""
import os
import shutil
import sys
import time

from authority import Authority
from clients import WAYS, Visitor
from daemon import Daemon
from harness import fact, same, tap
from lab import Lab

LAB = Lab()
ONE = Authority(LAB, "one", "CAPF-0badcafe")
DEVICE, OTHER = "SEP0200000000A1", "SEP0200000000B1"
STORE = "trust"
WENT_ON = ("resumed", "in")


def config(**changes):
    """CallManager-trust holds the lab's CAPF and ours."""
    shutil.copy(ONE.cert, LAB.store(STORE))
    return LAB.config(trust={"callmanager": STORE}, **changes)


def inside(*name):
    return LAB.path(STORE, *name)


def returning(daemon, credential):
    """A phone a way, each of them with a session that was resumed once."""
    phones = {way: Visitor(daemon, credential, way) for way in WAYS}
    for way, phone in phones.items():
        same(phone.come(), ("full", "in"), way)
        same(phone.come(), WENT_ON, way)
    return phones


def all_come(phones, expected):
    same({way: phone.come() for way, phone in phones.items()},
         dict.fromkeys(phones, expected))


def refused_by(daemon, verdict):
    """How many sessions resumption did not take for that reason."""
    return daemon.get("/v1/status")["resumption"]["offered"][verdict]


# ---- of its CA, and of its certificate ----

def a_ca_removed():
    with Daemon(config()) as daemon:
        ours = returning(daemon, ONE.issue(DEVICE))
        others = returning(daemon, LAB.phone(OTHER))
        os.unlink(inside("ca.pem"))
        daemon.reload()
        all_come(ours, ("full", "UNKNOWN_CA"))
        all_come(others, WENT_ON)
        same(refused_by(daemon, "anchor-gone"), len(WAYS))


def a_ca_replaced_under_its_name():
    twin = Authority(LAB, "twin", "CAPF-0badcafe")
    with Daemon(config()) as daemon:
        ours = returning(daemon, ONE.issue(DEVICE))
        others = returning(daemon, LAB.phone(OTHER))
        shutil.copy(twin.cert, inside("new"))
        os.rename(inside("new"), inside("ca.pem"))
        daemon.reload()
        all_come(ours, ("full", "UNKNOWN_CA"))
        all_come(others, WENT_ON)
        # Who has a new LSC of it comes in, and then resumes.
        returning(daemon, twin.issue(DEVICE))


def a_crl_that_arrives():
    with Daemon(config()) as daemon:
        credential = ONE.issue(DEVICE)
        ours = returning(daemon, credential)
        siblings = returning(daemon, ONE.issue(OTHER))
        others = returning(daemon, LAB.phone(OTHER))
        ONE.revoke(credential)
        ONE.write_crl(inside("one.crl"))
        daemon.reload()
        all_come(ours, ("full", "CERTIFICATE_REVOKED"))
        all_come(siblings, WENT_ON)
        all_come(others, WENT_ON)


def a_certificate_that_ends(seconds=2):
    """A slow machine needs more than the two seconds to get there."""
    ends = int(time.time()) + seconds
    with Daemon(config()) as daemon:
        others = returning(daemon, LAB.phone(OTHER))
        mortal = ONE.issue(DEVICE, ends)
        ours = {way: Visitor(daemon, mortal, way) for way in WAYS}
        before = {way: (phone.come(), phone.come())
                  for way, phone in ours.items()}
        if time.time() >= ends:
            return a_certificate_that_ends(2 * seconds)
        same(before, dict.fromkeys(WAYS, (("full", "in"), WENT_ON)))
        # The daemon's time() is up to a tick behind.
        time.sleep(ends - time.time() + 0.02)
        all_come(ours, ("full", "CERTIFICATE_EXPIRED"))
        all_come(others, WENT_ON)
        # The cache forgets on its own; the tickets were looked at.
        same(refused_by(daemon, "certificate-expired"), len(WAYS) - 1)
    return None


# ---- of its device ----

def inventory(daemon, **fields):
    """Two devices, the first of them like this."""
    for name, more in ((DEVICE, fields), (OTHER, {})):
        daemon.order(f"/v1/devices/{name}", "PUT", more)


def kept():
    """An inventory of its own, and nobody comes in without an entry."""
    shutil.rmtree(LAB.path("state"), ignore_errors=True)
    return config(state={"folder": "state"}, admin={"socket": "admin.sock"},
                  registration={"unknown": "refuse"})


def device_trigger(leaf, fields, order, rule):
    """What admission refuses now is not resumed, again and again."""
    with Daemon(kept()) as daemon:
        inventory(daemon, **fields)
        ours = returning(daemon, LAB.phone(DEVICE, leaf))
        others = returning(daemon, LAB.phone(OTHER))
        daemon.order(*order)
        for _ in range(2):  # nor is the session of that full handshake
            all_come(ours, ("full", "rejected"))
        all_come(others, WENT_ON)
        same(refused_by(daemon, "device-not-allowed"), 2 * len(WAYS))
        daemon.wait_failure(rule, device=DEVICE)
        # What is given back is as before, from the next handshake on.
        inventory(daemon, **fields)
        all_come(ours, WENT_ON)


def profile_edited():
    """Nothing of the device changed, but what its profile asks."""
    path = "/v1/profiles/office"
    with Daemon(kept()) as daemon:
        daemon.order(path, "PUT", {"mode": "encrypted"})
        inventory(daemon, profile="office")
        ours = returning(daemon, LAB.phone(DEVICE))
        others = returning(daemon, LAB.phone(OTHER))
        daemon.order(path, "PATCH", {"mode": "non-secure"})
        all_come(ours, ("full", "rejected"))
        all_come(others, WENT_ON)
        daemon.order(path, "PATCH", {"mode": "encrypted"})
        all_come(ours, WENT_ON)


def a_change_that_forbids_nothing_costs_nothing():
    with Daemon(kept()) as daemon:
        inventory(daemon)
        ours = returning(daemon, LAB.phone(DEVICE))
        daemon.order("/v1/profiles/office", "PUT", {"mode": "encrypted"})
        daemon.order(f"/v1/devices/{DEVICE}", "PATCH",
                     {"profile": "office", "description": "moved"})
        all_come(ours, WENT_ON)


GONE = (f"/v1/devices/{DEVICE}", "DELETE")


def changed(**fields):
    return f"/v1/devices/{DEVICE}", "PATCH", fields


# name, leaf, its device at first, the order, the rule that refuses it then
DEVICE_TRIGGERS = [
    ("device deleted, LSC", "lsc", {}, GONE, "unknown-device"),
    ("device deleted, MIC", "mic", {"mic": True}, GONE, "unknown-device"),
    ("profile changed to non-secure", "lsc", {},
     changed(profile="non-secure"), "security-mismatch"),
    ("profile changed to authenticated", "lsc", {},
     changed(profile="authenticated"), "invalid-cipher"),
    ("protocol changed", "lsc", {}, changed(protocol="sip"),
     "protocol-mismatch"),
    ("MIC not allowed any more", "mic", {"mic": True}, changed(mic=False),
     "mic-not-allowed"),
]

if __name__ == "__main__":
    sys.exit(tap.run(
        a_ca_removed, a_ca_replaced_under_its_name, a_crl_that_arrives,
        a_certificate_that_ends,
        *(fact(row[0], device_trigger, *row[1:]) for row in DEVICE_TRIGGERS),
        fact("profile itself changed", profile_edited),
        a_change_that_forbids_nothing_costs_nothing))
