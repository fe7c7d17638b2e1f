# SPDX-License-Identifier: Apache-2.0
"""A place where phones enrol: daemon, admin, and what a phone keeps."""
import re

from admin import LAB, Admin, config
from clients import Report
from daemon import Daemon
from harness import DIALTONE, LOOPBACK, PHONE, good, run, same, wait_until
from lab import listener

DEVICE = "SEP0200000000E1"
# Profile's key order, its option, the size, and how the ledger writes it.
KEYS = {"RSA": ("RSA Only", "--rsa-bits", 2048, "RSA-2048"),
        "EC": ("EC Only", "--ec-bits", 384, "P-384")}


class Place:
    """A daemon with CAPF, its admin, a device, and what its phone keeps."""

    made = 0

    def __init__(self, key="RSA", **changes):
        Place.made += 1
        self._key = key
        self.flash = LAB.path(f"flash-{Place.made}")
        changes.setdefault("registration", {"unknown": "refuse"})
        self._config = config(
            listeners=[*LAB.base["listeners"],
                       listener("capf", profile="legacy")],
            capf={"folder": f"capf-{Place.made}"},
            trust={"capf": "CAPF-trust"}, **changes)
        self._start()

    def _start(self):
        self.daemon = Daemon(self._config)
        self.admin = Admin(self.daemon)

    def kill(self):
        """kill -9, and another daemon in its place."""
        with self.daemon as dying:
            dying.kill()
        self._start()

    def __enter__(self):
        self.daemon.__enter__()
        self.add(DEVICE, key=self._key)
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def add(self, *names, key):
        order, bits, number, _ = KEYS[key]
        self.admin.say("profile", "add", f"keys-{key}", "--mode", "encrypted",
                       "--key-order", order, bits, number)
        for name in names:
            self.admin.say("device", "add", name, "--profile", f"keys-{key}")

    def order(self, what, *words, name=DEVICE):
        return self.admin.say("capf", what, name, "--no-reset", *words)

    def show(self, name=DEVICE):
        return self.admin.json("capf", "show", name)

    def explain(self, name=DEVICE):
        """As one line."""
        return " ".join(good(DIALTONE, "--url", self.daemon.url, "explain",
                             name).split())

    def ledger(self, name=DEVICE):
        return self.admin.json("capf", "ledger", "--device", name)["ledger"]

    def words(self, *words):
        return ["--capf", f"{LOOPBACK}:{self.daemon.port('capf')}",
                "--capf-retry-ms", "50", "--lab", LAB.dir, *words]

    def visit(self, *words, device=DEVICE):
        """One visit, of the phone with the flash."""
        done = run(PHONE, "--json", "--until", "enrolled", "--flash",
                   self.flash, "--device", device, *self.words(*words))
        return Report(done.stdout, done.stderr, done.returncode)

    def enrolled(self, *words):
        """A visit that ends well."""
        report = self.visit(*words)
        same((report.code, report.only["capf"]["outcome"]), (0, "success"),
             report.console)
        return report

    def status_is(self, status, state="done", name=DEVICE):
        def settled():
            shown = self.show(name)
            return (shown["operationStatus"], shown["state"]) == \
                (status, state)
        try:
            wait_until(f"{name}: {status}, {state}", settled)
        except AssertionError as late:
            raise AssertionError(f"{late}; it is {self.show(name)}") from None

    def holds_its_lsc(self, report, states=("installed",), name=DEVICE):
        """The phone's LSC is the one that the ledger has as installed."""
        rows = sorted(self.ledger(name), key=lambda r: r["state"])
        same(sorted(r["state"] for r in rows), sorted(states))
        [row] = [r for r in rows if r["state"] == "installed"]
        same(int(report.phones[name]["capf"]["lsc"], 16),
             int(row["serial"], 16), "serial number in flash and ledger")
        return row


def string_of(place, *words):
    """Orders an install; the authentication string."""
    said = place.order("install", "--mode", "string", *words)
    found = re.search(rf"{DEVICE}\D+(\d{{4,10}})\b", said)
    assert found, said
    return found.group(1)
