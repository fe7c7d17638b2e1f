# SPDX-License-Identifier: Apache-2.0
"""A CAPF of our own that revokes, and ends certificates to the second."""
import os
import time

from harness import good
from lab import Credential

CONFIG = """
[ca]
default_ca = it
[it]
database = {0}/index.txt
serial = {0}/serial
crlnumber = {0}/crlnumber
new_certs_dir = {0}
certificate = {0}/ca.pem
private_key = {0}/ca.key
default_md = sha256
default_crl_days = 9
unique_subject = no
policy = any
x509_extensions = leaf
crl_extensions = list
[any]
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[list]
authorityKeyIdentifier = keyid
"""


def stamp(unix):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(unix))


class Authority:
    """cn: its name; two of one name are two CAs all the same."""

    def __init__(self, lab, name, cn):
        self.dir = lab.path(name)
        os.mkdir(self.dir)
        self._write("index.txt", "")
        self._write("serial", "1000\n")
        self._write("crlnumber", "01\n")
        self._config = self._write("ca.cnf", CONFIG.format(self.dir))
        self.cert = self.path("ca.pem")
        good("openssl", "req", "-x509", "-new", "-nodes", "-newkey",
             "rsa:2048", "-keyout", self.path("ca.key"), "-out", self.cert,
             "-subj", f"/O=Here/CN={cn}", "-days", "9", "-addext",
             "keyUsage=critical,digitalSignature,keyCertSign,cRLSign")

    def path(self, name):
        return os.path.join(self.dir, name)

    def _write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def _ca(self, *words):
        good("openssl", "ca", "-batch", "-notext", "-config", self._config,
             *words)

    def issue(self, device, ends=None):
        """An LSC; ends: when, in seconds of Unix time."""
        key, request = self.path(device + ".key"), self.path(device + ".csr")
        cert = self.path(device + ".pem")
        good("openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-keyout", key, "-out", request,
             "-subj", f"/CN=CP-8861-{device}")
        now = time.time()
        self._ca("-in", request, "-out", cert, "-startdate",
                 stamp(now - 3600), "-enddate", stamp(ends or now + 86400))
        return Credential(device, "lsc", cert, key)

    def revoke(self, credential):
        self._ca("-revoke", credential.cert)

    def write_crl(self, path):
        self._ca("-gencrl", "-out", path)
