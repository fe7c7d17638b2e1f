# SPDX-License-Identifier: Apache-2.0
"""The status plane as a poller uses it: pages, filters, deltas, ETags, noes;
and docs/openapi.json against what is really there."""
import http.client
import json
import os
import re
import sys

import contract
from clients import Phones, credential_words
from daemon import Daemon, refuses_to_start
from harness import (DEADLINE_S, LOOPBACK, SOURCE, same, tap, wait_until)
from lab import Lab

LAB = Lab()
ADMIN = {"socket": "admin.sock"}
COUNT = 25
FIRST = "SEP0200000E0000"
MIC_DEVICE = "SEP0200000F0001"
PLAIN_DEVICE = "SEP0200000F0002"


def ask(daemon, path, **headers):
    """Status, headers and text; names of headers with _ for -."""
    client = http.client.HTTPConnection(
        LOOPBACK, daemon.port("status", "http"), timeout=DEADLINE_S)
    try:
        client.request("GET", path, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        answer = client.getresponse()
        text = answer.read().decode()
        contract.check("GET", path, answer, text)
        return answer.status, answer.headers, text
    finally:
        client.close()


def refused(daemon, path, status, *parts):
    code, _, text = ask(daemon, path)
    same(code, status, path)
    for part in parts:
        assert part in json.loads(text)["detail"], text


class Office:
    """Twenty-five SIP phones with LSCs, an SCCP one with its MIC, a plain
    one."""

    def __enter__(self):
        mic = LAB.phone(MIC_DEVICE, "mic")
        config = LAB.config(devices={
            MIC_DEVICE: {"mic": True},
            PLAIN_DEVICE: {"profile": "non-secure"}})
        self.daemon = Daemon(config)
        self._all = [
            Phones(self.daemon, "sip", "--count", COUNT, "--lab", LAB.dir,
                   "--device", FIRST, "--line", "200000"),
            Phones(self.daemon, "sccp", *credential_words(mic)),
            Phones(self.daemon, "sccp", "--device", PLAIN_DEVICE,
                   transport="tcp")]
        self.daemon.__enter__()
        self.daemon.wait_registered(COUNT + 2)
        return self

    def __exit__(self, *why):
        for phones in self._all:
            phones.__exit__(*why)
        self.daemon.__exit__(*why)

    def leave(self, which):
        self._all[which].leave()

    def names(self, query):
        listed = self.daemon.get(f"/v1/phones?{query}")
        same(listed["count"], len(listed["phones"]), "count")
        return [phone["name"] for phone in listed["phones"]]


def pages_hold_each_phone_once():
    with Office() as office:
        found, query = [], "limit=10"
        for size in (10, 10, 7):
            page = office.daemon.get(f"/v1/phones?{query}")
            same(page["count"], size, "phones of the page")
            found += [phone["name"] for phone in page["phones"]]
            query = f"limit=10&cursor={page.get('next')}"
        assert "next" not in page, page
        same(found, office.names(""), "all pages")
        same(found, sorted(set(found)), "their order")


FILTERS = (
    ("state=registered", COUNT + 2), ("state=rejected", 0),
    ("protocol=sip", COUNT), ("protocol=sccp", 2),
    ("security=encrypted", COUNT + 1), ("security=plain", 1),
    ("certificate=LSC", COUNT), ("certificate=mic", 1),
    ("expiresBefore=2020-01-01", 0),
    ("expiresBefore=2099-12-31T00:00:00Z", COUNT + 1),
    ("model=no-such", 0), ("node=elsewhere", 0),
    (f"namePrefix={FIRST[:-2].lower()}", COUNT), ("ip=127.0.0.1", COUNT + 2),
    ("ip=127.0.0.0/8", COUNT + 2), ("ip=10.0.0.0/8", 0),
    ("ip=::ffff:127.0.0.1", COUNT + 2), ("ip=2001:db8::/32", 0),
    ("protocol=sccp&security=plain&state=registered", 1),
)


def filters_pass_whom_they_name():
    with Office() as office:
        for query, expected in FILTERS:
            same(len(office.names(query)), expected, query)
        phone = office.daemon.phone(MIC_DEVICE)
        node = office.daemon.get("/v1/status")["node"]
        issuer = phone["certificate"]["issuer"].replace(" ", "%20")
        same(office.names(f"issuer={issuer}"), [MIC_DEVICE], "issuer")
        assert MIC_DEVICE in office.names(f"model={phone['model']}")
        same(len(office.names(f"node={node}")), COUNT + 2, "node")


def a_delta_says_what_changed_and_nothing_else():
    with Office() as office:
        daemon = office.daemon
        token = daemon.get("/v1/phones?limit=1")["since"]
        quiet = daemon.get(f"/v1/phones?since={token}")
        same((quiet["phones"], quiet["gone"]), ([], []), "without change")
        office.leave(1)
        daemon.wait_phone(MIC_DEVICE, "unregistered")
        delta = daemon.get(f"/v1/phones?since={quiet['since']}")
        same([p["name"] for p in delta["phones"]], [MIC_DEVICE], "changed")
        same(delta["phones"][0]["state"], "unregistered")
        other = daemon.get(
            f"/v1/phones?state=registered&since={quiet['since']}")
        same((other["phones"], other["gone"]), ([], [MIC_DEVICE]),
             "who is among those asked for no more")


def a_token_of_another_run_is_gone():
    with Daemon(LAB.config()) as daemon:
        token = daemon.get("/v1/phones")["since"]
    with Daemon(LAB.config()) as daemon:
        refused(daemon, f"/v1/phones?since={token}", 410, "without since=")


TAGGED = ("/v1/phones", "/v1/phones?limit=2", "/v1/failures", "/v1/trust",
          "/v1/openapi.json", "/healthz", f"/v1/phones/{PLAIN_DEVICE}")


def what_is_known_is_not_said_again():
    with Office() as office:
        daemon = office.daemon
        for path in TAGGED:
            code, headers, text = ask(daemon, path)
            same((code, bool(text)), (200, True), path)
            tag = headers["ETag"]
            for known in (tag, f'"other", {tag}', "*"):
                code, again, text = ask(daemon, path, If_None_Match=known)
                same((code, text, again["ETag"]), (304, "", tag), path)
            same(ask(daemon, path, If_None_Match='"other"')[0], 200, path)
        tag = ask(daemon, "/v1/phones")[1]["ETag"]
        office.leave(1)
        daemon.wait_phone(MIC_DEVICE, "unregistered")
        same(ask(daemon, "/v1/phones", If_None_Match=tag)[0], 200,
             "after a change")


NOES = (
    ("/v1/phones?colour=red", 400, '"colour"', "namePrefix"),
    ("/v1/phones?state=red", 400, "state=red", "partiallyregistered"),
    ("/v1/phones?protocol=", 400, "protocol="),
    ("/v1/phones?security=3", 400, "authenticated"),
    ("/v1/phones?certificate=x", 400, "MIC"),
    ("/v1/phones?expiresBefore=soon", 400, "2027-01-31"),
    ("/v1/phones?ip=127.0.0.1/33", 400, "192.0.2.0/24"),
    ("/v1/phones?ip=127.0.0.1/", 400, "ip="),
    ("/v1/phones?ip=localhost", 400, "ip="),
    ("/v1/phones?limit=0", 400, "1 to 10000"),
    ("/v1/phones?limit=10001", 400, "1 to 10000"),
    ("/v1/phones?limit=-1", 400, "limit=-1"),
    ("/v1/phones?cursor=nonsense", 400, "next"),
    ("/v1/phones?since=nonsense", 400, "since"),
    ("/v1/phones?state=rejected&state=rejected", 400, "twice"),
    ("/v1/phones?namePrefix=" + 1100 * "S", 414, "1024"),
    ("/v1/phones?" + "&".join(f"a{n}=" for n in range(17)), 414, "16"),
    ("/v1/failures?stage=never", 400, "enrolment"),
    ("/v1/events?topics=status,weather", 400, "capf"),
    ("/v1/status?x=1", 400, "takes none"),
    ("/v1/phones/SEP000000000000", 404, "no phone"),
    ("/v1/phones/" + 200 * "S", 404, "/v1/phones/{name}"),
    ("/v1/phones/$(reboot)/explain", 404, "underscores"),
    ("/v1/phones/a%20b/explain", 404, "underscores"),
    ("/v1/nothing", 404, "/v1/openapi.json"),
)


def every_no_says_what_came_and_what_may():
    with Daemon(LAB.config()) as daemon:
        for path, status, *parts in NOES:
            refused(daemon, path, status, *parts)


def refusals_can_be_asked_for_by_rule_and_device():
    with Daemon(LAB.config()) as daemon:
        for device in ("SEP0200000F0003", "SEP0200000F0004"):
            with Phones(daemon, "sccp", "--device", device,
                        transport="tcp") as phones:
                daemon.wait_failure("unknown-device", device=device)
                phones.freeze()
        known = daemon.failures()
        assert len(known) >= 2, known
        rule = known[0]["rule"]
        for query, expected in (
                (f"rule={rule}", [f for f in known if f["rule"] == rule]),
                ("device=sep0200000f0003",
                 [f for f in known if f.get("device") == "SEP0200000F0003"]),
                ("stage=tls", [f for f in known if f["stage"] == "tls"])):
            same(sorted(f["device"] for f in
                        daemon.get(f"/v1/failures?{query}")["failures"]),
                 sorted(f["device"] for f in expected), query)
        same(len(daemon.get("/v1/failures?limit=1")["failures"]), 1)


STRANGERS = [f"SEP0200000F010{n}" for n in range(5)]


def knock(daemon, device):
    """Somebody comes that is in no inventory."""
    since = daemon.get("/v1/failures")["since"]
    with Phones(daemon, "sccp", "--device", device,
                transport="tcp") as phones:
        wait_until(f"{device} to be refused", lambda: device in devices_of(
            daemon.get(f"/v1/failures?since={since}")))
        phones.freeze()


def devices_of(answer):
    return [failure["device"] for failure in answer["failures"]]


def refusals_come_in_pages_and_since():
    with Daemon(LAB.config()) as daemon:
        for device in STRANGERS:
            knock(daemon, device)
        whole = daemon.get("/v1/failures?rule=unknown-device")
        same(sorted(set(devices_of(whole))), STRANGERS, "who knocked")
        found, query = [], "rule=unknown-device&limit=2"
        while query:
            page = daemon.get(f"/v1/failures?{query}")
            same(page["count"], len(page["failures"]), "count")
            assert page["count"] <= 2, page
            found += devices_of(page)
            query = "next" in page and (
                f"rule=unknown-device&limit=2&cursor={page['next']}")
        same(found, devices_of(whole), "all pages")
        quiet = daemon.get(f"/v1/failures?since={whole['since']}")
        same(quiet["failures"], [], "nothing came since")
        knock(daemon, STRANGERS[0])
        news = daemon.get(f"/v1/failures?since={whole['since']}")
        same(set(devices_of(news)), {STRANGERS[0]}, "what came since")
        same(daemon.get("/v1/failures?protocol=capf")["failures"], [])
        same(set(devices_of(daemon.get("/v1/failures?protocol=sccp"))),
             set(STRANGERS), "by protocol")
        tag = ask(daemon, "/v1/failures")[1]["ETag"]
        same(ask(daemon, "/v1/failures", If_None_Match=tag)[::2], (304, ""))
        kept = whole["since"], page
    with Daemon(LAB.config()) as daemon:
        refused(daemon, f"/v1/failures?since={kept[0]}", 410, "since=")
        refused(daemon, f"/v1/failures?cursor={kept[0]}", 400, "next")


def who_leaves_a_ca_comes_in_pages():
    with Daemon(LAB.config()) as daemon:
        anchors = [a["file"] for a in daemon.get("/v1/trust")["list"]]
    count = 5
    config = LAB.config(trust={"anchors": {
        file: {"retiring": True} for file in anchors}})
    with Daemon(config) as daemon, Phones(
            daemon, "sip", "--count", count, "--lab", LAB.dir,
            "--device", FIRST, "--line", "200000"):
        daemon.wait_registered(count)
        wait_until("all of them to be leaving", lambda: daemon.get(
            "/v1/trust/retiring")["count"] == count, DEADLINE_S)
        found, query = [], "limit=2"
        while query:
            page = daemon.get(f"/v1/trust/retiring?{query}")
            same(page["count"], count, "of all pages")
            found += [d["device"] for d in page["devices"]]
            query = "next" in page and f"limit=2&cursor={page['next']}"
        same(found, sorted(set(found)), "each once")
        same(len(found), count)
        one = daemon.get("/v1/trust/retiring?anchor=nobody.pem")
        same((one["devices"], one["count"]), ([], 0))
        refused(daemon, "/v1/trust/retiring?cursor=x", 400, "next")


# ---- whom a request is for ----

def by_name(daemon, host, path="/v1/status"):
    client = http.client.HTTPConnection(
        LOOPBACK, daemon.port("status", "http"), timeout=DEADLINE_S)
    try:
        client.request("GET", path, headers={"Host": host})
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def only_our_names_are_answered():
    with Daemon(LAB.config(status={
            "hosts": "phones.example, 192.0.2.7"})) as daemon:
        for host in ("localhost", "LOCALHOST:8088", "127.0.0.1:1", "[::1]:2",
                     "phones.example", "Phones.Example.:8088", "192.0.2.7"):
            same(by_name(daemon, host)[0], 200, host)
        for host in ("evil.example", "localhost.evil.example", "192.0.2.8",
                     "127.0.0.1.evil.example", "localhost evil"):
            for path in ("/", "/v1/status", "/metrics", "/v1/events"):
                code, text = by_name(daemon, host, path)
                same(code, 421, f"{host} {path}")
                said = json.loads(text)
                same(said["type"], "urn:dialtone:problem:not-our-name")
                assert host in said["detail"], said
                assert "status.hosts" in said["detail"], said


def hosts_are_names_without_ports():
    for hosts in ("phones.example:8088", "http://phones.example", "*"):
        said = refuses_to_start(LAB.config(status={"hosts": hosts}))
        assert "status.hosts" in said.text and "without a port" in said.text, (
            said.text)


def no_page_of_others_learns_anything():
    with Daemon(LAB.config()) as daemon:
        for path in ("/", "/v1/status", "/v1/nothing", "/metrics"):
            headers = ask(daemon, path, Origin="http://evil.example")[1]
            for name, expected in (
                    ("X-Content-Type-Options", "nosniff"),
                    ("X-Frame-Options", "DENY"),
                    ("Cross-Origin-Resource-Policy", "same-origin"),
                    ("Referrer-Policy", "no-referrer")):
                same(headers[name], expected, f"{path}: {name}")
            assert "frame-ancestors 'none'" in headers[
                "Content-Security-Policy"], path
            assert not [name for name in headers if name.lower().startswith(
                "access-control-")], headers
        for method in ("OPTIONS", "POST", "PUT", "DELETE", "TRACE"):
            code, text = daemon.fetch("/v1/status", method)
            same(code, 405, method)


# ---- the file and the code ----

ROW = re.compile(r'\{\{?"(/v1/[^"]*)", "([A-Z]+)"|\{"([A-Z]+)", "(/v1/[^"]*)"')
SAID = re.compile(r"(?:([A-Z]+) )?(/v1/[\w/.-]+)")


def orders_of_code():
    """(method, path) of the rows of the admin's tables."""
    folder = os.path.join(SOURCE, "registrar", "admin")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".c"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for row in ROW.findall(f.read()):
                path, method = row[0] or row[3], row[1] or row[2]
                yield method, path + ("{name}" if path[-1] == "/" else "")


def every_resource_is_in_the_file():
    paths = contract.document()["paths"]
    with Daemon(LAB.config(admin=ADMIN)) as daemon:
        there = json.loads(ask(daemon, "/v1/nothing")[2])["detail"]
        orders = daemon.ask_admin("/v1/nothing")[1]["detail"]
    for path in re.findall(r"/[^ ,]*", there):
        assert "status" in paths.get(path, {}).get("get", {}).get("tags", ()), (
            f"{path} of the status plane is not in docs/openapi.json")
    rows = set(orders_of_code())
    assert len(rows) > 30, rows
    for method, path in SAID.findall(orders):
        rows.add((method or None, path.replace("NAME", "{name}")))
    for method, path in sorted(rows, key=str):
        assert path in paths and (
            not method or method.lower() in paths[path]), (
            f"{method} {path} of the admin plane is not in docs/openapi.json")


def every_path_of_the_file_is_there():
    with Daemon(LAB.config(admin=ADMIN)) as daemon:
        for path, methods in contract.document()["paths"].items():
            real = re.sub(r"{\w+}", "SEP0200000F0009", path)
            for method, what in methods.items():
                if "status" in what["tags"]:
                    if path == "/v1/events":
                        continue  # it has no end: test_events.py
                    code, _, text = ask(daemon, real)
                else:
                    code, said = daemon.ask_admin(
                        real, method.upper(), *(
                            ({},) if "requestBody" in what else ()))
                    text = json.dumps(said)
                assert code != 405 and "no-such-resource" not in text[:99], (
                    f"{method} {path}: {code} {text[:300]}")


def the_file_is_served_as_it_is():
    with Daemon(LAB.config()) as daemon:
        same(daemon.get("/v1/openapi.json"), contract.document())


def a_wrong_answer_would_be_noticed():
    contract.needs_jsonschema()
    with Office() as office:
        phone = office.daemon.get("/v1/phones?limit=1")["phones"][0]
    same(contract.faults(contract.schema("Phone"), phone), [])
    for change in ({"state": "asleep"}, {"port": "5061"}, {"extra": 1}):
        assert contract.faults(contract.schema("Phone"), phone | change), change
    del phone["name"]
    assert contract.faults(contract.schema("Phone"), phone)


def schemas_are_schemas():
    contract.needs_jsonschema()
    for name in contract.document()["components"]["schemas"]:
        contract.faults(contract.schema(name), {})


# ---- docs/risport.md ----

def table(text, heading):
    """The cells of the table below that heading, row by row."""
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines()
            if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def reasons_of_code(name):
    with open(os.path.join(SOURCE, "registrar", "reason.h"),
              encoding="utf-8") as f:
        part = f.read().split(f"#define REASON_{name}_LIST")[1]
    return dict(re.findall(r'X\(\w+, (\d+), "(\w+)"\)',
                           part.split("\n\n")[0]))


def the_table_for_users_of_risport_is_right():
    with open(os.path.join(SOURCE, "docs", "risport.md"),
              encoding="utf-8") as f:
        text = f.read()
    asked = {p["name"] for p in contract.operation(
        "GET", "/v1/phones")["parameters"]}
    phone = contract.document()["components"]["schemas"]["Phone"]["properties"]
    named = {word for row in table(text, "Asking") for word in words(row[1])
             if word in asked}
    same(named, asked, "parameters that are told of")
    shown = {word for row in table(text, "A device") for word in words(row[1])}
    same(set(phone) - shown - {"sccpVersion"}, set(), "members left out")
    states = {words(row[1])[0] for row in table(text, "Status") if
              words(row[1])}
    same(states, set(phone["state"]["enum"]), "states")
    rows = table(text, "Reasons")
    for column, name in ((1, "UNREG"), (2, "FAILURE")):
        same({row[0]: words(row[column])[0] for row in rows
              if row[column]}, reasons_of_code(name), name)
    for path in re.findall(r"GET (/v1/[\w/{}]+)", text):
        assert path in contract.document()["paths"], path


def facts():
    yield from (
        refusals_come_in_pages_and_since, who_leaves_a_ca_comes_in_pages,
        only_our_names_are_answered, hosts_are_names_without_ports,
        no_page_of_others_learns_anything,
        pages_hold_each_phone_once, filters_pass_whom_they_name,
        a_delta_says_what_changed_and_nothing_else,
        a_token_of_another_run_is_gone, what_is_known_is_not_said_again,
        every_no_says_what_came_and_what_may,
        refusals_can_be_asked_for_by_rule_and_device,
        every_resource_is_in_the_file, every_path_of_the_file_is_there,
        the_file_is_served_as_it_is, a_wrong_answer_would_be_noticed,
        schemas_are_schemas, the_table_for_users_of_risport_is_right)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
