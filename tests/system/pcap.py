# SPDX-License-Identifier: Apache-2.0
"""Captures: TCP streams out of a pcapng, and bytes into a pcap of our own."""
import struct
from collections import namedtuple

Segment = namedtuple("Segment", "source target seq data")

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ETHERNET, IPV4, TCP = 1, 0x0800, 6


def _blocks(data):
    """Type and body of each block; the byte order is the first one's."""
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, at)
        yield order, kind, data[at + 8:at + length - 4]
        at += length


def _frames(data):
    links = []
    for order, kind, body in _blocks(data):
        if kind == INTERFACE:
            links.append(struct.unpack_from(order + "H", body)[0])
        if kind == PACKET:
            interface, _, _, captured = struct.unpack_from(order + "IIII",
                                                           body)
            assert links[interface] == ETHERNET, links
            yield body[20:20 + captured]


def _segment(frame):
    """The TCP segment of an Ethernet frame, or None."""
    if len(frame) < 54 or struct.unpack_from(">H", frame, 12)[0] != IPV4:
        return None
    ip = frame[14:14 + struct.unpack_from(">H", frame, 16)[0]]
    head = (ip[0] & 15) * 4
    if ip[9] != TCP:
        return None
    source, target, seq = struct.unpack_from(">HHI", ip, head)
    payload = ip[head + (ip[head + 12] >> 4) * 4:]
    return Segment((ip[12:16], source), (ip[16:20], target), seq, payload)


def segments(path):
    """The TCP segments with data, in their order, none of them twice."""
    with open(path, "rb") as f:
        data = f.read()
    seen = set()
    for segment in filter(None, map(_segment, _frames(data))):
        if segment.data and segment not in seen:
            seen.add(segment)
            yield segment


class Writer:
    """One TCP connection of bytes, as a capture of it would show them."""

    MSS = 1460

    def __init__(self, path, server_port):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0,
                                    65535, ETHERNET))
        self.ends = {"up": (bytes([10, 0, 0, 2]), 50000),
                     "down": (bytes([10, 0, 0, 1]), server_port)}
        self.seq = {"up": 1000, "down": 2000}
        self.packets = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, way, data):
        """way: "up" from the client, "down" to it."""
        for at in range(0, len(data), self.MSS):
            self._packet(way, data[at:at + self.MSS])

    def _packet(self, way, data):
        other = "down" if way == "up" else "up"
        (source, source_port), (target, target_port) = \
            self.ends[way], self.ends[other]
        tcp = struct.pack(">HHIIBBHHH", source_port, target_port,
                          self.seq[way], self.seq[other], 5 << 4, 0x18,
                          65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data),
                         self.packets & 0xFFFF, 0, 64, TCP, 0, source, target)
        frame = bytes(12) + struct.pack(">H", IPV4) + ip + tcp + data
        self.packets += 1
        self.seq[way] += len(data)
        self.file.write(struct.pack("<IIII", self.packets, 0, len(frame),
                                    len(frame)) + frame)
