# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json: every answer that a test gets is held against it."""
import functools
import json
import os
import re

from harness import SOURCE, tap

try:
    import jsonschema
except ImportError:  # said by the facts that are about it alone
    jsonschema = None

FILE = os.path.join(SOURCE, "docs", "openapi.json")
NOT_THERE = "there is no such path here"


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


def check(method, path, answer, text):
    """Fails where an answer is not what the file says of it. What is no
    resource is answered with a problem, which needs no place in it."""
    said = answer.headers.get("Content-Type", "").split(";")[0]
    found = operation(method, path)
    if said == "application/problem+json":
        expected = schema("Problem")
    elif not found:
        raise AssertionError(f"{method} {path}: docs/openapi.json lacks it")
    else:
        reply = _resolve(found["responses"].get(
            str(answer.status), found["responses"].get("default", {})))
        kinds = reply.get("content", {})
        if answer.status == 304:
            return
        assert said in kinds, (
            f"{method} {path}: {answer.status} {said}, and the file knows "
            f"{list(kinds)}")
        expected = kinds[said]["schema"]
    if jsonschema and text and "json" in said:
        tap.none(f"{method} {path}: {fault}"
                 for fault in faults(expected, json.loads(text)))
