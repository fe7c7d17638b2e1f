# SPDX-License-Identifier: Apache-2.0
"""dialtoned as a child: its log as events, its status as JSON, its end."""
import functools
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections import namedtuple

import contract
from harness import (DEADLINE_S, DIALTONED, LOOPBACK, alive, put_down, run,
                     tap, wait_until)

Event = namedtuple("Event", "level name fields text")

FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
REPORT = re.compile(r"runtime error:|(ERROR|WARNING): \w+Sanitizer")
TAIL_LINES = 80

# What may be said before it turns out that serving is impossible.
STARTING = ("trust-loaded", "listening", "inventory-loaded")


def parse(line):
    """`time level event key=value ...`; None: not a line of the log."""
    words = line.split(" ", 3)
    if len(words) < 3 or not words[0].endswith("Z"):
        return None
    fields = {}
    for key, value in FIELD.findall(words[3] if len(words) > 3 else ""):
        fields[key] = json.loads(value) if value.startswith('"') else value
    return Event(words[1], words[2], fields, line)


class UnixClient(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, **options):
        super().__init__("localhost", **options)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Ended(AssertionError):
    """The daemon ended instead of serving."""


def refuses_to_start(config, *arguments, **options):
    """Runs it to its end; the one line that it says, as an event."""
    done = run(DIALTONED, "--config", config, *arguments, **options)
    said = f"exit {done.returncode}: {done.stdout}{done.stderr}"
    assert done.returncode == 1 and not REPORT.search(said), said
    lines = [event for event in map(parse, done.stderr.splitlines())
             if not event or event.name not in STARTING]
    assert len(lines) == 1 and lines[0] and lines[0].name == "fatal", said
    return lines[0]


class Log:
    """Everything a process says on a stream, line by line, as it comes."""

    def __init__(self, stream):
        self.lines = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,),
                                        daemon=True)
        self._thread.start()

    def _read(self, stream):
        for raw in stream:
            with self._news:
                self.lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        stream.close()

    def join(self):
        self._thread.join(DEADLINE_S)

    def wait(self, what, check, seconds=DEADLINE_S):
        """The first true value of check(lines)."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                value = check(self.lines)
                if value:
                    return value
                left = deadline - time.monotonic()
                assert left > 0, f"waited {seconds} s for {what}"
                self._news.wait(min(left, 0.5))


class Daemon:
    """`with Daemon(config) as d:` serves, and ends well or fails the fact."""

    def __init__(self, config, *wrapper, **options):
        """config None: none. wrapper: words before the program."""
        words = ["--config", config] if config else []
        self.process = subprocess.Popen(
            [*wrapper, DIALTONED, *words], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, **options)
        self.log = Log(self.process.stderr)
        self.pid = self.process.pid
        self.killed = False
        try:
            self.log.wait("the daemon to start", self._started)
        except BaseException:
            put_down(self.process)
            self.say()
            raise
        self._ports = {(e.fields["service"], e.fields["transport"]):
                       int(e.fields["port"]) for e in self.events("listening")
                       if "port" in e.fields}  # a Unix socket has none

    def _started(self, lines):
        if any(" notice started " in line for line in lines):
            return True
        if not alive(self.process):
            raise Ended(f"ended with {self.process.returncode}: {lines}")
        return False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            status = self.stop()
            if not kind:
                assert self.killed or status == 0, f"exit status {status}"
                tap.none(self.reports())
        except AssertionError:
            self.say()
            if not kind:
                raise
        else:
            if kind and not issubclass(kind, tap.Skip):
                self.say()

    def say(self):
        tap.remark("\n".join(["dialtoned:", *self.log.lines[-TAIL_LINES:]]))

    def reports(self):
        return [line for line in self.log.lines if REPORT.search(line)]

    # ---- signals ----

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; answers the exit status."""
        if alive(self.process):
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            put_down(self.process)
            raise AssertionError("did not end on SIGTERM") from None
        self.log.join()
        return status

    def kill(self):
        self.killed = True
        self.signal(signal.SIGKILL)
        self.process.wait()

    def reload(self, expected="trust-loaded", store="callmanager"):
        """SIGHUP; answers the event that says how it went. What the folder
        says may have come into force a moment before by itself."""
        mark = self.mark()
        self.signal(signal.SIGHUP)
        event = self.wait_event(
            ("trust-loaded", "trust-unchanged", "reload-refused"), mark,
            asked="yes", store=store)
        good_end = ("trust-loaded", "trust-unchanged")
        assert event.name == expected or (
            expected in good_end and event.name in good_end), event.text
        return event

    # ---- the log ----

    def mark(self):
        """A place in the log; events are looked for behind it."""
        return len(self.log.lines)

    def events(self, name, since=0, **fields):
        names = (name,) if isinstance(name, str) else name
        parsed = (parse(line) for line in self.log.lines[since:])
        return [e for e in parsed if e and e.name in names and
                all(e.fields.get(k) == str(v) for k, v in fields.items())]

    def wait_event(self, name, since=0, seconds=DEADLINE_S, **fields):
        what = f"the event {name} {fields or ''}"
        return self.log.wait(
            what, lambda _: self.events(name, since, **fields), seconds)[0]

    def port(self, service, transport="tls"):
        return self._ports[service, transport]

    # ---- status ----

    @property
    def url(self):
        return f"http://{LOOPBACK}:{self.port('status', 'http')}"

    def fetch(self, path, method="GET"):
        """Status and body of an answer of the status plane, which must be
        what docs/openapi.json says."""
        client = http.client.HTTPConnection(
            LOOPBACK, self.port("status", "http"), timeout=DEADLINE_S)
        try:
            client.request(method, path)
            answer = client.getresponse()
            text = answer.read().decode()
            contract.check(method, path, answer, text)
            return answer.status, text
        finally:
            client.close()

    @functools.cached_property
    def admin_socket(self):
        return self.events("listening", service="admin")[0].fields["address"]

    def ask_admin(self, path, method="GET", body=None, kind=None):
        """Status and answer of the admin plane; body: JSON, or a text of
        some kind."""
        client = UnixClient(self.admin_socket, timeout=6 * DEADLINE_S)
        headers = {}
        if body is not None:
            headers["Content-Type"] = kind or "application/json"
            body = (body if kind else json.dumps(body)).encode()
        try:
            try:
                client.request(method, path, body, headers)
            except BrokenPipeError:
                pass  # refused at its headers: the answer is there
            answer = client.getresponse()
            text = answer.read().decode()
            contract.check(method, path, answer, text)
            said = answer.headers.get("Content-Type", "")
            return answer.status, json.loads(text) \
                if text and "json" in said else text
        finally:
            client.close()

    def order(self, path, method="POST", body=None, kind=None):
        """What the admin plane answers to a good order."""
        status, answer = self.ask_admin(path, method, body, kind)
        assert status == 200, f"{method} {path}: {status} {answer}"
        return answer

    def get(self, path):
        status, body = self.fetch(path)
        assert status == 200, f"{path}: {status} {body}"
        return json.loads(body)

    def phone(self, name):
        """What status knows of the phone; {}: nothing."""
        status, body = self.fetch(f"/v1/phones/{name}")
        return json.loads(body) if status == 200 else {}

    def registered(self):
        return self.get("/v1/status")["phones"]["registered"]

    def wait_registered(self, count, seconds=DEADLINE_S):
        wait_until(f"{count} registered phones",
                   lambda: self.registered() == count, seconds)

    def wait_phone(self, name, state, seconds=DEADLINE_S):
        return wait_until(
            f"{name} to be {state}",
            lambda: next((p for p in [self.phone(name)]
                          if p.get("state") == state), None), seconds)

    def failures(self):
        return self.get("/v1/failures")["failures"]

    def wait_failure(self, rule, seconds=DEADLINE_S, **fields):
        """The newest refusal by that rule."""
        def find():
            return next((f for f in self.failures() if f["rule"] == rule and
                         all(f.get(k) == v for k, v in fields.items())), None)
        try:
            return wait_until(f"a refusal by {rule}", find, seconds)
        except AssertionError as late:
            rules = [(f["rule"], f["why"]) for f in self.failures()]
            raise AssertionError(f"{late}; there are {rules}") from None

    # ---- the process ----

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            words = f.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
