# SPDX-License-Identifier: Apache-2.0
"""An offline CA: requests go out, what was signed comes in, by folder and by
command; and what may not come in, by name."""
import json
import os
import re
import ssl
import subprocess
import sys

import capf_client as capf
from admin import LAB, Admin, config
from clients import call
from daemon import Daemon, refuses_to_start
from harness import good, holds, run, same, tap, wait_until
from lab import listener
from outside_ca import OutsideCa

NAMES = [f"SEP0200000FFA{i:02X}" for i in range(8)]
CA = OutsideCa(LAB, "site", "Site Phones CA")
STRANGER = OutsideCa(LAB, "stranger", "Another CA")
ANCHORS = {"site.pem": {"kind": "lsc"}}
CA.publish("site.pem")
made = 0


def offline_config(anchors=ANCHORS, folder=True):
    global made
    made += 1
    choice = {"issuer": "offline", "folder": "capf"}
    if folder:
        choice["offline_folder"] = f"offline-{made}"
    return config(listeners=[*LAB.base["listeners"],
                             listener("capf", profile="legacy")],
                  trust={"capf": "CAPF-trust", "anchors": anchors},
                  capf=choice)


class Office:
    """A daemon whose CAPF asks an offline CA, and its admin."""

    def __init__(self, conf=None, **options):
        self.config = conf or offline_config(**options)
        self.folder = LAB.path(f"offline-{made}")
        self.daemon = Daemon(self.config)
        self.admin = Admin(self.daemon)

    def __enter__(self):
        self.daemon.__enter__()
        self.port = self.daemon.port("capf")
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def look(self):
        """Something happens in `signed`, so that the daemon looks now."""
        with open(self.path("signed", ".look"), "w", encoding="ascii"):
            pass
        os.unlink(self.path("signed", ".look"))

    def reason(self, name):
        """Why its operation is not done."""
        return self.daemon.order(f"/v1/capf/operations/{name}",
                                 "GET")["reason"]["name"]

    def order(self, name):
        self.admin.say("device", "add", name)
        self.admin.say("capf", "install", name, "--mode", "null", "--no-reset")

    def phone_makes_a_key(self, name, key=None):
        """Its key waits for the CA; the phone is told that all is well."""
        self.order(name)
        key = key or capf.Key(2048)
        with capf.Visit(self.port) as visit:
            capf.wanted(visit.authenticate(name))
            visit.ended(visit.give_key(key), capf.NO_ACTION)
        same(self.reason(name), "ca-waiting", "why not")
        return key

    def exported(self, name):
        """NAME-KEYID of the request in the folder."""
        def find():
            return next((f[:-4] for f in os.listdir(self.folder)
                         if f.startswith(name) and f.endswith(".csr")), None)
        self.look()
        return wait_until(f"{name}'s request", find)

    def waits_for(self, *parts):
        wait_until("/".join(parts), lambda: os.path.exists(self.path(*parts)))

    def phone_stores(self, name, key):
        """It comes again, and gets its certificate without a new key."""
        with capf.Visit(self.port) as visit:
            store = visit.authenticate(name)
            same(store.command, capf.STORE_REQUEST, "what it is to do")
            [(_, der)] = capf.certificates(store.elements[capf.CERTIFICATE])
            visit.ended(visit.answer(capf.STORE_RESPONSE), capf.SUCCESS)
        assert key.spki in der, "another key"
        return der

    def drop(self, name, make):
        """A whole file in `signed`; make(path) writes it."""
        hidden = self.path("signed", "." + name)
        make(hidden)
        os.rename(hidden, self.path("signed", name))

    def refused(self, name, *parts):
        self.waits_for("refused", name + ".why")
        wait_until(f"{name} to move",
                   lambda: os.path.lexists(self.path("refused", name)))
        assert not os.path.lexists(self.path("signed", name)), name
        with open(self.path("refused", name + ".why"), encoding="utf-8") as f:
            why = f.read()
        holds(why, *parts, f"move {name} back")


def readme_commands(text):
    """The loop that README.txt says, without its margin."""
    return re.search(r"^  for pub.*?^  done$", text, re.S | re.M).group(0)


def sign_as_readme_says(folder):
    for name in ("ca.pem", "ca.key"):
        os.symlink(CA.path(name), os.path.join(folder, name))
    with open(os.path.join(folder, "README.txt"), encoding="utf-8") as f:
        commands = readme_commands(f.read())
    os.makedirs(os.path.join(folder, "signed"), exist_ok=True)
    good("sh", "-c", commands, cwd=folder)


def write_key(key, path):
    good("openssl", "pkey", "-in", key.path, "-pubout", "-out", path)
    return path


# ---- facts ----

def phone_gets_what_openssl_signed_as_the_readme_says():
    with Office() as o:
        key = o.phone_makes_a_key(NAMES[0])
        name = o.exported(NAMES[0])
        for ending in (".csr", ".pub.pem", ".ext"):
            assert os.path.exists(o.path(name + ending)), ending
        holds(good("openssl", "req", "-in", o.path(name + ".csr"), "-noout",
                   "-subject", "-text"), NAMES[0],
              "id-alg-noSignature")
        sign_as_readme_says(o.folder)
        o.waits_for("done", name + ".pem")
        wait_until("the request and its key to go",
                   lambda: not any(os.path.exists(o.path(name + end))
                                   for end in (".csr", ".pub.pem")))
        holds(o.admin.say("capf", "csr", "list"), NAMES[0])
        der = o.phone_stores(NAMES[0], key)
        holds(o.admin.say("capf", "csr", "list"), "No request waits")
        pem = LAB.path("got-offline.pem")
        with open(pem, "w", encoding="ascii") as f:
            f.write(ssl.DER_cert_to_PEM_cert(der))
        call(o.daemon, "sccp", "--lsc", f"{pem}:{key.path}", "--device",
             NAMES[0]).outcome("registered")


def phone_gets_what_was_exported_and_imported_by_command():
    with Office(folder=False) as o:
        key = o.phone_makes_a_key(NAMES[1])
        out = LAB.path("by-command")
        holds(o.admin.say("capf", "csr", "export", "--out", out), "1 requests",
              out)
        holds(o.admin.say("capf", "csr", "export", "--out", out),
              "Nothing to export")
        names = [f for f in os.listdir(out) if f.endswith(".csr")]
        same(len(names), 1, f"{names}")
        sign_as_readme_says(out)
        cert = os.path.join(out, "signed", names[0][:-4] + ".pem")
        holds(o.admin.say("capf", "csr", "import", cert), NAMES[1],
              "has its certificate")
        o.phone_stores(NAMES[1], key)
        done = o.daemon.events("admin", outcome="done")
        holds(str([e.fields["order"] for e in done]),
              "POST /v1/capf/certificates", "POST /v1/capf/requests/exported")


def export_of_names_and_of_all_repeats():
    with Office(folder=False) as o:
        for name in NAMES[2:4]:
            o.phone_makes_a_key(name)
        out = LAB.path("repeated")
        same(len(o.admin.json("capf", "csr", "export", "--out",
                              out)["written"]), 2)
        same(len(o.admin.json("capf", "csr", "export", "--out", out, "--all")
                 ["written"]), 2)
        [again] = o.admin.json("capf", "csr", "export", "--out", out,
                               NAMES[2])["written"]
        holds(again, NAMES[2])
        holds(o.admin.refused("capf", "csr", "export", "--out", out,
                              "SEP020000000000"), "no request of it waits")
        holds(o.admin.refused("capf", "csr", "burn", code=2), "usage")


def what_may_not_come_in_is_refused_by_name():
    with Office() as o:
        key = o.phone_makes_a_key(NAMES[4])
        o.exported(NAMES[4])
        public = write_key(key, LAB.path("right.pem"))
        other = write_key(capf.Key(2048), LAB.path("wrong.pem"))
        o.drop("key.pem", lambda p: CA.sign(other, NAMES[4], p))
        o.refused("key.pem", "its key is not the one")
        o.drop("name.pem", lambda p: CA.sign(public, NAMES[5], p))
        o.refused("name.pem", NAMES[4])
        o.drop("ca.pem", lambda p: CA.sign(public, NAMES[4], p, ca="TRUE"))
        o.refused("ca.pem", "CA")
        o.drop("old.pem", lambda p: CA.sign(public, NAMES[4], p, days=-1))
        o.refused("old.pem", "expired")
        o.drop("long.pem", lambda p: CA.sign(public, NAMES[4], p, days=2000))
        o.refused("long.pem", "1825 days at most")
        o.drop("stranger.pem", lambda p: STRANGER.sign(public, NAMES[4], p))
        o.refused("stranger.pem", "locked out", "both trust folders",
                  "Another CA")
        o.drop("nobody.pem", lambda p: CA.sign(other, NAMES[6], p))
        o.refused("nobody.pem", "no request waits")
        same(o.reason(NAMES[4]), "ca-waiting", "why not")
        # And the same by command.
        bad = CA.sign(other, NAMES[4], LAB.path("bad.pem"))
        done = run(*o.admin.words, "capf", "csr", "import", bad)
        same(done.returncode, 1, done.stderr)
        holds(done.stderr, "its key is not the one")
        # One that is put right is taken, and why it was not is forgotten.
        o.drop("key.pem", lambda p: CA.sign(public, NAMES[4], p))
        o.waits_for("done", "key.pem")
        assert not os.path.exists(o.path("refused", "key.pem.why"))
        o.phone_stores(NAMES[4], key)


def files_that_are_none_of_a_ca_are_refused():
    with Office() as o:
        o.drop("empty.pem", lambda p: open(p, "w", encoding="ascii").close())
        o.refused("empty.pem", "empty")
        o.drop("key.pem", lambda p: good("cp", CA.key, p))
        o.refused("key.pem", "private key")
        o.drop("big.pem", lambda p: good("truncate", "-s", "3M", p))
        o.refused("big.pem", "longer")
        o.drop("link.pem", lambda p: os.symlink(CA.cert, p))
        o.refused("link.pem", "leaves the folder")
        assert os.path.exists(CA.cert)
        o.drop("pipe", os.mkfifo)
        o.refused("pipe", "not a regular file")

        def for_all(path):
            good("cp", CA.cert, path)
            os.chmod(path, 0o666)
        o.drop("open.pem", for_all)
        o.refused("open.pem", "anybody may write")
        o.drop("cas.pem", lambda p: good("sh", "-c", f"cat {CA.cert} "
                                         f"{STRANGER.cert} > {p}"))
        o.refused("cas.pem", "none but CAs")
        os.mkdir(o.path("signed", "a-folder"))
        o.drop("last.pem", lambda p: good("cp", CA.key, p))
        o.refused("last.pem", "private key")
        same(os.listdir(o.path("signed")), ["a-folder"], "what is left")


def file_with_many_and_its_ca_is_taken():
    with Office() as o:
        keys = {name: o.phone_makes_a_key(name) for name in NAMES[:3]}
        parts = [CA.cert]
        for name, key in keys.items():
            public = write_key(key, LAB.path(name + ".pub"))
            parts.append(CA.sign(public, name, LAB.path(name + ".crt")))
        o.drop("all.pem",
               lambda p: good("sh", "-c", f"cat {' '.join(parts)} > {p}"))
        o.waits_for("done", "all.pem")
        for name, key in keys.items():
            o.phone_stores(name, key)


def half_a_file_waits_for_its_writer():
    with Office() as o:
        key = o.phone_makes_a_key(NAMES[7])
        public = write_key(key, LAB.path("half.pub"))
        with open(CA.sign(public, NAMES[7], LAB.path("half.crt")), "rb") as f:
            whole = f.read()
        with open(o.path("signed", "half.pem"), "wb") as f:
            f.write(whole[:400])
            f.flush()
            # Behind it comes one that is looked at in the same look.
            o.drop("z.pem", lambda p: good("cp", CA.key, p))
            o.refused("z.pem", "private key")
            assert os.path.exists(o.path("signed", "half.pem"))
            assert not os.path.exists(o.path("refused", "half.pem"))
            f.write(whole[400:])
        o.waits_for("done", "half.pem")
        o.phone_stores(NAMES[7], key)


def ca_that_counts_as_mics_is_refused_with_the_cure():
    with Office(anchors={}) as o:
        o.daemon.wait_event("capf-ca-unknown")
        key = o.phone_makes_a_key(NAMES[0])
        public = write_key(key, LAB.path("mic.pub"))
        o.drop("x.pem", lambda p: CA.sign(public, NAMES[0], p))
        o.refused("x.pem", '"site.pem": {"kind": "lsc"}')


def restart_exports_nothing_twice_and_takes_what_came():
    first = Office()
    with first as o:
        key = o.phone_makes_a_key(NAMES[1])
        name = o.exported(NAMES[1])
        public = o.path(name + ".pub.pem")
        o.daemon.kill()
    o.drop("meanwhile.pem", lambda p: CA.sign(public, NAMES[1], p))
    os.unlink(o.path(name + ".csr"))
    with Office(first.config) as o:
        o.waits_for("done", "meanwhile.pem")
        o.phone_makes_a_key(NAMES[2])
        o.exported(NAMES[2])
        assert not os.path.exists(o.path(name + ".csr")), "exported twice"
        o.phone_stores(NAMES[1], key)


def folder_that_anybody_may_write_is_no_place():
    conf = offline_config()
    folder = LAB.path(f"offline-{made}")
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    holds(refuses_to_start(conf).text, "anybody may write", folder)


def requests_as_json_have_all_that_is_needed():
    with Office(folder=False) as o:
        key = o.phone_makes_a_key(NAMES[3])
        [row] = o.admin.json("capf", "csr", "list")["requests"]
        same(row["device"], NAMES[3])
        done = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"],
            input=row["publicKey"].encode(), check=True,
            stdout=subprocess.PIPE)
        same(done.stdout, key.spki, "the key")
        holds(row["extensions"], "URI:" + NAMES[3])
        status, said = o.daemon.ask_admin(
            "/v1/capf/requests/exported", "POST", {"requests": ["nonsense"]})
        same(status, 400, json.dumps(said))
        status, said = o.daemon.ask_admin(
            "/v1/capf/certificates", "POST", "not one",
            "application/x-pem-file")
        same(status, 400, json.dumps(said))


if __name__ == "__main__":
    sys.exit(tap.run(
        phone_gets_what_openssl_signed_as_the_readme_says,
        phone_gets_what_was_exported_and_imported_by_command,
        export_of_names_and_of_all_repeats,
        what_may_not_come_in_is_refused_by_name,
        files_that_are_none_of_a_ca_are_refused,
        file_with_many_and_its_ca_is_taken,
        half_a_file_waits_for_its_writer,
        ca_that_counts_as_mics_is_refused_with_the_cure,
        restart_exports_nothing_twice_and_takes_what_came,
        folder_that_anybody_may_write_is_no_place,
        requests_as_json_have_all_that_is_needed))
