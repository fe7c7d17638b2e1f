# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each is set up, started and stopped.

All of them demand a client certificate of the lab's CAPF and verify it, have
one worker, log no registration, and keep sessions for an hour.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile

import processes

START_S = 120  # valgrind and strace are slow starters
CONNECTIONS_MAX = 18000
HANDSHAKE_MS = 60000


class Place:
    """Programs, a lab, a foreign lab, and a folder for what servers write."""

    def __init__(self, build, folder, log_level="notice"):
        self.build, self.folder, self.log_level = build, folder, log_level
        self.lab = os.path.join(folder, "lab")
        self.foreign = os.path.join(folder, "foreign")
        self._made = 0
        for lab in (self.lab, self.foreign):
            subprocess.run(
                [self.program("registrar", "dialtone"), "lab", "init", lab,
                 "--free-ports"], check=True, stdout=subprocess.DEVNULL)
        self.ca = os.path.join(self.lab, "ca", "capf.pem")

    def program(self, room, name):
        return os.path.join(self.build, room, name)

    def pair(self, key):
        """Certificate and key of the server: "rsa" or "ec"."""
        return tuple(os.path.join(self.lab, "server", f"{key}.{end}")
                     for end in ("pem", "key"))

    def new_folder(self):
        self._made += 1
        path = os.path.join(self.folder, f"run-{self._made}")
        os.mkdir(path)
        os.chmod(path, 0o755)
        return path


@contextlib.contextmanager
def new_place(build, **options):
    """A place in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dialtone-compare-") as folder:
        os.chmod(folder, 0o755)  # nginx's worker is somebody else
        yield Place(build, folder, **options)


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Running:
    """A server that serves."""

    def __init__(self, server, process, pid, port):
        self.server, self.process = server, process
        self.pid, self.port = pid, port


class Server:
    """One of them. Subclasses say `words` and, if needed, `port_of`."""
    name = protocol = program = ""
    peer = True  # somebody else's: what we want to be better than

    def missing(self):
        """Why it cannot be run here; None: it can."""
        return None if shutil.which(self.program) else "not installed"

    def words(self, place, folder, port, row):
        raise NotImplementedError

    def port_of(self, said):
        """The port that it says it has taken; None: the one it was given."""
        return None

    def lone_process(self, words):
        """The same for callgrind and strace: one process, where it can."""
        return words

    @contextlib.contextmanager
    def running(self, place, row, core, wrapper=()):
        """wrapper: words before the program, which then is its child's or its
        own, such as strace or valgrind."""
        folder, given = place.new_folder(), processes.free_port()
        words = self.words(place, folder, given, row)
        words = [*wrapper, *self.lone_process(words)] if wrapper else words
        log = os.path.join(folder, "log")
        with open(log, "wb") as f:
            process = processes.start(words, core, stdout=f, stderr=f,
                                      cwd=folder)
        pid = process.pid
        try:
            port = processes.wait_until(
                f"{self.name} to serve",
                lambda: self._serves(process, log, given), START_S)
            if wrapper and "strace" in wrapper[0]:
                pid = processes.family(pid)[1]
            yield Running(self, process, pid, port)
        finally:
            processes.stop(process, pid)

    def _serves(self, process, log, given):
        with open(log, encoding="utf-8", errors="replace") as f:
            said = f.read()
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}: "
                               f"{said[-600:].strip()}")
        port = self.port_of(said)
        port = given if port is None else port
        return port if port and processes.answers(port) else None


class Dialtoned(Server):
    name, protocol, peer = "dialtoned", "sip", False

    def missing(self):
        return None

    def words(self, place, folder, port, row):
        certificate, key = place.pair(row.key)
        config = {
            "workers": 1,
            "trust": {"callmanager": os.path.join(place.lab,
                                                  "CallManager-trust")},
            # Nobody is cut off because valgrind or the machine is slow.
            "tls": {"handshake_ms": HANDSHAKE_MS,
                    "certificates": [{"certificate": certificate,
                                      "key": key}]},
            "listeners": [{"service": "sip", "transport": "tls",
                           "address": "127.0.0.1", "port": 0}],
            "registration": {"unknown": "lsc"},
            "limits": {"connections": CONNECTIONS_MAX,
                       "half_open_per_address": CONNECTIONS_MAX},
            "status": {"port": 0},
            "log": {"level": place.log_level},
        }
        return [place.program("registrar", "dialtoned"), "--config",
                _write(folder, "dialtoned.json", json.dumps(config, indent=1))]

    def port_of(self, said):
        found = re.search(r" listening service=sip .*\bport=(\d+)", said)
        return int(found[1]) if found else 0


class Reference(Server):
    name, protocol, peer = "reference", "sip", False

    def missing(self):
        return None

    def words(self, place, folder, port, row):
        certificate, key = place.pair(row.key)
        return [place.program("bench", "dialtone-reference"),
                "--certificate", certificate, "--key", key, "--ca", place.ca,
                *(["--tickets"] if row.tickets else [])]

    def port_of(self, said):
        found = re.search(r"^listening port=(\d+)", said, re.M)
        return int(found[1]) if found else 0


NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
error_log stderr crit;
pid {folder}/pid;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 3600;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_client_certificate {ca};
    ssl_verify_client on;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:phones:64m;
    ssl_session_timeout 1h;
    ssl_session_tickets {tickets};
    location / {{ return 200 "registered"; }}
  }}
}}
"""


class Nginx(Server):
    name, protocol, program = "nginx", "http", "nginx"

    def words(self, place, folder, port, row):
        certificate, key = place.pair(row.key)
        config = NGINX.format(
            folder=folder, port=port, certificate=certificate, key=key,
            ca=place.ca, tickets="on" if row.tickets else "off",
            connections=CONNECTIONS_MAX, files=CONNECTIONS_MAX + 100)
        return ["nginx", "-p", folder, "-e", "stderr", "-c",
                _write(folder, "nginx.conf", config)]

    def lone_process(self, words):
        return [*words, "-g", "master_process off;"]


HAPROXY = """\
global
  nbthread 1
  maxconn {connections}
  no strict-limits
  tune.ssl.cachesize 65536
  tune.ssl.lifetime 3600
  ssl-default-bind-options ssl-min-ver TLSv1.2{tickets}
defaults
  mode http
  timeout connect 10s
  timeout server 1h
  timeout client 1h
  timeout http-keep-alive 1h
frontend phones
  bind 127.0.0.1:{port} backlog 4096 ssl crt {pair} ca-file {ca} verify required
  http-request return status 200 content-type text/plain string registered
"""


class Haproxy(Server):
    name, protocol, program = "HAProxy", "http", "haproxy"

    def words(self, place, folder, port, row):
        pair = []
        for path in place.pair(row.key):
            with open(path, encoding="ascii") as f:
                pair.append(f.read())
        config = HAPROXY.format(
            port=port, ca=place.ca, connections=CONNECTIONS_MAX,
            pair=_write(folder, "pair.pem", "".join(pair)),
            tickets="" if row.tickets else " no-tls-tickets")
        return ["haproxy", "-db", "-f",
                _write(folder, "haproxy.cfg", config)]


KAMAILIO = """\
debug=-1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=tls:127.0.0.1:{port}
enable_tls=yes
tcp_max_connections={connections}
tls_max_connections={connections}
tcp_connection_lifetime=3605
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
modparam("tls", "ca_list", "{ca}")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
modparam("tls", "session_cache", 1)
modparam("tls", "ssl_release_buffers", 1)
modparam("tls", "session_id", "phones")
modparam("registrar", "max_contacts", 1)
request_route {{
  if (method == "REGISTER") {{
    save("location");
    exit;
  }}
  sl_send_reply("405", "Method Not Allowed");
}}
"""


class Kamailio(Server):
    name, protocol, program = "Kamailio", "sip", "kamailio"

    def words(self, place, folder, port, row):
        certificate, key = place.pair(row.key)
        config = KAMAILIO.format(
            port=port, certificate=certificate, key=key, ca=place.ca,
            connections=CONNECTIONS_MAX)
        return ["kamailio", "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m",
                "2048", "-M", "64", "-w", folder, "-Y", folder, "-f",
                _write(folder, "kamailio.cfg", config)]


ALL = [Dialtoned(), Reference(), Nginx(), Haproxy(), Kamailio()]
