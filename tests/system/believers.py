# SPDX-License-Identifier: Apache-2.0
"""Others who judge phones' certificates: FreeRADIUS and nginx, on loopback."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess

from daemon import Log
from harness import LOOPBACK, good, needs, put_down, run
from lab import common_name

SECRET = "lab-secret"

# The raddb of somebody who has nothing but the export and a certificate.
RADIUSD = """
name = radiusd
confdir = {folder}
certdir = ${{confdir}}/certs
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
max_requests = 1024
security {{
	reject_delay = 0
	allow_vulnerable_openssl = yes
}}
client phones {{
	ipaddr = {host}
	secret = {secret}
}}
modules {{
	$INCLUDE ${{certdir}}/dialtone/eap
}}
server phones {{
	listen {{
		type = auth
		ipaddr = {host}
		port = {port}
	}}
	authorize {{
		eap
	}}
	authenticate {{
		eap
	}}
}}
"""

SUPPLICANT = """
network={{
	key_mgmt=IEEE8021X
	eap=TLS
	eapol_flags=0
	identity="{identity}"
	ca_cert="{ca}"
	client_cert="{cert}"
	private_key="{key}"
}}
"""

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr info;
events {{ }}
http {{
	access_log off;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	server {{
		listen {host}:{port} ssl;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		ssl_client_certificate {ca};
		ssl_verify_client on;
		ssl_verify_depth {depth};
		{crl}
		location / {{ return 200 "$ssl_client_s_dn"; }}
	}}
}}
"""


def free_port(kind):
    with contextlib.closing(socket.socket(socket.AF_INET, kind)) as s:
        s.bind((LOOPBACK, 0))
        return s.getsockname()[1]


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


@contextlib.contextmanager
def serving(words, stream, ready):
    """The program, once it said so; ended by its id."""
    pipe = {stream: subprocess.PIPE}
    other = "stdout" if stream == "stderr" else "stderr"
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, **pipe,
                               **{other: subprocess.STDOUT
                                  if other == "stderr"
                                  else subprocess.DEVNULL})
    log = Log(getattr(process, stream))
    try:
        log.wait(f"{words[0]} to serve", lambda lines: process.poll()
                 is not None or any(ready in line for line in lines))
        log.text = lambda: "\n".join(log.lines)
        assert process.poll() is None, f"{words} ended:\n{log.text()}"
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        put_down(process)
        log.join()


class Radius:
    """FreeRADIUS whose only configuration of phones is an export."""

    def __init__(self, lab, name):
        self.program = needs("freeradius")
        self.supplicant = needs("eapol_test")
        self.lab = lab
        self.folder = lab.path(name)
        self.export = os.path.join(self.folder, "certs", "dialtone")
        self.port = None
        os.makedirs(os.path.dirname(self.export))
        os.chmod(self.folder, 0o750)
        for end in ("pem", "key"):
            shutil.copy(lab.path("server", f"rsa.{end}"),
                        os.path.join(self.folder, "certs", f"server.{end}"))

    def serving(self):
        self.port = free_port(socket.SOCK_DGRAM)
        write(os.path.join(self.folder, "radiusd.conf"), RADIUSD.format(
            folder=self.folder, host=LOOPBACK, port=self.port, secret=SECRET))
        words = [self.program, "-X", "-d", self.folder]
        return serving(words, "stdout", "Ready to process requests")

    def lets_in(self, credential, identity=None):
        """Whether a phone with this certificate gets into the network."""
        config = write(os.path.join(self.folder, "phone.conf"),
                       SUPPLICANT.format(
                           identity=identity or common_name(credential.cert),
                           ca=self.lab.path("server", "rsa.pem"),
                           cert=credential.cert, key=credential.key))
        done = run(self.supplicant, "-c", config, "-a", LOOPBACK,
                   "-p", self.port, "-s", SECRET, "-t", 5, "-r", 0)
        last = done.stdout.strip().splitlines()[-1]
        assert last in ("SUCCESS", "FAILURE"), done.stdout + done.stderr
        return last == "SUCCESS"


class Nginx:
    """nginx that asks clients for a certificate below these CAs."""

    def __init__(self, lab, ca, depth, crl=None):
        self.program = needs("nginx")
        self.lab = lab
        self.ca, self.depth, self.crl = ca, depth, crl
        self.port = None

    def serving(self):
        folder = self.lab.path("nginx")
        os.makedirs(folder, exist_ok=True)
        self.port = free_port(socket.SOCK_STREAM)
        config = write(os.path.join(folder, "nginx.conf"), NGINX.format(
            folder=folder, host=LOOPBACK, port=self.port, ca=self.ca,
            depth=self.depth,
            crl=f"ssl_crl {self.crl};" if self.crl else "", cert=self.lab.path("server", "rsa.pem"),
            key=self.lab.path("server", "rsa.key")))
        return serving([self.program, "-p", folder, "-c", config,
                        "-e", "stderr"], "stderr", "getrlimit")

    def lets_in(self, credential):
        """nginx judges after the handshake: 200, or 400 with its reason."""
        said = good("curl", "--silent", "--show-error", "--insecure",
                    "--cert", credential.cert, "--key", credential.key,
                    "--write-out", "\n%{http_code}",
                    f"https://{LOOPBACK}:{self.port}/")
        body, code = said.rsplit("\n", 1)
        assert code == "200" or "SSL certificate error" in body, said
        return code == "200"
