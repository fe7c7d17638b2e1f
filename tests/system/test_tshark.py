# SPDX-License-Identifier: Apache-2.0
"""tshark decodes what the registrar says in SCCP, at every version."""
import os
import re
import sys
from collections import namedtuple

import pcap
import sccp
from clients import call
from daemon import Daemon
from harness import SOURCE, fact, good, needs, same, tap
from lab import Lab
from proxy import Proxy, Through

LAB = Lab()
DEVICE = "SEP020000000001"
VERSIONS = (3, 7, 11, 17, 20, 22)
GENERATIONS = ("7940-v3", "7912", "7960-v8", "7960", "7961-v11", "6961",
               "7941", "7975", "8945", "8941", "spa504g")
PORT = 2000

# Wireshark's names of what every phone is told.
NAMES = {"RegisterAck", "CapabilitiesReq", "ButtonTemplate",
         "SoftKeyTemplateRes", "SoftKeySetRes", "SelectSoftKeys",
         "TimeDateRes", "LineStat", "UnregisterAck"}


def record(daemon, *words):
    """The bytes of one phone's whole stay, as a capture file."""
    proxy = Proxy(daemon.port("sccp", "tcp"))
    call(Through(proxy.port), "sccp", "--device", DEVICE, *words,
         transport="tcp").outcome("registered")
    proxy.join()
    path = LAB.path("recorded.pcap")
    with pcap.Writer(path, PORT) as capture:
        for way, data in proxy.bytes:
            capture.write(way, data)
    return path


FIELDS = ("tcp.srcport", "_ws.malformed", "_ws.expert.severity",
          "_ws.expert.message", "_ws.col.Protocol", "_ws.col.Info",
          "skinny.messageId", "skinny.maxProtocolVer", "skinny.resetType")
Packet = namedtuple("Packet", "source malformed severity message protocol "
                              "info ids versions resets")
WARNING = 0x00600000


def tshark(path):
    """What it makes of each packet."""
    words = [needs("tshark"), "-r", path, "-T", "fields"]
    for field in FIELDS:
        words += ["-e", field]
    # In a home of its own: nobody's preferences change what it says.
    home = dict(os.environ, HOME=LAB.dir, WIRESHARK_CONFIG_DIR=LAB.dir)
    return [Packet(*line.split("\t"))
            for line in good(*words, env=home).split("\n") if line]


def is_doubtful(packet):
    return packet.malformed or any(
        int(n, 0) >= WARNING for n in packet.severity.split(",") if n)


def whole_stay(*words):
    """What tshark makes of what the registrar says to such a phone."""
    needs("tshark")
    device = {DEVICE: {"profile": "non-secure", "lines": [
        {"number": "2001", "label": "Reception"},
        {"number": "2002", "label": "Lobby"}]}}
    with Daemon(LAB.config(devices=device)) as daemon:
        packets = tshark(record(daemon, *words))
    tap.none(p for p in packets if is_doubtful(p))
    down = [p for p in packets if p.source == str(PORT)]
    tap.none(p for p in down if not p.protocol.startswith("SKINNY"))
    return down


def decodes(version):
    down = whole_stay("--sccp-version", version)
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
    assert packet.malformed and is_doubtful(packet), packet


# ---- the frames of all conversations ----

FOLDER = os.path.join(SOURCE, "tests", "conversations", "sccp")
TALK = re.compile(r"^([<>])x (.*)$", re.M)
WORD = re.compile(r'"([^"]*)"|([0-9a-f]{2}|\.\.)(?:\*(\d+))?|\s+', re.I)


def bytes_of(words):
    """As the runner reads them; any byte is 0."""
    out = b""
    for text, byte, times in WORD.findall(words):
        out += text.encode("latin-1")
        if byte:
            value = 0 if byte == ".." else int(byte, 16)
            out += bytes([value]) * int(times or 1)
    return out


def frames_of_conversation(name):
    needs("tshark")
    path = LAB.path("conversation.pcap")
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        talk = TALK.findall(f.read())
    with pcap.Writer(path, PORT) as capture:
        for mark, words in talk:
            capture.write("up" if mark == ">" else "down", bytes_of(words))
    down = [p for p in tshark(path) if p.source == str(PORT)]
    tap.none(p for p in down if is_doubtful(p) or
             not p.protocol.startswith("SKINNY"))
    return down


def conversations():
    """Those in which the phone talks sense, and we more than once."""
    for name in sorted(os.listdir(FOLDER)):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
            text = f.read()
        if text.count("\n<x ") > 1:
            yield name


def a_reset_says_which():
    """1 RESET, 2 RESTART, 3 APPLY_CONFIG in Wireshark's dissector."""
    for name, expected in (("reset.conv", [2]), ("reset-apply.conv", [3, 1])):
        kinds = [int(p.resets, 0) for p in frames_of_conversation(name)
                 if p.resets]
        same(kinds, expected, name)


if __name__ == "__main__":
    sys.exit(tap.run(
        a_broken_frame_would_be_seen,
        *(fact(f"tshark decodes the registrar at version {v}", decodes, v)
          for v in VERSIONS),
        *(fact(f"tshark decodes all that a {name} is told", whole_stay,
               "--generation", name) for name in GENERATIONS),
        a_reset_says_which,
        *(fact(f"tshark decodes our side of {name}", frames_of_conversation,
               name) for name in conversations())))
