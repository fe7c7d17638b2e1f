# SPDX-License-Identifier: Apache-2.0
"""dialtone trust list, show, add, check, lint: with a registrar, without one."""
import json
import os
import re
import shutil
import ssl
import sys

from admin import Admin
from authority import Authority
from clients import call, credential_words
from daemon import Daemon
from forge import Forge
from harness import (DIALTONE, SOURCE, good, holds, run, same, tap,
                     wait_until)
from lab import Lab, blocks, common_name, field_of, sha256_of

LAB = Lab()
FORGE = Forge(LAB)
ONE = Authority(LAB, "one", "CAPF-0badcafe")
TWIN = Authority(LAB, "twin", "CAPF-0badcafe")
DEVICE, OTHER = "SEP020000000001", "SEP020000000002"
STORE, CAPF_STORE = "trust", "capf-trust"
NOBODY = ["--url", "http://127.0.0.1:1"]  # where no registrar answers


def config(anchors=None, unknown="refuse"):
    """Both stores as the lab has them; an inventory that nobody is in."""
    LAB.store(STORE)
    LAB.store(CAPF_STORE)
    shutil.rmtree(LAB.path("state"), ignore_errors=True)
    return LAB.config(
        trust={"callmanager": STORE, "capf": CAPF_STORE,
               "anchors": anchors or {}},
        state={"folder": "state"}, admin={"socket": "admin.sock"},
        registration={"unknown": unknown})


def inside(*name, store=STORE):
    return LAB.path(store, *name)


def names(store=STORE):
    """Hidden ones, too: nothing may be left behind."""
    return sorted(os.listdir(LAB.path(store)))


def own(store=STORE):
    """The lab's CAPF there."""
    return next(n for n in names(store) if n.startswith("CAPF-"))


class Trust(Admin):
    """The command, with a registrar that answers."""

    def __init__(self, daemon):
        super().__init__(daemon)
        self.words += ["--url", daemon.url, "trust"]


class Alone(Admin):
    """The command, where none does."""

    def __init__(self):
        self.words = [DIALTONE, *NOBODY, "trust"]


def bundle(path, *files):
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(block for name in files for block in blocks(name)))
    return path


# ---- list, show ----

def list_counts_the_devices_that_hang_on_an_anchor():
    with Daemon(config()) as daemon:
        daemon.order(f"/v1/devices/{DEVICE}", "PUT", {})
        call(daemon, "sip", *credential_words(LAB.phone(DEVICE))) \
            .outcome("registered")

        def devices():
            return {a["file"]: a["devices"]
                    for a in Trust(daemon).json("list")["list"]}
        wait_until("the phone to be counted", lambda: devices()[own()] == 1)
        same(sum(devices().values()), 1)
        same(Trust(daemon).json("show", own())[0]["devices"], 1)
        warned = {o["file"] for o in Trust(daemon).json("lint")["warnings"]
                  if o["rule"] == "no-devices"}
        same(warned, set(names()) - {own()})


def list_tells_what_is_particular_about_an_anchor():
    LAB.store(STORE)
    with Daemon(config({own(): {"retiring": True},
                        sha256_of(LAB.path("ca", "manufacturing-sha2.pem")):
                        {"allow_sha1": True}})) as daemon:
        trust = Trust(daemon)
        rows = {row.split()[0]: row for row in
                trust.say("list").splitlines()[1:]}
        same(sorted(rows), names())
        holds(rows[own()], " 1 ", "LSC", "RSA-2048", "retiring")
        mic = next(row for name, row in rows.items() if name != own())
        holds(mic, "MIC", "allow_sha1")
        same(trust.json("list"), daemon.get("/v1/trust"))
        capf = trust.json("list", "--store", "capf")
        same(capf["folder"], LAB.path(CAPF_STORE))
        same([a["file"] for a in capf["list"]], names(CAPF_STORE))


def show_tells_all_about_one():
    with Daemon(config()) as daemon:
        trust = Trust(daemon)
        shutil.copy(ONE.cert, inside("old.pem"))
        bundle(inside("new.pem"), TWIN.cert,
               LAB.path("ca", "manufacturing-root.pem"))
        daemon.reload()
        one, = trust.json("show", "old.pem")
        same(trust.json("show", sha256_of(ONE.cert)[:12].upper()), [one])
        same(one["sha256"], sha256_of(ONE.cert))
        same(one["sha1"], ssl_sha1(ONE.cert))
        holds(field_of(ONE.cert, "serial").lower(), one["serial"].lstrip("0"))
        holds(good("openssl", "x509", "-in", ONE.cert, "-noout", "-text"),
              one["keyId"], "RSA-SHA256"[-3:])
        same((one["issuedBy"], one["twins"], one["inForce"]),
             ("itself", ["new.pem:1"], True))
        both = trust.json("show", "new.pem")
        same([a["line"] > 1 for a in both], [False, True])
        same(both[1]["knownAs"] if "knownAs" in both[1] else None, None)
        mic = next(n for n in names() if n.startswith("Cisco_"))
        holds(trust.json("show", mic)[0]["issuedBy"], "new.pem:")
        holds(trust.say("show", "old.pem"), one["keyId"], "new.pem:1",
              "retiring")
        holds(trust.refused("show", "nothing.pem"), "nothing.pem",
              LAB.path(STORE))
    holds(Alone().say("show", "old.pem", "--store", LAB.path(STORE)),
          one["sha256"])


def ssl_sha1(path):
    return good("openssl", "x509", "-in", path, "-noout", "-fingerprint",
                "-sha1").split("=")[1].strip().replace(":", "").lower()


# ---- add ----

def a_ca_added_is_in_force_when_the_command_ends():
    phone = ONE.issue(DEVICE)
    with Daemon(config(unknown="lsc")) as daemon:
        trust = Trust(daemon)
        call(daemon, "sip", *credential_words(phone)).outcome("alert")
        said = trust.json("add", ONE.cert)
        name = "CAPF-0badcafe.pem"
        same((said["file"], said["folder"]), (name, LAB.path(STORE)))
        same(said["anchors"][0]["issues"], "LSC")
        call(daemon, "sip", *credential_words(phone)).outcome("registered")
        same(os.stat(inside(name)).st_mode & 0o7777, 0o644)
        same(blocks(inside(name)), blocks(ONE.cert))
        assert name in [a["file"] for a in daemon.get("/v1/trust")["list"]]
        before = names()
        holds(trust.say("add", ONE.cert), name, "there already")
        same(names(), before)
        # The twin has the same name as a file, too.
        holds(trust.refused("add", TWIN.cert, code=3), name, "--as")
        trust.say("add", TWIN.cert, "--as", "new.pem")
        same(names(), sorted([*before, "new.pem"]))
        call(daemon, "sip", *credential_words(TWIN.issue(OTHER))) \
            .outcome("registered")
        trust.say("add", ONE.cert, "--store", "capf")
        assert name in names(CAPF_STORE)


def names_are_those_of_a_callmanager():
    root = LAB.path("ca", "manufacturing-root.pem")
    der = LAB.path("root.der")
    good("openssl", "x509", "-in", root, "-outform", "DER", "-out", der)
    serial = field_of(root, "serial").split("=")[1].lower()
    with Daemon(config()) as daemon:
        said = Trust(daemon).json("add", der)
    same(said["file"], f"Cisco_Root_CA_M2_{serial}.pem")
    same(blocks(inside(said["file"])), blocks(root), "DER becomes PEM")


def several_in_one_file_come_together_or_not_at_all():
    with Daemon(config()) as daemon:
        trust = Trust(daemon)
        both = bundle(LAB.path("both.pem"), ONE.cert, TWIN.cert)
        said = trust.json("add", both)
        same(len(said["anchors"]), 2)
        same(trust.json("add", both)["note"], "it was there already")
        # One of them alone is there, in another file: that is no addition.
        holds(trust.refused("add", ONE.cert, "--as", "x.pem", code=3),
              "CAPF-0badcafe.pem", "already")
        more = bundle(LAB.path("more.pem"),
                      LAB.path("ca", "manufacturing-root.pem"), TWIN.cert)
        holds(trust.refused("add", more, code=3), "already")


def what_the_loader_would_refuse_is_never_there():
    key = LAB.path("ca", "capf.key")
    leaf = LAB.phone(DEVICE).cert
    half = LAB.path("half.pem")
    with open(ONE.cert, encoding="ascii") as f:
        text = f.read()
    with open(half, "w", encoding="ascii") as f:
        f.write(text[:len(text) // 2])
    twice = bundle(LAB.path("twice.pem"), ONE.cert, ONE.cert)
    with Daemon(config()) as daemon:
        trust = Trust(daemon)
        before, generation = names(), daemon.get("/v1/status")["trust"]
        for path, rule in ((key, "private-key"), (leaf, "leaf"),
                           (half, "half-written"), (twice, "twice-in-file")):
            said = trust.refused("add", path)
            holds(said, f"(rule {rule})")
            same(names(), before, path)
        # A rule of the whole folder refuses it as well.
        open(inside("zz.pem"), "w", encoding="ascii").close()
        holds(trust.refused("add", ONE.cert), "zz.pem", "empty-file")
        os.unlink(inside("zz.pem"))
        holds(trust.refused("add", ONE.cert, "--as", "../x.pem", code=2),
              "--as")
        holds(trust.refused("add", ONE.cert, "--as", ".x", code=2), "--as")
        same(names(), before)
        daemon.reload()
        same(daemon.get("/v1/status")["trust"]["fingerprint"],
             generation["fingerprint"])


def where_no_registrar_looks_it_is_written_all_the_same():
    folder = LAB.store("elsewhere")
    said = run(*Alone().words, "add", ONE.cert, "--store", folder)
    same(said.returncode, 0, said.stderr)
    holds(said.stderr, "no registrar answers")
    holds(said.stdout, "nobody was told")
    assert "CAPF-0badcafe.pem" in names("elsewhere")
    holds(Alone().refused("add", ONE.cert), "Is dialtoned running?")


# ---- check ----

def checked(trust, credential, code=0, *words):
    done = run(*trust.words, "check", credential.cert, "--json", *words)
    same(done.returncode, code, done.stderr + done.stdout)
    return json.loads(done.stdout), done.stderr


def rules(said):
    return {o.get("rule") for o in said["registration"]}


def check_says_whether_it_may_register_too():
    with Daemon(config()) as daemon:
        trust = Trust(daemon)
        lsc, mic = LAB.phone(DEVICE), LAB.phone(DEVICE, "mic")
        same(rules(checked(trust, lsc, 1)[0]), {"unknown-device"})
        daemon.order(f"/v1/devices/{DEVICE}", "PUT", {})
        said, _ = checked(trust, lsc)
        same((said["verdict"], rules(said)), ("ok", {None}))
        said, _ = checked(trust, mic, 1)
        same((said["verdict"], rules(said)), ("ok", {"mic-not-allowed"}))
        holds(said["registration"][0]["cure"], "--mic yes")
        for fields, code, found in (
                ({"mic": True}, 0, {None}),
                ({"profile": "authenticated"}, 0, {None}),
                ({"profile": "non-secure"}, 1, {"security-mismatch"}),
                ({"profile": "encrypted", "protocol": "sip"}, 0,
                 {"protocol-mismatch", None})):
            daemon.order(f"/v1/devices/{DEVICE}", "PATCH", fields)
            same(rules(checked(trust, lsc, code)[0]), found, f"{fields}")
        said = trust.say("check", lsc.cert)
        holds(said, "registration", "sip", "sccp", "protocol-mismatch")


def check_is_what_the_phone_meets():
    """The rule that it names is the one that refuses the phone."""
    with Daemon(config({"CAPF-0badcafe.pem": {"enrol_only": True}})) as daemon:
        trust = Trust(daemon)
        daemon.order(f"/v1/devices/{OTHER}", "PUT", {})
        for phone in (LAB.phone(DEVICE), LAB.phone(OTHER, "mic")):
            rule, = rules(checked(trust, phone, 1)[0])
            call(daemon, "sip", *credential_words(phone)).outcome("rejected")
            daemon.wait_failure(rule, device=phone.device)
        for store in ("callmanager", "capf"):
            trust.say("add", ONE.cert, "--store", store)
        enrols = ONE.issue(OTHER)
        said, _ = checked(trust, enrols, 1)
        same((said["verdict"], said["alert"]), ("enrol-only", 43))
        report = call(daemon, "sip", *credential_words(enrols))
        same(report.outcome("alert").only["alert"], 43)
        daemon.wait_failure("enrol-only", device=OTHER)
        said, _ = checked(trust, enrols, 0, "--store", "capf")
        same(said["verdict"], "ok", "who comes for an LSC")


def check_judges_with_any_store():
    foreign = LAB.phone(DEVICE, "foreign")
    with Daemon(config()) as daemon:
        trust = Trust(daemon)
        said, _ = checked(trust, foreign, 1)
        same((said["verdict"], said["alert"]), ("unknown-ca", 48))
        shutil.copy(LAB.path("ca", "other-capf.pem"),
                    inside("other.pem", store=CAPF_STORE))
        said, warned = checked(trust, foreign, 0, "--store", "capf")
        same(said["verdict"], "ok")
        holds(warned, "has changed since")
        assert "registration" not in said, said
    said, told = checked(Alone(), foreign, 0, "--store",
                         LAB.path(CAPF_STORE))
    same(said["verdict"], "ok")
    holds(told, "no registrar answers", "auth level 2")
    holds(Alone().refused("check", foreign.cert), "Is dialtoned running?")


# ---- lint ----

def link_out(path):
    os.symlink("/etc/passwd", path)


def fifo(path):
    os.mkfifo(path)


def world_writable(path):
    shutil.copy(TWIN.cert, path)
    os.chmod(path, 0o666)


def holding(*texts):
    def write(path):
        with open(path, "w", encoding="ascii") as f:
            f.write("".join(text() for text in texts))
    return write


def text_of(*parts):
    def read():
        with open(LAB.path(*parts), encoding="ascii") as f:
            return f.read()
    return read


# rule, what makes a file that it refuses
BAD = {
    "private-key": holding(text_of("ca", "capf.key")),
    "leaf": lambda path: shutil.copy(LAB.phone(DEVICE).cert, path),
    "half-written": holding(lambda: text_of("ca", "capf.pem")()[:500]),
    "twice-in-file": holding(*2 * [text_of("ca", "other-capf.pem")]),
    "empty-file": holding(),
    "no-certificate": holding(lambda: "hello\n"),
    "link-out": link_out,
    "dangling-link": lambda path: os.symlink("nowhere", path),
    "not-regular": fifo,
    "world-writable": world_writable,
}


def lint_judges_every_file_by_itself():
    folder = LAB.store("crooked")
    for rule, make in BAD.items():
        make(os.path.join(folder, f"x-{rule}.pem"))
    done = run(*Alone().words, "lint", folder, "--json")
    same(done.returncode, 1, done.stderr)
    said = json.loads(done.stdout)
    same({o["file"]: o["rule"] for o in said["refused"]},
         {f"x-{rule}.pem": rule for rule in BAD})
    for o in said["refused"]:
        assert o["cure"] and o["meaning"] and o["why"], o
    same(said["anchors"], 2, "what is good is looked at all the same")
    told = run(*Alone().words, "lint", folder).stdout
    holds(told, *(f"x-{rule}.pem: refused, {rule}" for rule in BAD),
          f"{len(BAD)} refused")


def lint_is_content_with_what_a_registrar_takes():
    with Daemon(config()) as daemon:
        for words in (["lint"], ["lint", "--store", "capf"]):
            same(Trust(daemon).json(*words)["refused"], [])
    same(Alone().json("lint", LAB.path(STORE))["refused"], [])
    folder = LAB.path("nothing")
    os.mkdir(folder)
    done = run(*Alone().words, "lint", folder, "--json")
    same([o["rule"] for o in json.loads(done.stdout)["refused"]], ["emptied"])
    holds(Alone().refused("lint"), "Is dialtoned running?")


def lint_warns_of_what_will_hurt():
    """What is loaded, and yet worth a look."""
    weak = LAB.path("weak.pem")
    good("openssl", "req", "-x509", "-new", "-nodes", "-newkey", "rsa:1024",
         "-keyout", LAB.path("weak.key"), "-out", weak, "-subj", "/CN=Weak",
         "-days", "9", "-addext", "subjectKeyIdentifier=none")
    with Daemon(config({"nowhere.pem": {"retiring": True}})) as daemon:
        for path, name in ((ONE.cert, "one.pem"), (TWIN.cert, "twin.pem"),
                           (weak, "weak.pem"),
                           (LAB.path("ca", "manufacturing-root-sha1.pem"),
                            "sha1.pem")):
            shutil.copy(path, inside(name))
        ONE.write_crl(inside("old.crl"))
        Authority(LAB, "gone", "Gone").write_crl(inside("gone.crl"))
        ONE.write_crl(inside("one.crl"), "-crlhours", "1")
        said = Trust(daemon).json("lint")
        told = Trust(daemon).say("lint")
        same(Trust(daemon).json("show", "one.pem")[0]["crls"],
             ["old.crl", "one.crl"])
    found = {(o["rule"], o["file"]) for o in said["warnings"]}
    expected = {("expires-soon", "one.pem"), ("twin", "one.pem"),
                ("twin", "twin.pem"), ("weak-key", "weak.pem"),
                ("unusable", "weak.pem"), ("no-key-id", "weak.pem"),
                ("sha1", "sha1.pem"), ("policy-of-nothing", "nowhere.pem"),
                ("crl-due", "one.crl"), ("crl-superseded", "old.crl"),
                ("crl-orphan", "gone.crl")}
    same(expected - found, set(), f"missing among {found}")
    assert ("twin", "weak.pem") not in found, found
    holds(told, "weak.pem:1: warning, weak-key", "0 refused")


# ---- the command ----

def words_that_are_none_are_usage():
    for words in (["add"], ["check"], ["show"], ["list", "x"],
                  ["lint", "a", "--store", "b"], ["check", "a", "b"],
                  ["show", "a", "--stor", "b"]):
        holds(Alone().refused(*words, code=2), "usage: dialtone trust")
    for verb in ("list", "show", "add", "check", "lint"):
        holds(Alone().say(verb, "--help"), f"usage: dialtone trust {verb}")


def the_manual_has_every_rule():
    """docs/trust.md against the tables that the loaders have."""
    told = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \|$",
                      read("docs", "trust.md"), re.M)
    coded = []
    for parts in (("certs", "rule.h"), ("trust", "crl.h")):
        table = read(*parts)
        table = table[table.index("RULE_LIST(X)"):table.index("\nenum")]
        for row in re.findall(r"X\(\w+,((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)",
                              table):
            coded.append(tuple(
                "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part))
                for part in re.split(r'(?<="),', row)))
    assert len(coded) > 40, coded
    same(told, coded)


def read(*parts):
    with open(os.path.join(SOURCE, *parts), encoding="utf-8") as f:
        return f.read()


if __name__ == "__main__":
    sys.exit(tap.run(
        list_tells_what_is_particular_about_an_anchor,
        list_counts_the_devices_that_hang_on_an_anchor,
        show_tells_all_about_one,
        a_ca_added_is_in_force_when_the_command_ends,
        names_are_those_of_a_callmanager,
        several_in_one_file_come_together_or_not_at_all,
        what_the_loader_would_refuse_is_never_there,
        where_no_registrar_looks_it_is_written_all_the_same,
        check_says_whether_it_may_register_too,
        check_is_what_the_phone_meets,
        check_judges_with_any_store,
        lint_judges_every_file_by_itself,
        lint_is_content_with_what_a_registrar_takes,
        lint_warns_of_what_will_hurt,
        words_that_are_none_are_usage,
        the_manual_has_every_rule))
