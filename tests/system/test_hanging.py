# SPDX-License-Identifier: Apache-2.0
"""One silent client, one trickler and one that does not read delay nobody."""
import socket
import sys
import threading

from clients import call, client_hello, stop_reading, tcp, tls
from daemon import Daemon
from harness import DEADLINE_S, SANITIZER, fact, same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"
PHONES = 100 if SANITIZER != "tsan" else 30
# From connect to registered, for the slowest phone; who waits for one that
# hangs waits for twice as long.
SECONDS = 60.0
HANGS_MS = 2000 * int(SECONDS)


class Trickler:
    """A byte of a TLS hello each second, until it is told to stop."""

    def __init__(self, port):
        self.connection = tcp(port)
        self.sent = 0
        self.failed = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            for byte in client_hello():
                self.connection.sendall(bytes([byte]))
                self.sent += 1
                if self._stop.wait(1):
                    return
        except OSError as error:
            self.failed = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(DEADLINE_S)
        self.connection.close()


def still_open(connection):
    """Nothing came: no end, no word."""
    raw = socket.socket(fileno=socket.dup(connection.fileno()))
    with raw:
        raw.setblocking(False)
        try:
            return raw.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True


def hundred_others(protocol, workers):
    made = LAB.config(
        workers=workers,
        # They may hang for as long as this takes.
        tls={"handshake_ms": HANGS_MS}, limits={"write_ms": 600000})
    with Daemon(made) as daemon, \
            tcp(daemon.port(protocol)) as silent, \
            Trickler(daemon.port(protocol)) as trickler, \
            tls(daemon.port("sccp"), LAB.phone(DEVICE),
                narrow=True) as deaf:
        stop_reading(daemon, deaf, DEVICE)
        report = call(daemon, protocol, "--count", PHONES, "--lab", LAB.dir,
                      "--device", "SEP0200000F0001", "--rate", 1000)
        same(report.summary["outcomes"]["registered"], PHONES,
             f"registered of {report.summary}")
        slowest = report.summary["seconds"]["max"]
        assert slowest < SECONDS, f"the slowest phone took {slowest} s"
        for connection in (silent, trickler.connection, deaf):
            assert still_open(connection), "one of the three is gone"
        assert trickler.sent > 0 and not trickler.failed, trickler.failed
        same(daemon.phone(DEVICE)["state"], "registered")
        same(daemon.get("/v1/status")["connections"]["halfOpen"], 2)
    tap.remark(f"{PHONES} {protocol} phones, {workers or 'all'} workers: "
               f"the slowest registered in {slowest:.3f} s")


if __name__ == "__main__":
    sys.exit(tap.run(*(
        fact(f"hundred {protocol.upper()} phones on {name} do not wait",
             hundred_others, protocol, workers)
        for protocol in ("sccp", "sip")
        for name, workers in (("one worker", 1), ("every core", 0)))))
