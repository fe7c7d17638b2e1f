# SPDX-License-Identifier: Apache-2.0
"""The shipped units, folders and configuration, as systemd reads them."""
import configparser
import json
import os
import re
import shutil
import sys

from clients import Phones, credential_words
from daemon import Daemon
from harness import (BUILD, DIALTONED, SANITIZER, SOURCE, good, holds, needs,
                     run, same, tap)
from lab import Lab

LAB = Lab()
PACKAGING = os.path.join(SOURCE, "packaging")
UNIT = os.path.join(BUILD, "packaging", "dialtoned.service")
SOCKETS = sorted(name for name in os.listdir(PACKAGING)
                 if name.endswith(".socket"))
EXPOSURE_MAX = 1.5


def read_unit(path):
    """Sections of a unit: the last value of each key."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(path, encoding="utf-8")
    return parser


def shipped_config():
    with open(os.path.join(PACKAGING, "dialtoned.json"),
              encoding="utf-8") as f:
        return json.load(f)


def the_unit_exposes_little():
    said = good(needs("systemd-analyze"), "security", "--offline=yes",
                "--no-pager", UNIT)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    tap.remark(found.group(0))
    assert float(found.group(1)) <= EXPOSURE_MAX, said


def systemd_reads_the_units_without_complaint():
    analyze = needs("systemd-analyze")
    folder = LAB.path("units")
    os.mkdir(folder)
    with open(UNIT, encoding="utf-8") as f:
        text = f.read()
    # What it starts is not installed here.
    text = re.sub(r"^(ExecStart(?:Pre)?)=\S+", r"\1=/bin/true", text,
                  flags=re.M)
    text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
    with open(os.path.join(folder, "dialtoned.service"), "w",
              encoding="utf-8") as f:
        f.write(text)
    for name in SOCKETS:
        shutil.copy(os.path.join(PACKAGING, name), folder)
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    done = run(analyze, "verify", "--man=no", *paths)
    ours = [line for line in done.stderr.splitlines() if "dialtoned" in line]
    same((done.returncode, ours), (0, []))


def socket_units_are_the_listeners_of_the_shipped_configuration():
    path = LAB.path("shipped.json")
    shutil.copy(os.path.join(PACKAGING, "dialtoned.json"), path)
    effective = json.loads(good(DIALTONED, "--config", path, "--check"))
    expected = {f"dialtoned-{one['service']}-{one['transport']}.socket":
                (f"dialtone-{one['service']}-{one['transport']}",
                 str(one["port"])) for one in effective["listeners"]}
    found = {}
    for name in SOCKETS:
        unit = read_unit(os.path.join(PACKAGING, name))["Socket"]
        found[name] = (unit["FileDescriptorName"], unit["ListenStream"])
        same(unit["Service"], "dialtoned.service")
    same(found, expected)


def the_unit_makes_every_folder_of_the_shipped_configuration():
    service = read_unit(UNIT)["Service"]
    made = [f"/var/lib/{word}" for word in service["StateDirectory"].split()]
    made += [f"/run/{service['RuntimeDirectory']}"]
    with open(os.path.join(PACKAGING, "tmpfiles.conf"),
              encoding="utf-8") as f:
        same(sorted(line.split()[1] for line in f if line.startswith("d ")),
             sorted(made), "tmpfiles.conf")
    config = shipped_config()
    needed = [config["trust"]["callmanager"], config["trust"]["capf"],
              *map(os.path.dirname, (
                  config["state"]["folder"], config["admin"]["socket"],
                  config["tls"]["ticket_keys"],
                  config["tls"]["session_cache"],
                  config["tls"]["certificates"][0]["key"]))]
    assert set(needed) <= set(made), f"{needed}, made are {made}"


def here(config, top):
    """The shipped configuration with its folders under top, and free ports."""
    text = json.dumps(config)
    for folder in ("/var/lib/dialtone", "/run/dialtone"):
        text = text.replace(folder, top)
    config = json.loads(text)
    config["status"] = {"port": 0}
    config["core_dumps"] = SANITIZER is not None
    for one in config["listeners"]:
        one["port"] = 0
    return config


def first_start(name):
    """Folders as the unit makes them, and what is made on a first start."""
    top = LAB.path(name)
    for folder in ("CallManager-trust", "CAPF-trust", "server"):
        os.makedirs(os.path.join(top, folder))
    done = run(os.path.join(PACKAGING, "first-start"),
               os.path.join(top, "server"))
    same(done.returncode, 0, done.stderr)
    path = os.path.join(top, "dialtoned.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(here(shipped_config(), top), f)
    return top, path, done.stderr


def the_shipped_configuration_starts_on_a_fresh_machine():
    top, config, said = first_start("fresh")
    holds(said, "rsa.pem", "ec.pem", "next: dialtone device add")
    same(os.stat(os.path.join(top, "server", "rsa.key")).st_mode & 0o777,
         0o600, "mode of the key")
    with Daemon(config) as daemon:
        roots = os.listdir(os.path.join(top, "CallManager-trust"))
        same(len(roots), 1)
        holds(roots[0], "CAPF-")
        same(daemon.get("/v1/status")["phones"]["registered"], 0)
        same(len(daemon.events("listening", transport="tls")), 3)


def what_is_there_is_not_made_again():
    top, _, _ = first_start("again")
    server = os.path.join(top, "server")
    before = {name: os.stat(os.path.join(server, name)).st_mtime_ns
              for name in os.listdir(server)}
    done = run(os.path.join(PACKAGING, "first-start"), server)
    same((done.returncode, done.stderr), (0, ""))
    same({name: os.stat(os.path.join(server, name)).st_mtime_ns
          for name in os.listdir(server)}, before)


def allowed_calls(service_lines):
    """The system calls that SystemCallFilter= leaves."""
    def expand(word):
        if not word.startswith("@"):
            return {word}
        calls = set()
        for line in good("systemd-analyze", "syscall-filter", word,
                         "--no-pager").splitlines()[1:]:
            for inner in line.split("#")[0].split():
                calls |= expand(inner)
        return calls
    allowed = set()
    for line in service_lines:
        deny, words = line.startswith("~"), line.lstrip("~").split()
        for word in words:
            allowed = allowed - expand(word) if deny else \
                allowed | expand(word)
    return allowed


# They are answered EPERM, which the daemon is ready for: it raises its limit
# of descriptors where it may (the unit has LimitNOFILE= and LimitCORE=). SQLite
# gives files to the database's owner when root uses it.
TRIED = {"setrlimit", "fchown"}


def what_the_daemon_calls_the_unit_lets_it():
    needs("systemd-analyze")
    strace = needs("strace")
    if SANITIZER:
        raise tap.Skip("a sanitizer makes calls of its own")
    with open(UNIT, encoding="utf-8") as f:
        lines = re.findall(r"^SystemCallFilter=(.*)", f.read(), re.M)
    trace = LAB.path("calls")
    config = LAB.config(admin={"socket": "admin.sock"},
                        state={"folder": "state"})
    with Daemon(config, strace, "-D", "-f", "-o", trace) as daemon:
        with Phones(daemon, "sip", *credential_words(
                LAB.phone("SEP0200000000B1"))) as phone:
            daemon.wait_registered(1)
            phone.leave()
        # Not by signals: strace started it with all of them blocked.
        daemon.order("/v1/trust/reload")
        daemon.order("/v1/ticket-keys/rotate")
        daemon.kill()
    with open(trace, encoding="utf-8", errors="replace") as f:
        called = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", f.read(), re.M))
    assert len(called) > 40, called
    refused = called - allowed_calls(lines) - TRIED
    same(refused, set(), "calls that the unit forbids")


if __name__ == "__main__":
    sys.exit(tap.run(
        the_unit_exposes_little,
        systemd_reads_the_units_without_complaint,
        socket_units_are_the_listeners_of_the_shipped_configuration,
        the_unit_makes_every_folder_of_the_shipped_configuration,
        the_shipped_configuration_starts_on_a_fresh_machine,
        what_is_there_is_not_made_again,
        what_the_daemon_calls_the_unit_lets_it))
