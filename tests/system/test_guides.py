# SPDX-License-Identifier: Apache-2.0
"""Every command of the guides does what the guide says, in its order.

usage: test_guides.py [GUIDE...]   (all, unless some are named)
"""
import glob
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import guide as guides
from clients import call
from harness import (BUILD, DIALTONE, DIALTONED, LOOPBACK, SANITIZER,
                     SOURCE, fact, good, same, tap, wait_until)
from outside_ca import OutsideCa
from place import DEVICE, STRANGER, Desk, Place

AT_ONCE = 2
LATER = "SEP001122334477"  # its phone comes while the guide is read
PROGRAMS = re.compile(
    r"(\w+=\S+ )?(dialtoned?|dialtone-(phone|storm)|build/demo/\S+|curl|for|cd|"
    r"openssl|sed|\./scripts/demo)(\s|$)")
# Behind a rule's name, or as a member: the words for the screen.
TEXTS = re.compile(r'(?:refuse\(\w+, REASON_\w+, "[a-z-]+",\s*|'
                   r'\.phone_text = )((?:peer->tls \? "[^"]+" : )?"[^"]+")')
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
OURS = re.compile(r"(\$ )?(dialtoned?|dialtone-(phone|storm)|curl) ")


class Living(Place):
    """The phone that is in has power, and does as CAPF says."""

    def phone_words(self, leaf):
        self.types("dialtone profile add quick --mode encrypted "
                   "--key-order 'EC Only' --ec-bits 256",
                   f"dialtone device set {DEVICE} --profile quick")
        return ["--lab", self.lab.dir, "--device", DEVICE, "--come-back",
                "--capf", f"{LOOPBACK}:{self.daemon.port('capf')}",
                "--auth", "lsc"]


class Offline(Place):
    """Its CAPF asks a CA that people run; a phone's key waits for it."""

    @property
    def changes(self):
        self.ca = OutsideCa(self.lab, "site", "Site Phones CA")
        return {"trust": {"anchors": {"site.pem": {"kind": "lsc"}}},
                "capf": {"issuer": "offline",
                         "offline_folder": self.path("capf-offline")}}

    def fill(self):
        super().fill()
        folder = self.path("capf-offline")
        shutil.copy(self.ca.cert, self.path("site.pem"))
        for name in ("ca.pem", "ca.key"):
            os.symlink(self.ca.path(name), os.path.join(folder, name))
        self.makes_a_key(STRANGER)
        self.request_of(STRANGER, "capf-offline")

    def makes_a_key(self, device):
        self.types(f"dialtone device add {device}",
                   f"dialtone capf install {device} --mode null --no-reset")
        call(self.daemon, "sccp", "--until", "enrolled", "--device", device,
             "--no-certificate", "--capf",
             f"{LOOPBACK}:{self.daemon.port('capf')}").outcome("enrolled")

    def request_of(self, device, folder):
        """Its key, as it lies there."""
        folder = self.path(folder)
        found = wait_until(f"{device}'s request", lambda: [
            name for name in os.listdir(folder)
            if name.startswith(device) and name.endswith(".pub.pem")])
        return os.path.join(folder, found[0])

    def run(self, line):
        """Another key waits by when it is said how to do it by command."""
        if line.startswith("dialtone capf csr list"):
            self.makes_a_key(LATER)
        if line.startswith("dialtone capf csr import"):
            self.ca.sign(self.request_of(LATER, "requests"), LATER,
                         self.path("signed.pem"))
        return super().run(line)


class Clone(Desk):
    """What was built, and nothing else."""

    def __enter__(self):
        super().__enter__()
        self.words = {"build/demo/": BUILD + "/",
                      "./scripts/demo": f"{SOURCE}/scripts/demo --build "
                                        + BUILD,
                      "lab init lab": "lab init lab --free-ports"}
        return self


class Packaged(Place):
    """The configuration is where a package has it."""

    def fill(self):
        super().fill()
        self.words["/etc/dialtone/"] = self.path("")


PLACES = {"README.md": Clone,
          "docs/load-testing.md": Clone,
          "docs/capf.md": Living,
          "docs/rollover.md": Living,
          "docs/capf-outside.md": Offline,
          "docs/man/dialtoned.8.in": Packaged}


def every_command_does_what_it_says(guide):
    if SANITIZER:
        raise tap.Skip("each command is run by other tests, with sanitizers; "
                       "what guides say, once is enough")
    wrong = []
    with PLACES.get(guide, Place)() as place:
        for line, expected, untested, packaged in guides.commands(guide):
            if untested or packaged:
                continue
            status, *said = place.run(line)
            if status != expected:
                wrong.append(f"{line}\nexit {status}:\n" + "".join(said))
    tap.none(wrong)


# ---- facts ----

def what_is_typed_is_marked():
    """No guide has a command that the test would not see."""
    wrong = []
    for guide in guides.guides():
        for language, block in guides.blocks(guide):
            if language not in guides.LANGUAGES:
                wrong.append(f"{guide}: a block in {language!r}: {block}")
            if language != "sh":
                wrong += [f"{guide}: not marked sh: {line}"
                          for line in block.splitlines() if OURS.match(line)]
        if guide.endswith(".md"):
            outside = guides.FENCE.sub("", guides.read(guide))
            wrong += [f"{guide}: a block without a mark: {line}"
                      for line in re.findall(r"\n\n( {4,}\S.*)", outside)]
    tap.none(wrong)


def blocks_hold_commands_that_are_known():
    found = [(guide, c) for guide in guides.guides()
             for c in guides.commands(guide)]
    assert len(found) > 200, f"{len(found)} commands"
    tap.none(f"{guide}: {c.line}" for guide, c in found
             if not (c.untested or c.packaged or PROGRAMS.match(c.line)))


def known_commands():
    """{"trust add": the options it takes}"""
    known = {}
    for c in json.loads(good(DIALTONE, "help", "--json"))["commands"]:
        name = " ".join(filter(None, (c["noun"], c.get("verb"))))
        known[name] = {"--json", "--dry-run", "--url", "--socket", "--help",
                       *OPTION.findall(f"{c['words']} {c.get('more', '')}")}
        if c.get("verb") == "set":  # takes what `add` does
            known[name] |= known[f"{c['noun']} add"]
    return known


def commands_that_prose_names_are_there():
    known, wrong = known_commands(), []
    for guide in guides.guides():
        for text in re.findall(r"`(dialtone [^`]+)`", guides.read(guide)):
            words = [w for w in text.split()[1:] if not w.startswith("-")]
            if not words or not re.fullmatch(r"[a-z-]+", words[0]) \
                    or words[0] == "help":
                continue
            name = next((n for n in (" ".join(words[:2]), words[0])
                         if n in known), None)
            nouns = [n for n in known if n.startswith(words[0] + " ")]
            if name:
                wrong += [f"{guide}: {text}: {option}" for option in
                          set(OPTION.findall(text)) - known[name]]
            elif not nouns or len(words) > 1 and words[1] != "…":
                wrong.append(f"{guide}: {text}")
    tap.none(wrong)


def anchors(path):
    """The headings of a page, as links name them."""
    with open(path, encoding="utf-8") as f:
        return {re.sub(r"[^\w -]", "", line.lstrip("# ").lower())
                .strip().replace(" ", "-")
                for line in f if line.startswith("#")}


def links_lead_somewhere():
    wrong = []
    for guide in guides.guides() + ["ARCHITECTURE.md", "CONTRIBUTING.md"]:
        page = os.path.join(SOURCE, guide)
        for link in re.findall(r"\]\(([^)\s]+)\)", guides.read(guide)):
            if re.match(r"\w+:", link):
                continue
            path, _, anchor = link.partition("#")
            path = os.path.join(os.path.dirname(page), path) if path else page
            if not os.path.exists(path) or \
                    anchor and anchor not in anchors(path):
                wrong.append(f"{guide}: {link}")
    tap.none(wrong)


def an_example_of_the_configuration_is_good():
    for guide in guides.guides():
        for language, block in guides.blocks(guide):
            if language == "json":
                json.loads(block)
    [(_, text)] = guides.blocks("docs/man/dialtoned.json.5.in")
    with Desk() as desk:
        desk.write("dialtoned.json", text)
        good(DIALTONED, "--config", desk.path("dialtoned.json"), "--check")


def the_guide_has_each_text_of_a_rejection():
    """What a phone's screen reads, as the registrar sends it."""
    sent = set()
    for name in glob.glob(os.path.join(SOURCE, "registrar", "**", "*.c"),
                          recursive=True):
        for rest in TEXTS.findall(guides.read(os.path.relpath(name, SOURCE))):
            sent |= set(re.findall(r'"([^"]+)"', rest))
    assert len(sent) > 15, sent
    guide = guides.read("docs/guide.md")
    tap.none(text for text in sorted(sent) if f": {text}\"" not in guide
             and f"… {text}\"" not in guide)


def the_architecture_names_what_is_there():
    text = guides.read("ARCHITECTURE.md")
    rooms = [name for name in os.listdir(SOURCE)
             if os.path.exists(os.path.join(SOURCE, name, "meson.build"))]
    assert len(rooms) > 5, rooms
    folders = [f"{room}/" for room in rooms] + [
        os.path.relpath(path, SOURCE) + "/" for room in
        ("protocols", "registrar")
        for path in glob.glob(os.path.join(SOURCE, room, "*"))
        if os.path.isdir(path)]
    missing = [f"it lacks {folder}" for folder in folders
               if f"`{folder}`" not in text]
    for path in re.findall(r"`([a-z_]+/[a-z_/.-]*)`", text):
        tops = (SOURCE, os.path.join(SOURCE, "registrar"),
                os.path.join(SOURCE, "protocols"))
        if not any(glob.glob(os.path.join(top, path) + end)
                   for top in tops for end in ("", ".[ch]")):
            missing.append(f"there is no {path}")
    tap.none(missing)


def a_command_that_fails_is_noticed():
    with Place() as place:
        same(place.run("dialtone device show SEP00000000DEAD")[0], 1)
        same(place.run("dialtone nonsense")[0], 2)
        same(place.run("dialtone trust remove CAPF-in-use.pem")[0], 3)


def skipped(line, why):
    raise tap.Skip(f"{why}: {line}")


def name_of(guide, what):
    return what + re.sub(r"\W+", "_", guide)


def main(chosen):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chosen = chosen or guides.guides()
        typed = {guide: [c for c in guides.commands(guide) if not c.packaged]
                 for guide in chosen}
        running = {guide: pool.submit(every_command_does_what_it_says, guide)
                   for guide in chosen
                   if any(not c.untested for c in typed[guide])}
        return tap.run(
            what_is_typed_is_marked,
            blocks_hold_commands_that_are_known,
            commands_that_prose_names_are_there,
            links_lead_somewhere,
            an_example_of_the_configuration_is_good,
            the_guide_has_each_text_of_a_rejection,
            the_architecture_names_what_is_there,
            a_command_that_fails_is_noticed,
            *(fact(name_of(guide, "every_command_of_"), job.result)
              for guide, job in running.items()),
            *(fact(name_of(f"{guide}_{i}", "not_run_"), skipped,
                   c.line.partition(" #")[0].strip(), c.untested)
              for guide in chosen for i, c in enumerate(typed[guide])
              if c.untested))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
