# SPDX-License-Identifier: Apache-2.0
"""A real 7912's words, replayed, get every reply that CallManager gave."""
import struct
import sys

import pcap
import sccp
from clients import tcp
from daemon import Daemon
from harness import holds, same, shared, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP001380AD9E5F"
PORT = 2000
SOFT_KEY_EVENT = 0x0026  # NewCall: here the registration is over


def messages():
    """Direction, id and whole frame of each SCCP message, in order."""
    held = {"up": b"", "down": b""}
    path = shared("sccp-captures", "cucm41-7912-register.pcapng")
    for segment in pcap.segments(path):
        if PORT not in (segment.source[1], segment.target[1]):
            continue
        way = "up" if segment.target[1] == PORT else "down"
        held[way] += segment.data
        while len(held[way]) >= 12:
            length, _, message = struct.unpack_from("<III", held[way])
            if len(held[way]) < length + 8:
                break
            frame, held[way] = (held[way][:length + 8],
                                held[way][length + 8:])
            yield way, message, frame


def conversation():
    """Each request of the phone with the ids of what it was answered."""
    steps = []
    for way, message, frame in messages():
        if way == "up" and message == SOFT_KEY_EVENT:
            break
        if way == "up":
            steps.append((message, frame, []))
        elif steps:
            steps[-1][2].append(message)
    return steps


def every_reply_of_callmanager_is_given():
    steps = conversation()
    tap.remark("\n".join(
        f"> {message:04x} < {' '.join(f'{r:04x}' for r in replies)}"
        for message, _, replies in steps))
    with Daemon(LAB.config(devices={DEVICE: {"profile": "non-secure"}})) as daemon, \
            tcp(daemon.port("sccp", "tcp")) as connection:
        talk = sccp.Talk(connection)
        for message, frame, replies in steps:
            connection.sendall(frame)
            found = [talk.read()[0] for _ in replies]
            same(found, replies, f"replies to {message:04x}")
        # And not one more: the next answer is this one's.
        talk.ask(sccp.KEEP_ALIVE, sccp.KEEP_ALIVE_ACK)
        phone = daemon.phone(DEVICE)
        daemon.wait_event("ready", device=DEVICE)
    same((phone["state"], phone["protocol"], phone["transport"]),
         ("registered", "sccp", "tcp"))
    same(phone["model"], "7912")
    holds(phone["cameBackBecause"], "CM-aborted-TCP(13): ")
    same(len(daemon.events("ready", device=DEVICE)), 1,
         "registrations that came to their end")


def the_capture_holds_a_whole_registration():
    steps = conversation()
    sent = [message for message, _, _ in steps]
    assert sccp.REGISTER in sent and sccp.TIME_DATE_REQ in sent, sent
    assert sccp.KEEP_ALIVE in sent, sent
    assert sum(len(replies) for _, _, replies in steps) >= 15, steps


if __name__ == "__main__":
    sys.exit(tap.run(
        the_capture_holds_a_whole_registration,
        every_reply_of_callmanager_is_given))
