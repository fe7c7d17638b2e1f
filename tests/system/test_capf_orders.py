# SPDX-License-Identifier: Apache-2.0
"""Orders to CAPF: for whom, what came of them, and who may see it."""
import csv
import json
import os
import re
import sqlite3
import ssl
import stat
import sys

import capf_client as capf
from admin import LAB, Admin, config, state_folder
from clients import call, credential_words
from daemon import Daemon, refuses_to_start
from harness import DIALTONE, LOOPBACK, holds, run, same, tap
from lab import listener, sha256_of

NAMES = [f"SEP02000000CB{i:02X}" for i in range(6)]
FIRST, SECOND, THIRD = NAMES[:3]
KEY = capf.Key(2048)
ORDERS = "/v1/capf/operations"


def capf_config():
    return config(
        listeners=[*LAB.base["listeners"], listener("capf", profile="legacy")],
        trust={"capf": "CAPF-trust"}, capf={"folder": "capf"})


class Capf:
    """A daemon with CAPF, its admin, and some devices."""

    def __init__(self, path=None):
        self.anew = path is None
        self.daemon = Daemon(path or capf_config())
        self.admin = Admin(self.daemon)

    def __enter__(self):
        self.daemon.__enter__()
        self.port = self.daemon.port("capf")
        for name in NAMES if self.anew else ():
            self.admin.say("device", "add", name, "--model", "CP-8861")
        return self

    def __exit__(self, *error):
        self.daemon.__exit__(*error)

    def order(self, *words, **options):
        return self.admin.say("capf", *words, "--no-reset", **options)

    def run(self, *words):
        """Exit status and what the command printed."""
        return run(*self.admin.words, "capf", *words)

    def post(self, **body):
        return self.daemon.ask_admin(ORDERS, "POST", body)

    def show(self, name):
        return self.admin.json("capf", "show", name)

    def install(self, name, mode="null", **options):
        self.order("install", name, "--mode", mode)
        return capf.install(self.port, name, KEY, **options)

    def pending(self):
        listed = self.admin.json("capf", "list", "--pending")
        return [o["device"] for o in listed["operations"]]


def of(answer, name):
    [found] = [d for d in answer["devices"] if d["device"] == name]
    return found


# ---- for whom ----

def names_are_queued_and_strangers_are_told_why():
    with Capf() as c:
        done = c.run("install", FIRST, "SEP0200000000FF", "--mode", "null",
                     "--no-reset", "--json")
        same(done.returncode, 1)
        said = json.loads(done.stdout)
        same((said["queued"], said["refused"]), (1, 1))
        same(of(said, FIRST)["queued"], True)
        holds(of(said, "SEP0200000000FF")["why"], "no such device")
        same(c.pending(), [FIRST])


def a_file_names_them_by_column():
    with Capf() as c:
        for header, rows in (
                (("Description", "Device Name"), [("x", FIRST)]),
                (("NAME", "model"), [(SECOND, "y")]),
                (None, [(THIRD, "z"), ("", "no name"), (FIRST, "again")])):
            path = LAB.path("phones.csv")
            with open(path, "w", encoding="utf-8", newline="") as f:
                writer = csv.writer(f)
                writer.writerows([header] * bool(header) + rows)
            said = c.admin.json("capf", "install", "--csv", path, "--mode",
                                "null", "--replace", "--no-reset")
            same({d["device"] for d in said["devices"]},
                 {n for row in rows for n in row if n in NAMES})
        same(c.pending(), [FIRST, SECOND, THIRD])


def a_filter_finds_model_and_subnet():
    with Capf() as c:
        c.admin.say("device", "set", SECOND, "--model", "CP-7962G")
        dry = c.admin.json("capf", "install", "--model", "cp-79*",
                           "--dry-run")
        same([d["device"] for d in dry["devices"]], [SECOND])
        same(c.pending(), [])
        # Who never came has no address.
        nobody = c.run("install", "--subnet", f"{LOOPBACK}/32")
        same(nobody.returncode, 1)
        holds(nobody.stdout, "No device fits")
        c.install(THIRD)
        for net, found in ((f"{LOOPBACK}/32", [THIRD]), ("10.0.0.0/8", []),
                           ("127.0.0.0/8", [THIRD])):
            said = c.daemon.order(ORDERS, "POST", {
                "operation": "delete", "filter": {"subnet": net},
                "dryRun": True})
            same([d["device"] for d in said["devices"]], found, net)


def a_filter_finds_issuer_and_end():
    with Capf() as c:
        c.install(FIRST)
        [root] = c.daemon.get("/v1/capf")["roots"]
        c.admin.say("device", "set", SECOND, "--model", "CP-7962G")
        c.admin.say("device", "set", THIRD, "--mic", "yes")
        for name, leaf in ((SECOND, "lsc"), (THIRD, "mic")):
            call(c.daemon, "sip", *credential_words(
                LAB.phone(name, leaf))).outcome("registered")
        ours = [FIRST, SECOND]
        for words, found in (
                (("--issuer", root["name"]), ours),
                (("--issuer", root["sha256"]), ours),
                (("--issuer", root["name"] + ".pem"), ours),
                (("--expires-before", "2020-01-01"), []),
                (("--expires-before", "2099-01-01"), ours),
                (("--expires-before", "2099-01-01", "--issuer",
                  root["name"], "--model", "CP-8861"), [FIRST]),
                (("--issuer", "CAPF-00000000"), [])):
            done = c.run("install", *words, "--dry-run", "--json")
            same([d["device"] for d in json.loads(done.stdout)["devices"]],
                 found, words)


def nobody_means_everybody_by_saying_nothing():
    with Capf() as c:
        same(c.run("install").returncode, 2)
        same(c.run("install", FIRST, "--model", "*").returncode, 2)
        for body, why in (
                ({}, "operation"),
                ({"operation": "install"}, "devices"),
                ({"operation": "install", "filter": {}}, "empty"),
                ({"operation": "install", "filter": {"subnet": "10.1/16"}},
                 "subnet"),
                ({"operation": "install", "filter": {"model": "*"},
                  "devices": [FIRST]}, "either"),
                ({"operation": "install", "devices": []}, "devices"),
                ({"operation": "install", "devices": ["x" * 64]}, "names"),
                ({"operation": "none", "devices": [FIRST]}, "operation"),
                ({"operation": "install", "devices": [FIRST], "mode": "x"},
                 "mode"),
                ({"operation": "install", "devices": [FIRST],
                  "ratePerMinute": 6001}, "ratePerMinute"),
                ({"operation": "install", "devices": [FIRST],
                  "stringDigits": 3}, "stringDigits"),
                ({"operation": "install", "devices": [FIRST],
                  "nullUntil": "2099-01-01"}, "day"),
                ({"operation": "install", "devices": [FIRST],
                  "completesBy": "2020-01-01"}, "completesBy"),
                ({"operation": "install", "mode": "string",
                  "devices": [f"SEP{i:012X}" for i in range(5001)]}, "5000"),
                ({"operation": "install", "devices": [FIRST],
                  "unheardOf": 1}, "unheardOf")):
            status, answer = c.post(**body)
            same(status, 400, body)
            holds(json.dumps(answer), why)
        same(c.pending(), [])
        assert not c.daemon.events(
            "admin", order=f"POST {ORDERS}", outcome="done")


def what_is_pending_stays_unless_it_is_to_give_way():
    with Capf() as c:
        c.order("install", FIRST, "--mode", "null")
        done = c.run("delete", FIRST, "--mode", "null", "--no-reset")
        same(done.returncode, 3)
        holds(done.stdout, "pending already")
        same(c.show(FIRST)["operation"], "install")
        c.order("delete", FIRST, "--mode", "null", "--replace")
        same(c.show(FIRST)["certificateOperation"], "Delete")
        c.admin.say("capf", "cancel", FIRST)
        same(c.pending(), [])
        same(c.show(FIRST)["certificateOperation"], "No Pending Operation")
        same(c.show(FIRST)["reason"]["name"], "cancelled")
        holds(c.admin.refused("capf", "cancel", FIRST), FIRST)


def a_warning_is_said_once_for_all():
    with Capf() as c:
        said = c.order("install", *NAMES, "--mode", "null")
        flat = " ".join(said.split())
        holds(flat, f"{FIRST} and {len(NAMES) - 1} more: until ",
              "whoever names this device")
        same(flat.count("whoever names"), 1)


def turns_are_paced():
    with Capf() as c:
        said = c.admin.json("capf", "install", *NAMES, "--mode", "null",
                            "--rate", "2/min", "--no-reset")
        turns = [c.show(name)["turn"] for name in NAMES]
        same(turns, sorted(turns))
        same(len(set(turns)), len(NAMES))
        same(said["lastTurn"], turns[-1])


# ---- authentication strings ----

def strings_are_told_once_and_kept_in_a_list_of_mode_0600():
    path = LAB.path("strings.txt")
    with Capf() as c:
        said = c.order("install", FIRST, SECOND, "--mode", "string",
                       "--digits", "8", "--strings-to", path)
        with open(path, encoding="utf-8") as f:
            listed = dict(re.findall(r"^(SEP\w+) +(\d{8})$", f.read(), re.M))
        same(oct(stat.S_IMODE(os.stat(path).st_mode)), "0o600")
        same(set(listed), {FIRST, SECOND})
        for text in (said, c.admin.say("capf", "show", FIRST),
                     c.admin.say("capf", "list", "--json"),
                     "\n".join(c.daemon.log.lines)):
            assert listed[FIRST] not in text, text
        again = c.run("install", THIRD, "--mode", "string", "--strings-to",
                      path)
        same(again.returncode, 1)
        holds(again.stderr, "no list of strings is overwritten")
        same(c.pending(), [FIRST, SECOND])
        capf.install(c.port, FIRST, KEY, listed[FIRST])
        same(c.show(FIRST)["operationStatus"], "Upgrade Success")
    os.unlink(path)


def a_wrong_string_is_told_with_its_reason():
    with Capf() as c:
        c.order("install", FIRST, "--mode", "string")
        with capf.Visit(c.port) as visit:
            visit.ended(visit.authenticate(FIRST, "0000000000"),
                        capf.DECLINED)
        shown = c.show(FIRST)
        same((shown["operationStatus"], shown["status"], shown["state"]),
             ("Upgrade Failed: Invalid Authentication String", 10, "pending"))
        same((shown["reason"]["name"], shown["wrongStrings"]),
             ("wrong-string", 1))
        same(c.admin.json("capf", "list", "--failed")["operations"], [shown])
        c.daemon.wait_failure("capf-wrong-string", device=FIRST)
        said = run(DIALTONE, "--url", c.daemon.url, "explain", FIRST).stdout
        holds(" ".join(said.split()),
              f"dialtone capf install {FIRST} --mode string --replace")


# ---- records ----

def an_lsc_is_in_ledger_chain_and_status():
    with Capf() as c:
        c.install(FIRST)
        [row] = c.admin.json("capf", "ledger", "--device", FIRST)["ledger"]
        shown = c.show(FIRST)
        same((shown["state"], shown["operationStatus"], shown["status"]),
             ("done", "Upgrade Success", 3))
        same(shown["lsc"], row)
        same((row["state"], row["device"]), ("installed", FIRST))
        same(c.admin.json("capf", "ledger", "--state", "stale")["ledger"], [])
        holds(c.admin.say("capf", "stale"), "has arrived")
        for words, n in ((("--issuer", row["issuer"]), 1),
                         (("--issuer", "CAPF-00000000"), 0),
                         (("--expires-before", "2020-01-01"), 0),
                         (("--expires-before", "2099-01-01"), 1)):
            same(len(c.admin.json("capf", "ledger", *words)["ledger"]), n)
        chain = c.admin.json("capf", "audit")["audit"]
        same([link["number"] for link in chain],
             list(range(1, len(chain) + 1)))
        assert any(link.get("serial") == row["serial"] for link in chain)
        checked = c.admin.json("capf", "audit", "--check")
        same((checked["holds"], checked["links"], checked["head"]),
             (True, len(chain), chain[-1]))
        status = c.daemon.get("/v1/capf")
        same((status["issued"]["installed"], status["sinceStart"]["issued"],
              status["auditLinks"]), (1, 1, len(chain)))
        same(status["roots"][0]["name"], row["issuer"])
        same(c.daemon.get("/v1/status")["capf"]["pending"], 0)


def a_phone_of_status_says_how_its_operation_stands():
    with Capf() as c:
        c.order("troubleshoot", FIRST, "--mode", "null")
        call(c.daemon, "sip", *credential_words(LAB.phone(FIRST)))
        told = c.daemon.phone(FIRST)["capf"]
        same((told["operation"], told["operationStatus"]),
             ("troubleshoot", "Operation Pending"))
        [null] = c.daemon.get("/v1/capf")["nullStrings"]
        same((null["device"], null["until"]),
             (FIRST, c.show(FIRST)["nullStringUntil"]))


def pages_leave_nobody_out():
    with Capf() as c:
        c.order("install", *NAMES, "--mode", "null")
        found, after = [], ""
        while True:
            page = c.daemon.order(f"{ORDERS}?limit=4&after={after}", "GET")
            found += [o["device"] for o in page["operations"]]
            after = page.get("next")
            if not after:
                break
        same(found, NAMES)
        numbers, number = [], 1
        while number:
            page = c.daemon.order(f"/v1/capf/audit?limit=4&from={number}",
                                  "GET")
            numbers += [link["number"] for link in page["audit"]]
            number = page.get("next")
        same(numbers, list(range(1, len(numbers) + 1)))
        assert len(numbers) >= len(NAMES), numbers
        for query in ("limit=0", "limit=1001", "limit=x", "after=" + 65 * "x"):
            same(c.daemon.ask_admin(f"{ORDERS}?{query}")[0], 400, query)
        for path in ("/v1/capf/ledger?state=new",
                     "/v1/capf/ledger?expiresBefore=soon",
                     "/v1/capf/audit?from=0", "/v1/capf/audit?from=x"):
            same(c.daemon.ask_admin(path)[0], 400, path)


def counts_are_metrics():
    with Capf() as c:
        c.install(FIRST)
        c.order("delete", SECOND, THIRD, "--mode", "null")
        text = c.daemon.fetch("/metrics")[1]
        holds(text, 'dialtone_capf_pending{operation="delete"} 2',
              'dialtone_capf_operations{status="Upgrade Success"} 1',
              'dialtone_capf_operations{status="Operation Pending"} 2',
              'dialtone_capf_ledger{state="installed"} 1',
              'dialtone_capf_done_total{what="issued"} 1',
              "dialtone_capf_halted 0")
        assert re.search(r"dialtone_capf_root_not_after_timestamp_seconds"
                         r'\{name="CAPF-[0-9a-f]{8}"\} \d+', text), text


# ---- a phone's certificates ----

def certificates_are_shown_with_both_stores_verdicts():
    with Capf() as c:
        der = c.install(FIRST)
        mic = LAB.phone(FIRST, "mic")
        call(c.daemon, "sip", *credential_words(mic))
        c.order("troubleshoot", FIRST, "--mode", "null")
        with capf.Visit(c.port) as visit:
            same(visit.authenticate(FIRST).command, capf.FETCH_REQUEST)
            end = visit.answer(
                capf.FETCH_RESPONSE, capf.SUCCESS,
                capf.certificate(capf.LSC, der))
            same(end.command, capf.END_SESSION)
        same(c.show(FIRST)["operationStatus"], "Troubleshoot Success")
        found = c.admin.json("phone", "cert", FIRST)["certificates"]
        [lsc] = [x for x in found if x["type"] == "LSC"]
        same(ssl.PEM_cert_to_DER_cert(lsc["pem"]), der)
        same(sorted(o["how"] for o in lsc["obtained"]),
             ["issued, installed", "troubleshoot"])
        assert all(o["at"] for o in lsc["obtained"]), lsc
        same(lsc["namesThisDevice"], True)
        same([(v["store"], v["for"], v["verdict"], v["kind"])
              for v in lsc["verdicts"]],
             [("CallManager-trust", "register", "ok", "LSC"),
              ("CAPF-trust", "enrol", "ok", "LSC")])
        [seen] = [x for x in found if x["type"] == "MIC"]
        same(seen["sha256"], sha256_of(mic.cert))
        same(seen["obtained"][0]["how"], "TLS handshake")
        said = c.admin.say("phone", "cert", FIRST)
        holds(said, "CallManager-trust, to register: ok", "troubleshoot")
        same(c.admin.say("phone", "cert", FIRST, "--pem"),
             "".join(x["pem"] for x in found))
        holds(c.admin.say("phone", "cert", FIRST, "--text"),
              "Signature Algorithm")
        holds(c.admin.refused("phone", "cert", SECOND), "troubleshoot")


# ---- what holds it up ----

def in_records(sql):
    """While nobody serves them."""
    records = sqlite3.connect(os.path.join(state_folder(), "capf.db"))
    with records:
        records.execute(sql)
    records.close()


def a_clock_before_the_ledger_halts_it_and_is_told():
    path = capf_config()
    with Capf(path) as c:
        c.admin.say("device", "add", FIRST)
        c.install(FIRST)
        same(run(DIALTONE, "--url", c.daemon.url, "capf",
                 "status").returncode, 0)
    in_records("UPDATE issued SET issued_at = issued_at + 86400")
    with Capf(path) as c:
        c.order("install", FIRST, "--mode", "null")
        with capf.Visit(c.port) as visit:
            visit.ended(visit.authenticate(FIRST), capf.DECLINED)
        same(c.show(FIRST)["reason"]["name"], "clock")
        same(c.show(FIRST)["state"], "pending")
        halted = c.daemon.get("/v1/capf")["halted"]
        assert halted["since"] and halted["why"], halted
        same(c.daemon.get("/v1/status")["capf"]["halted"], halted)
        holds(c.daemon.fetch("/metrics")[1], "dialtone_capf_halted 1")
        done = run(DIALTONE, "--url", c.daemon.url, "capf", "status")
        same(done.returncode, 1)
        holds(done.stdout, halted["why"], halted["since"])
        holds(halted["why"], "dialtone capf clock --accept")


def a_clock_that_was_ahead_is_ended_by_an_admin_s_word():
    path = capf_config()
    with Capf(path) as c:
        c.admin.say("device", "add", FIRST)
        c.admin.say("device", "add", SECOND)
        c.install(FIRST)
        holds(c.admin.refused("capf", "clock", "--accept"),
              "nothing to accept")
        same(c.run("clock").returncode, 0)
    in_records("UPDATE issued SET issued_at = issued_at + 86400,"
               " not_before = not_before + 86400")
    with Capf(path) as c:
        c.order("install", SECOND, "--mode", "null")
        looked = c.run("clock", "--json")
        said = json.loads(looked.stdout)
        same((looked.returncode, said["right"], said["devices"]),
             (1, False, [FIRST]))
        c.admin.say("capf", "clock", "--accept", "--dry-run")
        assert c.daemon.get("/v1/capf").get("halted"), "a dry run did it"
        said = c.admin.json("capf", "clock", "--accept")
        same((said["right"], said["ahead"]), (True, 1))
        holds(c.admin.say("capf", "clock"), "not valid yet", FIRST)
        same(c.daemon.get("/v1/capf").get("halted"), None)
        capf.install(c.port, SECOND, KEY)
        [link] = [n for n in c.admin.json("capf", "audit")["audit"]
                  if n["event"] == "clock-accepted"]
        holds(link["detail"], said["now"])
        c.admin.say("capf", "audit", "--check")
        serials = [i["serial"] for i in c.admin.json(
            "capf", "ledger")["ledger"]]
        same(len(set(serials)), 2, "serial numbers")
    with Capf(path) as c:
        c.install(SECOND)


def a_broken_chain_is_no_start():
    path = capf_config()
    with Capf(path) as c:
        c.admin.say("device", "add", FIRST)
        c.order("install", FIRST, "--mode", "null")
        c.admin.say("capf", "cancel", FIRST)
    in_records("UPDATE audit SET detail = 'nothing' WHERE number = 1")
    holds(str(refuses_to_start(path).fields), "capf.db", "1")


# ---- where it is not ----

def without_capf_it_says_how_to_have_it():
    with Daemon(config()) as daemon:
        admin = Admin(daemon)
        holds(admin.refused("capf", "list"), "listeners", "capf")
        same(daemon.ask_admin("/v1/capf/ledger")[0], 409)
        same(daemon.fetch("/v1/capf")[0], 404)
        assert "capf" not in daemon.get("/v1/status")


def only_what_there_is_is_answered():
    with Capf() as c:
        for method, path, status in (
                ("PUT", ORDERS, 405), ("POST", f"{ORDERS}/{FIRST}", 405),
                ("DELETE", "/v1/capf/ledger", 405),
                ("GET", "/v1/capf/audit/check", 405),
                ("POST", f"/v1/phones/{FIRST}/certificates", 405),
                ("GET", f"{ORDERS}/{FIRST}", 404),
                ("GET", "/v1/capf", 404)):
            same(c.daemon.ask_admin(path, method)[0], status,
                 f"{method} {path}")
        same(c.daemon.ask_admin(ORDERS, "POST", "{}", "text/csv")[0], 415)


def phone_that_makes_a_key_hears_at_once_that_it_is_cancelled():
    with Capf() as c:
        c.order("install", FIRST, "--mode", "null")
        with capf.Visit(c.port) as visit:
            capf.wanted(visit.authenticate(FIRST))
            c.admin.say("capf", "cancel", FIRST)
            visit.ended(visit.read(), capf.DECLINED)
        c.daemon.wait_failure("capf-cancelled")


def phone_that_comes_anew_ends_its_old_visit():
    with Capf() as c:
        c.order("install", FIRST, "--mode", "null")
        with capf.Visit(c.port) as old, capf.Visit(c.port) as new:
            capf.wanted(old.authenticate(FIRST))
            capf.wanted(new.authenticate(FIRST))
            old.ended(old.read(), capf.DECLINED)


def orders_are_written_down():
    with Capf() as c:
        c.order("install", FIRST, "--mode", "null")
        c.admin.say("capf", "cancel", FIRST)
        c.run("install", FIRST, "--dry-run")
        orders = [(e.fields["order"], e.fields["outcome"],
                   e.fields.get("why"))
                  for e in c.daemon.events("admin")
                  if "capf" in e.fields["order"]]
        same(orders, [(f"POST {ORDERS}", "done",
                       "install: queued 1, refused 0"),
                      (f"DELETE {ORDERS}/{FIRST}", "done", None)])


if __name__ == "__main__":
    sys.exit(tap.run(
        names_are_queued_and_strangers_are_told_why,
        a_file_names_them_by_column,
        a_filter_finds_model_and_subnet,
        a_filter_finds_issuer_and_end,
        nobody_means_everybody_by_saying_nothing,
        what_is_pending_stays_unless_it_is_to_give_way,
        a_warning_is_said_once_for_all,
        turns_are_paced,
        strings_are_told_once_and_kept_in_a_list_of_mode_0600,
        a_wrong_string_is_told_with_its_reason,
        an_lsc_is_in_ledger_chain_and_status,
        a_phone_of_status_says_how_its_operation_stands,
        pages_leave_nobody_out,
        counts_are_metrics,
        certificates_are_shown_with_both_stores_verdicts,
        a_clock_before_the_ledger_halts_it_and_is_told,
        a_clock_that_was_ahead_is_ended_by_an_admin_s_word,
        a_broken_chain_is_no_start,
        without_capf_it_says_how_to_have_it,
        only_what_there_is_is_answered,
        phone_that_makes_a_key_hears_at_once_that_it_is_cancelled,
        phone_that_comes_anew_ends_its_old_visit,
        orders_are_written_down))
