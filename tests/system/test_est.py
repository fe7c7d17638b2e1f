# SPDX-License-Identifier: Apache-2.0
"""A CA asked over EST, behind nginx and mutual TLS: phones get its
certificates in one visit, and what goes wrong there has its name here."""
import os
import ssl
import sys
import threading

import capf_client as capf
from admin import LAB, Admin, config
from clients import call
from daemon import Daemon, refuses_to_start
from est_server import EstServer
from harness import good, holds, same, tap, wait_until
from lab import listener
from outside_ca import OutsideCa

NAMES = [f"SEP0200000E57{i:02X}" for i in range(16)]
CA = OutsideCa(LAB, "site", "Site Phones CA")
STRANGER = OutsideCa(LAB, "stranger", "Another CA")
CLIENTS = OutsideCa(LAB, "clients", "Registration Authorities")
CA.publish("site.pem")
KEY = capf.Key(2048)
LONG_MS = 600000


def make_client(name, ca, *algorithm):
    """NAME.pem and NAME.key, by which we are known to the EST server."""
    key = LAB.path(name + ".key")
    good("openssl", "genpkey", "-algorithm", *algorithm, "-out", key)
    public = LAB.path(name + ".pub")
    good("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    ca.sign(public, name, LAB.path(name + ".pem"))


EC = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
make_client("ra-rsa", CLIENTS, "RSA")
make_client("ra-ec", CLIENTS, *EC)
make_client("ra-unknown", STRANGER, *EC)


def est_config(url, client="ra-ec", ms=LONG_MS, **changes):
    choice = {"issuer": "est", "folder": "capf", "est_url": url,
              "est_ca": LAB.path("server", "rsa.pem"),
              "est_certificate": LAB.path(client + ".pem"),
              "est_key": LAB.path(client + ".key"), "est_ms": ms, **changes}
    return config(listeners=[*LAB.base["listeners"],
                             listener("capf", profile="legacy")],
                  trust={"capf": "CAPF-trust",
                         "anchors": {"site.pem": {"kind": "lsc"}}},
                  capf=choice)


class Office:
    """A daemon whose CAPF asks that EST server."""

    def __init__(self, est, **options):
        self.daemon = Daemon(est_config(est.url, **options))
        self.admin = Admin(self.daemon)

    def __enter__(self):
        self.daemon.__enter__()
        self.port = self.daemon.port("capf")
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def order(self, name):
        self.admin.say("device", "add", name)
        self.admin.say("capf", "install", name, "--mode", "null", "--no-reset")

    def phone_is_refused(self, name, why, *parts):
        """It comes with a key; the CA's no is told, and kept."""
        self.order(name)
        with capf.Visit(self.port) as visit:
            visit.authenticate(name)
            visit.ended(visit.give_key(KEY), capf.DECLINED)
        reason = self.daemon.order(f"/v1/capf/operations/{name}",
                                   "GET")["reason"]
        same(reason["name"], why, f"{reason}")
        holds(reason["detail"], *parts)


made = 0


def server(ca=CA):
    global made
    made += 1
    return EstServer(LAB, f"est-{made}", ca, CLIENTS.cert)


def phone_registers_with_what_est_gave(client):
    with server().serving() as est, Office(est, client=client) as o:
        o.order(NAMES[0])
        der = capf.install(o.port, NAMES[0], KEY)
        pem = LAB.path("got.pem")
        with open(pem, "w", encoding="ascii") as f:
            f.write(ssl.DER_cert_to_PEM_cert(der))
        holds(good("openssl", "x509", "-in", pem, "-noout", "-issuer"),
              "Site Phones CA")
        call(o.daemon, "sccp", "--lsc", f"{pem}:{KEY.path}", "--device",
             NAMES[0]).outcome("registered")
        [(path, headers, _)] = est.asked
        same(path, "/.well-known/est/phones/simpleenroll", "the path")
        same(headers["Content-Type"], "application/pkcs10")
        same(headers["X-Client"], f"CN={client}", "whom nginx saw")


def phone_registers_by_an_rsa_client_certificate():
    phone_registers_with_what_est_gave("ra-rsa")


def phone_registers_by_an_ec_client_certificate():
    phone_registers_with_what_est_gave("ra-ec")


def every_bad_answer_has_its_name():
    with server().serving() as est, Office(est, ms=2000) as o:
        rows = (
            (est.says(400, {"Content-Type": "text/plain"}, b"no such phone"),
             "ca-refused", "no such phone"),
            (est.says(401, {"WWW-Authenticate": "Basic"}), "ca-refused",
             "HTTP 401"),
            (est.says(503), "ca-unreachable", "HTTP 503"),
            (est.says(302, {"Location": "https://127.0.0.1:1/"}), "ca-unfit",
             "not followed"),
            (est.says(200, {"Content-Type": "text/html"}, b"<p>"), "ca-unfit",
             "text/html"),
            (est.says(200, {"Content-Type": "application/pkcs7-mime"}, b"!"),
             "ca-unfit", "base64"),
            (est.sign_another_key, "ca-unfit", "phone's key"),
            (est.sign_for_another, "ca-unfit", "SEP0000000000FF"),
            (est.hang, "ca-unreachable", "est_ms"),
        )
        for name, (behave, why, part) in zip(NAMES, rows):
            est.behave = behave
            o.phone_is_refused(name, why, part)
        # And then it works again.
        est.behave = est.sign
        o.order(NAMES[len(rows)])
        capf.install(o.port, NAMES[len(rows)], KEY)


def where_people_approve_the_phone_gets_it_at_its_next_visit():
    with server().serving() as est, Office(est) as o:
        est.behave = est.says(202, {"Retry-After": "86400"})
        o.order(NAMES[0])
        with capf.Visit(o.port) as visit:
            visit.authenticate(NAMES[0])
            visit.ended(visit.give_key(KEY), capf.NO_ACTION)
        est.behave = est.sign
        with capf.Visit(o.port) as visit:
            store = visit.authenticate(NAMES[0])
            same(store.command, capf.STORE_REQUEST, "what it is to do")
            [(_, der)] = capf.certificates(store.elements[capf.CERTIFICATE])
            visit.ended(visit.answer(capf.STORE_RESPONSE), capf.SUCCESS)
        assert KEY.spki in der, "another key"
        [first, second] = est.asked
        same(first[2], second[2], "the request")
        same(o.daemon.failures(), [], "failures")


def server_that_does_not_know_us_refuses():
    with server().serving() as est, Office(est, client="ra-unknown") as o:
        o.phone_is_refused(NAMES[0], "ca-refused", "HTTP 400")
        same(est.asked, [], "what came through")


def server_of_another_ca_is_not_asked():
    with server().serving() as est, Office(est, est_ca=CA.cert) as o:
        o.phone_is_refused(NAMES[0], "ca-refused", "capf.est_ca")
        same(est.asked, [], "what came through")


def server_that_is_down_is_unreachable():
    est = server()
    with est.serving():
        pass
    with Office(est) as o:
        o.phone_is_refused(NAMES[0], "ca-unreachable", "does not answer")


def certificate_that_would_lock_the_phone_out_is_not_delivered():
    with server(STRANGER).serving() as est, Office(est) as o:
        o.phone_is_refused(NAMES[0], "ca-unfit", "locked out", "Another CA")


def server_that_hangs_holds_up_neither_phones_nor_the_end():
    with server().serving() as est, Office(est) as o:
        est.behave = est.hang
        o.order(NAMES[0])
        visit = capf.Visit(o.port)
        visit.authenticate(NAMES[0])
        visit.send(capf.KEY_RESPONSE, capf.element(capf.PUBLIC_KEY, KEY.spki))
        wait_until("the EST server to be asked", lambda: est.asked)
        est.behave = est.sign
        o.order(NAMES[1])
        capf.install(o.port, NAMES[1], KEY)
        same(o.daemon.stop(), 0, "exit status")
        visit.connection.close()


def many_phones_at_once_get_theirs():
    with server().serving() as est, Office(est) as o:
        for name in NAMES:
            o.order(name)
        lock, got = threading.Lock(), []

        def sign_in_turn(path, body):
            with lock:
                return est.sign(path, body)
        est.behave = sign_in_turn
        threads = [threading.Thread(target=lambda name=name: got.append(
            capf.install(o.port, name, KEY))) for name in NAMES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(len(set(got)), len(NAMES), "certificates")


def configuration_of_no_use_does_not_start():
    for changes, part in (
            ({"est_url": "http://localhost/"}, "capf.est_url"),
            ({"est_url": ""}, "capf.est_url"),
            ({"est_key": LAB.path("ra-rsa.key")}, "is not the key of"),
            ({"est_ca": LAB.path("nowhere.pem")}, "nowhere.pem"),
            ({"est_certificate": ""}, "capf.est_certificate")):
        conf = est_config("https://localhost:1", **changes)
        holds(refuses_to_start(conf).text, part)


if __name__ == "__main__":
    os.environ["https_proxy"] = "http://127.0.0.1:1"  # is of no concern
    sys.exit(tap.run(
        phone_registers_by_an_rsa_client_certificate,
        phone_registers_by_an_ec_client_certificate,
        every_bad_answer_has_its_name,
        where_people_approve_the_phone_gets_it_at_its_next_visit,
        server_that_does_not_know_us_refuses,
        server_of_another_ca_is_not_asked,
        server_that_is_down_is_unreachable,
        certificate_that_would_lock_the_phone_out_is_not_delivered,
        server_that_hangs_holds_up_neither_phones_nor_the_end,
        many_phones_at_once_get_theirs,
        configuration_of_no_use_does_not_start))
