# SPDX-License-Identifier: Apache-2.0
"""A laboratory in a folder of its own: CAs, phones, configurations."""
import atexit
import copy
import fcntl
import hashlib
import json
import os
import re
import shutil
import ssl
import tempfile
import time
from collections import namedtuple

from harness import BUILD, DIALTONE, LOOPBACK, SANITIZER, good

DAY_S = 86400

Credential = namedtuple("Credential", "device leaf cert key")

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n",
                 re.S)


def listener(service, transport="tls", port=0, **offer):
    return {"service": service, "transport": transport, "address": LOOPBACK,
            "port": port, **offer}


def merged(base, changes):
    """base with changes; None takes a key out."""
    out = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def blocks(path):
    """The certificates of a PEM file, each as text."""
    with open(path, encoding="ascii") as f:
        return PEM.findall(f.read())


def sha256_of(path):
    der = ssl.PEM_cert_to_DER_cert(blocks(path)[0])
    return hashlib.sha256(der).hexdigest()


def field_of(path, name):
    """What openssl x509 says of a certificate: subject, enddate, ..."""
    out = good("openssl", "x509", "-in", path, "-noout", f"-{name}",
               "-nameopt", "multiline")
    return out.strip()


def common_name(path, name="subject"):
    return re.search(r"commonName\s*= (.*)", field_of(path, name)).group(1)


def make_lab(folder):
    good(DIALTONE, "lab", "init", folder, "--free-ports")


def copy_shared_lab(folder):
    """A copy of the lab that a build's programs share: to make its RSA keys
    takes as long as most of their facts. dialtone made it, today."""
    made = os.path.join(BUILD, "tests", "lab")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    with open(made + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        since = max(os.path.getmtime(DIALTONE), time.time() - DAY_S)
        config = os.path.join(made, "dialtoned.json")
        if not os.path.exists(config) or os.path.getmtime(config) < since:
            shutil.rmtree(made, ignore_errors=True)
            make_lab(made)
        shutil.copytree(made, folder)


class Lab:
    """Every port is the system's to choose; all four listeners are on."""
    _shared = False

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="dialtone-system-")
        atexit.register(shutil.rmtree, self.top, ignore_errors=True)
        self.dir = os.path.join(self.top, "lab")
        # A second lab of a program has CAs of its own.
        (make_lab if Lab._shared else copy_shared_lab)(self.dir)
        Lab._shared = True
        self._made = 0
        self._phones = {}
        self.base = {
            "listeners": [listener(service, transport)
                          for service in ("sccp", "sip")
                          for transport in ("tls", "tcp")],
            "status": {"port": 0},
            # Most tests are about other things than the inventory.
            "registration": {"unknown": "lsc"},
            # What phones are told is told exactly.
            "limits": {"jitter_percent": 0},
            # A sanitizer that looks for leaks wants to trace the daemon.
            "core_dumps": SANITIZER is not None,
        }

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def config(self, **changes):
        """Writes the base with these changes; answers the path."""
        return self.config_text(
            json.dumps(merged(self.base, changes), indent=2))

    def config_text(self, text):
        self._made += 1
        path = self.path(f"config-{self._made}.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def phone(self, device, leaf="lsc", key="p256", *options):
        """A certificate and its key; made once."""
        name = (device, leaf, key, *options)
        if name not in self._phones:
            cert = good(DIALTONE, "lab", "phone", self.dir, device,
                        "--leaf", leaf, "--key", key, *options).strip()
            copied = self.path(f"{len(self._phones)}-{device}-{leaf}.pem")
            made = Credential(device, leaf, copied, copied[:-4] + ".key")
            # The next one of this leaf and device overwrites the files.
            shutil.copy(cert, made.cert)
            shutil.copy(cert[:-4] + ".key", made.key)
            self._phones[name] = made
        return self._phones[name]

    def chain_of(self, credential):
        """What stands behind the leaf, as a file; None: nothing."""
        rest = blocks(credential.cert)[1:]
        if not rest:
            return None
        path = credential.cert[:-4] + ".chain"
        with open(path, "w", encoding="ascii") as f:
            f.write("".join(rest))
        return path

    def store(self, name, *cas):
        """A copy of CallManager-trust with more of the lab's CAs in it."""
        folder, made = self.path(name), self.path(name + ".made")
        shutil.copytree(self.path("CallManager-trust"), made)
        for ca in cas:
            shutil.copy(self.path("ca", ca + ".pem"), made)
        # A daemon that watches it never sees half of it.
        if os.path.lexists(folder):
            os.rename(folder, folder + ".old")
        os.rename(made, folder)
        shutil.rmtree(folder + ".old", ignore_errors=True)
        return folder
