# SPDX-License-Identifier: Apache-2.0
"""Old phones make their keys for a whole run, and others register meanwhile.

DIALTONE_CAPF_PHONES: how many make keys; DIALTONE_OTHER_PHONES: how many
register and come again; DIALTONE_CAPF_SECONDS: for how long.
"""
import json
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from admin import LAB
from clients import PROTOCOLS
from enrolment import Place
from harness import (BUILD, LOOPBACK, PHONE, SANITIZER, SLOW, good, same, tap,
                     wait_until)

STORM = os.path.join(BUILD, "bench", "dialtone-storm")
MAKING = int(os.environ.get("DIALTONE_CAPF_PHONES", 20))
OTHERS = int(os.environ.get("DIALTONE_OTHER_PHONES", 100))
SECONDS = int(os.environ.get("DIALTONE_CAPF_SECONDS", 3))
# Of both protocols together; each phone comes again and again.
RATE = OTHERS // 5 if SANITIZER is None else 10
FIRST = {"capf": "SEP0200000A0000", "sccp": "SEP0200000B0000",
         "sip": "SEP0200000C0000"}
# Longer than the others' first visits and their run.
KEYGEN_S = SECONDS + 15 + 4 * SLOW + OTHERS // 50


def numbered(service, count):
    first = int(FIRST[service][3:], 16)
    return [f"SEP{first + i:012X}" for i in range(count)]


def storm(place, protocol):
    """Half of the others come, go and come again; the report."""
    return json.loads(good(
        STORM, "--quiet", "--json", "-", "--protocol", protocol, "--server",
        f"{LOOPBACK}:{place.daemon.port(protocol)}", "--lab", LAB.dir,
        "--device", FIRST[protocol], "--phones", OTHERS // 2, "--key", "p256",
        "--rate", max(1, RATE // 2), "--seconds", SECONDS, "--patience",
        min(20 * SLOW, 120), timeout=SECONDS + 60 * SLOW))


def others_register(place, what):
    """How long it took them, in ms; none was refused."""
    with ThreadPoolExecutor(len(PROTOCOLS)) as pool:
        reports = list(pool.map(lambda p: storm(place, p), PROTOCOLS))
    took = {}
    for protocol, report in zip(PROTOCOLS, reports):
        arrivals = report["arrivals"]
        same((arrivals["registered"], arrivals["failed"],
              arrivals["retries"], report["told_to_wait"]["count"]),
             (arrivals["planned"], 0, 0, 0), f"{protocol}, {what}: {report}")
        took[protocol] = {key: report["latency_ms"]["all"][key]
                          for key in ("p50", "p99", "max")}
        tap.remark(f"{protocol}, {what}: {arrivals['registered']} "
                   f"registrations, ms {took[protocol]}")
    return took


class Fleet:
    """Phones that all make a key; `with` them."""

    def __init__(self, place):
        self._words = place.words(
            "--auth", "null", "--until", "enrolled", "--device",
            FIRST["capf"], "--count", MAKING, "--keygen-time", KEYGEN_S,
            "--timeout", KEYGEN_S + 60 * SLOW, "--json")

    def __enter__(self):
        self.process = subprocess.Popen(
            [str(w) for w in (PHONE, *self._words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def summary(self):
        out, _ = self.process.communicate(timeout=KEYGEN_S + 60 * SLOW)
        return json.loads(out.splitlines()[-1])["summary"]["capf"]


def they_do_not_disturb_each_other():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2 * OTHERS + 1000:
        raise tap.Skip("the limit of open files is too low for it")
    limits = {"half_open_per_address": 2 * (MAKING + OTHERS),
              "connections": 8 * (MAKING + OTHERS)}
    with Place(limits=limits, registration={"unknown": "lsc"}) as place:
        names = numbered("capf", MAKING)
        place.add(names[0], key="EC")
        place.admin.say("device", "import", *place.admin.import_text(
            "name,profile\n" + "".join(f"{n},keys-EC\n" for n in names[1:])))
        place.admin.say("capf", "install", *names, "--mode", "null",
                        "--no-reset")
        alone = others_register(place, "alone")

        def making():
            return place.daemon.get("/v1/capf")["makingKeys"]
        with Fleet(place) as fleet:
            wait_until("all to make keys", lambda: making() == MAKING)
            cpu = place.daemon.cpu_seconds()
            beside = others_register(place, "beside keys that are made")
            cpu = place.daemon.cpu_seconds() - cpu
            same(making(), MAKING, "phones that still make a key")
            tap.remark(f"{MAKING} keys, {OTHERS} others, {SECONDS} s: "
                       f"{cpu:.1f} s of the daemon's processor time, "
                       f"{place.daemon.descriptors()} descriptors")
            summary = fleet.summary()
        for protocol in PROTOCOLS:
            tap.remark(f"{protocol}, beside : alone: " + ", ".join(
                f"{key} {took / alone[protocol][key]:.2f}"
                for key, took in beside[protocol].items()))
        same((summary["visits"], summary["enrolled"], summary["delivered"]),
             (MAKING,) * 3, f"{summary}")
        have = [row["device"] for row in installed(place)]
        same(sorted(have), names, "who has an LSC")
        same(place.daemon.get("/v1/failures")["total"], 0, "refusals")


def installed(place):
    after = ""
    while after is not None:
        page = place.daemon.order(
            f"/v1/capf/ledger?state=installed&limit=1000&after={after}",
            "GET")
        yield from page["ledger"]
        after = page.get("next")


if __name__ == "__main__":
    sys.exit(tap.run(they_do_not_disturb_each_other))
