# SPDX-License-Identifier: Apache-2.0
"""Prometheus scrapes the daemon; rules, dashboard and manual know its names."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

from believers import free_port, write
from clients import Phones, credential_words
from daemon import Daemon
from harness import (DEADLINE_S, DIALTONE, LOOPBACK, SOURCE, good, needs,
                     put_down, same, tap, wait_until)
from lab import Lab, listener
from test_metrics import PART, page_of

LAB = Lab()
DEVICE = "SEP0200000000F1"
RULES = os.path.join(SOURCE, "packaging", "prometheus", "dialtone.rules.yml")
RULES_TEST = os.path.join(SOURCE, "tests", "system", "rules.test.yml")
DASHBOARD = os.path.join(SOURCE, "packaging", "grafana", "dialtone.json")
MANUAL = os.path.join(SOURCE, "docs", "metrics.md")

METRIC = re.compile(r"\b(?:dialtone|process)_[a-z0-9_]+\b")
RECORDED = re.compile(r"\bdialtone:[a-z0-9_:]+")
ROW = re.compile(r"\| `([a-z0-9_]+)` \| (\w+) \| (.*?) \| (.*?) \| (.*?) \|")
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
  - job_name: dialtone
    static_configs: [{{targets: ['{target}']}}]
"""


class Prometheus:
    """Debian's, on loopback, with the shipped rules."""

    def __init__(self, daemon):
        program = needs("prometheus")
        folder = LAB.path("prometheus")
        os.makedirs(folder)
        shutil.copy(RULES, folder)
        config = write(os.path.join(folder, "prometheus.yml"),
                       PROMETHEUS.format(rules="dialtone.rules.yml",
                                         target=daemon.url[len("http://"):]))
        self.at = f"{LOOPBACK}:{free_port(socket.SOCK_STREAM)}"
        self.process = subprocess.Popen(
            [program, f"--config.file={config}",
             f"--web.listen-address={self.at}",
             f"--storage.tsdb.path={folder}/data"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def __enter__(self):
        wait_until("Prometheus to answer", self._ready, 6 * DEADLINE_S)
        return self

    def __exit__(self, *_):
        put_down(self.process)

    def _fetch(self, path):
        with urllib.request.urlopen(f"http://{self.at}{path}",
                                    timeout=DEADLINE_S) as answer:
            return answer.read()

    def _ready(self):
        assert self.process.poll() is None, "Prometheus has ended"
        try:
            return self._fetch("/-/ready")
        except OSError:
            return None

    def get(self, path, **words):
        said = json.loads(self._fetch(
            f"/api/v1/{path}?{urllib.parse.urlencode(words)}"))
        same(said["status"], "success")
        return said["data"]

    def value(self, query):
        """Of the one series that there is; None: there is none yet."""
        found = self.get("query", query=query)["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def wait_value(self, query, expected):
        wait_until(f"{query} to be {expected}",
                   lambda: self.value(query) == expected, 6 * DEADLINE_S)


def prometheus_scrapes_it():
    with Daemon(LAB.config()) as daemon, Prometheus(daemon) as prometheus, \
            Phones(daemon, "sip", *credential_words(LAB.phone(DEVICE))):
        daemon.wait_registered(1)
        prometheus.wait_value("up", 1)
        prometheus.wait_value("sum(dialtone_registered)", 1)
        prometheus.wait_value("dialtone:registered", 1)
        prometheus.wait_value(
            'sum(dialtone_registration_seconds_count{protocol="sip"})', 1)
        targets = prometheus.get("targets")["activeTargets"]
        same([(t["health"], t["lastError"]) for t in targets], [("up", "")])
        rules = [rule for group in prometheus.get("rules")["groups"]
                 for rule in group["rules"]]
        same([r["name"] for r in rules if r["health"] == "err"], [])
        same([a["labels"]["alertname"]
              for a in prometheus.get("alerts")["alerts"]
              if a["state"] == "firing"], [])
        bounds = [t["expr"].replace("$__rate_interval", "1m").replace(
            "$job", "dialtone").replace("$instance", ".*")
                  for t in dashboard_targets()]
        for query in bounds:  # Prometheus reads every one
            prometheus.get("query", query=query)


# ---- what ships with it ----

def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rules_are_good_and_tested():
    promtool = needs("promtool")
    good(promtool, "check", "rules", RULES)
    folder = LAB.path("rules")
    os.makedirs(folder)
    for path in (RULES, RULES_TEST):
        shutil.copy(path, folder)
    good(promtool, "test", "rules",
         os.path.join(folder, os.path.basename(RULES_TEST)))


def every_alert_is_tested():
    alerts = set(re.findall(r"alert: (\w+)", text_of(RULES)))
    assert len(alerts) > 15
    same(sorted(alerts - set(re.findall(r"Dialtone\w+",
                                        text_of(RULES_TEST)))), [])


def every_alert_has_its_paragraph():
    """What to do, under a heading of its own, with something to type."""
    rules, manual = text_of(RULES), text_of(MANUAL)
    alerts = re.findall(r"alert: (\w+)", rules)
    runbooks = re.findall(r'runbook: "docs/metrics\.md#(\w+)"', rules)
    same(runbooks, [name.lower() for name in alerts])
    paragraphs = dict(re.findall(r"^### (\w+)\n((?:(?!#).+\n)+)", manual,
                                 re.M))
    same(sorted(paragraphs), sorted(alerts))
    tap.none(f"{name}: {text}" for name, text in paragraphs.items()
             if len(text) < 80)
    words = re.findall(r"`dialtone ([^`]+)`",
                       " ".join(paragraphs.values()).replace("\n", " "))
    assert len(words) > 20
    for word in words:
        said = re.match(r"[a-z-]+( [a-z-]+)?", word).group().strip().split()
        help_text = good(DIALTONE, "help", *said)
        for option in re.findall(r"--[a-z-]+", word):
            assert option in help_text, f"{word}: {help_text}"


def dashboard_panels():
    return json.loads(text_of(DASHBOARD))["panels"]


def dashboard_targets():
    return [target for panel in dashboard_panels()
            for target in panel.get("targets", ())]


def unknown(names, page):
    """Those that /metrics does not have."""
    histograms = {name for name, kind in page.types.items()
                  if kind == "histogram"}
    return sorted(name for name in names if name not in page.types and
                  PART.sub("", name) not in histograms)


def rules_and_dashboard_name_what_there_is():
    with Daemon(LAB.config()) as daemon:
        page = page_of(daemon)
    rules = text_of(RULES)
    expressions = " ".join(
        line for line in rules.splitlines()
        if "description:" not in line and "record:" not in line)
    assert unknown(["dialtone_no_such"], page)
    same(unknown(METRIC.findall(expressions), page), [], "rules")
    same(unknown(METRIC.findall(text_of(DASHBOARD)), page), [], "dashboard")
    recorded = set(re.findall(r"record: (\S+)", rules))
    same(sorted(set(RECORDED.findall(expressions)) - recorded), [])


def the_dashboard_can_be_imported():
    """What Grafana asks of a file, as far as it can be held without one."""
    board = json.loads(text_of(DASHBOARD))
    same(board["uid"], "dialtone")
    panels = board["panels"]
    same(len({p["id"] for p in panels}), len(panels))
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]
        for target in panel.get("targets", ()):
            same(target["datasource"]["uid"], "${datasource}")
            assert '$job' in target["expr"], target["expr"]
    same([v["name"] for v in board["templating"]["list"]],
         ["datasource", "job", "instance"])


def the_manual_has_every_metric():
    config = LAB.config(
        listeners=[*LAB.base["listeners"], listener("capf", profile="legacy")],
        trust={"capf": "CAPF-trust"}, capf={"folder": "capf"},
        state={"folder": "state"})
    with Daemon(config) as daemon, \
            Phones(daemon, "sccp", *credential_words(LAB.phone(DEVICE))):
        daemon.wait_registered(1)
        page = page_of(daemon)
    rows = {row[0]: row[1:] for row in ROW.findall(text_of(MANUAL))}
    same(sorted(rows), sorted(page.types))
    labels = {}
    for name, having in page.samples:
        family = name if name in page.types else PART.sub("", name)
        labels.setdefault(family, set()).update(
            key for key, _ in having if key != "le")
    for name, (kind, said, text, _) in rows.items():
        same((kind, text), (page.types[name], page.helps[name]), name)
        if name in labels:
            same(set(re.findall(r"`(\w+)`", said)), labels[name], name)


if __name__ == "__main__":
    sys.exit(tap.run(
        rules_are_good_and_tested,
        every_alert_is_tested,
        every_alert_has_its_paragraph,
        rules_and_dashboard_name_what_there_is,
        the_dashboard_can_be_imported,
        the_manual_has_every_metric,
        prometheus_scrapes_it))
