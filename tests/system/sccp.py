# SPDX-License-Identifier: Apache-2.0
"""SCCP by hand: frames in and out of a connection."""
import struct

from harness import same

KEEP_ALIVE, KEEP_ALIVE_ACK = 0x0000, 0x0100
REGISTER, REGISTER_ACK, REGISTER_REJECT = 0x0001, 0x0081, 0x009D
CAPABILITIES_REQ, CAPABILITIES_RES = 0x009B, 0x0010
SOFT_KEY_TEMPLATE_REQ, SOFT_KEY_TEMPLATE = 0x0028, 0x0108
SOFT_KEY_SET_REQ, SOFT_KEY_SET, SELECT_SOFT_KEYS = 0x0025, 0x0109, 0x0110
DISPLAY_PROMPT = 0x0112
TIME_DATE_REQ, DEFINE_TIME_DATE = 0x000D, 0x0094
UNREGISTER, UNREGISTER_ACK = 0x0027, 0x0118
TOKEN_REQ, TOKEN_ACK, TOKEN_REJECT = 0x0029, 0x011A, 0x011B
SPCP_TOKEN_REQ, SPCP_TOKEN_ACK, SPCP_TOKEN_REJECT = 0x8000, 0x8100, 0x8101
BUTTON_TEMPLATE_REQ, BUTTON_TEMPLATE = 0x000E, 0x0097
LINE_STAT_REQ, LINE_STAT = 0x000B, 0x0092
SPEED_DIAL_STAT_REQ, SPEED_DIAL_STAT = 0x000A, 0x0091
FORWARD_STAT_REQ, FORWARD_STAT = 0x0009, 0x0090
FEATURE_STAT_REQ, FEATURE_STAT, FEATURE_STAT_V2 = 0x0034, 0x011F, 0x0146
SERVICE_URL_STAT_REQ, SERVICE_URL_STAT_V2 = 0x0033, 0x0148
AVAILABLE_LINES, ALARM, XML_ALARM = 0x002D, 0x0020, 0x015A
RESET = 0x009F


def frame(message, body=b"", version=0):
    return struct.pack("<III", 4 + len(body), version, message) + body


def register(device, version=11, device_type=437):
    """device: text, or the very bytes of its field."""
    name = device.encode() if isinstance(device, str) else device
    return frame(REGISTER, struct.pack(
        "<16sII4sIIIBBBB", name, 0, 1, bytes([127, 0, 0, 1]),
        device_type, 0, 0, version, 0, 0, 0) + bytes(8))


def token(device, message=TOKEN_REQ, device_type=437):
    return frame(message, struct.pack(
        "<16sII4sI", device.encode(), 0, 1, bytes([127, 0, 0, 1]),
        device_type) + bytes(20))


def number(value):
    return struct.pack("<I", value)


# Two codecs of eighteen rows.
CAPABILITIES = struct.pack("<I8I", 2, 4, 60, 0, 0, 2, 60, 0, 0) + bytes(256)


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
