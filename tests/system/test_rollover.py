# SPDX-License-Identifier: Apache-2.0
"""CAPF's root is replaced under a fleet: nobody is ever locked out.

DIALTONE_ROLLOVER_PHONES: how many phones; few, unless it says so.
"""
import contextlib
import hashlib
import json
import os
import shutil
import ssl
import sys
import time

import capf_client as capf
from admin import LAB, Admin, config, state_folder
from clients import Phones
from daemon import Daemon
from harness import (LOOPBACK, PHONE, SANITIZER, SLOW, holds, quiet_port,
                     run, same, tap, wait_until)
from lab import listener

PHONES = int(os.environ.get("DIALTONE_ROLLOVER_PHONES",
                            60 if SANITIZER is None else 20))
AWAY = PHONES // 10
FLEET_MAX = 3000
RATE = min(6000, max(600, PHONES * 6))  # a minute; 6000 is the most
LONG_S = 60 * SLOW + PHONES // 20
ONLINE, OFFLINE = "SEP0200000E0000", "SEP0200000F0000"
TWO = "SEP020000000A01", "SEP020000000A02"

# What may happen to a phone while the daemon is killed; a refusal may not.
OUTAGES = {"lost", "refused", "timeout"}


def numbered(first, count):
    return [f"SEP{int(first[3:], 16) + i:012X}" for i in range(count)]


def capf_config(ports=None, listeners_more=(), **changes):
    """With ports: those of an earlier run, for phones that know them."""
    services = [("sip", "tls"), ("capf", "tls"), *listeners_more]
    listeners = [listener(*s, port=(ports or {}).get(s[0], 0))
                 for s in services]
    changes.setdefault("capf", {})["folder"] = "capf"
    return config(listeners=listeners, trust={"capf": "CAPF-trust"},
                  limits={"half_open_per_address": 2 * PHONES,
                          "patience_ms": 60000 * SLOW},
                  **changes)


def add_devices(admin, *names):
    """They make EC keys, which take no time."""
    admin.say("profile", "add", "ec", "--key-order", "EC Only",
              "--ec-bits", "256",
              "--transport", "tls", "--mode", "encrypted")
    text = "name,profile\n" + "".join(f"{n},ec\n" for n in names)
    admin.say("device", "import", *admin.import_text(text))


def stores():
    return [sorted(n for n in os.listdir(LAB.path(store))
                   if n.startswith("CAPF-") and n.endswith(".pem"))
            for store in ("CallManager-trust", "CAPF-trust")]


FOLDERS = "capf", "CallManager-trust", "CAPF-trust"
for name in FOLDERS:
    shutil.copytree(LAB.path(name), LAB.path("as-it-was", name))


def as_it_was():
    """The lab's root, which signed the LSCs that phones begin with."""
    for folder in FOLDERS:
        shutil.rmtree(LAB.path(folder))
        shutil.copytree(LAB.path("as-it-was", folder), LAB.path(folder))


class Site:
    """One configuration whose daemon may die and come back."""

    def __init__(self, **changes):
        as_it_was()
        services = ["sip", "capf",
                    *(s for s, _ in changes.get("listeners_more", ()))]
        self.config = capf_config(
            ports={s: quiet_port() for s in services}, **changes)
        self.daemon = self.admin = None
        self._began, self._used = time.monotonic(), 0
        self.start()

    def start(self):
        self.daemon = Daemon(self.config)
        self.admin = Admin(self.daemon)
        self.admin.words += ["--url", self.daemon.url]

    def kill(self):
        self._used += self.daemon.cpu_seconds()
        with self.daemon as dying:
            dying.kill()
        self.start()

    def step(self, what):
        """What it took since the last one."""
        now = time.monotonic()
        used = self._used + self.daemon.cpu_seconds()
        memory = self.daemon.get("/v1/status")["memory"]["residentBytes"]
        tap.remark(f"{what}: {now - self._began:.1f} s, processor time of "
                   f"the daemon {used:.1f} s, {memory >> 20} MB")
        self._began, self._used = now, -self.daemon.cpu_seconds()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    @contextlib.contextmanager
    def fleets(self, first, count):
        """One, or several of which none is slowed by its single thread."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.fleet(
                numbered(first, i + 1)[i], min(FLEET_MAX, count - i)))
                for i in range(0, count, FLEET_MAX)]

    def fleet(self, first, count):
        capf = f"{LOOPBACK}:{self.daemon.port('capf')}"
        return Phones(self.daemon, "sip", "--count", count, "--device", first,
                      "--lab", LAB.dir, "--leaf", "lsc", "--capf", capf,
                      "--auth", "lsc", "--capf-when", "always", "--come-back",
                      "--capf-retry-ms", 1000, "--rate", 400 // SLOW)

    def rollover(self):
        return self.admin.json("rollover", "status")

    def wait_left(self, left):
        return wait_until(
            f"{left} phones to be left",
            lambda: next((r for r in [self.rollover()]
                          if r["left"] == left), None), LONG_S,
            every=PHONES / 5000)

    def refuses_to_finish(self, *hanging):
        done = run(*self.admin.words, "rollover", "finish", "--json")
        said = json.loads(done.stdout)
        same(done.returncode, 3, "exit status")
        same([p["device"] for p in said["rollover"]["phones"]
              if p["recent"]], list(hanging), "who holds it up")


def settled(report):
    """No phone was refused, whatever else happened to it."""
    setbacks = report.summary["capf"]["setbacks"]
    visits = {k: n for k, n in report.summary["capf"]["outcomes"].items()
              if n}
    tap.remark(f"{len(report.phones)} phones: visits {visits}, setbacks "
               f"{setbacks}")
    same(set(setbacks) - OUTAGES, set(), f"what phones met ({setbacks})")
    same({p["outcome"] for p in report.phones.values()}, {"registered"},
         "how it ended")


def a_fleet_goes_over_to_the_new_root_through_kills():
    online, offline = (numbered(ONLINE, PHONES - AWAY),
                       numbered(OFFLINE, AWAY))
    with Site() as site:
        add_devices(site.admin, *online, *offline)
        site.step("imported")
        [old] = stores()[0]
        with site.fleets(ONLINE, len(online)) as fleets:
            with site.fleet(OFFLINE, AWAY) as away:
                site.daemon.wait_registered(PHONES, LONG_S)
                same(away.leave().code, 0, "the offline phones")
            site.step("registered, and a tenth gone")
            site.admin.say("rollover", "start")
            same([len(s) for s in stores()], [2, 2], "CAPFs in the stores")
            same(site.rollover()["left"], PHONES, "phones of the old root")
            site.step("started")
            site.admin.say("rollover", "issue", "--rate", str(RATE))
            site.step("queued")
            for thirds in (1, 2):
                wait_until("some phones to be done", lambda thirds=thirds:
                           site.rollover()["done"]
                           >= thirds * len(online) // 3, LONG_S,
                           every=PHONES / 5000)
                site.kill()
                site.step("killed and back")
            site.wait_left(AWAY)
            site.refuses_to_finish(*offline)
            site.step("all but the offline ones")
            with site.fleet(OFFLINE, AWAY - 1) as away:
                site.wait_left(1)
                site.refuses_to_finish(offline[-1])
                with site.fleet(offline[-1], 1) as last:
                    site.wait_left(0)
                    site.daemon.wait_registered(PHONES, LONG_S)
                    site.step("the offline ones, too")
                    site.admin.say("rollover", "finish")
                    same(site.rollover()["state"], "idle", "state")
                    site.step("finished")
                    same([old in s for s in stores()], [False] * 2, "trust")
                    # Everybody comes again, and the old root is gone.
                    site.kill()
                    site.daemon.wait_registered(PHONES, LONG_S)
                    site.step("all back by the new root alone")
                    ends = [f.leave() for f in (last, away, *fleets)]
        for end in ends:
            settled(end)
        same(site.admin.json("capf", "audit", "--check")["holds"], True,
             "the audit chain")
        serials = [i["serial"] for i in ledger(site.daemon)]
        same(len(serials), len(set(serials)), "serial numbers")


def ledger(daemon):
    found, after = [], ""
    while True:
        page = daemon.order(f"/v1/capf/ledger{after}", "GET")
        found += page["ledger"]
        if not page.get("next"):
            return found
        after = "?after=" + page["next"]


def a_start_is_undone_or_goes_on():
    with Site() as site:
        holds(site.admin.refused("rollover", "cancel"), "under way")
        holds(site.admin.refused("rollover", "issue"), "idle")
        holds(site.admin.refused("rollover", "finish"), "nothing to finish")
        holds(site.admin.refused("rollover", "export", "--for", "pem"), "idle")
        # It cannot be put into a store that refuses what stands in it.
        bad = LAB.path("CAPF-trust", "bad.pem")
        with open(bad, "w", encoding="ascii") as f:
            f.write("no certificate")
        site.admin.refused("rollover", "start")
        same(site.rollover()["state"], "starting", "state")
        os.unlink(bad)
        site.admin.say("rollover", "cancel")
        same(site.rollover()["state"], "idle", "state")
        same([len(s) for s in stores()], [1, 1], "CAPFs in the stores")
        site.admin.say("rollover", "start")
        same(site.rollover()["state"], "started", "state")
        holds(site.admin.refused("rollover", "start"), "under way")
        holds(site.admin.refused("rollover", "cancel"), "signs already")
        site.kill()
        same(site.rollover()["state"], "started", "state after a kill")
        site.admin.say("rollover", "finish")
        same([len(s) for s in stores()], [1, 1], "CAPFs in the stores")


def force_is_logged():
    with Site() as site:
        add_devices(site.admin, *TWO)
        with site.fleet(TWO[0], 1):
            site.daemon.wait_registered(1)
            site.admin.say("rollover", "start")
            site.refuses_to_finish(TWO[0])
            site.admin.say("rollover", "finish", "--force")
        site.daemon.wait_event("rollover", step="rollover-finish-forced")
        links = site.admin.json("capf", "audit")
        holds(json.dumps(links), "rollover-finish-forced", "FORCED")


def who_may_have_an_lsc_of_the_old_root_holds_it_up():
    """Power was cut when it had stored one, before CAPF heard of that."""
    [name, other] = TWO
    with Site() as site:
        add_devices(site.admin, name, other)
        for device, step in ((name, "stored"), (other, "auth-request")):
            site.admin.say("capf", "install", device, "--mode", "mic",
                           "--no-reset")
            run(PHONE, "--until", "enrolled", "--device", device,
                "--auth", "mic", "--die-after", step, "--lab", LAB.dir,
                "--flash", LAB.path("flash-" + device), "--capf",
                f"{LOOPBACK}:{site.daemon.port('capf')}")
        same([(i["device"], i["state"]) for i in ledger(site.daemon)],
             [(name, "stale")], "the ledger")
        site.admin.say("rollover", "start")
        site.refuses_to_finish(name)


def a_removed_device_holds_it_up_while_any_lsc_gets_in():
    [name, other] = TWO
    for unknown, hanging in (("lsc", [name]), ("refuse", [])):
        with Site(registration={"unknown": unknown}) as site:
            add_devices(site.admin, name, other)
            site.admin.say("capf", "install", name, "--mode", "mic",
                           "--no-reset")
            run(PHONE, "--until", "enrolled", "--device", name,
                "--auth", "mic", "--lab", LAB.dir,
                "--flash", LAB.path("flash-" + unknown), "--capf",
                f"{LOOPBACK}:{site.daemon.port('capf')}")
            same([i["state"] for i in ledger(site.daemon)], ["installed"],
                 "the ledger")
            site.admin.say("device", "remove", name)
            site.admin.say("rollover", "start")
            same([p["device"] for p in site.rollover()["phones"]
                  if p["certificate"] == "old root"], hanging,
                 f"who hangs on the old root, unknown: {unknown}")
            if hanging:
                site.refuses_to_finish(*hanging)
                holds(json.dumps(site.rollover()), "not in the inventory")


def not_seen(site):
    """{device: does it hold it up} of those whose certificate is unknown."""
    seen = site.rollover()
    found = {p["device"]: p["recent"] for p in seen["phones"]
             if p["certificate"] == "not seen"}
    same((seen["notSeen"], seen["notSeenRecent"]),
         (len(found), sum(found.values())), "numbers")
    return found


def whose_certificate_nobody_saw_holds_it_up_while_it_is_here():
    plain, secure, bare = TWO[0], TWO[1], "SEP020000000A03"
    with Site(listeners_more=[("sccp", "tcp")]) as site:
        add_devices(site.admin, secure)
        site.admin.say("device", "add", plain, "--profile",
                       "non-secure")
        site.admin.say("device", "add", bare, "--profile",
                       "non-secure")
        site.admin.say("rollover", "start")
        # One that should have an LSC, and was never here, is told of.
        same(not_seen(site), {secure: False})
        with Phones(site.daemon, "sccp", "--device", plain, transport="tcp"):
            site.daemon.wait_registered(1)
            same(not_seen(site), {plain: True, secure: False})
            site.refuses_to_finish(plain)
            holds(run(*site.admin.words, "rollover", "finish").stderr,
                  "not seen", "troubleshoot", "--unseen")
        # It says to Troubleshoot that it has none: now that is known.
        site.admin.say("capf", "troubleshoot", plain, "--mode", "null",
                       "--no-reset")
        with capf.Visit(site.daemon.port("capf")) as visit:
            same(visit.authenticate(plain).command, capf.FETCH_REQUEST)
            visit.answer(capf.FETCH_RESPONSE, capf.DECLINED)
        wait_until("it to be known", lambda: not_seen(site)
                   == {secure: False})
        with Phones(site.daemon, "sccp", "--device", bare, transport="tcp"):
            site.daemon.wait_registered(1)
            same(not_seen(site), {bare: True, secure: False})
        site.refuses_to_finish(bare)
        site.admin.say("rollover", "finish", "--unseen")
        same(site.rollover()["state"], "idle")


def what_troubleshoot_fetched_counts():
    """The ledger is gone, and with it all that CAPF knew."""
    name = TWO[0]
    with Site() as site:
        site.admin.say("device", "add", name)
        site.admin.say("capf", "install", name, "--mode", "null",
                       "--no-reset")
        key = capf.Key(2048)
        der = capf.install(site.daemon.port("capf"), name, key)
        site.daemon.stop()
        for left in os.listdir(state_folder()):
            if left.startswith("capf.db"):
                os.unlink(os.path.join(state_folder(), left))
        site.start()
        site.admin.say("capf", "troubleshoot", name, "--mode", "null",
                       "--no-reset")
        with capf.Visit(site.daemon.port("capf")) as visit:
            visit.authenticate(name)
            visit.answer(capf.FETCH_RESPONSE, capf.SUCCESS,
                         capf.certificate(capf.LSC, der))
        site.admin.say("rollover", "start")
        [phone] = site.rollover()["phones"] or [None]
        same((phone["device"], phone["certificate"]), (name, "old root"))


def both_roots_are_to_be_in_both_stores():
    with Site() as site:
        site.admin.say("rollover", "start")
        for which, refused, state in (
                ("oldRoot", ("issue",), "finishing"),
                ("newRoot", ("issue", "finish"), "started")):
            for store in ("CallManager-trust", "CAPF-trust"):
                name = site.rollover()[which]["name"]
                os.unlink(LAB.path(store, f"{name}.pem"))
                site.daemon.reload(store={"CallManager-trust": "callmanager",
                                          "CAPF-trust": "capf"}[store])
                seen = site.rollover()
                same(seen["state"], state, f"{which} gone from {store}")
                holds(seen["missing"], name, store)
                holds(site.admin.say("rollover", "status"), name, store,
                      "rollover start")
                for order in refused:
                    site.admin.refused("rollover", order, "--dry-run")
                site.admin.say("rollover", "start")
                seen = site.rollover()
                same((seen["state"], seen["missing"]), ("started", ""))
                same([len(s) for s in stores()], [2, 2])
        holds(site.admin.refused("rollover", "start"), "under way")
        site.admin.say("rollover", "finish")


def shown_by_capf(daemon):
    """The certificate that phones see at CAPF's port."""
    return sha256_of_der(ssl.get_server_certificate(
        (LOOPBACK, daemon.port("capf"))))


def sha256_of_der(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def capfs_port_changes_its_certificate_last():
    with Site() as site:
        old = site.rollover()["oldRoot"]["sha256"]
        same(shown_by_capf(site.daemon), old, "before")
        site.admin.say("rollover", "start")
        same(shown_by_capf(site.daemon), old, "what phones' ITLs name")
        new = site.rollover()["newRoot"]["sha256"]
        retiring = [a["sha256"] for a in
                    site.daemon.get("/v1/trust/retiring")["anchors"]]
        same(retiring, [old], "retiring")
        folder = LAB.path("exported")
        site.admin.say("rollover", "export", "--for", "pem", "--out", folder)
        with open(os.path.join(folder, "manifest.json"),
                  encoding="utf-8") as f:
            cas = json.load(f)["cas"]
        same({c["sha256"]: c["retiring"] for c in cas
              if c["sha256"] in (old, new)}, {old: True, new: False},
             "what is exported")
        site.admin.say("rollover", "finish")
        same(shown_by_capf(site.daemon), new, "afterwards")
        keys = [n for n in os.listdir(LAB.path("capf")) if n.endswith(".key")]
        same(len(keys), 1, "keys in the folder")
        same(os.listdir(LAB.path("capf", "retired")),
             [f"{common_name_of(old)}.pem"], "what is left of the old one")


def common_name_of(sha256):
    for name in os.listdir(LAB.path("capf", "retired")):
        with open(LAB.path("capf", "retired", name), encoding="ascii") as f:
            if sha256_of_der(f.read()) == sha256:
                return name[:-4]
    return None


if __name__ == "__main__":
    sys.exit(tap.run(a_fleet_goes_over_to_the_new_root_through_kills,
                     a_start_is_undone_or_goes_on,
                     force_is_logged,
                     who_may_have_an_lsc_of_the_old_root_holds_it_up,
                     a_removed_device_holds_it_up_while_any_lsc_gets_in,
                     whose_certificate_nobody_saw_holds_it_up_while_it_is_here,
                     what_troubleshoot_fetched_counts,
                     both_roots_are_to_be_in_both_stores,
                     capfs_port_changes_its_certificate_last))
