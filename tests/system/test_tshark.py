# SPDX-License-Identifier: Apache-2.0
"""tshark decodes what the registrar says in SCCP, at every version."""
import os
import select
import socket
import sys
import threading
from collections import namedtuple

import pcap
import sccp
from clients import call, tcp
from daemon import Daemon
from harness import DEADLINE_S, LOOPBACK, fact, good, needs, same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"
VERSIONS = (3, 7, 11, 17, 20, 22)
PORT = 2000

# Wireshark's names of what every phone is told.
NAMES = {"RegisterAck", "CapabilitiesReq", "ButtonTemplate",
         "SoftKeyTemplateRes", "SoftKeySetRes", "SelectSoftKeys",
         "TimeDateRes", "LineStat", "UnregisterAck"}


class Proxy:
    """Hands on one connection's bytes, and keeps who said what."""

    def __init__(self, port):
        self.bytes = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        client, _ = self._listener.accept()
        with client, tcp(self._target) as server:
            other = {client: ("up", server), server: ("down", client)}
            while True:
                ready, _, _ = select.select(list(other), [], [], DEADLINE_S)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    way, to = other[one]
                    self.bytes.append((way, data))
                    to.sendall(data)
                if not ready:
                    return

    def join(self):
        self._thread.join(2 * DEADLINE_S)
        self._listener.close()


class Through:
    """A daemon whose port is the proxy's."""

    def __init__(self, port):
        self._port = port

    def port(self, *_):
        return self._port


def record(daemon, version):
    """The bytes of one phone's whole stay, as a capture file."""
    proxy = Proxy(daemon.port("sccp", "tcp"))
    call(Through(proxy.port), "sccp", "--device", DEVICE, "--sccp-version",
         version, transport="tcp").outcome("registered")
    proxy.join()
    path = LAB.path(f"v{version}.pcap")
    with pcap.Writer(path, PORT) as capture:
        for way, data in proxy.bytes:
            capture.write(way, data)
    return path


FIELDS = ("tcp.srcport", "_ws.malformed", "_ws.expert.severity",
          "_ws.expert.message", "_ws.col.Protocol", "_ws.col.Info",
          "skinny.messageId", "skinny.maxProtocolVer")
Packet = namedtuple("Packet", "source malformed severity message protocol "
                              "info ids versions")
ERROR = 0x00800000


def tshark(path):
    """What it makes of each packet."""
    words = [needs("tshark"), "-r", path, "-T", "fields"]
    for field in FIELDS:
        words += ["-e", field]
    # In a home of its own: nobody's preferences change what it says.
    home = dict(os.environ, HOME=LAB.dir, WIRESHARK_CONFIG_DIR=LAB.dir)
    return [Packet(*line.split("\t"))
            for line in good(*words, env=home).split("\n") if line]


def has_error(packet):
    return any(int(n, 0) >= ERROR for n in packet.severity.split(",") if n)


def decodes(version):
    needs("tshark")
    device = {DEVICE: {"profile": "non-secure", "lines": [
        {"number": "2001", "label": "Reception"}]}}
    with Daemon(LAB.config(devices=device)) as daemon:
        packets = tshark(record(daemon, version))
    tap.none(p for p in packets if p.malformed)
    down = [p for p in packets if p.source == str(PORT)]
    tap.none(p for p in down if has_error(p) or
             not p.protocol.startswith("SKINNY"))
    said = " ".join(p.info for p in down)
    same({name for name in NAMES if name not in said}, set(),
         f"what tshark does not find in {said}")
    # The first of a frame with the ack and what follows it.
    acked = next(p for p in down if p.info.startswith("RegisterAck"))
    assert int(acked.versions.split(",")[0], 0) <= version, acked


def a_broken_frame_would_be_seen():
    """The test's own test: tshark calls half a RegisterAck malformed."""
    needs("tshark")
    path = LAB.path("broken.pcap")
    with pcap.Writer(path, PORT) as capture:
        capture.write("down", sccp.frame(sccp.REGISTER_ACK, bytes(4)))
    packet, = tshark(path)
    assert packet.malformed and has_error(packet), packet


if __name__ == "__main__":
    sys.exit(tap.run(
        a_broken_frame_would_be_seen,
        *(fact(f"tshark decodes the registrar at version {v}", decodes, v)
          for v in VERSIONS)))
