# SPDX-License-Identifier: Apache-2.0
"""SIPp, a user agent of others, registers, refreshes and leaves over TCP."""
import sys

from daemon import Daemon
from harness import LOOPBACK, needs, run, same, tap
from lab import Lab

LAB = Lab()
PHONES = 50

REQUEST = """
  <send><![CDATA[
    {method} sip:registrar.test SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@registrar.test>;tag=[call_number]
    To: <sip:[field0]@registrar.test>
    Call-ID: [call_id]
    CSeq: {cseq} {method}
    Max-Forwards: 70
    {more}
    Content-Length: 0

  ]]></send>
  <recv response="200">
    <action><ereg regexp="{answer}" search_in="hdr" header="{header}"
      check_it="true" assign_to="{cseq}"/></action>
  </recv>
  <Reference variables="{cseq}"/>
"""


def register(cseq, expires, answer, header):
    return REQUEST.format(
        method="REGISTER", cseq=cseq, answer=answer, header=header,
        more="Contact: <sip:[field0]@[local_ip]:[local_port]>\n    "
             f"Expires: {expires}")


def scenario():
    steps = [
        register(1, 3600, "x-cisco-newreg", "Contact:"),
        register(2, 3600, "120", "Expires:"),
        REQUEST.format(method="OPTIONS", cseq=3, more="Accept: text/plain",
                       answer="REGISTER", header="Allow:"),
        register(4, 0, "GMT", "Date:"),
    ]
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?>\n'
            '<scenario name="a phone\'s life">' + "".join(steps) +
            "</scenario>\n")


def write(name, text):
    with open(LAB.path(name), "w", encoding="ascii") as f:
        f.write(text)
    return LAB.path(name)


def fifty_phones_live_and_leave():
    sipp = needs("sipp")
    devices = [f"SEP0200000E{n:04X}" for n in range(PHONES)]
    phones = write("phones.csv", "SEQUENTIAL\n" + "".join(
        f"{device};\n" for device in devices))
    with Daemon(LAB.config(devices={
            device: {"profile": "non-secure"} for device in devices})) as daemon:
        done = run(sipp, "-sf", write("life.xml", scenario()), "-inf", phones,
                   "-t", "tn", "-m", PHONES, "-r", PHONES, "-l", PHONES,
                   "-i", LOOPBACK, "-timeout", "30s", "-timeout_error",
                   "-max_socket", 2 * PHONES, "-nostdin",
                   f"{LOOPBACK}:{daemon.port('sip', 'tcp')}", cwd=LAB.top)
        said = f"{done.stdout[-2000:]}{done.stderr}"
        same(done.returncode, 0, f"exit status ({said})")
        listed = daemon.get("/v1/phones")["phones"]
    same([phone["name"] for phone in listed], devices)
    same({phone["reason"]["name"] for phone in listed},
         {"deviceUnregistered"})


if __name__ == "__main__":
    sys.exit(tap.run(fifty_phones_live_and_leave))
