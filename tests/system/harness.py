# SPDX-License-Identifier: Apache-2.0
"""Where the programs are, how long they may take, and what is not there."""
import os
import resource
import shutil
import socket
import subprocess
import sys
import time

SOURCE = os.environ["DIALTONE_SOURCE"]
BUILD = os.environ["DIALTONE_BUILD"]
sys.path.insert(1, os.path.join(SOURCE, "tests", "lint"))

import tap  # noqa: E402  (lives there)

DIALTONED = os.path.join(BUILD, "registrar", "dialtoned")
DIALTONE = os.path.join(BUILD, "registrar", "dialtone")
PHONE = os.path.join(BUILD, "bench", "dialtone-phone")

LOOPBACK = "127.0.0.1"


def _sanitizer():
    with open(DIALTONED, "rb") as f:
        code = f.read()
    return next((name for name in ("asan", "tsan", "ubsan")
                 if f"__{name}_".encode() in code), None)


SANITIZER = _sanitizer()

# How much longer than usual everything may take.
SLOW = {None: 1, "ubsan": 2, "asan": 4, "tsan": 8}[SANITIZER]
# Only what fails waits as long: a core that many share is no fault.
DEADLINE_S = 30 * max(1, SLOW // 2)
POLL_S = 0.02
QUIET_FIRST = 10000  # above the ports that services are known by

# A sanitizer aborts; nobody wants the core.
resource.setrlimit(resource.RLIMIT_CORE,
                   (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def wait_until(what, check, seconds=DEADLINE_S, every=POLL_S):
    """Polls; answers the first true value of check()."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(every)


def _quiet_ports():
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as f:
        room = int(f.read().split()[0]) - QUIET_FIRST
    for step in range(room):
        yield QUIET_FIRST + (16 * os.getpid() + step) % room


_quiet = _quiet_ports()


def quiet_port(kind=socket.SOCK_STREAM):
    """A port for a server that goes and comes again: one that the system
    gives to no connection meanwhile, and we to nobody twice."""
    for port in _quiet:
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind((LOOPBACK, port))
                return port
            except OSError:
                pass
    raise tap.Skip("no port is free below those for connections")


def same(found, expected, what="value"):
    assert found == expected, f"{what}: {found!r}, expected {expected!r}"


def holds(text, *parts):
    """Every part is somewhere in text."""
    missing = [part for part in parts if part not in text]
    assert not missing, f"{missing} not in: {text}"


def run(*argv, **options):
    """The finished program, its output as text."""
    options.setdefault("timeout", 6 * DEADLINE_S)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [str(word) for word in argv], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        **options)


def good(*argv, **options):
    done = run(*argv, **options)
    assert done.returncode == 0, (
        f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def needs(program):
    """Its path; without it the fact cannot be looked at."""
    path = shutil.which(program)
    if not path:
        raise tap.Skip(f"{program} is not installed")
    return path


def shared(*parts):
    """A path of the real-world data, which may not be there."""
    top = os.environ.get("DIALTONE_SHARED", "")
    path = os.path.join(top, *parts)
    if not top or not os.path.exists(path):
        raise tap.Skip(f"DIALTONE_SHARED holds no {'/'.join(parts)}")
    return path


def fact(name, function, *arguments):
    """A row of a table as a fact of its own."""
    def run_it():
        function(*arguments)
    run_it.__name__ = name
    return run_it


def alive(process):
    return process.poll() is None


def put_down(process):
    """Ends a child of ours that should have ended by itself."""
    if alive(process):
        process.kill()
    process.wait()
