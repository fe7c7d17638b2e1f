# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json holds of every order: what is sent, what is answered, how
a no is said; and nothing in it is loose."""
import copy
import glob
import hashlib
import os
import re
import sys
import time

import contract
from harness import SOURCE, same, tap
from place import CSV, DEVICE, Place

OTHER = "SEP001122334411"
UNTIL = "2099-01-01T00:00:00Z"
SOON = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
WRONG = {"colour": [{}]}  # no member, and of no type that any has

DEVICE_BODY = {
    "name": OTHER, "protocol": "sip", "model": "CP-8861", "description": "d",
    "profile": "encrypted", "mic": True, "softkeys": "standard",
    "lines": [{"number": "2000", "label": "l", "owner": "o"}],
    "dials": [{"number": "2001", "label": "l", "type": "blf"}],
    "digest": {"user": "u", "password": "secret"}}
PROFILE_BODY = {
    "name": "mine", "description": "d", "mode": "encrypted",
    "transport": "tls", "sipPhonePort": 5060, "nonceSeconds": 600,
    "digest": False, "excludeDigestCredentials": False,
    "encryptedConfig": True, "oauth": False,
    "authenticationMode": "By Null String",
    "keyOrder": "EC Preferred, RSA Backup", "rsaBits": 2048, "ecBits": 256}
CAPF_BODY = {
    "operation": "install", "devices": [OTHER], "mode": "string",
    "completesBy": SOON, "ratePerMinute": 0, "tell": False, "replace": True,
    "stringDigits": 6, "stringUntil": SOON, "dryRun": False}
CAPF_FILTER = {
    "operation": "delete", "mode": "null", "dryRun": True,
    "filter": {"model": "*", "subnet": "127.0.0.0/8", "issuer": "nobody",
               "expiresBefore": "2099-01-01"}}


def orders(place, anchor):
    """Method, path and body of each order, in an order in which all can be
    obeyed; a text is a file, and its kind stands behind it."""
    with open(place.path("phone.pem"), encoding="ascii") as f:
        pem = f.read()
    device, profile = f"/v1/devices/{OTHER}", "/v1/profiles/mine"
    return (
        ("PUT", f"{device}?new=true", DEVICE_BODY),
        ("PATCH", device, {"description": None}), ("GET", device),
        ("GET", "/v1/devices?limit=1"), ("GET", f"/v1/devices/{DEVICE}"),
        ("GET", "/v1/devices/export"),
        ("POST", "/v1/devices/import", CSV, "text/csv"),
        ("PUT", f"{profile}?new=true", PROFILE_BODY),
        ("PATCH", profile, {"digest": True}), ("GET", profile),
        ("GET", "/v1/profiles"), ("DELETE", profile),
        ("POST", "/v1/auto-registration",
         {"until": SOON, "allowPlain": True}),
        ("GET", "/v1/auto-registration"), ("DELETE", "/v1/auto-registration"),
        ("POST", f"/v1/phones/{DEVICE}/reset?dryRun=true"),
        ("POST", f"/v1/phones/{DEVICE}/restart?dryRun=true"),
        ("POST", f"/v1/phones/{DEVICE}/apply"),
        ("GET", f"/v1/phones/{DEVICE}/certificates"),
        ("POST", "/v1/trust/impact",
         {"store": "callmanager", "without": [anchor["file"]]}),
        ("POST", "/v1/trust/impact",
         {"store": "capf", "folder": place.path("other-cluster")}),
        ("POST", "/v1/trust/reload"),
        ("GET", f"/v1/admission/{DEVICE}?anchor={anchor['sha256']}"),
        ("GET", "/v1/ticket-keys"), ("POST", "/v1/ticket-keys/rotate"),
        ("POST", "/v1/ticket-keys/revoke-all"),
        ("POST", "/v1/capf/operations", CAPF_BODY),
        ("POST", "/v1/capf/operations",
         {**CAPF_BODY, "devices": [OTHER, "SEP0"], "replace": False}),
        ("POST", "/v1/capf/operations", CAPF_FILTER),
        ("GET", "/v1/capf/operations"), ("GET", f"/v1/capf/operations/{OTHER}"),
        ("DELETE", f"/v1/capf/operations/{OTHER}"),
        ("GET", "/v1/capf/ledger"), ("GET", "/v1/capf/audit?limit=1"),
        ("POST", "/v1/capf/audit/check"), ("GET", "/v1/capf/requests"),
        ("POST", "/v1/capf/requests/exported",
         {"requests": [f"{OTHER}-0123456789abcdef"]}),
        ("POST", "/v1/capf/certificates", pem, "application/x-pem-file"),
        ("GET", "/v1/capf/progress"), ("GET", "/v1/capf/clock"),
        ("GET", "/v1/capf/rollover"), ("POST", "/v1/capf/rollover/start"),
        ("POST", "/v1/capf/rollover/issue",
         {"ratePerMinute": 60, "tell": False, "force": False}),
        ("POST", "/v1/capf/rollover/finish",
         {"force": True, "unseen": False}),
        ("DELETE", device))


NEVER_GOOD = {("post", "/v1/capf/rollover/cancel"),  # nothing was cut short
              ("post", "/v1/capf/clock/accept")}  # the clock was never ahead


def request_schema(method, path):
    body = contract.operation(method, path).get("requestBody", {})
    return body.get("content", {}).get("application/json", {}).get("schema")


def ask(place, method, path, body=None, kind=None):
    status, said = place.daemon.ask_admin(path, method, body, kind)
    fault = contract.faults_of_answer(method, path, status, said)
    assert not fault, f"{method} {path}: {status}: {fault}"
    return status, said


def anchor_of(place):
    name = place.daemon.phone(DEVICE)["certificate"]["anchor"]
    return next(a for a in place.daemon.get("/v1/trust")["list"]
                if a["file"] == name)


def every_order_is_what_the_file_says():
    contract.needs_jsonschema()
    obeyed, sent = set(), {}
    with Place() as place:
        for method, path, *rest in orders(place, anchor_of(place)):
            status, said = ask(place, method, path, *rest)
            same(status, 200, f"{method} {path}: {said}")
            form = contract.form_of(path)
            obeyed.add((method.lower(), form))
            if len(rest) == 1:
                schema = request_schema(method, path)
                same(contract.faults(schema, rest[0]), [], f"{method} {path}")
                sent.setdefault(str(schema), [schema, set()])[1].update(
                    contract.paths_of(rest[0]))
    there = {(m, p) for p, o in contract.document()["paths"].items()
             for m, what in o.items() if "admin" in what["tags"]}
    same(there - obeyed, NEVER_GOOD, "orders that nobody gave")
    for schema, used in sent.values():
        same(contract.members_of(schema) - used - {"seen", "source",
                                                   "predefined", "nullUntil"},
             set(), f"members of {schema} that nobody sent")


def spoiled(body):
    """The same, one member of it after the other made a wrong one."""
    yield {**body, **WRONG}
    for key in body:
        wrong = copy.deepcopy(body)
        wrong[key] = WRONG
        yield wrong


def what_the_file_forbids_is_refused():
    contract.needs_jsonschema()
    with Place() as place:
        place.daemon.order(f"/v1/devices/{OTHER}", "PUT", {})
        for method, path, *rest in orders(place, anchor_of(place)):
            if len(rest) != 1:
                continue
            schema = request_schema(method, path)
            for body in spoiled(rest[0]):
                assert contract.faults(schema, body), f"{path}: {body}"
                status, said = ask(place, method, path, body)
                same((status, said.get("type")),
                     (400, "urn:dialtone:problem:breaks-a-rule"),
                     f"{method} {path} {body}: {said}")
                assert said["detail"] and said["next"], said


NOES = (
    ("GET", "/v1/nothing", 404, "no-such-resource"),
    ("PUT", "/v1/devices", 405, "no-such-method"),
    ("GET", f"/v1/devices/{OTHER}", 404, "there-is-none"),
    ("PUT", f"/v1/devices/{DEVICE}?new=true", 409, "exists"),
    ("DELETE", "/v1/profiles/encrypted", 409, "cannot-be-changed"),
    ("POST", f"/v1/phones/{OTHER}/reset", 404, "nobody-to-tell"),
    ("GET", f"/v1/phones/{OTHER}/certificates", 404, "no-certificate"),
    ("GET", f"/v1/admission/{DEVICE}", 404, "no-such-anchor"),
    ("POST", "/v1/trust/reload?dryRun=true", 409, "refused"),
    ("GET", f"/v1/capf/operations/{OTHER}", 404, "there-is-none"),
    ("GET", "/v1/capf/ledger?state=x", 400, "breaks-a-rule"),
    ("GET", "/v1/capf/audit?from=x", 400, "breaks-a-rule"),
    ("GET", "/v1/devices?limit=0", 400, "breaks-a-rule"),
    ("POST", "/v1/capf/rollover/finish", 409, None),
    ("POST", "/v1/capf/rollover/cancel", 409, None),
    ("POST", "/v1/capf/clock/accept", 409, "cannot-be-done-now"),
)


def every_no_has_its_type_and_what_to_type():
    contract.needs_jsonschema()
    with Place() as place:
        for method, path, status, slug in NOES:
            body = {} if method == "PUT" and "new" in path else None
            code, said = ask(place, method, path, body)
            same(code, status, f"{method} {path}: {said}")
            if slug:
                same(said["type"], f"urn:dialtone:problem:{slug}", path)
            assert said["next"].split()[0] in (
                "dialtone", "man", "journalctl", "df"), said
        for path, body, kind, slug in (
                ("/v1/devices/import", "x", "text/plain", "no-such-content"),
                ("/v1/devices/import", "colour\nred\n", "text/csv",
                 "breaks-a-rule"),
                ("/v1/trust/impact", "{", "application/json",
                 "breaks-a-rule"),
                ("/v1/trust/reload", "x", "text/plain", "no-body-please"),
                ("/v1/trust/impact", " " * 70000, "application/json",
                 "too-long-a-body")):
            said = ask(place, "POST", path, body, kind)[1]
            same(said["type"], f"urn:dialtone:problem:{slug}", path)


def nothing_secret_is_readable_without_a_login():
    with Place() as place:
        order = place.daemon.order
        order(f"/v1/devices/{OTHER}", "PUT", DEVICE_BODY)
        string = order("/v1/capf/operations", "POST",
                       CAPF_BODY)["devices"][0]["string"]
        place.run(f"dialtone explain {OTHER}")
        secrets = ("secret", string, hashlib.md5(
            b"u:dialtone:secret").hexdigest())
        for path in contract.document()["paths"]:
            if "status" not in (contract.operation("GET", path) or {}).get(
                    "tags", ()) or \
                    path in ("/v1/events", "/v1/openapi.json", "/"):
                continue
            for name in (OTHER, DEVICE):
                text = place.daemon.fetch(path.replace("{name}", name).replace(
                    "{aor}", "2000@127.0.0.1"))[1]
                tap.none(f"{path}: {secret}" for secret in secrets
                         if secret in text)


# ---- the file alone ----

def objects(schema, where):
    """Every schema with members below, and where it stands."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" or "properties" in schema:
            yield where, schema
        for key, part in schema.items():
            yield from objects(part, f"{where}/{key}")
    elif isinstance(schema, list):
        for i, part in enumerate(schema):
            yield from objects(part, f"{where}/{i}")


def nothing_in_it_is_loose():
    wrong = []
    for where, found in objects(contract.document(), ""):
        if "/allOf/" in where or where.endswith("openapi.json/get/responses/"
                                                "200/content/application/json"
                                                "/schema"):
            continue
        if "additionalProperties" not in found:
            wrong.append(f"{where} is open")
        missing = set(found.get("required", ())) - set(
            found.get("properties", ()))
        wrong += [f"{where} requires {name}, which it lacks"
                  for name in missing]
    tap.none(wrong)


def every_member_is_of_the_code():
    code = ""
    for path in glob.glob(f"{SOURCE}/registrar/**/*.[ch]", recursive=True):
        with open(path, encoding="utf-8") as f:
            code += f.read()
    words = set(re.findall(r'"([\w-]+)"', code)) | set(
        re.findall(r"\bX\((\w+),", code))
    tap.none(f"{where}: {name} is nowhere in the code"
             for where, found in objects(contract.document(), "")
             for name in found.get("properties", ()) if name not in words)


if __name__ == "__main__":
    sys.exit(tap.run(
        every_order_is_what_the_file_says, what_the_file_forbids_is_refused,
        every_no_has_its_type_and_what_to_type,
        nothing_secret_is_readable_without_a_login, nothing_in_it_is_loose,
        every_member_is_of_the_code))
