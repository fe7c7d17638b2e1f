# SPDX-License-Identifier: Apache-2.0
"""dialtone trust export: whom those let in who have nothing but its files."""
import json
import os
import re
import shutil
import stat
import sys

from believers import Nginx, Radius
from daemon import Daemon
from forge import Forge
from harness import DIALTONE, fact, good, holds, needs, run, same, tap
from lab import Lab, field_of, sha256_of

LAB = Lab()
FORGE = Forge(LAB)
DEVICE = "SEP020000000001"
STORE = LAB.path("CallManager-trust")
ROOT = LAB.path("ca", "manufacturing-root.pem")
WHO = ("802.1x", "asa", "ios", "pem", "hashed-dir")
NOBODY = "http://127.0.0.1:1"

# Whom a believer in CAPF and the manufacturing CAs lets in.
JUDGED = (("lsc", True), ("mic", True), ("foreign", False),
          ("self-signed", False), ("expired", False), ("wrong-purpose", False))


def export(who, out, *words, store=STORE, url=NOBODY):
    done = run(DIALTONE, "--url", url, "trust", "export", "--for", who,
               "--out", out, "--store", store, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def exported(who, *words, store=STORE):
    out = LAB.path(f"export-{who}")
    export(who, out, *words, store=store)
    return out


def text_of(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as f:
        return f.read()


def judges(believer, judged=JUDGED):
    for leaf, expected in judged:
        same(believer.lets_in(LAB.phone(DEVICE, leaf)), expected, leaf)


def freeradius_lets_in_lsc_and_mic_and_no_stranger():
    radius = Radius(LAB, "raddb")
    export("802.1x", radius.export, "--with", ROOT)
    with radius.serving() as log:
        judges(radius)
        holds(log.text(), "unknown CA", "certificate expired")
        lsc = LAB.phone(DEVICE)
        same(radius.lets_in(lsc, identity="CP-8861-SEP020000000002"), False,
             "with another phone's identity")


def freeradius_with_old_and_new_capf_lets_in_both():
    """Two CAs of one name, as after a regeneration."""
    radius = Radius(LAB, "raddb-twins")
    old = FORGE.same_name_other_key(DEVICE)
    store = LAB.store("twins")
    shutil.copy(FORGE.path("twin.pem"), store)
    export("802.1x", radius.export, "--with", ROOT, store=store)
    with radius.serving():
        same(radius.lets_in(LAB.phone(DEVICE)), True, "new LSC")
        same(radius.lets_in(old), True, "old LSC")
        same(radius.lets_in(LAB.phone(DEVICE, "foreign")), False)


def freeradius_lets_in_a_mic_without_the_root():
    radius = Radius(LAB, "raddb-rootless")
    export("802.1x", radius.export)
    holds(text_of(radius.export, "README.txt"),
          "FreeRADIUS 3.2 lets phones below such a CA in")
    with radius.serving():
        judges(radius, (("mic", True), ("mic-sha1", False)))


def nginx_lets_in_lsc_and_mic_and_no_stranger(who):
    out = exported(who, "--with", ROOT)
    depth = json.loads(text_of(out, "manifest.json"))["verifyDepth"]
    nginx = Nginx(LAB, os.path.join(out, "ca.pem"), depth)
    with nginx.serving():
        judges(nginx)


def nginx_without_the_root_refuses_whom_the_export_said():
    out = LAB.path("rootless")
    said = export("pem", out).stderr
    holds(said, "chain without a root: the issuer of CN=Cisco Manufacturing "
                "CA SHA2,O=Cisco is missing: CN=Cisco Root CA M2,O=Cisco",
          "--with FILE")
    holds(text_of(out, "README.txt"), "every phone below such a CA is refused")
    nginx = Nginx(LAB, os.path.join(out, "ca.pem"), 9)
    with nginx.serving():
        judges(nginx, (("lsc", True), ("mic", False)))


def capf_list(store, *revoked):
    FORGE.crl(os.path.join(store, "the-newest.crl"), LAB.path("ca", "capf.pem"),
              LAB.path("ca", "capf.key"), 5, -60, 9 * 86400,
              [credential.cert for credential in revoked])


def store_with_a_list_each(name):
    """A store whose CAPF has revoked DEVICE's LSC, and all others nobody."""
    store = LAB.store(name)
    cas = {sha256_of(LAB.path("ca", ca)): LAB.path("ca", ca)
           for ca in os.listdir(LAB.path("ca")) if ca.endswith(".pem")}
    for name in os.listdir(store):
        ca = cas[sha256_of(os.path.join(store, name))]
        FORGE.crl(os.path.join(store, name[:-4] + ".crl"), ca,
                  ca[:-4] + ".key", 1, -60, 9 * 86400)
    capf_list(store, LAB.phone(DEVICE))
    return store


def freeradius_refuses_whom_a_list_names():
    radius = Radius(LAB, "raddb-lists")
    export("802.1x", radius.export, "--with", ROOT,
           store=store_with_a_list_each("lists"))
    holds(text_of(radius.export, "eap"), "check_crl = yes")
    with radius.serving() as log:
        judges(radius, (("lsc", False), ("mic", True)))
        holds(log.text(), "certificate revoked")
        same(radius.lets_in(LAB.phone("SEP020000000002")), True, "another")


def freeradius_does_not_check_while_a_ca_has_no_list():
    radius = Radius(LAB, "raddb-no-lists")
    store = LAB.store("half-lists")
    capf_list(store, LAB.phone(DEVICE))
    export("802.1x", radius.export, "--with", ROOT, store=store)
    holds(text_of(radius.export, "eap"), "check_crl = no", ".pem: no list",
          ".pem: its list is good until ")
    with radius.serving():
        judges(radius, (("lsc", True), ("mic", True)))


def nginx_refuses_whom_a_list_names_and_who_has_none():
    store = LAB.store("nginx-lists")
    capf_list(store, LAB.phone(DEVICE))
    out = LAB.path("nginx-lists-export")
    export("pem", out, "--with", ROOT, store=store)
    holds(text_of(out, "README.txt"), "ssl_crl crl.pem;",
          "one of every CA of the chain", ".pem: no list")
    nginx = Nginx(LAB, os.path.join(out, "ca.pem"), 9,
                  os.path.join(out, "crl.pem"))
    with nginx.serving():
        same(nginx.lets_in(LAB.phone(DEVICE)), False, "revoked")
        same(nginx.lets_in(LAB.phone("SEP020000000002")), True, "another")
        # The trap: no list of its CA.
        same(nginx.lets_in(LAB.phone(DEVICE, "mic")), False, "MIC")


def openssl_finds_the_lists_of_the_hashed_folder():
    out = LAB.path("hashed-lists")
    export("hashed-dir", out, "--with", ROOT,
           store=store_with_a_list_each("lists-hashed"))
    for credential, expected in ((LAB.phone(DEVICE), False),
                                 (LAB.phone("SEP020000000002"), True),
                                 (LAB.phone(DEVICE, "mic"), True)):
        same(verified(credential, "-crl_check", "-no-CAfile", "-no-CAstore",
                      "-CApath", out), expected, credential.cert)


def verified(credential, *words):
    chain = LAB.chain_of(credential)
    rest = ["-untrusted", chain] if chain else []
    return run("openssl", "verify", "-purpose", "sslclient", *rest, *words,
               credential.cert).returncode == 0


def openssl_verifies_with_the_hashed_folder():
    out = exported("hashed-dir", "--with", ROOT)
    for leaf, expected in JUDGED:
        same(verified(LAB.phone(DEVICE, leaf), "-no-CAfile", "-no-CAstore",
                      "-CApath", out), expected, leaf)
    hashes = {name for name in os.listdir(out) if re.fullmatch(
        r"[0-9a-f]{8}\.[0-9]+", name)}
    same(hashes, {good("openssl", "x509", "-in", os.path.join(out, name),
                       "-noout", "-subject_hash").strip() + ".0"
                  for name in os.listdir(out) if name.endswith(".pem")})
    # openssl's own tool finds nothing to change.
    good("openssl", "rehash", out)
    same({name for name in os.listdir(out) if re.fullmatch(
        r"[0-9a-f]{8}\.[0-9]+", name)}, hashes, "after openssl rehash")


def hashed_folder_holds_old_and_new_capf():
    old = FORGE.same_name_other_key(DEVICE)
    store = LAB.store("twins-hashed")
    shutil.copy(FORGE.path("twin.pem"), store)
    out = exported("hashed-dir", "--with", ROOT, store=store)
    for credential in (old, LAB.phone(DEVICE), LAB.phone(DEVICE, "mic")):
        same(verified(credential, "-no-CAfile", "-no-CAstore", "-CApath",
                      out), True, credential.cert)


def gnutls_verifies_with_the_bundle():
    certtool = needs("certtool")
    ca = os.path.join(exported("pem", "--with", ROOT), "ca.pem")
    for leaf, expected in JUDGED[:4]:
        done = run(certtool, "--verify", "--load-ca-certificate", ca,
                   "--infile", LAB.phone(DEVICE, leaf).cert)
        same(done.returncode == 0, expected, f"{leaf}: {done.stdout}")


def everything_is_public_and_named_in_the_manifest(who):
    out = LAB.path(f"public-{who}")
    done = run(DIALTONE, "--url", NOBODY, "--json", "trust", "export",
               "--for", who, "--out", out, "--store", STORE, "--with", ROOT)
    same(done.returncode, 0, done.stderr)
    manifest = json.loads(done.stdout)
    same(manifest, json.loads(text_of(out, "manifest.json")))
    same({ca["sha256"]: (ca.get("issues"), ca["rooted"])
          for ca in manifest["cas"]},
         {**{sha256_of(os.path.join(STORE, name)):
             ("LSC" if name.startswith("CAPF-") else "MIC", True)
             for name in os.listdir(STORE)},
          sha256_of(ROOT): (None, True)})
    for ca in manifest["cas"]:
        holds(text_of(out, "manifest.txt"), ca["sha1"], ca["sha256"],
              ca["subject"], ca["serial"], ca["notAfter"])
    same(sorted(manifest["files"]), sorted(
        os.path.relpath(os.path.join(top, name), out)
        for top, _, names in os.walk(out) for name in names
        if name != ".dialtone-folder"))
    for top, folders, names in os.walk(out):
        for name in folders + names:
            path = os.path.join(top, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                assert os.path.dirname(os.readlink(path)) == "", path
                continue
            same(stat.S_IMODE(mode), 0o755 if name in folders else 0o644,
                 path)
            if name in names:
                assert "PRIVATE KEY" not in text_of(path), path
    same(stat.S_IMODE(os.stat(out).st_mode), 0o755)


def asa_text_holds_the_cas_that_it_names():
    """Each body between `authenticate` and `quit` is the CA above it."""
    out = exported("asa", "--with", ROOT)
    found = re.findall(r"! SHA-256 (\w+)\ncrypto ca trustpoint (\S+)\n"
                       r"(?: .*\n)+crypto ca authenticate (\S+)\n"
                       r"((?:[A-Za-z0-9+/=]+\n)+)quit\n",
                       text_of(out, "asa.txt"))
    same(len(found), 3)
    for sha256, name, again, body in found:
        same(name, again)
        path = LAB.path("pasted.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(f"-----BEGIN CERTIFICATE-----\n{body}"
                    "-----END CERTIFICATE-----\n")
        same(sha256_of(path), sha256)
        holds(field_of(path, "subject"), "commonName")


def says_no(says, *words, code=1):
    done = run(DIALTONE, "--url", NOBODY, "trust", "export", *words)
    same(done.returncode, code, done.stdout + done.stderr)
    holds(done.stderr, says)


def refusals_name_what_is_wrong():
    out = LAB.path("refused")
    full = ("--for", "pem", "--out", out, "--store")
    says_no("for whom?", code=2)
    says_no("nobody known: --for radius", "--for", "radius", code=2)
    says_no("unexpected word --file", "--file", "x", code=2)
    says_no("no value behind --out", "--for", "pem", "--out", code=2)
    says_no("Is dialtoned running?", "--for", "pem", "--out", out)
    says_no("/nowhere: ", *full, LAB.path("nowhere"))
    says_no("a private key, which must not be here", *full, STORE, "--with",
            LAB.path("ca", "capf.key"))
    says_no("is no earlier export", "--for", "pem", "--out", STORE,
            "--store", STORE)
    assert not os.path.exists(out)


def export_is_replaced_as_a_whole():
    out = exported("pem")
    export("ios", out, "--with", ROOT)
    same(sorted(os.listdir(out)), [".dialtone-folder", "README.txt",
                                   "ca.pem", "ios.txt", "manifest.json",
                                   "manifest.txt"])
    with open(os.path.join(out, "server.key"), "w", encoding="ascii") as f:
        f.write("mine")
    says_no("holds server.key, which no export wrote", "--for", "pem",
            "--out", out, "--store", STORE)
    assert os.path.exists(os.path.join(out, "ios.txt"))
    same([name for name in os.listdir(LAB.dir)
          if name.startswith("export-pem.")], [], "left beside it")


def set_in_force_is_exported_by_default():
    with Daemon(LAB.config()) as daemon:
        out = LAB.path("in-force")
        good(DIALTONE, "--url", daemon.url, "trust", "export", "--for", "pem",
             "--out", out)
        same(json.loads(text_of(out, "manifest.json"))["fingerprint"],
             daemon.get("/v1/trust")["fingerprint"])


def capf_trust_is_exported_with_what_the_configuration_says():
    LAB.store("CAPF-trust", "other-capf")
    trust = {"capf": "CAPF-trust",
             "anchors": {"other-capf.pem": {"retiring": True}}}
    out = LAB.path("capf-exported")
    with Daemon(LAB.config(trust=trust)) as daemon:
        export("asa", out, store="capf", url=daemon.url)
    manifest = json.loads(text_of(out, "manifest.json"))
    same({ca["file"] for ca in manifest["cas"] if ca["retiring"]},
         {"other-capf.pem"})
    holds(text_of(out, "README.txt"), ", retiring\n    trustpoint CAPF-")


def facts():
    yield freeradius_lets_in_lsc_and_mic_and_no_stranger
    yield freeradius_with_old_and_new_capf_lets_in_both
    yield freeradius_lets_in_a_mic_without_the_root
    for who in ("pem", "asa"):
        yield fact(f"nginx with the {who} export lets in LSC and MIC and no "
                   "stranger", nginx_lets_in_lsc_and_mic_and_no_stranger, who)
    yield nginx_without_the_root_refuses_whom_the_export_said
    yield freeradius_refuses_whom_a_list_names
    yield freeradius_does_not_check_while_a_ca_has_no_list
    yield nginx_refuses_whom_a_list_names_and_who_has_none
    yield openssl_verifies_with_the_hashed_folder
    yield openssl_finds_the_lists_of_the_hashed_folder
    yield hashed_folder_holds_old_and_new_capf
    yield gnutls_verifies_with_the_bundle
    for who in WHO:
        yield fact(f"everything for {who} is public and named in the manifest",
                   everything_is_public_and_named_in_the_manifest, who)
    yield asa_text_holds_the_cas_that_it_names
    yield refusals_name_what_is_wrong
    yield export_is_replaced_as_a_whole
    yield set_in_force_is_exported_by_default
    yield capf_trust_is_exported_with_what_the_configuration_says


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
