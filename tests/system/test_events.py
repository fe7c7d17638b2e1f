# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: what a reader is told, when it comes again, when it is
slow, when there are many."""
import json
import os
import sys

import contract
from clients import Phones, credential_words, tcp
from daemon import Daemon
from harness import DEADLINE_S, same, tap, wait_until
from lab import Lab

LAB = Lab()
DEVICE = "SEP0200000E0001"
READERS = 16


class Reader:
    """One that reads as it comes."""

    def __init__(self, daemon, query="", last_id=None):
        self.socket = tcp(daemon.port("status", "http"))
        self.socket.settimeout(DEADLINE_S)
        more = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall((f"GET /v1/events{query} HTTP/1.0\r\nHost: localhost\r\n"
                             f"{more}\r\n").encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self.socket.close()

    def next(self):
        """(name, data, id) of the next event; None: it is over."""
        fields = {}
        while True:
            line = self._file.readline().decode()
            if not line:
                return None
            if line == "\n":
                if "data" in fields:
                    return (fields["event"], json.loads(fields["data"]),
                            fields.get("id"))
                fields = {}
                continue
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.removeprefix(" ")

    def until(self, name, check=lambda data: True):
        """Data and id of the next event of that name that passes."""
        while True:
            event = self.next()
            assert event, f"it ended before {name}"
            if event[0] == name and check(event[1]):
                return event[1], event[2]


def phone(daemon, credential):
    return Phones(daemon, "sccp", *credential_words(credential))


def of(device, state):
    return lambda data: any(
        p["name"] == device and p.get("state") == state
        for p in data["phones"])


def a_new_reader_is_told_how_things_stand():
    with Daemon(LAB.config()) as daemon, Reader(daemon) as reader:
        same((reader.status, reader.headers["content-type"]),
             (200, "text/event-stream"))
        name, hello, _ = reader.next()
        same((name, hello["resumed"]), ("hello", False))
        same(hello["topics"],
             ["status", "phones", "failures", "trust", "capf"])
        status, _ = reader.until("status")
        same((status["known"], status["admission"]["state"]), (0, "calm"))
        trust, _ = reader.until("trust")
        real = daemon.get("/v1/trust")
        same((trust["stores"][0]["generation"], trust["stores"][0]["anchors"]),
             (real["generation"], real["anchors"]))
        same(daemon.get(f"/v1/phones?since={hello['since']}")["phones"], [])


def a_phone_is_told_of_as_it_comes_and_goes():
    credential = LAB.phone(DEVICE)
    with Daemon(LAB.config()) as daemon, Reader(daemon) as reader:
        with phone(daemon, credential) as it:
            data, _ = reader.until("phone", of(DEVICE, "registered"))
            told = data["phones"][0]
            real = daemon.phone(DEVICE)
            same((told["protocol"], told["security"], told["kind"],
                  told["issuer"], told["peer"], told["at"], data["more"]),
                 ("sccp", "encrypted", "LSC", real["certificate"]["issuer"],
                  f"{real['address']}:{real['port']}", real["since"], 0))
            listed = daemon.get(f"/v1/phones?since={data['since']}")
            same([p["name"] for p in listed["phones"]], [DEVICE])
            status, _ = reader.until("status",
                                     lambda s: s["registered"] == 1)
            same((status["handshakes"]["full"], status["lsc"]), (1, 1))
            it.leave()
            data, _ = reader.until("phone", of(DEVICE, "unregistered"))
            same(data["phones"][0]["reason"], "deviceUnregistered")


def a_refusal_is_told_with_its_cure():
    with Daemon(LAB.config()) as daemon, \
            Reader(daemon, "?topics=failures,status") as reader:
        reader.until("status")
        with Phones(daemon, "sccp", "--device", DEVICE, transport="tcp"):
            data, _ = reader.until("failure")
            failure = data["failures"][0]
            same((failure["device"], data["total"] >= 1), (DEVICE, True))
            assert failure["cure"], failure
            contract.needs_jsonschema()
            same(contract.faults(contract.schema("Failure"), failure), [])
            reader.until("status", lambda s: s["refusalsByReason"].get(
                failure["rule"], 0) >= 1)


def only_topics_asked_for_are_told():
    credential = LAB.phone(DEVICE)
    with Daemon(LAB.config()) as daemon, \
            Reader(daemon, "?topics=phones") as reader:
        same(reader.next()[1]["topics"], ["phones"])
        with phone(daemon, credential):
            same(reader.next()[0], "phone")


def a_change_of_trust_is_told():
    with Daemon(LAB.config()) as daemon, \
            Reader(daemon, "?topics=trust") as reader:
        before, _ = reader.until("trust")
        generation = before["stores"][0]["generation"]
        with open(LAB.path("CallManager-trust", "broken.pem"), "w",
                  encoding="ascii") as f:
            f.write("no certificate\n")
        data, _ = reader.until("trust",
                               lambda t: "refused" in t["stores"][0])
        same((data["stores"][0]["generation"],
              data["stores"][0]["refused"]["file"]),
             (generation, "broken.pem"))
    os.remove(LAB.path("CallManager-trust", "broken.pem"))


def who_comes_again_goes_on_where_it_was():
    credential = LAB.phone(DEVICE)
    with Daemon(LAB.config()) as daemon:
        with Reader(daemon, "?topics=phones,status") as reader:
            _, last = reader.until("status")
        with phone(daemon, credential):
            daemon.wait_phone(DEVICE, "registered")
            with Reader(daemon, "?topics=phones", last) as again:
                same(again.next()[1]["resumed"], True)
                again.until("phone", of(DEVICE, "registered"))


def an_id_of_another_run_is_answered_with_resync():
    with Daemon(LAB.config()) as daemon, \
            Reader(daemon, "?topics=status") as reader:
        _, last = reader.until("status")
    with Daemon(LAB.config()) as daemon:
        for one in (last, "nonsense"):
            with Reader(daemon, "?topics=status", one) as again:
                same(again.next()[1]["resumed"], False)
                name, data, _ = again.next()
                same(name, "resync")
                assert data["why"]
                again.until("status")


def seventeen_are_one_too_many_and_others_are_served():
    with Daemon(LAB.config()) as daemon:
        readers = [Reader(daemon) for _ in range(READERS)]
        same([r.status for r in readers], READERS * [200])
        with Reader(daemon) as late:
            same((late.status, late.headers["retry-after"]), (503, "5"))
        crowd = [tcp(daemon.port("status", "http")) for _ in range(60)]
        same(daemon.get("/healthz")["status"], "ok")
        for one in crowd:
            one.close()
        readers.pop().__exit__()

        def room():
            with Reader(daemon) as again:
                return again.status == 200
        wait_until("the place of one that left", room)
        for one in readers:
            one.until("status")
            one.__exit__()


def the_registrar_ends_with_readers_there():
    with Daemon(LAB.config()) as daemon, Reader(daemon) as reader:
        reader.until("status")
        same(daemon.stop(), 0, "exit status")
        while reader.next():
            pass


def facts():
    yield from (
        a_new_reader_is_told_how_things_stand,
        a_phone_is_told_of_as_it_comes_and_goes,
        a_refusal_is_told_with_its_cure, only_topics_asked_for_are_told,
        a_change_of_trust_is_told, who_comes_again_goes_on_where_it_was,
        an_id_of_another_run_is_answered_with_resync,
        seventeen_are_one_too_many_and_others_are_served,
        the_registrar_ends_with_readers_there)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
