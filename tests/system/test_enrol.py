# SPDX-License-Identifier: Apache-2.0
"""Phones' whole lives: MIC, CAPF, LSC, registrar, and another LSC."""
import os
import sys

from admin import LAB
from clients import PROTOCOLS, Phones
from enrolment import KEYS, run_at_one_place, string_of
from harness import LOOPBACK, PHONE, SLOW, fact, holds, run, same, tap, \
    wait_until
from lab import blocks, sha256_of

FLEETS = {protocol: [f"SEP0200000{letter}{i:04X}" for i in range(12)]
          for protocol, letter in zip(PROTOCOLS, "DE")}


# ---- the four ways, two kinds of keys ----

def prepared(place, mode):
    """Orders the install; what the phone is to be told."""
    if mode == "string":
        return ["--auth", "string", "--string", string_of(place)]
    if mode == "lsc":
        place.order("install", "--mode", "null")
        place.enrolled("--auth", "null")
    place.order("install", "--mode", mode)
    return ["--auth", mode]


def installs(at, mode, kind):
    place = at.another(kind)
    report = place.enrolled(*prepared(place, mode))
    place.status_is("Upgrade Success")
    before = ("replaced",) if mode == "lsc" else ()
    row = place.holds_its_lsc(report, ("installed", *before))
    same(row["key"], KEYS[kind][3])
    flash = os.path.join(place.flash, "lsc.pem")
    same(row["sha256"], sha256_of(flash))
    # And by that LSC it registers.
    done = run(PHONE, "--json", "--server",
               f"{LOOPBACK}:{place.daemon.port('sccp')}", "--device",
               place.device, "--lsc", flash)
    same(done.returncode, 0, done.stderr)


def as_an_old_phone(at, like):
    place = at.another("RSA")
    place.order("install", "--mode", "null")
    report = place.enrolled("--capf-version", 2, "--tls-max", "1.0",
                            "--capf-like", like, "--capf-progress",
                            "many")
    place.holds_its_lsc(report)
    place.status_is("Upgrade Success")


def version_2_has_no_ec(at):
    place = at.another()
    place.order("install", "--mode", "null")
    report = place.visit("--capf-version", 2)
    same((report.code, report.only["capf"]["reason"]), (1, 7))
    same(place.show()["reason"]["name"], "no-ec")
    same(place.ledger(), [])


def mic_to_registration(at, protocol):
    place = at.another()
    place.order("install", "--mode", "mic")
    with Phones(place.daemon, protocol, "--device", place.device,
                *place.words("--auth", "mic", "--flash", place.flash)) \
            as phones:
        shown = place.daemon.wait_phone(place.device, "registered")
        report = phones.leave()
    report.outcome("registered")
    same((shown["certificate"]["kind"], report.code), ("LSC", 0))
    row = place.holds_its_lsc(report)
    same(shown["certificate"]["serial"], row["serial"])
    said = report.console
    assert said.index("-CAPF_LSC:") < said.index("-REG_OK:"), said


def reset_phone_replaces_its_lsc(at, protocol):
    place = at.another()
    place.order("install", "--mode", "mic")
    with Phones(place.daemon, protocol, "--device", place.device,
                *place.words("--auth", "mic")) as phones:
        first = place.daemon.wait_phone(place.device, "registered")
        # This time it is told.
        place.admin.say("capf", "install", place.device, "--mode", "mic")

        def renewed():
            now = place.daemon.phone(place.device)
            return now.get("state") == "registered" and \
                now["certificate"]["serial"] != \
                first["certificate"]["serial"]
        wait_until("the phone to be back with another LSC", renewed)
        report = phones.leave(registered=2)
    report.outcome("registered")
    same((report.only["returns"], report.only["capf"]["visits"]), (1, 2))
    place.holds_its_lsc(report, ("installed", "replaced"))


# ---- delete and troubleshoot ----

def deletes(at):
    place = at.another()
    place.order("install", "--mode", "null")
    place.enrolled()
    place.order("delete", "--mode", "lsc")
    report = place.enrolled("--auth", "lsc")
    place.status_is("Delete Success")
    same((report.only["capf"]["removed"], report.only["capf"]["lsc"]),
         (True, None))
    same([r["state"] for r in place.ledger()], ["deleted"])
    same(os.path.exists(os.path.join(place.flash, "lsc.pem")), False)


def troubleshoots(at, like, expected):
    place = at.another()
    place.order("install", "--mode", "null")
    place.enrolled()
    place.order("troubleshoot", "--mode", "lsc")
    report = place.visit("--auth", "lsc", "--capf-like", like)
    same((report.code, report.only["capf"]["shown"]), (0, True),
         report.console)
    place.status_is("Troubleshoot Success")
    found = place.admin.json("phone", "cert", place.device)["certificates"]
    shown = {x["type"]: x["sha256"] for x in found
             if any("troubleshoot" in o["how"] for o in x["obtained"])}
    same(shown, {kind: sha256_of(os.path.join(
        place.flash, f"{kind.lower()}.pem")) for kind in expected})


# ---- what a phone cannot do, and what it is not believed ----

def fails_at(at, what, operation, ends, status):
    place = at.another()
    place.order("install", "--mode", "null")
    if operation != "install":
        place.enrolled()
        place.order(operation, "--mode", "null")
    report = place.visit("--fail-at", what)
    same(report.only["capf"]["outcome"], ends, report.console)
    place.status_is(status, "pending")
    # The next one can.
    place.visit()
    place.status_is(status.replace("Failed", "Success").split(":")[0])


def a_wrong_string_is_declined(at):
    place = at.another()
    right = string_of(place)
    wrong = right[:-1] + ("1" if right[-1] != "1" else "2")
    report = place.visit("--auth", "string", "--string", wrong)
    same((report.code, report.only["capf"]["reason"]), (1, 7))
    same(place.show()["reason"]["name"], "wrong-string")
    # The flash knows its mode.
    place.enrolled("--string", right)
    place.status_is("Upgrade Success")


def a_stranger_is_unknown(at):
    place = at.another()
    report = place.visit(device="SEP0200000000EE")
    same((report.code, report.only["capf"]["outcome"]),
         (1, "unknown-device"))


def nothing_pending_is_no_failure(at):
    place = at.another()
    report = place.visit()
    same((report.code, report.only["capf"]["outcome"]), (0, "no-action"))


def a_pinned_capf_is_verified(at):
    place = at.another()
    [root] = place.daemon.get("/v1/capf")["roots"]
    pinned = LAB.path("CAPF-trust", root["name"] + ".pem")
    same(len(blocks(pinned)), 1)
    place.order("install", "--mode", "null")
    report = place.visit("--pinned-capf", LAB.path("ca/other-capf.pem"))
    same((report.code, report.only["capf"]["outcome"],
          report.only["capf"]["visits"]), (1, "alert", 4))
    holds(report.console, "we refused the server")
    place.enrolled("--pinned-capf", pinned)


# ---- fleets ----

def a_fleet_enrols_and_is_renewed(place, protocol):
    fleet = FLEETS[protocol]
    place.add(*fleet, key="EC")
    place.admin.say("capf", "install", *fleet, "--mode", "lsc", "--no-reset")
    words = place.words("--auth", "lsc", "--shared-keys", 3, "--leaf",
                        "mic", "--device", fleet[0], "--count", len(fleet))
    with Phones(place.daemon, protocol, *words) as phones:
        place.daemon.wait_registered(len(fleet))
        place.admin.say("capf", "install", *fleet, "--mode", "lsc")
        wait_until("all LSCs to be replaced", lambda: set(fleet) <= {
            row["device"] for row in place.daemon.order(
                "/v1/capf/ledger?state=replaced", "GET")["ledger"]},
            seconds=60 * SLOW)
        place.daemon.wait_registered(len(fleet))
        report = phones.leave()
    same(report.code, 0, report.console)
    capf = report.summary["capf"]
    same((capf["enrolled"], capf["delivered"], capf["setbacks"]),
         (2 * len(fleet), 2 * len(fleet), {}))
    for name in fleet:
        place.holds_its_lsc(report, ("installed", "replaced"), name)


def facts(at):
    for mode in ("null", "string", "lsc", "mic"):
        for kind in KEYS:
            yield fact(f"phone gets an LSC over an {kind} key by {mode}",
                       installs, at, mode, kind)
    for like in ("cisco", "usecallmanager"):
        yield fact(f"TLS 1.0 and CAPF version 2 as {like} get an LSC",
                   as_an_old_phone, at, like)
    for protocol in PROTOCOLS:
        yield fact(f"from MIC to registration over {protocol}",
                   mic_to_registration, at, protocol)
        yield fact(f"{protocol} phone that is reset replaces its LSC",
                   reset_phone_replaces_its_lsc, at, protocol)
    yield fact("a Cisco phone shows LSC and MIC", troubleshoots, at, "cisco",
               ("LSC", "MIC"))
    yield fact("usecallmanager's client shows its LSC", troubleshoots, at,
               "usecallmanager", ("LSC",))
    # What ends the session then is CAPF's choice (specs capf 7).
    for row in (
            ("keygen", "install", "declined",
             "Upgrade Failed: Key Generation Failed/Timeout"),
            ("store", "install", "declined", "Upgrade Failed"),
            ("delete", "delete", "success", "Delete Failed"),
            ("fetch", "troubleshoot", "no-action", "Troubleshoot Failed")):
        yield fact(f"phone that fails at {row[0]}: {row[3]}", fails_at, at,
                   *row)
    for function in (version_2_has_no_ec, deletes,
                     a_wrong_string_is_declined, a_stranger_is_unknown,
                     nothing_pending_is_no_failure, a_pinned_capf_is_verified):
        yield fact(function.__name__, function, at)
    for protocol in PROTOCOLS:
        yield fact(f"a {protocol} fleet enrols, and is renewed by a reset",
                   a_fleet_enrols_and_is_renewed, at, protocol)


if __name__ == "__main__":
    sys.exit(run_at_one_place(facts))
