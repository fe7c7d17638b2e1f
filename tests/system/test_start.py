# SPDX-License-Identifier: Apache-2.0
"""What keeps the registrar from starting: one line says what and where."""
import difflib
import json
import os
import shutil
import socket
import sys
import tempfile

from clients import call, credential_words
from daemon import Daemon, parse, refuses_to_start
from harness import (DIALTONED, LOOPBACK, SANITIZER, SOURCE, fact, good,
                     holds, run, same, tap)
from lab import Lab, listener

LAB = Lab()
DEVICE = "SEP020000000001"
DEFAULT_PORTS = (2443, 5061, 8088)


def why(config, *parts):
    event = refuses_to_start(config)
    holds(event.fields["why"], *parts)


# ---- ports ----

def port_of_another_registrar():
    with Daemon(LAB.config()) as first:
        for service, transport in (("sccp", "tls"), ("sip", "tcp")):
            port = first.port(service, transport)
            why(LAB.config(listeners=[listener(service, transport, port)]),
                f"{LOOPBACK} port {port}", "ddress already in use")
        port = first.port("status", "http")
        why(LAB.config(status={"port": port}),
            f"{LOOPBACK} port {port}", "ddress already in use")
        call(first, "sccp", *credential_words(LAB.phone(DEVICE))) \
            .outcome("registered")


def port_of_a_plain_socket():
    with socket.create_server((LOOPBACK, 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        why(LAB.config(listeners=[listener("sip", "tls", port)]),
            f"{LOOPBACK} port {port}", "ddress already in use")


def address_that_is_not_ours():
    far = dict(listener("sip"), address="192.0.2.1")
    why(LAB.config(listeners=[far]), "192.0.2.1", "annot assign")


# ---- files ----

def certificates(cert, key):
    return {"certificates": [{"certificate": cert, "key": key}]}


def key_of_another_certificate():
    why(LAB.config(tls=certificates("server/rsa.pem", "server/ec.key")),
        LAB.path("server", "ec.key"), LAB.path("server", "rsa.pem"))


def key_that_is_not_there():
    why(LAB.config(tls=certificates("server/rsa.pem", "server/no.key")),
        LAB.path("server", "no.key"), "No such file or directory")


def certificate_that_is_none():
    why(LAB.config(tls=certificates("server/rsa.key", "server/rsa.key")),
        LAB.path("server", "rsa.key"), "private key")


def folder_that_is_a_file():
    why(LAB.config(trust={"callmanager": "server/rsa.pem"}),
        LAB.path("server", "rsa.pem"), "Not a directory")


def configuration_that_is_not_there():
    why(LAB.path("nothing.json"), LAB.path("nothing.json"),
        "No such file or directory")


def what_may_not_be_read():
    """As somebody whom file modes bind, which they do not root."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise tap.Skip("needs root and setpriv, to become nobody")
    os.chmod(LAB.top, 0o755)
    os.chmod(LAB.dir, 0o755)
    os.chmod(LAB.path("server"), 0o700)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = run(*nobody, DIALTONED, "--config", LAB.config())
    same(done.returncode, 1)
    line = parse(done.stderr.splitlines()[-1])
    holds(line.fields["why"], LAB.path("server"), "Permission denied")
    folder = LAB.store("closed")
    os.chmod(folder, 0)
    done = run(*nobody, DIALTONED, "--config",
               LAB.config(trust={"callmanager": "closed"}))
    same((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
    holds(parse(done.stderr).fields["why"], folder, "Permission denied")


# ---- the configuration ----

# name, the file's text, where and what the line says
BAD_CONFIGS = [
    ("unknown key", '{\n  "node": "x",\n  "nodes": 1\n}',
     ":3: nodes: unknown key"),
    ("unknown key in a section", '{\n "sip": {\n  "expires": 120\n }\n}',
     ":3: sip.expires: unknown key"),
    ("unknown key of a listener",
     '{"listeners": [\n {"service": "sip", "tls": true}]}',
     ":2: listeners.0.tls: unknown key"),
    ("wrong type", '{\n\n"workers": "two"}', ":3: workers: must be a whole"),
    ("number out of range", '{"sip": {"expires_s": 24}}',
     ":1: sip.expires_s: must be a whole number from 25"),
    ("fraction", '{"workers": 1.5}', ":1: workers: must be a whole number"),
    ("flag that is none", '{"core_dumps": 1}',
     ":1: core_dumps: must be true or false"),
    ("word not in the list", '{"log": {"level": "loud"}}',
     ":1: log.level: must be one of debug|"),
    ("address that is none",
     '{"listeners": [{"service": "sip", "address": "localhost"}]}',
     ":1: listeners.0.address: must be an IPv4 or IPv6 address"),
    ("listener without service", '{"listeners": [{"port": 1}]}',
     ":1: listeners.0: must name its service"),
    ("same device twice", '{"devices": {"SEP1": {},\n "sep1": {}}}',
     ":2: devices.sep1: the same device twice"),
    ("same key twice", '{"node": "a",\n"node": "b"}', ":2: "),
    ("half a file", '{"node": ', ":1: "),
    ("list instead of an object", "[]", ":1: "),
    ("empty file", "", ":1: "),
]


def bad_config(text, says):
    path = LAB.config_text(text)
    why(path, path + says)
    done = run(DIALTONED, "--config", path, "--check")
    same(done.returncode, 1, "exit status of --check")


def check_prints_the_effective_values():
    path = LAB.config(node="here", sip={"expires_s": 60},
                      devices={DEVICE: {"mic": True}})
    shown = json.loads(good(DIALTONED, "--config", path, "--check"))
    same((shown["node"], shown["sip"]["expires_s"]), ("here", 60))
    same(shown["sccp"]["keepalive_s"], 30, "a default")
    same(shown["trust"]["callmanager"], LAB.path("CallManager-trust"))
    same([c["key"] for c in shown["tls"]["certificates"]],
         [LAB.path("server", "rsa.key"), LAB.path("server", "ec.key")])
    same(shown["devices"][DEVICE],
         {"mic": True, "profile": "encrypted", "protocol": "any",
          "lines": []})
    # What it prints is a configuration that says the same.
    again = LAB.config_text(json.dumps(shown))
    same(json.loads(good(DIALTONED, "--config", again, "--check")), shown)


def every_default(schema, value, path=""):
    """Each value --check printed that the schema has another default for."""
    for key, inner in schema.get("properties", {}).items():
        if "default" in inner and key in value:
            if inner["default"] != value[key]:
                yield f"{path}{key}: {value[key]}"
        elif key in value and inner.get("type") == "object":
            yield from every_default(inner, value[key], f"{path}{key}.")


def the_schema_describes_what_check_prints():
    schema = json.loads(good(DIALTONED, "--schema"))
    holds(schema["$schema"], "json-schema.org")
    same(schema["additionalProperties"], False)
    shown = json.loads(good(DIALTONED, "--config", LAB.config_text("{}"),
                            "--check"))
    same(set(shown) - set(schema["properties"]), set(), "keys it lacks")
    different = {line.split(":")[0] for line in every_default(schema, shown)}
    same(different, {"trust.callmanager"}, "what is not its default")


def lines_of(text):
    return json.dumps(json.loads(text), indent=1, sort_keys=True).splitlines()


def the_schema_is_the_one_in_docs():
    path = os.path.join(SOURCE, "docs", "dialtoned.schema.json")
    if not os.path.exists(path):
        raise tap.Skip("docs/dialtoned.schema.json is not there")
    with open(path, encoding="utf-8") as f:
        documented = f.read()
    tap.none(difflib.unified_diff(
        lines_of(documented), lines_of(good(DIALTONED, "--schema")),
        "docs/dialtoned.schema.json", "--schema", n=3, lineterm=""))


def wrong_usage_exits_2():
    for words in (["--no-such-option"], ["word"], ["--config"]):
        done = run(DIALTONED, *words)
        same(done.returncode, 2, f"exit status with {words}")
        holds(done.stderr, "usage: dialtoned")


def help_and_version_exit_0():
    holds(good(DIALTONED, "--help"), "usage: dialtoned", "--check")
    holds(good(DIALTONED, "--version"), "dialtoned ")


# ---- nothing at all ----

def free(port):
    try:
        socket.create_server((LOOPBACK, port)).close()
        return True
    except OSError:
        return False


def without_a_configuration_it_makes_a_lab_and_serves():
    taken = [port for port in DEFAULT_PORTS if not free(port)]
    if taken:
        raise tap.Skip(f"default port {taken[0]} is taken")
    environment = dict(os.environ)
    if SANITIZER:  # no core_dumps, so no tracing, so no leak check
        environment["ASAN_OPTIONS"] = "detect_leaks=0"
    with tempfile.TemporaryDirectory() as folder, \
            Daemon(None, cwd=folder, env=environment) as daemon:
        same([daemon.port(*which) for which in
              (("sccp", "tls"), ("sip", "tls"), ("status", "http"))],
             list(DEFAULT_PORTS))
        holds(daemon.events("lab")[0].fields["folder"], "dialtone-lab")
        for protocol in ("sccp", "sip"):
            call(daemon, protocol, "--device", DEVICE, "--lab",
                 os.path.join(folder, "dialtone-lab")).outcome("registered")


def facts():
    yield port_of_another_registrar
    yield port_of_a_plain_socket
    yield address_that_is_not_ours
    yield key_of_another_certificate
    yield key_that_is_not_there
    yield certificate_that_is_none
    yield folder_that_is_a_file
    yield configuration_that_is_not_there
    yield what_may_not_be_read
    for name, text, says in BAD_CONFIGS:
        yield fact(f"{name} names file, line and key", bad_config, text, says)
    yield check_prints_the_effective_values
    yield the_schema_describes_what_check_prints
    yield the_schema_is_the_one_in_docs
    yield wrong_usage_exits_2
    yield help_and_version_exit_0
    yield without_a_configuration_it_makes_a_lab_and_serves


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
