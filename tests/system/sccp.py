# SPDX-License-Identifier: Apache-2.0
"""SCCP by hand: frames in and out of a connection."""
import struct

from harness import same

KEEP_ALIVE, KEEP_ALIVE_ACK = 0x0000, 0x0100
REGISTER, REGISTER_ACK, REGISTER_REJECT = 0x0001, 0x0081, 0x009D
CAPABILITIES_REQ, CAPABILITIES_RES = 0x009B, 0x0010
SOFT_KEY_TEMPLATE_REQ, SOFT_KEY_TEMPLATE = 0x0028, 0x0108
TIME_DATE_REQ, DEFINE_TIME_DATE = 0x000D, 0x0094
UNREGISTER, UNREGISTER_ACK = 0x0027, 0x0118


def frame(message, body=b"", version=0):
    return struct.pack("<III", 4 + len(body), version, message) + body


def register(device, version=11, device_type=437):
    return frame(REGISTER, struct.pack(
        "<16sII4sIIIBBBB", device.encode(), 0, 1, bytes([127, 0, 0, 1]),
        device_type, 0, 0, version, 0, 0, 0) + bytes(8))


class Talk:
    """A connection that speaks SCCP."""

    def __init__(self, connection):
        self.connection = connection
        self._held = b""

    def _take(self, n):
        while len(self._held) < n:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the server closed")
            self._held += data
        taken, self._held = self._held[:n], self._held[n:]
        return taken

    def send(self, message, body=b""):
        self.connection.sendall(frame(message, body))

    def read(self):
        """The next frame: its message id and its body."""
        length, _, message = struct.unpack("<III", self._take(12))
        return message, self._take(length - 4)

    def ask(self, message, *expected, body=b""):
        """Sends one message; the ids of its answers must be these."""
        self.send(message, body)
        answers = [self.read() for _ in expected]
        same([a[0] for a in answers], list(expected), "answers")
        return answers

    def register(self, device, **options):
        """Registers; the body of the RegisterAck, and the socket stays."""
        self.connection.sendall(register(device, **options))
        message, ack = self.read()
        same(message, REGISTER_ACK, f"answer to Register ({ack})")
        same(self.read()[0], CAPABILITIES_REQ, "what follows the ack")
        return ack
