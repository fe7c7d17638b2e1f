# SPDX-License-Identifier: Apache-2.0
"""A CA over EST (RFC 7030): nginx ends TLS, asks for the client's certificate
and hands requests to a small responder, which signs what it is asked for."""
import base64
import contextlib
import http.server
import os
import socket
import threading

from believers import free_port, serving, write
from harness import LOOPBACK, good, needs

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log stderr notice;
events {{ worker_connections 64; }}
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
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_client_certificate {ca};
		ssl_verify_client on;
		location /.well-known/est/ {{
			proxy_pass http://{host}:{behind};
			proxy_set_header X-Client $ssl_client_s_dn;
			proxy_read_timeout 600s;
		}}
	}}
}}
"""


class Responder(http.server.BaseHTTPRequestHandler):
    """What it answers is decided by server.est.behave: status, type, body."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        est = self.server.est
        est.asked.append((self.path, dict(self.headers), body))
        status, headers, out = est.behave(self.path, body)
        with contextlib.suppress(ConnectionError):  # nobody waits any more
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

    def log_message(self, *_):
        pass


class EstServer:
    """Signs with `ca`; believes clients below `clients` (a PEM file)."""

    def __init__(self, lab, name, ca, clients):
        self.nginx = needs("nginx")
        self.lab, self.ca, self.clients = lab, ca, clients
        self.folder = lab.path(name)
        os.mkdir(self.folder)
        self.behave = self.sign
        self.asked = []
        self.released = threading.Event()
        self.port = None

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def url(self):
        return f"https://{LOOPBACK}:{self.port}/.well-known/est/phones"

    @contextlib.contextmanager
    def serving(self):
        behind = http.server.ThreadingHTTPServer((LOOPBACK, 0), Responder)
        behind.est = self
        thread = threading.Thread(target=behind.serve_forever, args=(0.05,))
        thread.start()
        self.port = free_port(socket.SOCK_STREAM)
        config = write(self.path("nginx.conf"), NGINX.format(
            folder=self.folder, host=LOOPBACK, port=self.port,
            behind=behind.server_port, ca=self.clients,
            cert=self.lab.path("server", "rsa.pem"),
            key=self.lab.path("server", "rsa.key")))
        try:
            with serving([self.nginx, "-p", self.folder, "-c", config, "-e",
                          "stderr"], "stderr", "getrlimit"):
                yield self
        finally:
            self.released.set()
            behind.shutdown()
            thread.join()
            behind.server_close()

    # ---- behaviours ----

    def _request(self, body):
        """The key and the name that are asked for. The request has no
        signature of the phone's, who alone has the private key."""
        request, public = self.path("request.der"), self.path("public.pem")
        with open(request, "wb") as f:
            f.write(base64.b64decode(body))
        subject = good("openssl", "req", "-in", request, "-inform", "DER",
                       "-noout", "-subject", "-nameopt", "multiline")
        name = [line.split("=")[1].strip() for line in subject.splitlines()
                if "commonName" in line]
        good("openssl", "req", "-in", request, "-inform", "DER", "-noout",
             "-pubkey", "-out", public)
        return public, name[0]

    def answer(self, cert):
        """200 with that certificate and the CA's, in lines of base64."""
        der = self.path("answer.p7")
        good("openssl", "crl2pkcs7", "-nocrl", "-certfile", self.ca.cert,
             "-certfile", cert, "-outform", "DER", "-out", der)
        with open(der, "rb") as f:
            body = base64.encodebytes(f.read())
        return 200, {"Content-Type": "application/pkcs7-mime; "
                     "smime-type=certs-only",
                     "Content-Transfer-Encoding": "base64"}, body

    def sign(self, _, body):
        public, name = self._request(body)
        return self.answer(self.ca.sign(public, name, self.path("new.pem")))

    def sign_for_another(self, _, body):
        public, _ = self._request(body)
        return self.answer(self.ca.sign(public, "SEP0000000000FF",
                                        self.path("new.pem")))

    def sign_another_key(self, _, body):
        _, name = self._request(body)
        good("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-out", self.path("other.key"))
        good("openssl", "pkey", "-in", self.path("other.key"), "-pubout",
             "-out", self.path("other.pub"))
        return self.answer(self.ca.sign(self.path("other.pub"), name,
                                        self.path("new.pem")))

    def hang(self, *_):
        self.released.wait()
        return 500, {}, b""

    @staticmethod
    def says(status, headers=None, body=b""):
        return lambda *_: (status, headers or {}, body)
