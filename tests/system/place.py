# SPDX-License-Identifier: Apache-2.0
"""A folder in which somebody types what a guide says, and what is there."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from clients import Phones, call, credential_words
from daemon import Daemon, Log, parse
from harness import BUILD, DEADLINE_S, LOOPBACK, alive, put_down, run
from lab import Lab, merged

DEVICE, STRANGER = "SEP001122334455", "SEP001122334466"

CONSOLE = "NOT 12:00:00.000000 SECD: SSL3 alert [read]:[fatal]:[unknown CA]\n"
CSV = ("name,protocol,model\n"
       "SEP001122334402,sip,CP-8861\nSEP001122334403,sccp,CP-7962G\n")

# The ports that the guides say; those that are free here take their place.
USUAL = {("status", "http"): 8088, ("sccp", "tls"): 2443,
         ("sip", "tls"): 5061, ("capf", "tls"): 3804}
SETTLED = re.compile(r"notice started|-REG_OK:|^phones ")


class Desk:
    """A folder, the programs in the PATH, and no registrar yet."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="dialtone-guide-")
        self.words, self.left_running, self.url = {}, [], None
        return self

    def __exit__(self, *error):
        for process in reversed(self.left_running):
            if alive(process):
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(DEADLINE_S)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            put_down(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def put(self, path, name):
        shutil.copy(path, self.path(name))

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def serves(self, ports):
        """{(service, transport): port} of a registrar that runs."""
        for of, usual in USUAL.items():
            if of in ports:
                self.words[f"{LOOPBACK}:{usual}"] = f"{LOOPBACK}:{ports[of]}"
        self.url = f"http://{LOOPBACK}:{ports['status', 'http']}"

    @property
    def environment(self):
        own = {} if self.url is None else {"DIALTONE_URL": self.url}
        rooms = (os.path.join(BUILD, room) for room in ("registrar", "bench"))
        return {**os.environ, **own,
                "PATH": ":".join([*rooms, os.environ["PATH"]])}

    def typed(self, line):
        for usual, here in self.words.items():
            line = line.replace(usual, here)
        return {"args": ["bash", "-c", line], "cwd": self.dir,
                "env": self.environment}

    def run(self, line):
        """Exit status, output and complaints of what was typed."""
        if line.rstrip().endswith("&"):
            return self.leave_running(line.rstrip()[:-1])
        typed = self.typed(line)
        done = run(*typed.pop("args"), timeout=30 * DEADLINE_S, **typed)
        return done.returncode, done.stdout, done.stderr

    def types(self, *lines):
        """What is there before the reader comes; it has to go well."""
        for line in lines:
            status, *said = self.run(line)
            assert status == 0, f"{line}\nexit {status}:\n{said}"

    def leave_running(self, line):
        """It counts as done once it serves, or has registered."""
        process = subprocess.Popen(
            **self.typed(line), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)
        self.left_running.append(process)
        log = Log(process.stdout)
        log.wait(f"`{line}` to settle", lambda lines: not alive(process) or
                 any(SETTLED.search(text) for text in lines), 6 * DEADLINE_S)
        ports = {(e.fields["service"], e.fields["transport"]):
                 int(e.fields["port"]) for e in map(parse, list(log.lines))
                 if e and e.name == "listening" and "port" in e.fields}
        if ports:
            self.serves(ports)
        if alive(process):
            return 0, "", ""
        log.join()
        return process.returncode, "\n".join(log.lines), ""


class Place(Desk):
    """A folder in which the guides' names are there: files, devices, a
    registrar that runs, one phone in and one out."""

    changes = {}

    def __enter__(self):
        super().__enter__()
        self.daemon = self.phones = None
        try:
            self.open()
            self.fill()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def open(self):
        self.lab = Lab()
        with open(self.lab.path("dialtoned.json"), encoding="utf-8") as f:
            self.lab.base = merged(json.load(f), {
                "core_dumps": self.lab.base["core_dumps"],
                "registration": {"unknown": "lsc"}})
        os.symlink(self.lab.dir, self.path("lab"))
        self.daemon = Daemon(self.lab.config(**self.changes))
        self.serves({of: self.daemon.port(*of) for of in USUAL})

    def fill(self):
        self.put(self.lab.path("config-1.json"), "dialtoned.json")
        other = self.path("other-cluster")
        os.mkdir(other)
        for name in ("new-ca.pem", os.path.join(other, "other-capf.pem")):
            self.put(self.lab.path("ca", "other-capf.pem"), name)
        leaf = self.lab.phone(DEVICE)
        self.put(leaf.cert, "phone.pem")
        self.write("console.log", CONSOLE)
        self.write("devices.csv", CSV)
        self.daemon.order(f"/v1/devices/{DEVICE}", "PUT", {"mic": True})
        self.phones = Phones(self.daemon, "sccp", *self.phone_words(leaf))
        self.daemon.wait_registered(1)
        anchor = self.daemon.phone(DEVICE)["certificate"]["anchor"]
        call(self.daemon, "sccp", *credential_words(
            self.lab.phone(STRANGER, "foreign"))).outcome("alert")
        self.daemon.wait_failure("unknown-ca")
        self.words["CAPF-in-use.pem"] = anchor

    def phone_words(self, leaf):
        """Of the phone that is in."""
        return credential_words(leaf)

    def __exit__(self, *error):
        if self.phones:
            self.phones.__exit__()
        if self.daemon:
            self.daemon.__exit__(*error)
        super().__exit__(*error)

    @property
    def environment(self):
        return {**super().environment,
                "DIALTONE_SOCKET": self.daemon.admin_socket}
