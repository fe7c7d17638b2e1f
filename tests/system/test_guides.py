# SPDX-License-Identifier: Apache-2.0
"""Every command of the guides does what the guide says, in its order."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from clients import Phones, call, credential_words
from daemon import Daemon
from harness import (BUILD, DEADLINE_S, SOURCE, fact, put_down, same, tap)
from lab import Lab, merged

DEVICE, STRANGER = "SEP001122334455", "SEP001122334466"

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.S | re.M)
EXIT = re.compile(r"# exit (\d+)$")
PROGRAMS = re.compile(r"^(dialtoned?|dialtone-(?:phone|storm)|curl)\b")

CONSOLE = "NOT 12:00:00.000000 SECD: SSL3 alert [read]:[fatal]:[unknown CA]\n"
CSV = ("name,protocol,model\n"
       "SEP001122334402,sip,CP-8861\nSEP001122334403,sccp,CP-7962G\n")


def commands(guide):
    """(line, exit status) of all blocks marked sh."""
    with open(os.path.join(SOURCE, "docs", guide), encoding="utf-8") as f:
        blocks = FENCE.findall(f.read())
    for block in blocks:
        for line in block.splitlines():
            found = EXIT.search(line)
            yield line, int(found.group(1)) if found else 0


class Place:
    """A folder in which the guides' names are there: files, devices, a
    registrar that runs, one phone in and one out."""

    def __enter__(self):
        self.lab = Lab()
        self.dir = tempfile.mkdtemp(dir=self.lab.top)
        with open(self.lab.path("dialtoned.json"), encoding="utf-8") as f:
            self.lab.base = merged(json.load(f), {
                "core_dumps": self.lab.base["core_dumps"],
                "registration": {"unknown": "lsc"}})
        self.daemon = Daemon(self.lab.config())
        try:
            self.fill()
        except BaseException:
            self.daemon.__exit__(None, None, None)
            raise
        return self

    def fill(self):
        self.put(self.lab.path("config-1.json"), "dialtoned.json")
        self.put(self.lab.path("ca", "other-capf.pem"), "new-ca.pem")
        os.symlink(self.lab.dir, self.path("lab"))
        other = self.path("other-cluster")
        os.mkdir(other)
        shutil.copy(self.lab.path("ca", "other-capf.pem"), other)
        leaf = self.lab.phone(DEVICE)
        self.put(leaf.cert, "phone.pem")
        self.write("console.log", CONSOLE)
        self.write("devices.csv", CSV)
        self.daemon.order(f"/v1/devices/{DEVICE}", "PUT", {"mic": True})
        self.phones = Phones(self.daemon, "sccp", *credential_words(leaf))
        self.daemon.wait_registered(1)
        anchor = self.daemon.phone(DEVICE)["certificate"]["anchor"]
        call(self.daemon, "sccp", *credential_words(
            self.lab.phone(STRANGER, "foreign"))).outcome("alert")
        self.daemon.wait_failure("unknown-ca")
        sockets = {("status", "http"): "8088", ("sccp", "tls"): "2443",
                   ("sip", "tls"): "5061"}
        self.words = {f"127.0.0.1:{usual}":
                      f"127.0.0.1:{self.daemon.port(*of)}"
                      for of, usual in sockets.items()}
        self.words["CAPF-in-use.pem"] = anchor

    def __exit__(self, *error):
        self.phones.__exit__()
        self.daemon.__exit__(*error)

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, path, name):
        shutil.copy(path, self.path(name))

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def run(self, line):
        """Its exit status, and what it said."""
        for usual, here in self.words.items():
            line = line.replace(usual, here)
        environment = dict(
            os.environ, DIALTONE_URL=self.daemon.url,
            DIALTONE_SOCKET=self.daemon.admin_socket, PATH=":".join([
                os.path.join(BUILD, "registrar"), os.path.join(BUILD, "bench"),
                os.environ["PATH"]]))
        child = subprocess.Popen(
            ["bash", "-c", line], cwd=self.dir, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        try:
            said, _ = child.communicate(timeout=6 * DEADLINE_S)
        finally:
            put_down(child)
        return child.returncode, said


def every_command_does_what_it_says(guide):
    wrong = []
    with Place() as place:
        for line, expected in commands(guide):
            status, said = place.run(line)
            if status != expected:
                wrong.append(f"{line}\nexit {status}:\n{said}")
    tap.none(wrong)


def blocks_hold_commands_of_ours_alone():
    for guide in GUIDES:
        lines = [line for line, _ in commands(guide)]
        assert len(lines) > 5, f"{guide}: {len(lines)} commands"
        tap.none([line for line in lines if not PROGRAMS.match(line)])


def a_command_that_fails_is_noticed():
    with Place() as place:
        same(place.run("dialtone device show SEP00000000DEAD")[0], 1)
        same(place.run("dialtone nonsense")[0], 2)
        same(place.run("dialtone trust remove CAPF-in-use.pem")[0], 3)


GUIDES = ("guide.md", "polling.md", "load-testing.md")

sys.exit(tap.run(
    blocks_hold_commands_of_ours_alone,
    a_command_that_fails_is_noticed,
    *(fact("every_command_of_" + guide.split(".")[0].replace("-", "_"),
           every_command_does_what_it_says, guide)
      for guide in GUIDES)))
