# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json: what tests are answered is held against it."""
import functools
import json
import os
import re
import time

from harness import SOURCE, tap

try:
    import jsonschema
except ImportError:  # said by the facts that are about it alone
    jsonschema = None

FILE = os.path.join(SOURCE, "docs", "openapi.json")
OFTEN_S = 0.5  # who polls is not to wait for a look at each answer
ITEMS = 50  # of a list that are looked at


@functools.lru_cache(None)
def document():
    with open(FILE, encoding="utf-8") as f:
        return json.load(f)


def needs_jsonschema():
    if not jsonschema:
        raise tap.Skip("python3-jsonschema is not installed")


@functools.lru_cache(None)
def _forms():
    """Those without a name in them first: "import" is no device's name."""
    paths = sorted(document()["paths"], key=lambda path: "{" in path)
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"), path)
            for path in paths]


def form_of(path):
    """The path as the file has it; None: it has none like it."""
    path = path.split("?")[0]
    return next((form for rule, form in _forms() if rule.match(path)), None)


def operation(method, path):
    form = form_of(path)
    method = "get" if method == "HEAD" else method.lower()
    return document()["paths"].get(form, {}).get(method)


def _resolve(thing):
    while "$ref" in thing:
        found = document()
        for word in thing["$ref"].split("/")[1:]:
            found = found[word]
        thing = found
    return thing


@functools.lru_cache(None)
def _validator(text):
    schema = json.loads(text)
    schema["components"] = document()["components"]
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema)
    return kind(schema)


def faults(schema, value):
    """What of the value the schema does not allow."""
    found = _validator(json.dumps(schema, sort_keys=True)).iter_errors(value)
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
            for fault in found]


def schema(name):
    return {"$ref": f"#/components/schemas/{name}"}


_looked = {}


def _is_due(*what):
    now = time.monotonic()
    if now - _looked.get(what, -OFTEN_S) < OFTEN_S:
        return False
    _looked[what] = now
    return True


def _some(value):
    """The beginning of long lists stands for all of them."""
    if isinstance(value, list):
        return [_some(item) for item in value[:ITEMS]]
    if isinstance(value, dict):
        return {key: _some(item) for key, item in value.items()}
    return value


def check(method, path, answer, text):
    """Fails where an answer is not what the file says of it. What is no
    resource is answered with a problem, which needs no place in it."""
    said = answer.headers.get("Content-Type", "").split(";")[0]
    found = operation(method, path)
    if not found and said == "application/problem+json":
        expected = schema("Problem")
    elif not found:
        raise AssertionError(f"{method} {path}: docs/openapi.json lacks it")
    else:
        reply = _resolve(found["responses"].get(
            str(answer.status), found["responses"].get("default", {})))
        kinds = reply.get("content", {})
        if answer.status == 304:
            return
        if answer.status == 404 and "no-such-resource" in text:
            kinds = {said: {"schema": schema("Problem")}}
        assert said in kinds, (
            f"{method} {path}: {answer.status} {said}, and the file knows "
            f"{list(kinds)}")
        expected = kinds[said]["schema"]
    if jsonschema and text and "json" in said and _is_due(
            method, form_of(path), answer.status):
        tap.none(f"{method} {path}: {fault}"
                 for fault in faults(expected, _some(json.loads(text))))


# ---- orders, looked at in whole ----

def faults_of_answer(method, path, status, value):
    """What of a JSON answer the file does not allow, however often it is
    asked."""
    found = operation(method, path)
    if not found or not isinstance(value, dict):
        return []
    reply = _resolve(found["responses"].get(str(status), {}))
    kinds = list(reply.get("content", {}).values())
    if not kinds:
        return [f"the file knows no {status}"]
    return faults(kinds[0]["schema"], value)


def paths_of(value):
    """The names of all members, at whatever depth."""
    if isinstance(value, list):
        return set().union(*map(paths_of, value), ())
    if isinstance(value, dict):
        return set(value).union(*map(paths_of, value.values()), ())
    return set()


def members_of(part):
    """The same of what a schema allows."""
    if isinstance(part, list):
        return set().union(*map(members_of, part), ())
    if not isinstance(part, dict):
        return set()
    part = _resolve(part)
    own = part.get("properties", {})
    return set(own).union(*(members_of(below) for key, below in part.items()
                            if key in ("items", "oneOf", "allOf")),
                          *map(members_of, own.values()))
