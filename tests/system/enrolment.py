# SPDX-License-Identifier: Apache-2.0
"""A place where phones enrol: daemon, admin, and what a phone keeps."""
import copy
import re

from admin import LAB, Admin, config
from clients import Report
from daemon import Daemon
from harness import DIALTONE, LOOPBACK, PHONE, good, run, same, tap, wait_until
from lab import listener

DEVICE = "SEP0200000000E1"
# Profile's key order, its option, the size, and how the ledger writes it.
KEYS = {"RSA": ("RSA Only", "--rsa-bits", 2048, "RSA-2048"),
        "EC": ("EC Only", "--ec-bits", 384, "P-384")}


class Place:
    """A daemon with CAPF, its admin, a device, and what its phone keeps."""

    made = 0

    def __init__(self, key="RSA", **changes):
        self._key, self._profiles = key, set()
        self._have(DEVICE)
        changes.setdefault("registration", {"unknown": "refuse"})
        self._config = config(
            listeners=[*LAB.base["listeners"],
                       listener("capf", profile="legacy")],
            capf={"folder": f"capf-{Place.made}"},
            trust={"capf": "CAPF-trust"}, **changes)
        self._start()

    def _have(self, device):
        Place.made += 1
        self.device = device
        self.flash = LAB.path(f"flash-{Place.made}")

    def another(self, key="EC"):
        """This place, for a device that was never there."""
        made = copy.copy(self)
        made._have(f"SEP02000002{Place.made:04X}")
        made.add(made.device, key=key)
        return made

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
        self.add(self.device, key=self._key)
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def add(self, *names, key):
        order, bits, number, _ = KEYS[key]
        if key not in self._profiles:
            self.admin.say("profile", "add", f"keys-{key}", "--mode",
                           "encrypted", "--key-order", order, bits, number)
            self._profiles.add(key)
        for name in names:
            self.admin.say("device", "add", name, "--profile", f"keys-{key}")

    def order(self, what, *words, name=None):
        return self.admin.say("capf", what, name or self.device,
                              "--no-reset", *words)

    def show(self, name=None):
        return self.admin.json("capf", "show", name or self.device)

    def explain(self, name=None):
        """As one line."""
        return " ".join(good(DIALTONE, "--url", self.daemon.url, "explain",
                             name or self.device).split())

    def ledger(self, name=None):
        return self.admin.json("capf", "ledger", "--device",
                               name or self.device)["ledger"]

    def words(self, *words):
        return ["--capf", f"{LOOPBACK}:{self.daemon.port('capf')}",
                "--capf-retry-ms", "50", "--lab", LAB.dir, *words]

    def visit(self, *words, device=None):
        """One visit, of the phone with the flash."""
        done = run(PHONE, "--json", "--until", "enrolled", "--flash",
                   self.flash, "--device", device or self.device,
                   *self.words(*words))
        return Report(done.stdout, done.stderr, done.returncode)

    def enrolled(self, *words):
        """A visit that ends well."""
        report = self.visit(*words)
        same((report.code, report.only["capf"]["outcome"]), (0, "success"),
             report.console)
        return report

    def status_is(self, status, state="done", name=None):
        def settled():
            shown = self.show(name)
            return (shown["operationStatus"], shown["state"]) == \
                (status, state)
        try:
            wait_until(f"{name or self.device}: {status}, {state}", settled)
        except AssertionError as late:
            raise AssertionError(
                f"{late}; it is {self.show(name)}") from None

    def holds_its_lsc(self, report, states=("installed",), name=None):
        """The phone's LSC is the one that the ledger has as installed."""
        rows = sorted(self.ledger(name), key=lambda r: r["state"])
        same(sorted(r["state"] for r in rows), sorted(states))
        [row] = [r for r in rows if r["state"] == "installed"]
        same(int(report.phones[name or self.device]["capf"]["lsc"], 16),
             int(row["serial"], 16), "serial number in flash and ledger")
        return row


def run_at_one_place(facts):
    """All facts(place) with one daemon; the exit status."""
    with Place() as place:
        status = tap.run(*facts(place))
        if status:
            place.daemon.say()
        return status


def string_of(place, *words):
    """Orders an install; the authentication string."""
    said = place.order("install", "--mode", "string", *words)
    found = re.search(rf"{place.device}\D+(\d{{4,10}})\b", said)
    assert found, said
    return found.group(1)
