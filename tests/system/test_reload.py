# SPDX-License-Identifier: Apache-2.0
"""Living trust folders: what comes and goes, what is refused, whom it cuts."""
import base64
import os
import shutil
import signal
import ssl
import sys

from clients import (Phones, call, closed_by_peer, context, credential_words,
                     tcp)
from daemon import Daemon
from forge import Forge
from harness import (DIALTONE, SANITIZER, fact, good, holds, run, same, tap,
                     wait_until)
from lab import Lab, sha256_of

LAB = Lab()
FORGE = Forge(LAB)
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"
STORE = "trust"
BAD = "zz-bad.pem"
RELOADS = 200 if SANITIZER is None else 60


def config(**changes):
    return LAB.config(trust={"callmanager": STORE},
                      admin={"socket": "admin.sock"}, **changes)


def read(*parts):
    with open(LAB.path(*parts), "rb") as f:
        return f.read()


def put(name, data, store=STORE):
    """In one step, as an admin should."""
    hidden = LAB.path(store, ".new")
    with open(hidden, "wb") as f:
        f.write(data)
    os.rename(hidden, LAB.path(store, name))


def anchors(daemon):
    return sorted(a["sha256"] for a in daemon.get("/v1/trust")["list"])


def wait_trust(daemon, what, check):
    """Until the store is as it should; answers what is said of it then."""
    def find():
        trust = daemon.get("/v1/trust")
        return trust if check(trust) else None
    try:
        return wait_until(what, find)
    except AssertionError as late:
        raise AssertionError(f"{late}: {daemon.get('/v1/trust')}") from None


def wait_refused(daemon, **fields):
    trust = wait_trust(
        daemon, f"{fields} to be refused",
        lambda t: fields.items() <= t.get("reloadRefused", {}).items())
    return trust["reloadRefused"]


def wait_generation(daemon, number):
    return wait_trust(daemon, f"generation {number}",
                      lambda t: t["generation"] == number)


def is_let_in(connection):
    connection.sendall(b"\r\n\r\n")
    return connection.recv(2) == b"\r\n"


def visit(daemon, made, session=None):
    """let in or not, resumed or not, the next session"""
    try:
        with tcp(daemon.port("sip")) as raw, \
                made.wrap_socket(raw, session=session) as connection:
            if is_let_in(connection):
                return True, connection.session_reused, connection.session
    except (ssl.SSLError, ConnectionError):
        pass
    return False, False, None


# ---- files that are refused ----

def pem(der):
    return (b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der)
            + b"-----END CERTIFICATE-----\n")


def other():
    return read("ca", "other-capf.pem")


def other_der():
    return ssl.PEM_cert_to_DER_cert(other().decode())


def changed(old, new):
    return lambda: other().replace(old, new, 1)


def self_signed(name, *words):
    """A certificate that openssl req makes, with these extensions."""
    key, cert = FORGE.path(name + ".key"), FORGE.path(name + ".pem")
    good("openssl", "req", "-x509", "-new", "-nodes", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert,
         "-subj", f"/CN={name}", "-days", "9", *words)
    return cert


def file_of(path):
    with open(path, "rb") as f:
        return f.read()


def version_one():
    request, cert = FORGE.path("v1.csr"), FORGE.path("v1.pem")
    self_signed("v1")
    key = FORGE.path("v1.key")
    good("openssl", "req", "-new", "-key", key, "-subj", "/CN=v1",
         "-out", request)
    good("openssl", "x509", "-req", "-in", request, "-signkey", key,
         "-days", "9", "-out", cert)
    return file_of(cert)


def request():
    self_signed("asking")
    path = FORGE.path("asking.csr")
    good("openssl", "req", "-new", "-key", FORGE.path("asking.key"), "-subj",
         "/CN=asking", "-out", path)
    return file_of(path)


def link_to(target):
    return lambda path: os.symlink(target, path)


def open_to_all(path):
    put(os.path.basename(path), other())
    os.chmod(path, 0o666)


def given_away(path):
    put(os.path.basename(path), other())
    os.chown(path, 65534, 65534)


# What is put there, by the rule that refuses it: bytes, or by a function.
BAD_FILES = {
    "private-key": lambda: read("ca", "capf.key"),
    "leaf": lambda: file_of(LAB.phone(DEVICE).cert),
    "no-certificate": lambda: b"not one\n",
    "empty-file": lambda: b"",
    "utf-16": lambda: other().decode().encode("utf-16"),
    "half-written": lambda: other()[:len(other()) // 2],
    "trailing-bytes": lambda: pem(other_der() + b"\0"),
    "twice-in-file": lambda: 2 * other(),
    "oversized": lambda: other() + (1 << 20) * b"\n",
    "other-pem-type": request,
    "damaged-begin": changed(b"BEGIN CERTIFICATE-----",
                             b"BEGIN CERTIFICATE----"),
    "damaged-end": changed(b"END CERTIFICATE-----", b"END CERTIFICATE---"),
    "end-alone": lambda: other() + b"-----END CERTIFICATE-----\n",
    "wrong-end": changed(b"END CERTIFICATE", b"END X509 CRL"),
    "no-end": lambda: changed(b"-----END CERTIFICATE-----\n", b"")()
    + other(),
    "empty-block": lambda: pem(b""),
    "bad-base64": changed(b"MII", b"M*I"),
    "damaged-certificate": lambda: pem(bytes(200)),
    "not-v3": version_one,
    "no-ca-true": lambda: file_of(self_signed(
        "nobody", "-config", FORGE.write(
            "none.cnf", "[req]\ndistinguished_name=d\n[d]\n"),
        "-addext", "subjectKeyIdentifier=hash")),
}
BAD_THINGS = {
    "dangling-link": link_to("nowhere"),
    "link-out": link_to(LAB.path("ca", "other-capf.pem")),
    "not-regular": os.mkfifo,
    "world-writable": open_to_all,
}
if os.getuid() == 0:  # nobody else may give files away
    BAD_THINGS["foreign-owner"] = given_away


def put_bad(rule):
    if rule in BAD_FILES:
        put(BAD, BAD_FILES[rule]())
    else:
        BAD_THINGS[rule](LAB.path(STORE, BAD))


class Scene:
    """A daemon with a phone in; whatever happens, it stays in."""

    def __init__(self, **changes):
        self.changes = changes

    def __enter__(self):
        LAB.store(STORE)
        credential = LAB.phone(DEVICE)
        self.made = context(credential, "1.3")
        self.daemon = Daemon(config(**self.changes))
        self.phone = Phones(self.daemon, "sccp",
                            *credential_words(credential))
        self.daemon.wait_registered(1)
        self.began = self.daemon.get("/v1/trust")
        return self

    def __exit__(self, kind, error, trace):
        try:
            if not kind:
                same(self.daemon.phone(DEVICE)["state"], "registered")
                same(self.daemon.events("unregistered", device=DEVICE), [])
                self.phone.leave().outcome("registered")
        finally:
            self.phone.__exit__()
            self.daemon.__exit__(kind, error, trace)

    def reload(self):
        return self.daemon.order("/v1/trust/reload")

    def is_as_it_began(self):
        """But for how many phones hang on each anchor: they come and go."""
        trust = self.daemon.get("/v1/trust")
        for anchor in trust["list"] + self.began["list"]:
            anchor.pop("devices", None)
        for key in ("generation", "fingerprint", "list", "loaded"):
            same(trust[key], self.began[key], key)
        same(visit(self.daemon, self.made)[0], True, "a phone of ours")


def bad_files_leave_the_old_set_in_force():
    with Scene() as scene:
        daemon = scene.daemon
        for rule in (*BAD_FILES, *BAD_THINGS):
            put_bad(rule)
            refused = wait_refused(daemon, file=BAD, rule=rule)
            holds(refused["why"], LAB.path(STORE, BAD))
            scene.is_as_it_began()
            same(daemon.ask_admin("/v1/trust/reload", "POST")[0], 409)
            os.unlink(LAB.path(STORE, BAD))
            assert "reloadRefused" not in scene.reload(), rule
        said = daemon.get("/v1/trust")["refusals"]
        same(set(said), {*BAD_FILES, *BAD_THINGS})
        # Once a reason, once more for the order; not once a retry.
        for rule in said:
            told = daemon.events("reload-refused", rule=rule)
            same(len([e for e in told if "asked" not in e.fields]), 1, rule)
        call(daemon, "sip", *credential_words(LAB.phone(OTHER))) \
            .outcome("registered")


def a_folder_anybody_may_write_to_is_refused():
    with Scene() as scene:
        os.chmod(LAB.path(STORE), 0o777)
        wait_refused(scene.daemon, rule="world-writable-folder")
        scene.is_as_it_began()
        os.chmod(LAB.path(STORE), 0o755)
        wait_trust(scene.daemon, "it to be mended",
                   lambda t: "reloadRefused" not in t)
        scene.is_as_it_began()


def what_a_rule_refused_is_tried_again():
    """The writer goes without a word: no event tells of it."""
    with Scene() as scene, open(LAB.path(STORE, BAD), "wb") as f:
        f.write(other())
        f.flush()
        wait_refused(scene.daemon, rule="being-written", file=BAD, retries=2)
        scene.is_as_it_began()
        f.close()
        wait_generation(scene.daemon, 2)
        same(len(scene.daemon.events("reload-refused")), 1)


# ---- what happens to folders ----

def an_emptied_folder_keeps_the_old_set():
    with Scene() as scene:
        store = LAB.path(STORE)
        for name in os.listdir(store):
            os.unlink(os.path.join(store, name))
        wait_refused(scene.daemon, rule="emptied")
        scene.is_as_it_began()
        same(scene.daemon.ask_admin("/v1/trust/reload", "POST")[0], 409)
        LAB.store(STORE, "other-capf")
        wait_generation(scene.daemon, 2)


def a_folder_goes_and_comes_back():
    with Scene() as scene:
        os.rename(LAB.path(STORE), LAB.path("away"))
        wait_trust(scene.daemon, "a refusal", lambda t: "reloadRefused" in t)
        scene.is_as_it_began()
        put("other.pem", other(), "away")
        os.rename(LAB.path("away"), LAB.path(STORE))
        wait_generation(scene.daemon, 2)
        os.unlink(LAB.path(STORE, "other.pem"))
        wait_generation(scene.daemon, 3)


def links_turn():
    """A folder by its version, and files linked as Kubernetes does."""
    for name, cas in (("v1", ()), ("v2", ("other-capf",))):
        LAB.store(name, *cas)
    shutil.rmtree(LAB.path(STORE), ignore_errors=True)
    os.symlink("v1", LAB.path(STORE))
    with Daemon(config()) as daemon:
        os.symlink("v2", LAB.path("turning"))
        os.rename(LAB.path("turning"), LAB.path(STORE))
        trust = wait_generation(daemon, 2)
        same(trust["anchors"], 3)
        os.unlink(LAB.path("v2", "other-capf.pem"))
        wait_generation(daemon, 3)
    os.unlink(LAB.path(STORE))


def a_renamed_file_is_known_by_its_new_name():
    with Scene() as scene:
        put("a.pem", other())
        first = wait_generation(scene.daemon, 2)
        os.rename(LAB.path(STORE, "a.pem"), LAB.path(STORE, "b.pem"))
        trust = wait_generation(scene.daemon, 3)
        same(trust["fingerprint"], first["fingerprint"])
        assert "b.pem" in [a["file"] for a in trust["list"]], trust


def new_cas(n):
    return [file_of(self_signed(
        f"New-{i}", "-addext", "keyUsage=critical,keyCertSign"))
        for i in range(n)]


def positions(parts):
    """Each byte near a border, and some in between; the walk over every one
    is a test of the loader's."""
    border, out = 0, set()
    for part in (*parts, b""):
        out |= set(range(border - 4, border + 33))
        border += len(part)
        out |= set(range(border - 33, border + 4))
    return sorted(p for p in {*out, *range(0, border, 97)}
                  if 0 <= p <= border)


def a_writer_stops_at_any_byte():
    """In place, and the file open: an order, too, finds the old set or the
    new one."""
    old = [read("ca", ca + ".pem") for ca in
           ("other-capf", "manufacturing-root", "manufacturing-root-sha1")]
    new = new_cas(3)
    data = b"".join(new)
    with Scene() as scene:
        daemon = scene.daemon
        put("bundle.pem", b"".join(old))
        before = anchors_of(scene.reload())
        same(len(before), 5)
        with open(LAB.path(STORE, "bundle.pem"), "wb", buffering=0) as f:
            written, stops = 0, positions(new)
            for stop in stops:
                f.write(data[written:stop])
                written = stop
                status, answer = daemon.ask_admin("/v1/trust/reload", "POST")
                same((status, anchors(daemon)), (409, before),
                     f"at {stop}: {answer}")
        same(written, len(data))
        after = anchors_of(scene.reload())
        same(len({*after} & {*before}), 2)
        same(len(after), 5)
    tap.remark(f"stopped at {len(stops)} of {len(data)} bytes")


def anchors_of(trust):
    return sorted(a["sha256"] for a in trust["list"])


def a_writer_dies_between_two_certificates():
    """Whole certificates and nothing else: yet not what was there."""
    cas = new_cas(3)
    with Scene() as scene:
        put("bundle.pem", b"".join(cas))
        scene.reload()
        before = anchors(scene.daemon)
        for kept in (2, 1):
            with open(LAB.path(STORE, "bundle.pem"), "wb") as f:
                f.write(b"".join(cas[:kept]))
            wait_refused(scene.daemon, rule="shrunk", file="bundle.pem")
            same(anchors(scene.daemon), before)
        same(len(anchors_of(scene.reload())), len(before) - 2)


# ---- whom it touches ----

def nobody_is_cut_by_reloads_that_change_things():
    foreign = context(LAB.phone(OTHER, "foreign"), "1.3")
    with Scene() as scene:
        daemon = scene.daemon
        with tcp(daemon.port("sip")) as raw, \
                scene.made.wrap_socket(raw) as open_one:
            same(is_let_in(open_one), True)
            _, _, session = visit(daemon, scene.made)
            for i in range(RELOADS):
                if i % 2:
                    os.unlink(LAB.path(STORE, "other.pem"))
                else:
                    put("other.pem", other())
                same(scene.reload()["generation"], i + 2)
                if i % 20 < 2:
                    same(visit(daemon, foreign)[0], i % 2 == 0, f"after {i}")
                    same(is_let_in(open_one), True, "an open connection")
            same(visit(daemon, scene.made, session)[:2], (True, True),
                 "resumption")


def what_says_the_same_changes_nothing():
    with Scene() as scene:
        for name in os.listdir(LAB.path(STORE)):
            put(name, read(STORE, name))
        scene.reload()
        scene.is_as_it_began()
        same(scene.daemon.reload().name, "trust-unchanged")
        scene.is_as_it_began()


def a_storm_of_signals_is_weathered():
    with Scene() as scene:
        for i in range(300):
            scene.daemon.signal(signal.SIGHUP)
            if i % 100 == 50:
                put("other.pem", other())
            elif i % 100 == 99:
                os.unlink(LAB.path(STORE, "other.pem"))
        scene.daemon.reload()
        same(anchors(scene.daemon), anchors_of(scene.began))
        same(visit(scene.daemon, scene.made)[0], True)


def half_a_handshake(made, raw):
    """Up to the client's last flight, which is not sent, and the rest."""
    come, gone = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = made.wrap_bio(come, gone)
    flights = []
    while True:
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            pass
        if gone.pending:
            flights.append(gone.read())
            if len(flights) == 2:
                return flights[1], come, gone, connection
            raw.sendall(flights[0])
        come.write(raw.recv(65536))


def a_handshake_that_is_overtaken(version, leaf, expected):
    """The CA goes, and that is reported, before the phone has finished."""
    LAB.store(STORE)
    put("other.pem", other())
    made = context(LAB.phone(OTHER, leaf), version)
    with Daemon(config()) as daemon, tcp(daemon.port("sip")) as raw:
        flight, come, gone, connection = half_a_handshake(made, raw)
        os.unlink(LAB.path(STORE, "other.pem"))
        same(daemon.order("/v1/trust/reload")["generation"], 2)
        raw.sendall(flight)
        if version == "1.2":
            come.write(raw.recv(65536))
            connection.do_handshake()
        connection.write(b"\r\n\r\n")
        raw.sendall(gone.read())
        if expected == "let in":
            wait_until("an answer", lambda: answers(connection, come, raw))
            return
        closed_by_peer(raw)
        holds(daemon.wait_failure("trust-changed")["why"], "reload")
        same(visit(daemon, made)[0], False)
        daemon.wait_failure("unknown-ca")


def answers(connection, come, raw):
    come.write(raw.recv(65536))
    try:
        return connection.read(2) == b"\r\n"
    except ssl.SSLWantReadError:
        return False


# ---- the other store, and what is told ----

def stores_are_judged_each_for_itself():
    shutil.rmtree(LAB.path("capf"), ignore_errors=True)
    shutil.copytree(LAB.path("CAPF-trust"), LAB.path("capf"))
    LAB.store(STORE)
    both = LAB.config(trust={"callmanager": STORE, "capf": "capf"},
                      admin={"socket": "admin.sock"})
    with Daemon(both) as daemon:
        words = [DIALTONE, "--url", daemon.url, "trust"]
        trust = daemon.get("/v1/trust")
        same((trust["store"], trust["anchors"], trust["capf"]["store"],
              trust["capf"]["anchors"]),
             ("CallManager-trust", 2, "CAPF-trust", 3))
        same(daemon.get("/v1/status")["capfTrust"]["fingerprint"],
             trust["capf"]["fingerprint"])
        holds(good(*words, "status"), "CallManager-trust", "CAPF-trust")

        put(BAD, read("ca", "capf.key"), "capf")
        wait_trust(daemon, "CAPF-trust to be refused",
                   lambda t: "reloadRefused" in t["capf"])
        put("other.pem", other())
        wait_generation(daemon, 2)
        for store, code in (("callmanager", 0), ("capf", 1)):
            done = run(*words, "status", "--store", store)
            same(done.returncode, code, done.stdout)
        holds(done.stdout, "private-key", BAD, "refused since", "cure")
        same(run(*words, "status").returncode, 1)
        same(run(*words, "status", "--store", "x").returncode, 2)
        done = run(*words, "reload")
        same((done.returncode, done.stdout), (1, ""))
        holds(done.stderr, LAB.path("capf", BAD))
        os.unlink(LAB.path("capf", BAD))
        holds(good(*words, "reload"), "CAPF-trust", "in force since")
        same(daemon.get("/v1/trust")["capf"]["generation"], 1)

        # Whom CAPF believes is not let in by that.
        shutil.copy(LAB.path("ca", "other-capf.pem"), LAB.path("capf"))
        os.unlink(LAB.path(STORE, "other.pem"))
        same(daemon.order("/v1/trust/reload")["capf"]["anchors"], 4)
        call(daemon, "sip", *credential_words(LAB.phone(OTHER, "foreign"))) \
            .outcome("alert")


def a_registrar_without_capf_trust_says_so():
    LAB.store(STORE)
    with Daemon(config()) as daemon:
        assert "capf" not in daemon.get("/v1/trust")
        done = run(DIALTONE, "--url", daemon.url, "trust", "status",
                   "--store", "capf")
    same(done.returncode, 1)
    holds(done.stderr, "trust.capf")


def orders_leave_an_audit_line():
    LAB.store(STORE)
    with Daemon(config()) as daemon:
        daemon.order("/v1/trust/reload")
        put(BAD, b"")
        same(daemon.ask_admin("/v1/trust/reload", "POST")[0], 409)
        same(daemon.ask_admin("/v1/trust/reload")[0], 405)
        for outcome in ("done", "refused"):
            daemon.wait_event("admin", order="POST /v1/trust/reload",
                              outcome=outcome)
        same(len(daemon.events("admin")), 2)


if __name__ == "__main__":
    sys.exit(tap.run(
        bad_files_leave_the_old_set_in_force,
        a_folder_anybody_may_write_to_is_refused,
        what_a_rule_refused_is_tried_again,
        an_emptied_folder_keeps_the_old_set,
        a_folder_goes_and_comes_back,
        links_turn,
        a_renamed_file_is_known_by_its_new_name,
        a_writer_stops_at_any_byte,
        a_writer_dies_between_two_certificates,
        nobody_is_cut_by_reloads_that_change_things,
        what_says_the_same_changes_nothing,
        a_storm_of_signals_is_weathered,
        *(fact(f"a handshake of TLS {version} that a reload overtakes is "
               f"{expected} with a certificate of a CA that {what}",
               a_handshake_that_is_overtaken, version, leaf, expected)
          for version in ("1.2", "1.3")
          for leaf, expected, what in (("foreign", "refused", "went"),
                                       ("lsc", "let in", "stayed"))),
        stores_are_judged_each_for_itself,
        a_registrar_without_capf_trust_says_so,
        orders_leave_an_audit_line))
