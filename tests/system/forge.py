# SPDX-License-Identifier: Apache-2.0
"""Phone certificates that the lab does not make: what an attacker would."""
import base64
import os
import ssl
import time

from harness import good, same
from lab import Credential, blocks, common_name, field_of

SUBJECT = "/CN=CP-8861-"
CRITICAL = "1.3.6.1.4.1.99999.1 = critical,ASN1:UTF8String:unheard of\n"
LEAF = ("basicConstraints = critical,CA:FALSE\n"
        "keyUsage = critical,digitalSignature\n"
        "extendedKeyUsage = clientAuth\n")
CA = ("basicConstraints = critical,CA:TRUE\n"
      "subjectKeyIdentifier = hash\n")


class Forge:
    """Signs with the lab's keys, or with keys that only look like them."""

    def __init__(self, lab):
        self.lab = lab
        self.dir = lab.path("forged")
        os.mkdir(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def sign(self, name, device, ca, ca_key, extensions=LEAF):
        """An EC leaf with these extensions, signed by ca_key in ca's name."""
        key, request = self.path(name + ".key"), self.path(name + ".csr")
        cert = self.path(name + ".pem")
        good("openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-keyout", key, "-out", request,
             "-subj", SUBJECT + device)
        good("openssl", "x509", "-req", "-in", request, "-out", cert,
             "-CA", ca, "-CAkey", ca_key, "-set_serial", "7", "-days", "9",
             "-extfile", self.write(name + ".ext", extensions))
        return Credential(device, "lsc", cert, key)

    def crl(self, path, ca, ca_key, number, since_s, until_s, revoked=()):
        """A list of these certificates; times count from now."""
        def at(seconds, form):
            return time.strftime(form, time.gmtime(time.time() + seconds))
        serials = [field_of(cert, "serial").split("=")[1] for cert in revoked]
        index = self.write("index.txt", "".join(
            f"R\t{at(9 * 86400, '%y%m%d%H%M%SZ')}\t"
            f"{at(since_s, '%y%m%d%H%M%SZ')},superseded\t{serial}\t"
            "unknown\t/CN=phone\n" for serial in serials))
        ini = self.write("crl.cnf", "[ca]\ndefault_ca = it\n[it]\n"
                         f"database = {index}\ndefault_md = sha256\n"
                         f"crlnumber = {self.write('number', f'{number:04X}')}"
                         "\ncrl_extensions = ext\n[ext]\n"
                         "authorityKeyIdentifier = keyid\n")
        good("openssl", "ca", "-gencrl", "-config", ini, "-cert", ca,
             "-keyfile", ca_key, "-out", path,
             "-crl_lastupdate", at(since_s, "%Y%m%d%H%M%SZ"),
             "-crl_nextupdate", at(until_s, "%Y%m%d%H%M%SZ"))

    def by_capf(self, name, device, extensions):
        return self.sign(name, device, self.lab.path("ca", "capf.pem"),
                         self.lab.path("ca", "capf.key"), extensions)

    def critical_extension(self, device):
        return self.by_capf("critical", device, LEAF + CRITICAL)

    def ca_as_leaf(self, device):
        return self.by_capf("ca", device, CA)

    def same_name_other_key(self, device):
        """By a CA that calls itself as our CAPF does."""
        real = self.lab.path("ca", "capf.pem")
        twin, key = self.path("twin.pem"), self.path("twin.key")
        good("openssl", "genpkey", "-algorithm", "RSA", "-out", key)
        good("openssl", "x509", "-in", real, "-signkey", key, "-days", "9",
             "-clrext", "-extfile", self.write("twin.ext", CA), "-out", twin)
        same(common_name(twin), common_name(real))
        return self.sign("impostor", device, twin, key,
                         LEAF + "authorityKeyIdentifier = keyid\n")

    def damaged_signature(self, device):
        """The last byte of a good LSC is another one."""
        lsc = self.lab.phone(device)
        der = bytearray(ssl.PEM_cert_to_DER_cert(blocks(lsc.cert)[0]))
        der[-1] ^= 1
        text = base64.encodebytes(der).decode()
        cert = self.write("damaged.pem", "-----BEGIN CERTIFICATE-----\n"
                          f"{text}-----END CERTIFICATE-----\n")
        return Credential(device, "lsc", cert, lsc.key)
