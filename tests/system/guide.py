# SPDX-License-Identifier: Apache-2.0
"""What a guide has its reader type: blocks marked sh, and examples of man
pages.

Behind a line that ends with another exit status than 0 stands `# exit N`;
behind one that no test can run here, `# not run by the test: WHY`; behind one
that needs a system of its own, `# run by the package test`.
"""
import glob
import os
import re
from collections import namedtuple

from harness import SOURCE

Command = namedtuple("Command", "line status untested packaged")

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.S | re.M)
EXAMPLE = re.compile(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", re.S | re.M)
EXIT = re.compile(r" # exit (\d+)$", re.M)
UNTESTED = re.compile(r" # not run by the test: (.*)$", re.M)
PACKAGED = re.compile(r" # run by the package test$", re.M)
LANGUAGES = {"sh", "text", "json", "csv"}


def guides():
    """All there are, as paths below the project."""
    found = [glob.glob(os.path.join(SOURCE, *parts))
             for parts in (("docs", "*.md"), ("README.md",),
                           ("bench", "README.md"), ("docs", "man", "*.in"))]
    return sorted(os.path.relpath(path, SOURCE)
                  for paths in found for path in paths)


def read(guide):
    with open(os.path.join(SOURCE, guide), encoding="utf-8") as f:
        return f.read()


def blocks(guide):
    """(language, text) of each."""
    text = read(guide)
    if guide.endswith(".in"):
        part = text.partition(".Sh EXAMPLES")[2].partition("\n.Sh ")[0]
        for block in EXAMPLE.findall(part):
            block = block.replace("\\-", "-").replace("\\e", "\\")
            yield "json" if block.startswith("{") else "sh", block
        return
    for margin, language, block in FENCE.findall(text):
        yield language, re.sub(f"^{margin}", "", block, flags=re.M)


def whole(block):
    """Its commands; a loop or a line that goes on is one."""
    open_, lines = 0, []
    for line in block.splitlines():
        lines.append(line)
        open_ += bool(re.match(r"\s*for ", line))
        open_ -= bool(re.match(r"\s*done\b", line))
        if open_ == 0 and not line.endswith("\\") and any(lines):
            yield "\n".join(lines)
            lines = []
    assert not any(lines), f"a block ends in the middle of {lines}"


def commands(guide):
    for language, block in blocks(guide):
        if language != "sh":
            continue
        folder = ""
        for line in whole(block):
            if line.startswith("cd "):
                folder = f"{line} && "
                continue
            line = folder + line
            status, untested = EXIT.search(line), UNTESTED.search(line)
            yield Command(line, int(status.group(1)) if status else 0,
                          untested.group(1) if untested else None,
                          bool(PACKAGED.search(line)))
