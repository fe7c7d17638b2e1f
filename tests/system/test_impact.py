# SPDX-License-Identifier: Apache-2.0
"""A CA that goes too early: who would be locked out is said, and is right."""
import contextlib
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import admin
from admin import LAB, Admin
from clients import Phones, call, credential_words
from daemon import Daemon
from harness import DIALTONE, good, holds, run, same, tap, wait_until

# The CAPF was regenerated: some phones have the new LSC, some the old one.
OLD_CA = "other-capf.pem"
OLD, NEW, BOTH = "SEP0200000000A1", "SEP0200000000B1", "SEP0200000000C1"
STRANGER = "SEP0200000000D1"
LEAF = {OLD: "foreign", BOTH: "foreign", NEW: "lsc", STRANGER: "lsc"}
STORE = "impact-trust"


CAPF_STORE = "impact-capf-trust"


def config(**changes):
    LAB.store(STORE, "other-capf")
    LAB.store(CAPF_STORE, "other-capf")
    trust = {"callmanager": STORE, "capf": CAPF_STORE,
             **changes.pop("trust", {})}
    return admin.config(trust=trust, registration={"unknown": "refuse"},
                        **changes)


def words_of(device, leaf=None):
    return credential_words(LAB.phone(device, leaf or LEAF[device]))


def outcome_of(daemon, device, leaf=None):
    """At its next full handshake."""
    return call(daemon, "sip", *words_of(device, leaf)).only["outcome"]


@contextlib.contextmanager
def fleet(**changes):
    """One phone with the old LSC stays; BOTH has shown its MIC, too."""
    with Daemon(config(**changes)) as daemon:
        said = Admin(daemon)
        said.say("device", "add", OLD)
        said.say("device", "add", NEW)
        said.say("device", "add", BOTH, "--mic", "yes")
        same(outcome_of(daemon, BOTH, "mic"), "registered")
        for device in (BOTH, NEW):
            same(outcome_of(daemon, device), "registered")
        same(outcome_of(daemon, STRANGER), "rejected")
        with Phones(daemon, "sip", *words_of(OLD)):
            daemon.wait_registered(1)
            yield daemon, said


def remove(said, *options, file=OLD_CA):
    """What `trust remove` says and its exit status."""
    done = run(*said.words, "--json", "trust", "remove", file, *options)
    return json.loads(done.stdout or "null"), done.returncode


def undo(report):
    """The line that it printed, but for the reload."""
    subprocess.run(report["undo"].removesuffix(" && dialtone trust reload"),
                   shell=True, check=True)


def names(report):
    return [row["device"] for row in report["list"]]


def path(name=OLD_CA):
    return LAB.path(STORE, name)


def numbers(report):
    return [report[key] for key in ("lockedOut", "registered", "micPasses",
                                    "notJudged")]


def is_refused_by_name(report, status):
    same(status, 3, "exit status")
    same(names(report), [OLD, BOTH], "who is locked out")
    same(numbers(report), [2, 1, 1, 0])
    old, both = report["list"]
    same((old["certificate"], old["anchor"], old["then"], old["judged"]),
         ("LSC", OLD_CA, "unknown-ca", True))
    same((old["registered"], old["micPasses"]), (True, False))
    same((both["registered"], both["micPasses"]), (False, True))
    assert old["lastSeen"] and both["lastSeen"], report
    same(report["byAnchor"],
         [{"file": OLD_CA, "lockedOut": 2, "registered": 1}])


def the_old_root_does_not_go_while_phones_hang_on_it():
    with fleet() as (daemon, said):
        def in_force():
            trust = daemon.get("/v1/trust")
            return trust["generation"], trust["fingerprint"]
        before = in_force()
        for options in ((), ("--dry-run",), ("--dry-run", "--force")):
            is_refused_by_name(*remove(said, *options))
            assert os.path.exists(path()), options
        same(in_force(), before)
        done = run(*said.words, "trust", "remove", OLD_CA)
        same(done.returncode, 3)
        holds(done.stdout, "Refused", OLD, BOTH, "--force",
              "2 would be locked out: 1 are registered now, 1 have a MIC")
        assert NEW not in done.stdout, done.stdout


def by_force_it_goes_and_the_prediction_is_right():
    with fleet() as (daemon, said):
        predicted = set(names(remove(said, "--dry-run")[0]))
        report, status = remove(said, "--force")
        same((status, report["removed"], report["inForce"]),
             (0, True, True), "removal")
        assert not os.path.exists(path())
        refused = {device for device in (OLD, NEW, BOTH)
                   if outcome_of(daemon, device) == "alert"}
        same(refused, predicted)
        same(outcome_of(daemon, BOTH, "mic"), "registered", "its MIC")
        same(daemon.phone(OLD)["state"], "registered", "no connection is cut")
        # The line that it printed undoes it.
        undo(report)
        daemon.reload()
        same(outcome_of(daemon, BOTH), "registered")
        daemon.wait_event("locked-out-no-more")


def a_file_deleted_by_hand_is_told_with_the_same_numbers():
    with fleet() as (daemon, said):
        report, _ = remove(said, "--dry-run")
        os.unlink(path())
        daemon.reload()
        event = daemon.wait_event("locked-out")
        same([int(event.fields[key]) for key in (
            "locked_out", "registered", "mic_passes", "not_judged")],
            numbers(report))
        holds(event.fields["by_anchor"], f"{OLD_CA} 2")
        told = daemon.get("/v1/status")["trust"]["lockedOut"]
        same(numbers(told), numbers(report))
        holds(good(DIALTONE, "--url", daemon.url, "status"),
              "locked out since a change", f"{OLD_CA} 2")
        # The next reload touches nobody: it says nothing, and forgets none.
        shutil.copy(LAB.path("ca", "manufacturing-sha1.pem"), path("x.pem"))
        mark = daemon.mark()
        daemon.reload()
        shutil.copy(LAB.path("ca", OLD_CA), path())
        daemon.reload()
        daemon.wait_event("locked-out-no-more", mark)
        same(daemon.events("locked-out", mark), [])
        assert "lockedOut" not in daemon.get("/v1/status")["trust"]


def nor_from_capf_trust():
    """Operations by existing certificate would end in "Invalid LSC"."""
    words = ("--store", "capf")
    with fleet() as (daemon, said):
        report, status = remove(said, *words)
        is_refused_by_name(report, status)
        same(report["store"], "CAPF-trust")
        report, status = remove(said, *words, "--force")
        same((status, report["removed"], report["inForce"]), (0, True, True))
        assert not os.path.exists(LAB.path(CAPF_STORE, OLD_CA))
        assert os.path.exists(path())
        same(outcome_of(daemon, BOTH), "registered", "CallManager-trust")
        event = daemon.wait_event("locked-out")
        same((event.fields["store"], event.fields["locked_out"]),
             ("capf", "2"))
        same(numbers(daemon.get("/v1/status")["capfTrust"]["lockedOut"]),
             numbers(report))


def several_files_go_at_once():
    with fleet() as (daemon, said):
        shutil.copy(LAB.path("ca", "manufacturing-sha1.pem"), path("x.pem"))
        daemon.reload()
        report, status = remove(said, "y.pem", file="x.pem")
        same((status, report), (1, None))
        shutil.copy(LAB.path("ca", "capf.pem"), path("y.pem"))
        report, status = remove(said, "y.pem", file="x.pem")
        same((status, report["removed"]), (0, True))
        same([os.path.exists(path(name)) for name in ("x.pem", "y.pem")],
             [False, False])
        undo(report)
        same([os.path.exists(path(name)) for name in ("x.pem", "y.pem")],
             [True, True])


def what_nobody_hangs_on_goes():
    with fleet() as (daemon, said):
        shutil.copy(LAB.path("ca", "manufacturing-sha1.pem"), path("x.pem"))
        daemon.reload()
        report, status = remove(said, "--dry-run", file="x.pem")
        same((status, names(report)), (0, []))
        assert os.path.exists(path("x.pem"))
        report, status = remove(said, file="x.pem")
        same((status, report["lockedOut"], report["removed"]), (0, 0, True))
        assert not os.path.exists(path("x.pem"))
        same([ca["file"] for ca in report["anchorsRemoved"]], ["x.pem"])
        same(daemon.events("locked-out"), [])
        # A certificate that another file holds, too, is not lost.
        shutil.copy(path(), path("zz-again.pem"))
        report, status = remove(said, "--dry-run")
        same((status, names(report), report["anchorsRemoved"]), (0, [], []))


def a_restart_and_a_kill_keep_the_certificates():
    with fleet() as (daemon, said):
        before, _ = remove(said, "--dry-run")
        config_path = daemon.process.args[-1]
    with Daemon(config_path) as daemon:
        said = Admin(daemon)
        after, _ = remove(said, "--dry-run")
        same(names(after), names(before))
        same(after["notJudged"], 0)
        # What is a second old is on the disk; nobody asked for it.
        [wal] = glob.glob(os.path.join(admin.state_folder(),
                                       "certificates.db-wal"))
        sizes = [os.path.getsize(wal)]
        said.say("device", "add", STRANGER)
        same(outcome_of(daemon, STRANGER, "foreign"), "registered")
        # Its header goes first, then the transaction.
        def written():
            sizes.append(os.path.getsize(wal))
            return sizes[0] + 4096 < sizes[-1] == sizes[-2]
        wait_until("the certificate to be written", written)
        daemon.kill()
    with Daemon(config_path) as daemon:
        after, _ = remove(Admin(daemon), "--dry-run")
        same(names(after), [OLD, BOTH, STRANGER])
        same(after["notJudged"], 0)


def who_was_last_seen_by_an_older_version_counts_as_depending():
    with fleet() as (daemon, _):
        config_path = daemon.process.args[-1]
    for file in glob.glob(os.path.join(admin.state_folder(),
                                       "certificates.db*")):
        os.unlink(file)
    with Daemon(config_path) as daemon:
        report, status = remove(Admin(daemon))
        same((status, names(report)), (3, [OLD, BOTH]))
        same([row["judged"] for row in report["list"]], [False, False])
        same(numbers(report), [2, 0, 0, 2])
        same(outcome_of(daemon, OLD), "registered")
        report, _ = remove(Admin(daemon))
        same([row["judged"] for row in report["list"]], [True, False])


def a_removed_device_is_forgotten():
    with fleet() as (daemon, said):
        said.say("device", "remove", BOTH)
        report, status = remove(said, "--dry-run")
        same((status, names(report)), (3, [OLD]))
        said.say("device", "add", BOTH)
        same(names(remove(said, "--dry-run")[0]), [OLD])
        same(outcome_of(daemon, BOTH), "registered")
        same(names(remove(said, "--dry-run")[0]), [OLD, BOTH])


def a_new_lsc_ends_the_dependence():
    with fleet() as (daemon, said):
        same(outcome_of(daemon, BOTH, "lsc"), "registered")
        same(names(remove(said, "--dry-run")[0]), [OLD])


def diff_says_what_a_folder_would_change():
    with fleet() as (daemon, said):
        same_folder = LAB.store("impact-same", "other-capf")
        done = run(*said.words, "trust", "diff", same_folder)
        same(done.returncode, 0, done.stderr)
        other = LAB.store("impact-other", "manufacturing-sha1")
        done = run(*said.words, "trust", "diff", other, "--json")
        report = json.loads(done.stdout)
        same((done.returncode, names(report)), (3, [OLD, BOTH]))
        same([ca["file"] for ca in report["anchorsRemoved"]], [OLD_CA])
        same([ca["file"] for ca in report["anchorsAdded"]],
             ["manufacturing-sha1.pem"])
        holds(run(*said.words, "trust", "diff", other).stdout,
              "CAs that would go", "CAs that would come", OLD)
        renamed = LAB.path("impact-same", "renamed.pem")
        os.rename(LAB.path("impact-same", OLD_CA), renamed)
        report = json.loads(good(*said.words, "trust", "diff", same_folder,
                                 "--json"))
        same(report["anchorsChanged"], [{"file": OLD_CA, "changes": [
            {"what": "file", "was": OLD_CA, "becomes": "renamed.pem"}]}])
        with open(renamed, "w", encoding="ascii") as f:
            f.write("no certificate\n")
        done = run(*said.words, "trust", "diff", same_folder)
        same(done.returncode, 3)
        holds(done.stderr, "renamed.pem")


def expiry_says_which_month():
    with fleet() as (daemon, _):
        expiry = wait_until("three LSCs", lambda: next(
            (e for e in [daemon.get("/v1/trust/expiry")]
             if sum(m["lsc"] for m in e["months"]) == 3), None))
        months = {m["month"]: m for m in expiry["months"]}
        same(list(months), sorted(months))
        # 1825 days for an LSC of the lab, 3650 for a MIC.
        same(sum(m["mic"] for m in months.values()), 1)
        ends = daemon.phone(OLD)["certificate"]["notAfter"][:7]
        assert months[ends]["lsc"] == 3, months
        cas = {ca["file"]: ca["devices"] for m in months.values()
               for ca in m["cas"]}
        same(cas[OLD_CA], 2)
        same(len(cas), 3)
        same(daemon.get("/v1/status")["trust"]["ends"]["within90Days"],
             {"cas": 0, "certificates": 0})
        said = good(DIALTONE, "--url", daemon.url, "trust", "expiry")
        holds(said, "MONTH", "LSCS", "CRLS", ends, OLD_CA)


def what_is_short_lived_is_in_the_forecast():
    with fleet() as (daemon, said):
        soon = LAB.phone(STRANGER, "lsc", "p256", "--days", "20")
        said.say("device", "add", STRANGER)
        call(daemon, "sip", *credential_words(soon)).outcome("registered")
        wait_until("the forecast", lambda: daemon.get("/v1/status")["trust"][
            "ends"]["within30Days"]["certificates"] == 1)


def countdown(daemon):
    """What `trust status` says of CallManager-trust."""
    return good(DIALTONE, "--url", daemon.url, "trust", "status",
                "--store", "callmanager")


def retiring_lines(daemon):
    name = "dialtone_trust_retiring_devices"
    return [line.removeprefix(name) for line in
            daemon.fetch("/metrics")[1].splitlines() if line.startswith(name)]


def counts_everywhere(daemon, devices, words, file=OLD_CA):
    holds(countdown(daemon), f"{file} retiring: {words}")
    same({a["file"]: a["devices"] for a in daemon.get("/v1/trust")["list"]
          if a["retiring"]}, {file: devices})
    same(daemon.get("/v1/status")["trust"]["retiring"],
         {"anchors": 1, "devices": devices})
    assert f'{{store="callmanager",file="{file}"}} {devices}' in \
        retiring_lines(daemon), retiring_lines(daemon)


def retiring_counts_down():
    with fleet(trust={"anchors": {OLD_CA: {"retiring": True}}}) as (
            daemon, said):
        def count():
            [ca] = daemon.get("/v1/trust/retiring")["anchors"]
            return ca["file"], ca["devices"]
        retiring = daemon.get("/v1/trust/retiring")
        same([d["device"] for d in retiring["devices"]], [OLD, BOTH])
        same([d["registered"] for d in retiring["devices"]], [True, False])
        wait_until("two", lambda: count() == (OLD_CA, 2))
        counts_everywhere(daemon, 2, "2 devices still come with it")
        same(outcome_of(daemon, BOTH, "lsc"), "registered")
        wait_until("one", lambda: count() == (OLD_CA, 1))
        counts_everywhere(daemon, 1, "1 device still comes with it")
        same(outcome_of(daemon, OLD, "lsc"), "registered")
        same(daemon.get("/v1/trust/retiring")["count"], 0)
        wait_until("none", lambda: count() == (OLD_CA, 0))
        counts_everywhere(
            daemon, 0, "no device needs it any more: `dialtone trust remove "
            f"{OLD_CA}` can take it away")
        holds(good(DIALTONE, "--url", daemon.url, "trust", "retiring"),
              OLD_CA, "they can go")
        report, status = remove(said)
        same((status, report["removed"], names(report)), (0, True, []))
        assert "retiring" not in daemon.get("/v1/status")["trust"]
        assert "retiring" not in countdown(daemon)


def a_retiring_ca_in_a_bundle_goes_alone():
    """Its neighbours of the file are needed."""
    with fleet(trust={"anchors": {OLD_CA: {"retiring": True}}}) as (
            daemon, _):
        with open(path(), "ab") as file, \
                open(LAB.path("ca", "manufacturing-sha1.pem"), "rb") as more:
            file.write(more.read())
        daemon.reload()
        wait_until("two", lambda: "2 devices still come with it"
                   in countdown(daemon))
        said = countdown(daemon)
        holds(said, "no device needs it any more: take it out of the file, "
              "which holds other CAs")
        assert "trust remove" not in said, said
        same(retiring_lines(daemon), [
            f'{{store="callmanager",file="{OLD_CA}"}} 2',
            f'{{store="capf",file="{OLD_CA}"}} 2'])


def who_hangs_on_nobody_knows_what_is_never_none():
    """Seen by an older version, which wrote no fingerprint, with a file that
    has another name now."""
    with fleet(trust={"anchors": {"renamed.pem": {"retiring": True}}}) as (
            daemon, _):
        config_path = daemon.process.args[-1]
    for file in glob.glob(os.path.join(admin.state_folder(),
                                       "certificates.db*")):
        os.unlink(file)
    with contextlib.closing(sqlite3.connect(os.path.join(
            admin.state_folder(), "devices.db"))) as state, state:
        state.execute("UPDATE sighting SET anchor_sha256 = zeroblob(32)")
    os.rename(path(), path("renamed.pem"))
    with Daemon(config_path) as daemon:
        counts_everywhere(daemon, 2, "2 devices still come with it",
                          "renamed.pem")
        same([d["anchor"] for d in
              daemon.get("/v1/trust/retiring")["devices"]], [OLD_CA] * 2)


REFUSED = [
    ("no such file", {"without": ["nothing.pem"]}, 404, "nothing.pem"),
    ("a path", {"without": ["../x.pem"]}, 400, "without a folder"),
    ("no list", {"without": OLD_CA}, 400, "without"),
    ("numbers", {"without": [1]}, 400, "file names"),
    ("nothing", {}, 400, "folder"),
    ("both", {"without": [OLD_CA], "folder": "/tmp"}, 400, "folder"),
    ("a relative folder", {"folder": "store"}, 400, "absolute"),
    ("an unknown store", {"store": "x", "without": [OLD_CA]}, 400,
     "CallManager-trust"),
    ("an unknown key", {"file": OLD_CA}, 400, "no other keys"),
    ("a list", [OLD_CA], 400, "object"),
    ("a folder that is not there", {"folder": "/nonexistent"}, 409,
     "/nonexistent"),
]


def a_question_that_breaks_a_rule_is_refused_by_it():
    with Daemon(config()) as daemon:
        for name, body, status, says in REFUSED:
            code, answer = daemon.ask_admin("/v1/trust/impact", "POST", body)
            same(code, status, f"{name}: {answer}")
            holds(answer["detail"], says)
        code, _ = daemon.ask_admin("/v1/trust/impact", "POST",
                                   {"without": os.listdir(LAB.path(STORE))})
        same(code, 409, "without any file")
        same(daemon.ask_admin("/v1/trust/impact")[0], 405)
        said = Admin(daemon)
        said.refused("trust", "remove", "nothing.pem")
        holds(said.refused("trust", "diff", LAB.path("nowhere")), "nowhere")
        said.refused("trust", "remove", code=2)
        said.refused("trust", "remove", OLD_CA, "--what", code=2)


def without_capf_trust_nothing_is_asked_of_it():
    with Daemon(config(trust={"capf": ""})) as daemon:
        holds(Admin(daemon).refused("trust", "remove", OLD_CA, "--store",
                                    "capf"), "trust.capf")
        assert "capfTrust" not in daemon.get("/v1/status")


if __name__ == "__main__":
    sys.exit(tap.run(
        the_old_root_does_not_go_while_phones_hang_on_it,
        by_force_it_goes_and_the_prediction_is_right,
        nor_from_capf_trust,
        a_file_deleted_by_hand_is_told_with_the_same_numbers,
        several_files_go_at_once,
        what_nobody_hangs_on_goes,
        a_restart_and_a_kill_keep_the_certificates,
        who_was_last_seen_by_an_older_version_counts_as_depending,
        a_removed_device_is_forgotten,
        a_new_lsc_ends_the_dependence,
        diff_says_what_a_folder_would_change,
        expiry_says_which_month,
        what_is_short_lived_is_in_the_forecast,
        retiring_counts_down,
        a_retiring_ca_in_a_bundle_goes_alone,
        who_hangs_on_nobody_knows_what_is_never_none,
        a_question_that_breaks_a_rule_is_refused_by_it,
        without_capf_trust_nothing_is_asked_of_it))
