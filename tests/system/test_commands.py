# SPDX-License-Identifier: Apache-2.0
"""The admin's command says what status says: to people, and to programs."""
import json
import os
import re
import shutil
import socket
import sys

from clients import Phones, call, credential_words
from daemon import Daemon
from harness import (DIALTONE, LOOPBACK, fact, good, holds, needs, run, same,
                     tap)
from lab import Lab, blocks, common_name

LAB = Lab()
DEVICE, STRANGER = "SEP020000000001", "SEP020000000002"

# What may differ between two looks at the same thing.
MOVING = re.compile(
    r'"(now|residentBytes|lastSeen|bytesIn|bytesOut)": [^,\n]+')


def dialtone(daemon, *words):
    return good(DIALTONE, "--url", daemon.url, *words)


def still(text):
    return MOVING.sub("", json.dumps(json.loads(text), indent=1))


class Scene:
    """One phone in, one stranger out."""

    def __enter__(self):
        self.daemon = Daemon(LAB.config())
        self.phones = Phones(self.daemon, "sccp",
                             *credential_words(LAB.phone(DEVICE)))
        self.daemon.wait_registered(1)
        call(self.daemon, "sip", *credential_words(
            LAB.phone(STRANGER, "foreign"))).outcome("alert")
        self.daemon.wait_failure("unknown-ca")
        return self.daemon

    def __exit__(self, *error):
        self.phones.__exit__()
        self.daemon.__exit__(*error)


def status_says_how_the_registrar_is():
    with Scene() as daemon:
        said = dialtone(daemon, "status")
        trust = daemon.get("/v1/trust")
    assert re.search(r"^phones registered +1$", said, re.M), said
    assert re.search(r"^refusals +1$", said, re.M), said
    holds(said, trust["fingerprint"], LAB.path("CallManager-trust"))


def phones_are_a_table():
    with Scene() as daemon:
        head, *rows = dialtone(daemon, "phones").splitlines()
    same(head.split()[:4], ["NAME", "STATE", "PROTO", "CERT"])
    same(len(rows), 1, f"rows of {rows}")
    same(rows[0].split()[:4], [DEVICE, "registered", "sccp", "LSC"])


def phone_tells_its_story():
    with Scene() as daemon:
        good_one = dialtone(daemon, "phone", DEVICE.lower())
        bad_one = dialtone(daemon, "phone", STRANGER)
    holds(good_one, DEVICE, "registered", "LSC", "TLSv1.2")
    issuer = common_name(LAB.phone(STRANGER, "foreign").cert, "issuer")
    holds(bad_one, STRANGER, "rejected", "unknown-ca", issuer,
          "SSL3 alert [read]:[fatal]:[unknown CA]", "cure")


def failures_name_rule_and_cure():
    with Daemon(LAB.config()) as daemon:
        holds(dialtone(daemon, "failures"), "No phone was refused")
    with Scene() as daemon:
        said = dialtone(daemon, "failures")
        failure = daemon.failures()[0]
    holds(said, STRANGER, "unknown-ca", failure["cure"],
          failure["missingCa"], failure["presented"]["serial"])


def trust_list_shows_the_anchors():
    with Daemon(LAB.config()) as daemon:
        _, *rows = dialtone(daemon, "trust", "list").splitlines()
    same([row.split()[:2] for row in sorted(rows)],
         [[name, "LSC" if name.startswith("CAPF-") else "MIC"]
          for name in sorted(os.listdir(LAB.path("CallManager-trust")))])


def trust_check_says_yes_or_why_not():
    ours, theirs = LAB.phone(DEVICE), LAB.phone(STRANGER, "foreign")
    store = LAB.path("CallManager-trust")
    with Daemon(LAB.config()) as daemon:
        for words in (["--url", daemon.url], []):
            where = [] if words else ["--store", store]
            done = run(DIALTONE, *words, "trust", "check", ours.cert, *where)
            same(done.returncode, 0, done.stderr)
            assert re.search(r"^verdict +ok$", done.stdout, re.M), done.stdout
            assert re.search(r"^kind +LSC$", done.stdout, re.M), done.stdout
            done = run(DIALTONE, *words, "trust", "check", theirs.cert, *where)
            same(done.returncode, 1, done.stderr)
            holds(done.stdout, "unknown-ca",
                  common_name(theirs.cert, "issuer"), "cure",
                  "SSL3 alert [read]:[fatal]:[unknown CA]")


def trust_check_warns_when_the_folder_has_changed():
    """A file that lost a CA waits for an order: until then it is so."""
    folder = LAB.store("changed")
    bundle = os.path.join(folder, "bundle.pem")
    with open(bundle, "w", encoding="ascii") as f:
        f.writelines(block for ca in ("other-capf", "manufacturing-root")
                     for block in blocks(LAB.path("ca", ca + ".pem")))
    with Daemon(LAB.config(trust={"callmanager": folder})) as daemon:
        shutil.copy(LAB.path("ca", "other-capf.pem"), bundle)
        done = run(DIALTONE, "--url", daemon.url, "trust", "check",
                   LAB.phone(STRANGER, "foreign").cert)
    same(done.returncode, 0, done.stdout)
    holds(done.stderr, "the folder has changed", "SIGHUP")


def json_is_what_status_answers(words, path):
    with Scene() as daemon:
        before, behind = (dialtone(daemon, "--json", *words),
                          dialtone(daemon, *words, "--json"))
        _, expected = daemon.fetch(path)
    same(still(before), still(expected))
    same(still(behind), still(expected), "with --json at the end")


def curl_gets_the_same():
    curl = needs("curl")
    with Scene() as daemon:
        found = good(curl, "--silent", "--fail", daemon.url + "/v1/failures")
        same(json.loads(found), daemon.get("/v1/failures"))
        same(good(curl, "--silent", "--fail", daemon.url + "/healthz"),
             '{"status":"ok"}')
        same(good(curl, "--silent", "--fail", daemon.url + "/readyz"),
             '{"status":"ok"}')


def status_plane_is_read_only_and_says_what_it_has():
    with Daemon(LAB.config()) as daemon:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            status, body = daemon.fetch("/v1/status", method)
            same((status, json.loads(body)["status"]), (405, 405), method)
        same(daemon.fetch("/v1/status", "HEAD"), (200, ""))
        for path in ("/v1", "/v1/statuses", "/v1/phones/" + 300 * "x",
                     "/v1/phones/..%2f..%2fetc"):
            status, body = daemon.fetch(path)
            same((status, json.loads(body)["status"]), (404, 404), path)


def unknown_phone_is_an_error():
    with Daemon(LAB.config()) as daemon:
        done = run(DIALTONE, "--url", daemon.url, "phone", "SEPNOBODY")
    same((done.returncode, done.stdout), (1, ""))
    holds(done.stderr, "dialtone: ", "SEPNOBODY", "no phone of this name")


def unreachable_registrar_is_an_error(words):
    with socket.socket() as bound:  # bound, and nobody listens
        bound.bind((LOOPBACK, 0))
        url = f"http://{LOOPBACK}:{bound.getsockname()[1]}"
        done = run(DIALTONE, "--url", url, *words)
    same((done.returncode, done.stdout), (1, ""))
    holds(done.stderr, "dialtone: cannot ask " + url, "Is dialtoned running?")
    same(done.stderr.splitlines()[1:],
         ["next: systemctl status dialtone"])


def wrong_usage_exits_2():
    for words in ([], ["nonsense"], ["trust"], ["trust", "nonsense"],
                  ["phone"], ["phone", "a", "b"], ["status", "now"],
                  ["--no-such", "status"], ["trust", "check"],
                  ["lab", "init"], ["lab", "phone", "x"]):
        done = run(DIALTONE, *words)
        same(done.returncode, 2, f"exit status with {words}")
        assert done.stderr and not done.stdout, words


def the_url_may_come_from_the_environment():
    with Daemon(LAB.config()) as daemon:
        holds(good(DIALTONE, "status", env={"DIALTONE_URL": daemon.url}),
              "phones registered")


def lab_does_not_overwrite():
    done = run(DIALTONE, "lab", "init", LAB.dir)
    same(done.returncode, 1)
    holds(done.stderr, LAB.dir, "not empty")


TRUST_CHECK = ["trust", "check", LAB.phone(DEVICE).cert]

if __name__ == "__main__":
    sys.exit(tap.run(
        status_says_how_the_registrar_is,
        phones_are_a_table,
        phone_tells_its_story,
        failures_name_rule_and_cure,
        trust_list_shows_the_anchors,
        trust_check_says_yes_or_why_not,
        trust_check_warns_when_the_folder_has_changed,
        *(fact(f"--json {' '.join(words)} is what {path} answers",
               json_is_what_status_answers, words, path)
          for words, path in (
              (["status"], "/v1/status"), (["phones"], "/v1/phones"),
              (["phone", DEVICE], f"/v1/phones/{DEVICE}"),
              (["failures"], "/v1/failures"),
              (["trust", "list"], "/v1/trust"))),
        curl_gets_the_same,
        status_plane_is_read_only_and_says_what_it_has,
        unknown_phone_is_an_error,
        *(fact(f"{' '.join(words[:2])} without a registrar is an error",
               unreachable_registrar_is_an_error, words)
          for words in (["status"], ["phones"], ["phone", DEVICE],
                        ["failures"], ["trust", "list"], TRUST_CHECK)),
        wrong_usage_exits_2,
        the_url_may_come_from_the_environment,
        lab_does_not_overwrite))
