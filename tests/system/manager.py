# SPDX-License-Identifier: Apache-2.0
"""A service manager as the daemon meets systemd: it hands sockets over, hears
what is said, keeps descriptors, and starts the next daemon with them."""
import os
import socket
import sys
import threading
import time

from clients import tcp
from daemon import Daemon
from harness import DEADLINE_S, LOOPBACK

FIRST = 3

# Descriptors in their places, LISTEN_PID, and then the daemon.
HAND_OVER = f"""
import os, sys
fds = [os.dup(int(n)) for n in sys.argv[1].split(',') if n]
high = [os.dup2(fd, 500 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, {FIRST} + i)
os.closerange({FIRST} + len(high), 1000)
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def bound(port=0, kind=socket.SOCK_STREAM, family=socket.AF_INET,
          address=LOOPBACK):
    """A socket as a socket unit has it: it listens before anybody serves."""
    s = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(4096)
    return s


def port_of(s):
    return s.getsockname()[1]


class Callers(threading.Thread):
    """Connects again and again, and counts how it went."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._port = port
        self._end = threading.Event()
        self.connected, self.failed = 0, []

    def run(self):
        while not self._end.is_set():
            try:
                tcp(self._port).close()
                self.connected += 1
            except OSError as why:
                self.failed.append(why)

    def enough(self):
        self._end.set()
        if self.ident:
            self.join()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.enough()


class Manager:
    """`with Manager() as m:` m.start(config) is a Daemon that reports."""

    def __init__(self, watchdog_ms=None):
        # In no file system: a daemon in a root of its own reaches it, too.
        self._name = f"dialtone-{os.getpid()}-{id(self):x}"
        self._heard = threading.Condition()
        self._messages = []  # (time, {key: value})
        self._watchdog_ms = watchdog_ms
        self.units = []  # (name, socket): of socket units
        self.store = []  # (name, descriptor): what a daemon had us keep

    def __enter__(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self._name)
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"THE-END=1", "\0" + self._name)
        self._thread.join(DEADLINE_S)
        self._socket.close()
        for _, s in self.units:
            s.close()
        for _, fd in self.store:
            os.close(fd)

    def _hear(self):
        while True:
            data, fds, _, _ = socket.recv_fds(self._socket, 4096, 8)
            said = dict(line.split("=", 1) for line in
                        data.decode().splitlines() if line)
            if "THE-END" in said:
                return
            with self._heard:
                self._obey(said, fds)
                self._messages.append((time.monotonic(), said))
                self._heard.notify_all()

    def _obey(self, said, fds):
        if said.get("FDSTORE") == "1":
            kept = {os.fstat(fd).st_ino for _, fd in self.store}
            for fd in fds:
                if os.fstat(fd).st_ino in kept:  # as systemd: once
                    os.close(fd)
                else:
                    self.store.append((said["FDNAME"], fd))
            return
        if said.get("FDSTOREREMOVE") == "1":
            gone = [e for e in self.store if e[0] == said["FDNAME"]]
            self.store = [e for e in self.store if e not in gone]
            fds = [fd for _, fd in gone]
        for fd in fds:  # of BARRIER=1, too: it waits for that
            os.close(fd)

    # ---- what was said ----

    def mark(self):
        with self._heard:
            return len(self._messages)

    def said(self, key, since=0):
        """The values of a key, in order."""
        with self._heard:
            return [m[key] for _, m in self._messages[since:] if key in m]

    def keys(self, since=0):
        with self._heard:
            return [key for _, m in self._messages[since:] for key in m]

    def wait(self, what, check, seconds=DEADLINE_S):
        deadline = time.monotonic() + seconds
        with self._heard:
            while not (value := check()):
                left = deadline - time.monotonic()
                assert left > 0, f"waited {seconds} s for {what}; heard " \
                    f"{[m for _, m in self._messages[-20:]]}"
                self._heard.wait(min(left, 0.5))
            return value

    def wait_said(self, key, value=None, since=0, seconds=DEADLINE_S):
        """The first value of the key, or that one."""
        return self.wait(
            f"{key}={value or '...'}", lambda: next(
                (v for v in self.said(key, since) if value in (None, v)),
                None), seconds)

    def longest_silence(self, key):
        """Between two messages with that key, in seconds."""
        with self._heard:
            times = [when for when, m in self._messages if key in m]
        return max(b - a for a, b in zip(times, times[1:]))

    # ---- daemons ----

    def start(self, config, *wrapper):
        """wrapper: words before the program; the first is an absolute path,
        and each executes the next, as LISTEN_PID is of one process."""
        given = [(name, s.fileno()) for name, s in self.units] + self.store
        fds = [fd for _, fd in given]
        env = {**os.environ, "NOTIFY_SOCKET": "@" + self._name}
        if given:
            env["LISTEN_FDS"] = str(len(given))
            env["LISTEN_FDNAMES"] = ":".join(name for name, _ in given)
        if self._watchdog_ms:
            env["WATCHDOG_USEC"] = str(1000 * self._watchdog_ms)
        return Daemon(config, sys.executable, "-c", HAND_OVER,
                      ",".join(map(str, fds)), *wrapper, env=env,
                      pass_fds=fds)
