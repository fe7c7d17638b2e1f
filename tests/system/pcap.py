# SPDX-License-Identifier: Apache-2.0
"""Captures: TCP streams out of a pcapng, and bytes into a pcap of our own."""
import struct
from collections import namedtuple

Segment = namedtuple("Segment", "source target seq data")

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ETHERNET, IPV4, IPV6, TCP = 1, 0x0800, 0x86DD, 6


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


# Link layers: the number of each in a file, and what stands before the packet.
SHAPES = {
    "ethernet": (1, lambda kind: bytes(12) + struct.pack(">H", kind)),
    "vlan": (1, lambda kind: bytes(12) + struct.pack(">HHH", 0x8100, 100,
                                                     kind)),
    "raw": (101, lambda kind: b""),
    "loopback": (0, lambda kind: struct.pack("<I", 2 if kind == IPV4 else 30)),
    "sll": (113, lambda kind: bytes(14) + struct.pack(">H", kind)),
    "sll2": (276, lambda kind: struct.pack(">H", kind) + bytes(18)),
}


class Writer:
    """One TCP connection of bytes, as a capture of it would show them."""

    MSS = 1460

    def __init__(self, path, server_port, shape="ethernet", ipv6=False,
                 ng=False, rearrange=None, start=0):
        """rearrange: makes another list of the list of frames; start: when
        the first came, unix time."""
        self.path, self.ng, self.rearrange = path, ng, rearrange
        self.start = start
        self.link, self.head = SHAPES[shape]
        self.ipv6 = ipv6
        self.ends = {"up": (2, 50000), "down": (1, server_port)}
        self.seq = {"up": 1000, "down": 2000}
        self.frames = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        frames = self.frames
        if self.rearrange:
            frames = self.rearrange(frames)
        with open(self.path, "wb") as f:
            f.write(self._ng(frames) if self.ng else self._classic(frames))

    def _classic(self, frames):
        out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535,
                          self.link)
        for second, frame in enumerate(frames, self.start):
            out += struct.pack("<IIII", second, 0, len(frame),
                               len(frame)) + frame
        return out

    def _ng(self, frames):
        def block(kind, body):
            body += bytes(-len(body) % 4)
            length = struct.pack("<I", 12 + len(body))
            return struct.pack("<I", kind) + length + body + length
        out = block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        out += block(INTERFACE, struct.pack("<HHI", self.link, 0, 65535))
        for second, frame in enumerate(frames, self.start):
            high, low = divmod(second * 1000000, 1 << 32)
            out += block(PACKET, struct.pack(
                "<IIIII", 0, high, low, len(frame), len(frame)) + frame)
        return out

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
                          65535, 0, 0) + data
        self.seq[way] += len(data)
        self.frames.append(self._ip(source, target, tcp))

    def _ip(self, source, target, tcp):
        if self.ipv6:
            net = bytes([0xFD]) + bytes(14)
            return self.head(IPV6) + struct.pack(
                ">IHBB", 6 << 28, len(tcp), TCP, 64) + net + bytes(
                    [source]) + net + bytes([target]) + tcp
        return self.head(IPV4) + struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp),
            len(self.frames) & 0xFFFF, 0, 64, TCP, 0,
            bytes([10, 0, 0, source]), bytes([10, 0, 0, target])) + tcp
