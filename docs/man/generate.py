#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a man page: a text with lines such as `@events` in it, in whose place
goes what the programs themselves say. So neither can say what the other does
not.

usage: generate.py TEMPLATE OUT SOURCE DIALTONE DIALTONE-PHONE DIALTONE-STORM
"""
import json
import os
import re
import subprocess
import sys

OPTION = re.compile(r"^  (--\S+)(?: (\S+))? +(\S.*)$")
EVENT = re.compile(r'X\((\w+), LOG_(\w+), ((?:\s*"[^"]*")+), '
                   r'((?:\s*"[^"]*")+)\)')
FIGURE = re.compile(r"^  ([a-z][\w.-]*) {2,}(\S.*)$")


def roff(text):
    """Text as roff shows it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line
                     for line in text.split("\n"))


def word(text):
    """One argument of a macro."""
    return '"' + roff(text).replace('"', '\\(dq') + '"'


def tagged(rows):
    """[(tag, text)] as a list of mdoc, each sentence on a line."""
    out = [".Bl -tag -width Ds"]
    for tag, text in rows:
        out += [f".It Sy {word(tag)}",
                roff(re.sub(r"(?<=[.!?]) (?=[A-Z])", "\n", text))]
    return out + [".El"]


def said_by(program, *words):
    return subprocess.run([program, *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


# ---- the tables ----

def commands(programs):
    for c in json.loads(said_by(programs["dialtone"], "help",
                                "--json"))["commands"]:
        words = [c["noun"], c.get("verb", ""), c["words"]]
        yield f".It Sy {word(' '.join(w for w in words if w))}"
        yield roff(c["help"][0].upper() + c["help"][1:] + ".")
        if c["changes"]:
            yield roff("Takes --dry-run.")
        if c.get("more"):
            yield ".Bd -literal"
            yield roff(c["more"].rstrip("\n"))
            yield ".Ed"


def options(text):
    """(option, what it takes, text) of a --help."""
    rows = []
    for line in text.splitlines():
        found = OPTION.match(line)
        if found:
            rows.append(list(found.groups()))
        elif rows and line.startswith(" " * 20):
            rows[-1][2] += " " + line.strip()
        elif rows and not line.strip():
            break
    return rows


def figures(text):
    rows = []
    for line in text.partition("Figures for --require")[2].splitlines():
        found = FIGURE.match(line)
        if found:
            rows.append(list(found.groups()))
        elif rows and not line.strip():
            break
    return rows


def events(source):
    with open(os.path.join(source, "registrar", "log.h"),
              encoding="utf-8") as f:
        text = f.read().replace("\\\n", "\n")

    def joined(strings):
        return "".join(re.findall(r'"([^"]*)"', strings))
    return [(f"{joined(name)} ({level.lower()})", joined(what))
            for _, level, name, what in EVENT.findall(text)]


def limits(o):
    """What a value may be, in words."""
    parts = []
    if "enum" in o:
        parts.append("one of " + ", ".join(map(str, o["enum"])))
    elif "type" in o:
        parts.append({"boolean": "true or false"}.get(
            str(o["type"]), str(o["type"])))
    if "minimum" in o or "maximum" in o:
        parts.append(f"from {o.get('minimum', 0)} to "
                     f"{o.get('maximum', 'any')}")
    if "maxLength" in o:
        parts.append(f"at most {o['maxLength']} bytes")
    if "pattern" in o:
        parts.append("of a fixed form")
    if "default" in o:
        parts.append("default: " + json.dumps(o["default"]))
    return "; ".join(parts)


def configuration(o, path=""):
    """(key, text) of every value of the JSON Schema."""
    text = o.get("description", "")
    extra = o.get("additionalProperties")
    below = [(f"{path}.{key}" if path else key, value)
             for key, value in o.get("properties", {}).items()]
    if isinstance(extra, dict):
        below.append((f"{path}.NAME", extra))
    if isinstance(o.get("items"), dict):
        below.append((f"{path}[]", o["items"]))
    rows = []
    if path and (text or not below):
        said = [text] + ([] if below else [limits(o)])
        rows.append((path, " ".join(one[0].upper() + one[1:] + "."
                                    for one in said if one)))
    for key, value in below:
        rows += configuration(value, key)
    for choice in o.get("anyOf", []) + o.get("oneOf", []):
        rows += configuration(choice, path)
    return rows


def merged(rows):
    """One row a key: anyOf may have said it twice."""
    out = {}
    for key, text in rows:
        there = out.setdefault(key, text)
        if text not in there:
            out[key] = f"{there} Or: {text}"
    return list(out.items())


# ---- the page ----

def replaced(line, source, programs):
    name, _, argument = line[1:].strip().partition(" ")
    if name == "commands":
        return [".Bl -tag -width Ds", *commands(programs), ".El"]
    if name == "options":
        return tagged([(" ".join(filter(None, row[:2])), row[2])
                       for row in options(said_by(programs[argument],
                                                  "--help"))])
    if name == "figures":
        return tagged(figures(said_by(programs[argument], "--help")))
    if name == "events":
        return tagged(events(source))
    if name == "configuration":
        with open(os.path.join(source, "docs", "dialtoned.schema.json"),
                  encoding="utf-8") as f:
            return tagged(merged(configuration(json.load(f))))
    raise SystemExit(f"generate.py: there is no table @{name}")


def main():
    template, out, source, *paths = sys.argv[1:]
    programs = {os.path.basename(path): path for path in paths}
    with open(template, encoding="utf-8") as f:
        lines = f.read().splitlines()
    page = []
    for line in lines:
        page += replaced(line, source, programs) if line.startswith("@") \
            else [line]
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
