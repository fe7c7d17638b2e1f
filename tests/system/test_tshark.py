# SPDX-License-Identifier: Apache-2.0
"""tshark decodes what the registrar says in SCCP, at every version."""
import os
import sys
from collections import namedtuple

import pcap
import sccp
from clients import call
from daemon import Daemon
from harness import fact, good, needs, same, tap
from lab import Lab
from proxy import Proxy, Through

LAB = Lab()
DEVICE = "SEP020000000001"
VERSIONS = (3, 7, 11, 17, 20, 22)
PORT = 2000

# Wireshark's names of what every phone is told.
NAMES = {"RegisterAck", "CapabilitiesReq", "ButtonTemplate",
         "SoftKeyTemplateRes", "SoftKeySetRes", "SelectSoftKeys",
         "TimeDateRes", "LineStat", "UnregisterAck"}


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
