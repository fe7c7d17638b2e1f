# SPDX-License-Identifier: Apache-2.0
"""A folder in which an admin types: files, devices, a registrar that runs."""
import json
import os
import shutil
import tempfile

from clients import Phones, call, credential_words
from daemon import Daemon
from harness import BUILD, run
from lab import Lab, merged

DEVICE, STRANGER = "SEP001122334455", "SEP001122334466"

CONSOLE = "NOT 12:00:00.000000 SECD: SSL3 alert [read]:[fatal]:[unknown CA]\n"
CSV = ("name,protocol,model\n"
       "SEP001122334402,sip,CP-8861\nSEP001122334403,sccp,CP-7962G\n")


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

    @property
    def environment(self):
        return dict(
            os.environ, DIALTONE_URL=self.daemon.url,
            DIALTONE_SOCKET=self.daemon.admin_socket, PATH=":".join([
                os.path.join(BUILD, "registrar"), os.path.join(BUILD, "bench"),
                os.environ["PATH"]]))

    def run(self, line):
        """Exit status, output and complaints of what was typed."""
        for usual, here in self.words.items():
            line = line.replace(usual, here)
        done = run("bash", "-c", line, cwd=self.dir, env=self.environment)
        return done.returncode, done.stdout, done.stderr
