# SPDX-License-Identifier: Apache-2.0
"""/metrics: Prometheus's text format to the letter, and the numbers in it."""
import os
import re
import shutil
import subprocess
import sys
import time

from clients import (Phones, call, credential_words, s_client_visit,
                     s_client_words)
from daemon import Daemon
from harness import SLOW, good, holds, needs, run, same, tap, wait_until
from lab import Lab

LAB = Lab()
OLD = "manufacturing-sha1"  # a CA that is retiring
DEVICE, STRANGER = "SEP0200000000D1", "SEP0200000000D2"
POLLS = 50
FILES_MAX = 64  # of a store that have a series of their own
POLL_MS = 20  # of a poller's patience, on a busy machine

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? "
                    r"([0-9]+(?:\.[0-9]+)?|NaN|[+-]Inf)")
PART = re.compile(r"_(bucket|sum|count)$")  # of a histogram
HEAD = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")


class Page:
    """Reads the format; whatever it does not know is a fault."""

    def __init__(self, text):
        self.faults, self.types, self.helps = [], {}, {}
        self.samples = {}
        if not text.endswith("\n"):
            self.faults.append("the last line does not end")
        self._open, self._closed = None, set()
        for line in text.splitlines():
            head, sample = HEAD.fullmatch(line), SAMPLE.fullmatch(line)
            if head:
                self._head(*head.groups())
            elif sample:
                self._sample(line, sample)
            else:
                self.faults.append(f"no such line: {line}")

    def _head(self, what, name, text):
        seen = {"HELP": self.helps, "TYPE": self.types}[what]
        if name in seen:
            self.faults.append(f"{what} of {name} twice")
        seen[name] = text
        if what == "TYPE" and text not in ("counter", "gauge", "histogram"):
            self.faults.append(f"{name}: type {text}")
        if name != self._open:
            self._closed.add(self._open)
            self._open = name
        if name in self._closed:
            self.faults.append(f"{name} is begun again")

    def _sample(self, line, sample):
        name, labels = sample.group(1), sample.group(2) or ""
        found = re.findall(LABEL, labels)
        key = (name, frozenset(found))
        family = PART.sub("", name)
        if self.types.get(family) != "histogram":
            family = name
        if family != self._open or family not in self.types or \
                family not in self.helps:
            self.faults.append(f"outside its family: {line}")
        if len({label for label, _ in found}) != len(found):
            self.faults.append(f"a label twice: {line}")
        if key in self.samples:
            self.faults.append(f"a series twice: {line}")
        if (self.types.get(name) == "counter") != name.endswith("_total"):
            self.faults.append(f"counters end in _total: {line}")
        self.samples[key] = float(sample.group(sample.lastindex))

    def histograms(self):
        """Bounds and counts of each, and what its _count says."""
        found = {}
        for (name, having), value in self.samples.items():
            labels = dict(having)
            if "le" in labels and name.endswith("_bucket"):
                bound = float(labels.pop("le"))
                key = (PART.sub("", name), frozenset(labels.items()))
                found.setdefault(key, []).append((bound, value))
        return {key: (sorted(buckets), self.samples[key[0] + "_count", key[1]],
                      self.samples[key[0] + "_sum", key[1]])
                for key, buckets in found.items()}

    def sum(self, name, **labels):
        """Of all series with these labels."""
        found = [value for (series, having), value in self.samples.items()
                 if series == name and set(labels.items()) <= set(having)]
        assert found, f"there is no {name} {labels}"
        return sum(found)


def page_of(daemon):
    status, text = daemon.fetch("/metrics")
    same(status, 200)
    page = Page(text)
    tap.none(page.faults)
    return page


# What no node should be called, and yet may be.
NODE = 'n"o\\de{x="1"} 2'


class Scene:
    """A phone in, a stranger out, a session resumed."""

    def __enter__(self):
        self.daemon = Daemon(LAB.config(workers=2, node=NODE, trust={
            "callmanager": os.path.basename(LAB.store("scene", OLD)),
            "anchors": {OLD + ".pem": {"retiring": True}}}))
        credential = LAB.phone(DEVICE)
        self.phones = Phones(self.daemon, "sccp",
                             *credential_words(credential))
        self.daemon.wait_registered(1)
        call(self.daemon, "sip", *credential_words(
            LAB.phone(STRANGER, "foreign"))).outcome("alert")
        self.daemon.wait_failure("unknown-ca")
        session = LAB.path("session")
        s_client_visit(self.daemon, "sip", credential, "1.3",
                       "-sess_out", session)
        same(s_client_visit(self.daemon, "sip", credential, "1.3",
                            "-sess_in", session), True)
        # From here on nothing moves but what the phone says.
        wait_until("the visitors to be gone", lambda: self.daemon.get(
            "/v1/status")["connections"]["open"] == 1)
        return self.daemon

    def __exit__(self, *error):
        self.phones.__exit__()
        self.daemon.__exit__(*error)


def lsc_anchor():
    """The file of the lab's CAPF root."""
    found = [name for name in os.listdir(LAB.path("CallManager-trust"))
             if name.startswith("CAPF-")]
    same(len(found), 1)
    return found[0]


def every_sample_has_help_type_and_is_there_once():
    with Daemon(LAB.config()) as daemon:
        assert len(page_of(daemon).samples) > 40
    with Scene() as daemon:
        page = page_of(daemon)
        same(sorted(page.helps), sorted(page.types))
        same([labels for name, labels in page.samples
              if name == "dialtone_info"],
             [frozenset({("node", r'n\"o\\de{x=\"1\"} 2'),
                         ("version", daemon.get("/v1/status")["version"])})])


def faults_are_found():
    good_one = "# HELP a_total x\n# TYPE a_total counter\na_total 1\n"
    tap.none(Page(good_one).faults)
    for bad in (good_one + "a_total 1\n", good_one + "b 1\n", "a_total 1\n",
                good_one + "\n", good_one.rstrip("\n"), good_one + good_one,
                good_one.replace("counter", "gauge"),
                good_one.replace("a_total 1", 'a_total{x="1",x="2"} 1'),
                good_one.replace("a_total 1", 'a_total{x="1"2"} 1'),
                good_one.replace("a_total 1", "a_total  1"),
                good_one.replace("a_total 1", "a_total one")):
        assert Page(bad).faults, bad


def numbers_are_those_of_status():
    with Scene() as daemon:
        status, page = daemon.get("/v1/status"), page_of(daemon)
    there = status["connections"]
    for name, labels, expected in (
            ("connections", {}, there["open"]),
            ("connections_half_open", {}, there["halfOpen"]),
            ("connections_accepted_total", {}, there["accepted"]),
            ("connections_closed_total", {}, there["closed"]),
            ("connections_refused_total", {}, there["refused"]),
            ("handshakes_total", {"result": "ok"}, there["handshakesOk"]),
            ("handshakes_total", {"result": "failed"},
             there["handshakesFailed"]),
            ("handshakes_resumed_total", {}, there["resumed"]),
            ("registered", {}, 1),
            ("registered", {"protocol": "sccp"}, 1),
            ("registered", {"security": "encrypted", "certificate": "lsc",
                            "state": "registered"}, 1),
            ("registered", {"state": "partially_registered"}, 0),
            ("handshakes_cipher_total", {}, there["handshakesOk"]),
            ("handshakes_cipher_total", {"kind": "resumed"}, 1),
            ("handshakes_anchor_total", {"anchor": lsc_anchor(),
                                         "certificate": "lsc"},
             there["handshakesOk"]),
            ("handshake_seconds_count", {}, there["handshakesOk"]),
            ("handshake_seconds_count", {"kind": "resumed"}, 1),
            ("registration_seconds_count", {"protocol": "sccp"}, 1),
            ("registration_seconds_count", {"protocol": "sip"}, 0),
            ("alerts_total", {"direction": "sent", "alert": "unknown CA"}, 1),
            ("alerts_total", {}, 1),
            ("connections_max", {}, 18000),
            ("admission_state", {}, 1),
            ("admission_served_total", {"how": "at once"},
             there["accepted"]),
            ("store_failing", {}, 0),
            ("trust_locked_out_devices", {}, 0),
            ("trust_info", {"store": "callmanager", "fingerprint":
                            status["trust"]["fingerprint"]}, 1),
            ("phones_known", {}, status["phones"]["known"]),
            ("failures_total", {}, status["failures"]),
            ("failures_total", {"stage": "tls", "rule": "unknown-ca"}, 1),
            ("resumption_verdicts_total", {"verdict": "resumed"}, 1),
            ("sessions", {}, status["resumption"]["sessions"]),
            ("sessions_max", {}, status["resumption"]["sessionsMax"]),
            ("trust_generation", {}, 1),
            ("trust_anchors", {}, status["trust"]["anchors"]),
            ("trust_reload_refused", {}, 0)):
        same(page.sum("dialtone_" + name, **labels), expected, name)
    same((there["resumed"], there["handshakesFailed"]), (1, 1))
    for number, worker in enumerate(status["workers"]):
        for name, key in (("connections_accepted_total", "accepted"),
                          ("received_bytes_total", "bytesIn")):
            found = page.sum("dialtone_" + name, worker=str(number))
            assert found >= worker[key], f"{name} of worker {number}"


def stores_have_their_own_numbers():
    LAB.store("trust", OLD)
    with Daemon(LAB.config(trust={"callmanager": "trust",
                                  "capf": "CAPF-trust",
                                  "anchors": {OLD + ".pem": {
                                      "retiring": True}}})) as daemon:
        shutil.copy(LAB.path("ca", "capf.key"), LAB.path("trust"))
        daemon.reload("reload-refused")
        page, trust = page_of(daemon), daemon.get("/v1/trust")
    for store, at, refused in (("callmanager", trust, 1),
                               ("capf", trust["capf"], 0)):
        for name, expected in (("generation", 1), ("reload_refused", refused),
                               ("anchors", at["anchors"])):
            same(page.sum("dialtone_trust_" + name, store=store), expected,
                 f"{name} of {store}")
    same([(dict(labels), value) for (name, labels), value in
          page.samples.items() if name == "dialtone_trust_retiring_devices"],
         [({"store": "callmanager", "file": OLD + ".pem"}, 0)])
    same(page.sum("dialtone_trust_refusals_total", store="callmanager",
                  rule="private-key"), 1)
    same(page.sum("dialtone_certificates_reload_refused"), 0)


def every_histogram_is_cumulative_and_whole():
    with Scene() as daemon:
        page = page_of(daemon)
    found = page.histograms()
    same(sorted({name for name, _ in found}),
         sorted(name for name, kind in page.types.items()
                if kind == "histogram"))
    for key, (buckets, count, total) in found.items():
        counts = [n for _, n in buckets]
        same(counts, sorted(counts), f"{key} is cumulative")
        same((buckets[-1][0], counts[-1]), (float("inf"), count), str(key))
        assert count or not total, f"the sum of {key}"
        for (bound, _), (double, _) in zip(buckets, buckets[1:-1]):
            same(double, 2 * bound, f"bounds of {key}")


def alerts_of_phones_are_counted():
    """A phone that has never heard of our CA."""
    credential = LAB.phone(DEVICE)
    with Daemon(LAB.config()) as daemon:
        done = run(*s_client_words(daemon, "sip", credential, "1.2"),
                   "-verify_return_error", "-CAfile", credential.cert)
        assert done.returncode != 0, done.stdout
        daemon.wait_failure("tls-alert-received")
        page = page_of(daemon)
    same(page.sum("dialtone_alerts_total", direction="received",
                  alert="unknown CA"), 1)
    same(page.sum("dialtone_alerts_total"), 1)


def answers_and_rejects_are_counted():
    with Daemon(LAB.config()) as daemon:
        call(daemon, "sip", *credential_words(LAB.phone(DEVICE)))
        page = page_of(daemon)
        same(page.sum("dialtone_sip_responses_total", **{"class": "2xx"}) > 0,
             True)
        call(daemon, "sccp", *credential_words(LAB.phone(DEVICE))[:-1],
             STRANGER)
        page = page_of(daemon)
    same(page.sum("dialtone_sccp_rejects_total", message="RegisterReject"), 1)


def the_process_is_itself():
    with Daemon(LAB.config()) as daemon:
        page = page_of(daemon)
        same(page.sum("process_open_fds") - daemon.descriptors() in range(3),
             True, "descriptors, with those of the poll")
        used = page.sum("process_cpu_seconds_total")
        assert 0 < used <= daemon.cpu_seconds() + 0.02, used
        started = page.sum("process_start_time_seconds")
        assert time.time() - 60 * SLOW < started <= time.time(), started
        resident = page.sum("process_resident_memory_bytes")
        assert resident < page.sum("process_virtual_memory_bytes")


def files_beyond_their_bound_are_other():
    """More CAs than have a series of their own: the first to end have one."""
    name = "dialtone_trust_anchor_not_after_timestamp_seconds"
    folder = LAB.store("flood")
    for i in range(FILES_MAX):
        good("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-keyout", os.devnull,
             "-subj", f"/CN=Flood {i}", "-days", 90 - i,
             "-addext", "keyUsage=critical,keyCertSign",
             "-out", os.path.join(folder, f"flood-{i:02}.pem"))
    with Daemon(LAB.config(trust={"callmanager": "flood"})) as daemon:
        page = page_of(daemon)
        same(page.sum("dialtone_trust_anchors") > FILES_MAX, True)
    found = {dict(labels)["file"]: value
             for (series, labels), value in page.samples.items()
             if series == name}
    same(len(found), FILES_MAX + 1)
    same(min(found, key=found.get), f"flood-{FILES_MAX - 1:02}.pem")
    same(max(found, key=found.get), "other")


def workers_and_memory_are_in_status():
    with Scene() as daemon:
        status = daemon.get("/v1/status")
    same(len(status["workers"]), 2)
    for key in ("accepted", "closed", "refused", "handshakesOk",
                "handshakesFailed", "resumed", "bytesOut"):
        same(sum(worker[key] for worker in status["workers"]),
             status["connections"][key], key)
    same(sum(worker["connections"] for worker in status["workers"]),
         status["connections"]["open"])
    memory = status["memory"]
    assert memory["residentBytes"] > 1 << 20, memory
    assert "perConnectionBytes" not in memory, "told from a single connection"
    same(memory["sessionCacheBytes"] > 0, status["resumption"]["sessions"] > 0)


def a_connections_memory_is_told_from_a_hundred_on():
    with Daemon(LAB.config()) as daemon, \
            Phones(daemon, "sccp", "--lab", LAB.dir, "--count", 120,
                   "--rate", 200):
        daemon.wait_registered(120)
        found = daemon.get("/v1/status")["memory"]["perConnectionBytes"]
        same(page_of(daemon).sum("dialtone_connection_memory_bytes") > 0, True)
    tap.remark(f"{found} bytes a connection")
    assert 1000 < found < 1000000 * SLOW, found


def off_has_no_key_age():
    with Daemon(LAB.config(tls={"resumption": "off"})) as daemon:
        page = page_of(daemon)
    assert "dialtone_ticket_key_age_seconds" in page.types
    assert not [name for name, _ in page.samples
                if name == "dialtone_ticket_key_age_seconds"]


def promtool_finds_no_fault():
    promtool = needs("promtool")
    with Scene() as daemon:
        _, text = daemon.fetch("/metrics")
    done = subprocess.run([promtool, "check", "metrics"], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    same((done.returncode, done.stdout), (0, ""))


def curl_and_head_and_post():
    curl = needs("curl")
    with Daemon(LAB.config()) as daemon:
        said = good(curl, "--silent", "--fail", "--include",
                    daemon.url + "/metrics")
        holds(said, "Content-Type: text/plain; version=0.0.4; charset=utf-8")
        same(daemon.fetch("/metrics", "HEAD"), (200, ""))
        same(daemon.fetch("/metrics", "POST")[0], 405)
        same(run(curl, "--silent", "--fail", daemon.url + "/metric").returncode,
             22)


def a_poll_is_cheap():
    with Daemon(LAB.config()) as daemon:
        for path in ("/metrics", "/v1/status"):
            before, since = daemon.cpu_seconds(), time.monotonic()
            for _ in range(POLLS):
                daemon.fetch(path)
            spent = 1000 * (daemon.cpu_seconds() - before) / POLLS
            taken = 1000 * (time.monotonic() - since) / POLLS
            tap.remark(f"{path}: {spent:.2f} ms of processor, {taken:.2f} ms")
            assert spent < POLL_MS * SLOW, f"{path}: {spent} ms"


if __name__ == "__main__":
    sys.exit(tap.run(
        every_sample_has_help_type_and_is_there_once,
        faults_are_found,
        numbers_are_those_of_status,
        stores_have_their_own_numbers,
        every_histogram_is_cumulative_and_whole,
        alerts_of_phones_are_counted,
        answers_and_rejects_are_counted,
        the_process_is_itself,
        files_beyond_their_bound_are_other,
        workers_and_memory_are_in_status,
        a_connections_memory_is_told_from_a_hundred_on,
        off_has_no_key_age,
        promtool_finds_no_fault,
        curl_and_head_and_post,
        a_poll_is_cheap))
