# SPDX-License-Identifier: Apache-2.0
"""Each call of an issue fails, or kills: ledger, serials and phone agree.

DIALTONE_FAULTS=all: at every call, else at a sample of them.
"""
import hashlib
import json
import mmap
import os
import signal
import struct
import subprocess
import sys

import capf_client as capf
from admin import LAB, Admin, config
from daemon import Daemon
from harness import BUILD, SANITIZER, same, tap, wait_until
from lab import listener

SHIM = os.path.join(BUILD, "tests", "system", "libfault.so")
CONTROL = LAB.path("fault.control")
ALL = os.environ.get("DIALTONE_FAULTS") == "all"
SAMPLE = 12 if SANITIZER is None else 5
ENOSPC, EIO, KILL = 28, 5, 0
NAMES = {ENOSPC: "ENOSPC", EIO: "EIO", KILL: "SIGKILL"}
KEYS = [capf.Key("P-256") for _ in range(2)]

with open(CONTROL, "wb") as zeroes:
    zeroes.write(bytes(20))


class Faults:
    """What the preloaded library is told, and says."""

    def __init__(self):
        with open(CONTROL, "r+b") as f:
            self._map = mmap.mmap(f.fileno(), 20)

    def arm(self, at, error):
        self._map[:] = struct.pack("<5I", 0, 0, at, error, 0)
        self._map[0:4] = struct.pack("<I", 1)

    def disarm(self):
        """Calls since it was armed; did it happen?"""
        self._map[0:4] = bytes(4)
        _, calls, _, _, done = struct.unpack("<5I", self._map[:])
        return calls, bool(done)


FAULTS = Faults()


def runtime(name):
    """A sanitizer wants to come first."""
    done = subprocess.run(["gcc", f"-print-file-name={name}"], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


class Site:
    """A daemon whose records fail on demand."""

    def __init__(self):
        made = config(listeners=[listener("capf")],
                      trust={"capf": "CAPF-trust"},
                      capf={"folder": "capf", "renew": False})
        self.config = made
        self.folder = LAB.path(self._state(made))
        shims = [SHIM]
        if SANITIZER:
            shims.insert(0, runtime(f"lib{SANITIZER}.so"))
        self.env = {**os.environ, "LD_PRELOAD": ":".join(shims),
                    "FAULT_CONTROL": CONTROL,
                    "FAULT_FILES": os.path.join(self.folder, "capf.db"),
                    "FAULT_FOLDER": self.folder}
        self.start()
        self.admin.say("profile", "add", "ec", "--key-order", "EC Only",
                       "--ec-bits", "256")

    @staticmethod
    def _state(path):
        with open(path, encoding="utf-8") as f:
            return json.load(f)["state"]["folder"]

    def start(self):
        self.daemon = Daemon(self.config, env=self.env)
        self.admin = Admin(self.daemon)
        self.port = self.daemon.port("capf")

    def died(self):
        """It was killed by the library, and comes back."""
        self.daemon.process.wait()
        same(self.daemon.process.returncode, -signal.SIGKILL, "how it ended")
        self.daemon.killed = True
        self.daemon.__exit__(None, None, None)
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def device(self, name):
        self.admin.say("device", "add", name, "--profile", "ec")
        self.admin.say("capf", "install", name, "--mode", "null",
                       "--no-reset")

    def ledger(self, name):
        return self.daemon.order(f"/v1/capf/ledger?device={name}",
                                 "GET")["ledger"]


def visit(site, name, key):
    """What the phone got out of it: (LSC or None, confirmed?)."""
    got = None
    try:
        with capf.Visit(site.port) as phone:
            request = phone.authenticate(name)
            if request.command != capf.KEY_REQUEST:
                return None, False
            store = phone.give_key(key)
            if store.command != capf.STORE_REQUEST:
                return None, False
            [(_, got)] = capf.certificates(store.elements[capf.CERTIFICATE])
            end = phone.answer(capf.STORE_RESPONSE)
            return got, end.reason == capf.SUCCESS
    except (OSError, AssertionError):
        return got, False


def sha256(der):
    return hashlib.sha256(der).hexdigest() if der else None


def agree(site, name, got, confirmed):
    """What the phone has is in the ledger; nothing is there by halves."""
    lines = site.ledger(name)
    serials = [line["serial"] for line in lines]
    same(len(serials), len(set(serials)), "serial numbers")
    found = {line["sha256"]: line for line in lines}
    if got:
        assert sha256(got) in found, f"{name} has what the ledger has not"
    if confirmed:
        same(found[sha256(got)]["state"], "installed", "what was confirmed")
    same(site.daemon.order("/v1/capf/audit/check")["holds"], True, "the chain")
    issued = [link for link in site.daemon.order(
        "/v1/capf/audit?limit=1000", "GET")["audit"]
        if link["event"] == "issued" and link["device"] == name]
    same(sorted(i["serial"] for i in issued), sorted(serials),
         "audit and ledger")


def strike(site, name, at, error):
    """One phone whose visit meets the fault; False: there is no such call."""
    what = f"{NAMES[error]} at call {at}"
    site.device(name)
    FAULTS.arm(at, error)
    got, confirmed = visit(site, name, KEYS[0])
    _, done = FAULTS.disarm()
    if done and error == KILL:
        site.died()
    try:
        agree(site, name, got, confirmed)
        if confirmed:
            return done
        # The next issue works by itself, and the same key gets the same LSC.
        again, confirmed = wait_until(
            f"{name} to be served", lambda: next(
                (v for v in [visit(site, name, KEYS[0])] if v[1]), None))
        agree(site, name, again, confirmed)
        if got:
            same(sha256(again), sha256(got), "delivered again")
        same(len(site.ledger(name)), 1, "LSCs issued")
        same(site.daemon.get("/v1/capf").get("halted", ""), "", "halted")
    except AssertionError as error_:
        raise AssertionError(f"{what}: {error_}") from None
    return done


def count_calls(site, error):
    site.device("SEP0200000FA000")
    FAULTS.arm(0, error)
    same(visit(site, "SEP0200000FA000", KEYS[1])[1], True, "a visit")
    return FAULTS.disarm()[0]


def a_fault_at_each_call(error):
    with Site() as site:
        calls = count_calls(site, error)
        assert calls > 10, f"only {calls} calls are seen"
        steps = calls if ALL else min(calls, SAMPLE)
        struck = 0
        for i in range(steps):
            at = 1 + i * calls // steps
            struck += strike(site, f"SEP0200{error:02X}{at:06X}", at, error)
        tap.remark(f"{NAMES[error]} at {struck} of {calls} calls")
        assert struck >= steps * 3 // 4, f"{struck} of {steps}"


def no_space():
    a_fault_at_each_call(ENOSPC)


def input_output_errors():
    a_fault_at_each_call(EIO)


def kills():
    a_fault_at_each_call(KILL)


if __name__ == "__main__":
    sys.exit(tap.run(no_space, input_output_errors, kills))
