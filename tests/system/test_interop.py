# SPDX-License-Identifier: Apache-2.0
"""User agents of others register over TLS with a phone's certificate."""
import contextlib
import glob
import os
import subprocess
import sys

from daemon import Daemon
from harness import LOOPBACK, alive, fact, needs, put_down, quiet_port, \
    same, tap
from lab import Lab

LAB = Lab()
DEVICE = "SEP020000000001"

BARESIP = """
poll_method epoll
sip_listen {host}:0
sip_certificate {both}
module_path {modules}
module g711.so
module_tmp account.so
"""

KAMAILIO = """
log_stderror=yes
children=1
enable_tls=yes
listen=tls:{host}:{port}
{modules}
modparam("tls", "config", "{folder}/tls.cfg")
modparam("uac", "reg_db_url", "text://{folder}")
modparam("uac", "reg_contact_addr", "{host}:{port};transport=tls")
modparam("uac", "reg_timer_interval", 1)
request_route {{ exit; }}
"""

TLS = """
[client:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
[server:default]
method = TLSv1.2+
certificate = {cert}
private_key = {key}
"""

UACREG = {
    "id(int,auto)": "1", "l_uuid(string)": "one",
    "l_username(string)": DEVICE, "l_domain(string)": "localhost",
    "r_username(string)": DEVICE, "r_domain(string)": LOOPBACK,
    "realm(string)": "any", "auth_username(string)": DEVICE,
    "auth_password(string)": "none", "auth_ha1(string)": "0" * 32,
    "auth_proxy(string)": "sip\\:{host}\\:{server};transport=tls",
    "expires(int)": "60", "flags(int)": "0", "reg_delay(int)": "0",
    "contact_addr(string)": "{host}\\:{port}",
    "socket(string)": "tls\\:{host}\\:{port}",
}


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def folder_for(name):
    path = LAB.path(name)
    os.makedirs(path, exist_ok=True)
    return path


def baresip(server, credential):
    program = needs("baresip")
    folder = folder_for("baresip")
    modules = glob.glob("/usr/lib/baresip/modules") or \
        glob.glob("/usr/lib/*/baresip/modules")
    if not modules:
        raise tap.Skip("baresip has no modules here")
    with open(credential.cert, encoding="ascii") as cert, \
            open(credential.key, encoding="ascii") as key:
        both = write(folder, "both.pem", cert.read() + key.read())
    write(folder, "config", BARESIP.format(
        host=LOOPBACK, both=both, modules=modules[0]))
    write(folder, "accounts", f"<sip:{DEVICE}@{LOOPBACK}:{server};"
                              "transport=tls>;regint=60;auth_pass=none\n")
    write(folder, "contacts", "")
    return [program, "-f", folder]


def kamailio(server, credential):
    """It is a registrar, too; here its user agent client registers."""
    program = needs("kamailio")
    if not glob.glob("/usr/lib/*/kamailio/modules/tls.so"):
        raise tap.Skip("kamailio-tls-modules is not installed")
    folder = folder_for("kamailio")
    values = {"host": LOOPBACK, "port": quiet_port(), "server": server}
    write(folder, "tls.cfg", TLS.format(cert=credential.cert,
                                        key=credential.key))
    write(folder, "version",
          "table_name(string) table_version(int)\nuacreg:5\nversion:1\n")
    row = ":".join(UACREG.values()).format(**values)
    write(folder, "uacreg", " ".join(UACREG) + "\n" + row + "\n")
    modules = "\n".join(f'loadmodule "{name}.so"' for name in
                        ("tm", "sl", "pv", "rr", "db_text", "uac", "tls"))
    config = write(folder, "kamailio.cfg", KAMAILIO.format(
        folder=folder, modules=modules, **values))
    return [program, "-f", config, "-DD", "-E", "-m", "64", "-w", folder]


def registers(client):
    credential = LAB.phone(DEVICE)
    devices = {DEVICE: {"protocol": "sip"}}
    with Daemon(LAB.config(devices=devices)) as daemon:
        words = client(daemon.port("sip", "tls"), credential)
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=LAB.top, start_new_session=True)
        try:
            phone = daemon.wait_phone(DEVICE, "registered")
            assert alive(process), "it left by itself"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            put_down(process)
    same((phone["transport"], phone["certificate"]["kind"]), ("tls", "LSC"))


def facts():
    for client in (baresip, kamailio):
        yield fact(f"{client.__name__} registers over TLS with an LSC",
                   registers, client)


if __name__ == "__main__":
    sys.exit(tap.run(*facts()))
