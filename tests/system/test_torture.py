# SPDX-License-Identifier: Apache-2.0
"""RFC 4475 over TCP and TLS: the right answers, and alive after each."""
import os
import sys
from collections import namedtuple

import sip
from clients import closed_by_peer, tcp, tls
from daemon import Daemon
from harness import DEADLINE_S, SOURCE, fact, same, shared, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"
MESSAGE_S = 10  # until a message has to be whole

Row = namedtuple("Row", "name connection statuses")


def rows():
    """The table that the engine's own test keeps, too."""
    path = os.path.join(SOURCE, "tests", "protocols", "sip", "torture.txt")
    with open(path, encoding="ascii") as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                yield Row(words[0], words[1], words[2:])


def message(name):
    with open(shared("sip-torture", name + ".dat"), "rb") as f:
        return f.read()


def connect(daemon, transport):
    port = daemon.port("sip", transport)
    return tls(port, LAB.phone(DEVICE)) if transport == "tls" else tcp(port)


def alive(talk):
    """The next answer is the one to our own OPTIONS."""
    answer = talk.ask(talk.request("OPTIONS"))
    same((answer.status, answer.headers["call-id"]), (200, [talk.call_id]))


def torture(daemon, transport, row):
    with connect(daemon, transport) as connection:
        talk = sip.Talk(connection, DEVICE, transport=transport)
        connection.sendall(message(row.name))
        if row.statuses != ["-"]:
            answered(row, talk.read())
        if row.connection == "stays":
            alive(talk)
            return
        closed_by_peer(connection)
    with connect(daemon, transport) as connection:
        alive(sip.Talk(connection, DEVICE, transport=transport))


def expected(row):
    """Ours knows its devices, and these are none of them."""
    return row.statuses[1:] or row.statuses


def answered(row, answer):
    assert str(answer.status) in expected(row), (
        f"{row.name}: expected {expected(row)}, answer {answer.text}")


def whole(transport, row):
    with Daemon(LAB.config()) as daemon:
        torture(daemon, transport, row)


def messages_that_never_end_are_answered_late_and_closed():
    late = [row for row in rows() if row.connection == "late"]
    shared("sip-torture")
    with Daemon(LAB.config()) as daemon:
        waiting = [(row, transport, connect(daemon, transport))
                   for row in late for transport in ("tcp", "tls")]
        for row, _, connection in waiting:
            connection.sendall(message(row.name))
        for row, transport, connection in waiting:
            with connection:
                said = closed_by_peer(connection, MESSAGE_S + DEADLINE_S)
            answered(row, sip.parse(said.split(b"\r\n\r\n")[0]))
            with connect(daemon, transport) as other:
                alive(sip.Talk(other, DEVICE, transport=transport))


def the_table_names_every_message():
    names = sorted(name[:-4] for name in os.listdir(shared("sip-torture"))
                   if name.endswith(".dat"))
    same(sorted(row.name for row in rows()), names)


def all_of_them_by_one_daemon_and_it_is_alive():
    shared("sip-torture")
    with Daemon(LAB.config()) as daemon:
        for _ in range(2):
            for transport in ("tls", "tcp"):
                for row in rows():
                    if row.connection != "late":
                        torture(daemon, transport, row)
        same(daemon.fetch("/healthz")[0], 200)


if __name__ == "__main__":
    sys.exit(tap.run(
        the_table_names_every_message,
        *(fact(f"{row.name} over {transport} is answered "
               f"{' or '.join(expected(row))}", whole, transport, row)
          for row in rows() if row.connection != "late"
          for transport in ("tcp", "tls")),
        messages_that_never_end_are_answered_late_and_closed,
        all_of_them_by_one_daemon_and_it_is_alive))
