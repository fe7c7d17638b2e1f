# SPDX-License-Identifier: Apache-2.0
"""A site's own CA, which signs phones' keys as a CA outside of CAPF does."""
import os
import shutil

from harness import good

EXTENSIONS = """
basicConstraints = critical,CA:{ca}
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
authorityKeyIdentifier = keyid
"""


class OutsideCa:
    """Its files are DIR/ca.pem and DIR/ca.key."""

    def __init__(self, lab, name, cn):
        self.dir = lab.path(name)
        os.mkdir(self.dir)
        self.lab = lab
        self.cert, self.key = self.path("ca.pem"), self.path("ca.key")
        good("openssl", "req", "-x509", "-new", "-nodes", "-newkey",
             "rsa:2048", "-keyout", self.key, "-out", self.cert,
             "-subj", f"/O=Here/CN={cn}", "-days", "3000", "-addext",
             "keyUsage=critical,keyCertSign,cRLSign")

    def path(self, name):
        return os.path.join(self.dir, name)

    def publish(self, name):
        """Into both trust folders, under that name."""
        for store in ("CallManager-trust", "CAPF-trust"):
            hidden = self.lab.path(store, "." + name)
            shutil.copy(self.cert, hidden)
            os.rename(hidden, self.lab.path(store, name))

    def sign(self, public, device, out, ca="FALSE", days=300):
        """A certificate for the key in that PEM file; its life of some days
        may be over."""
        extensions = self.path("leaf.ext")
        with open(extensions, "w", encoding="ascii") as f:
            f.write(EXTENSIONS.format(ca=ca))
        good("openssl", "x509", "-new", "-force_pubkey", public, "-subj",
             f"/CN={device}", "-extfile", extensions, "-days", str(days),
             "-set_serial", "0x" + os.urandom(16).hex(),
             "-CA", self.cert, "-CAkey", self.key, "-out", out)
        return out
