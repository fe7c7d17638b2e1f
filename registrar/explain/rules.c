/* SPDX-License-Identifier: Apache-2.0 */
/* Rule -> what it means for the phone's owner, and what to type next. */
#include "registrar/explain/rules.h"

#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

/* The case it all began with (specs certificates 6, cucm-enumerations 6). */
#define NEW_LSC                                                              \
	"dialtone device set NAME --profile non-secure\n"                    \
	"Let the phone come without TLS: its configuration file must say "   \
	"deviceSecurityMode 1; it then registers on 2000 (SCCP) or 5060 "    \
	"(SIP).\n"                                                           \
	"dialtone capf install NAME --mode null (or string: the old "        \
	"certificate proves nothing here). The new LSC takes the old one's " \
	"place; a phone that does not come to CAPF still holds another "     \
	"cluster's CTL or ITL file, which must be deleted at the phone "     \
	"first.\n"                                                           \
	"dialtone capf show NAME: when it says Upgrade Success:\n"           \
	"dialtone device set NAME --profile encrypted\n"                     \
	"dialtone phone reset NAME\n"

#define OR_MIC                                                                \
	"Or, instead: delete the LSC and let the phone use its MIC (with an " \
	"LSC in it the phone never shows its MIC): dialtone capf delete "     \
	"NAME, dialtone device set NAME --mic yes"

#define LOOK_AT_SENDER                                                         \
	"Look at what this address sends: dialtone explain --pcap FILE, with " \
	"a capture of it.\n"                                                   \
	"If it is the phone: give it another firmware load."

static const struct explain_rule rules[] = {
	/* what trust says of a certificate */
	{"unknown-ca", "LSC",
		"The phone showed an LSC, and the CA that issued it is not in "
		"CallManager-trust: an LSC of another cluster, or of a CAPF "
		"whose CA was replaced. The phone prefers this LSC to its MIC "
		"as long as it is there.",
		"If that CA is still yours: put its file back into "
		"CallManager-trust (the folder is named by: dialtone trust "
		"status); nothing else has to be done. If not, give the phone "
		"a new LSC:\n" NEW_LSC OR_MIC},
	{"unknown-ca", "MIC",
		"The phone showed its MIC, and the manufacturing CA that "
		"issued it is not in CallManager-trust. Phones made since 2021 "
		"carry MICs of newer CAs (Manufacturing CA III, High Assurance "
		"SUDI CA).",
		"Best, where CAPF-trust holds the MIC's CA: dialtone capf "
		"install NAME --mode mic\n"
		"Or put that manufacturing CA into CallManager-trust, and: "
		"dialtone device set NAME --mic yes"},
	{"unknown-ca", "",
		"The phone showed a certificate whose issuer is not in "
		"CallManager-trust. If it is an LSC, it is one of another "
		"cluster or of a CAPF whose CA was replaced.",
		"See what it would take: dialtone trust check FILE, with the "
		"phone's certificate.\n"
		"If the issuer is yours: put its file into CallManager-trust. "
		"If not, give the phone a new LSC:\n" NEW_LSC OR_MIC},
	{"no-certificate", "",
		"The phone came over TLS and showed no certificate at all: it "
		"has no LSC, and no MIC that it is willing to show.",
		"dialtone device set NAME --profile non-secure\n"
		"dialtone capf install NAME --mode null (or string)\n"
		"dialtone device set NAME --profile encrypted\n"
		"dialtone phone reset NAME"},
	{"self-signed", "",
		"The phone showed a certificate that it signed itself. No "
		"Cisco phone does that; a soft phone or a test tool might.",
		"dialtone capf install NAME --mode null (or string)"},
	{"expired", "MIC",
		"The phone's MIC has expired. A MIC cannot be renewed.",
		NEW_LSC},
	{"expired", "",
		"The phone's certificate has expired; the phone knows no "
		"better than to show it again and again.",
		"Look at the registrar's clock first: date\n" NEW_LSC OR_MIC},
	{"issuer-expired", "",
		"The CA that vouches for the phone's certificate has expired.",
		"dialtone trust list shows which one.\n" NEW_LSC OR_MIC},
	{"not-yet-valid", "",
		"The phone's certificate is not valid yet: a clock is wrong, "
		"ours or that of the CAPF that issued it.",
		"Look at the registrar's clock: date\n"
		"If it is right, correct the CAPF's; then dialtone capf "
		"install NAME --mode null (or string)"},
	{"wrong-purpose", "",
		"The phone's certificate does not allow its bearer to act as a "
		"TLS client (key usage, extended key usage).",
		"Issue LSCs with digitalSignature and clientAuth, and install "
		"this phone's anew."},
	{"critical-extension", "",
		"The phone's certificate has a critical extension that this "
		"registrar does not know, so it must refuse it.",
		"Issue LSCs without that extension, and install this phone's "
		"anew."},
	{"bad-signature", "",
		"The signature on the phone's certificate does not fit the key "
		"of its issuer: it is damaged or forged, or the CA got a new "
		"key under its old name and the new one alone is trusted.",
		"If the CAPF was regenerated: put the old CA's file back "
		"beside the new one, into CallManager-trust, until every phone "
		"has its new LSC.\n" NEW_LSC},
	{"weak-key", "",
		"The key of the phone's certificate is shorter than "
		"trust.auth_level asks for.",
		"dialtone capf install NAME --mode mic (or string), with a "
		"profile of RSA-2048 or EC\n"
		"Or allow weaker keys for that one CA: trust.anchors in the "
		"configuration."},
	{"weak-digest", "",
		"The phone's certificate is signed with SHA-1, which "
		"trust.auth_level does not take; MICs of 79xx phones are.",
		"dialtone capf install NAME --mode mic (or string): our LSCs "
		"are signed with SHA-256\n"
		"Or allow SHA-1 for that one CA: trust.anchors in the "
		"configuration."},
	{"bad-dates", "",
		"The dates in the phone's certificate cannot be read.",
		"dialtone capf install NAME --mode null (or string)"},
	{"bad-chain", "",
		"A certificate that the phone sent with its own may not act as "
		"a CA.",
		"Issue the phone's certificate from a proper CA."},
	{"revoked", "MIC",
		"A CRL in CallManager-trust names the phone's MIC, or the CA "
		"that issued it: the manufacturer does not vouch for it any "
		"more. A MIC cannot be replaced.",
		"dialtone failures\n"
		"shows the CRL, its date and the "
		"reason it gives.\n" NEW_LSC},
	{"revoked", "",
		"A CRL in CallManager-trust names the phone's certificate, or "
		"the CA that issued it. Somebody revoked it at its CA: perhaps "
		"because the phone was stolen, or because it has a newer one.",
		"dialtone failures\n"
		"shows the CRL, its date and the "
		"reason it gives.\n"
		"If the phone is yours and at its place, give it a new "
		"LSC:\n" NEW_LSC
		"If it was revoked by mistake: have its CA issue a newer CRL "
		"without it, put that into CallManager-trust in the place of "
		"the old one and send dialtoned SIGHUP."},
	{"bad-form", "",
		"The phone's certificate is the right CA's, and is not made as "
		"an LSC has to be: it may sign certificates or CRLs, carries "
		"an extension that only a CA's does, has a serial number that "
		"is zero, negative or too long, is not of version 3, or has a "
		"key that is neither RSA nor EC. No CAPF issues such a one.",
		"dialtone failures\n"
		"shows which of these it is.\n"
		"If its CA is no CAPF: say what it issues, in trust.anchors of "
		"the configuration.\n"
		"Else find out who had it issued, for what, and give the phone "
		"a new LSC:\n" NEW_LSC},
	{"enrol-only", "",
		"The phone's certificate is good, and its CA is marked "
		"\"enrol_only\" in trust.anchors: its phones may fetch an LSC "
		"here with it, and not register.",
		"dialtone capf install NAME --mode mic: CAPF believes it.\n"
		"Or take enrol_only from that CA, in trust.anchors of the "
		"configuration."},
	{"unreadable", "",
		"What the phone sent is no certificate that can be judged.",
		"dialtone capf install NAME --mode null (or string)"},
	/* TLS itself */
	{"tls-alert-sent", "",
		"TLS could not be agreed on: phone and listener share no "
		"version or no cipher suite, or what came was damaged. Old "
		"phones (79xx) offer TLS 1.0 with AES256-SHA and AES128-SHA "
		"alone, authenticated ones NULL-SHA alone.",
		"See what it offers: dialtone explain --pcap FILE NAME, with a "
		"capture of its handshake.\n"
		"Let an old phone come to a listener with the profile legacy, "
		"an authenticated one to a listener that allows NULL-SHA; or "
		"give the phone newer firmware."},
	{"tls-alert-received", "",
		"The phone refused this registrar's certificate: it is not in "
		"the phone's CTL or ITL file.",
		"Give the phone a CTL/ITL file that names this registrar's "
		"certificate; a phone that holds another cluster's file must "
		"have it deleted first (Settings > Security > Trust List).\n"
		"dialtone status --json shows the certificates in use."},
	{"tls-protocol", "", "What came to the TLS port is no TLS.",
		"If the phone's profile is non-secure, it must use the port "
		"without TLS: 2000 (SCCP) or 5060 (SIP).\n" LOOK_AT_SENDER},
	{"tls-handshake-late", "",
		"The TLS handshake was begun and not finished in time "
		"(tls.handshake_ms).",
		"Look at the network between the phone and the registrar: "
		"loss, a firewall, an MTU that swallows the long packets with "
		"certificates in them."},
	{"tls-not-reading", "",
		"The phone did not read what the registrar sent it over TLS.",
		"Look at the network on the way to the phone."},
	/* may this device come, and like this? */
	{"unknown-device", "",
		"There is no device of this name in the inventory, and unknown "
		"devices are refused.",
		"dialtone device add NAME\n"
		"Or, if the name is wrong: correct it at the phone (soft "
		"phones), or find out whose it is."},
	{"security-mismatch", "tls",
		"The phone came over TLS, and its security profile is "
		"non-secure.",
		"dialtone device set NAME --profile encrypted\n"
		"Or let it come without TLS: its configuration file must say "
		"deviceSecurityMode 1; then dialtone phone reset NAME"},
	{"security-mismatch", "",
		"The phone came without TLS, and its security profile wants "
		"TLS.",
		"Let it come over TLS: its configuration file must say "
		"deviceSecurityMode 3 (and transportLayerProtocol 3 for SIP), "
		"and it needs an LSC.\n"
		"Or, as long as it has no good certificate: dialtone device "
		"set NAME --profile non-secure"},
	{"transport-mismatch", "",
		"The phone came over another transport (TCP, UDP) than its "
		"security profile allows.",
		"dialtone device show NAME names the profile; dialtone profile "
		"list shows its transport.\n"
		"Let the phone use that transport (transportLayerProtocol in "
		"its configuration file), or give it a profile that allows "
		"what it uses: dialtone device set NAME --profile PROFILE"},
	{"invalid-cipher", "",
		"The cipher that was negotiated does not fit the phone's "
		"security profile: NULL-SHA is for authenticated phones alone, "
		"and they use nothing else.",
		"dialtone device show NAME\n"
		"dialtone device set NAME --profile encrypted (or "
		"authenticated), to fit what its configuration file says as "
		"deviceSecurityMode."},
	{"name-mismatch", "",
		"The phone's certificate is good, and it names another device "
		"than the one that wants to register. No certificate registers "
		"any device but its own.",
		"If the phone was replaced or renamed: dialtone capf install "
		"NAME --mode null (or string) gives it an LSC in this name.\n"
		"If not: somebody tries to come as NAME. The certificate's "
		"name and the address are above."},
	{"mic-not-allowed", "",
		"The phone showed its MIC. It proves that this is a Cisco "
		"phone, not that it is one of ours, and the entry of this "
		"device does not allow it.",
		"Best: dialtone capf install NAME --mode mic (its MIC is good "
		"enough for that)\n"
		"Or: dialtone device set NAME --mic yes"},
	{"protocol-mismatch", "",
		"The phone came over another protocol than its entry in the "
		"inventory says.",
		"dialtone device show NAME\n"
		"If the phone is right: dialtone device set NAME --protocol "
		"sip (or sccp). If not: give it the firmware of its protocol."},
	{"directory-number", "",
		"The phone asked for a number that is none of its lines, or "
		"for another device's name.",
		"dialtone device show NAME\n"
		"Give the device that line, or correct the phone's "
		"configuration file; then dialtone phone reset NAME"},
	{"device-type-mismatch", "",
		"The phone is of another model than its entry in the inventory "
		"says.",
		"dialtone device show NAME\n"
		"If the phone was replaced: dialtone device set NAME --model "
		"MODEL. If not: find out who comes under this name."},
	{"sccp-version-too-old", "",
		"The phone's firmware speaks an SCCP version that is too old.",
		"Give the phone newer firmware, or lower sccp.version_min in "
		"the configuration."},
	{"digest-wrong", "",
		"The user name or password that the phone sent is wrong.",
		"dialtone device show NAME shows the user.\n"
		"Set the password anew at both ends; a phone that keeps trying "
		"with the old one stays refused."},
	{"digest-realm", "",
		"The phone answered a challenge of another server.",
		"Look whether a proxy on the way challenges it, too."},
	{"digest-stale", "",
		"The phone's answer was to a nonce that is over; it is asked "
		"again and needs no help.",
		"Nothing, unless it goes on: then look at the phone's clock."},
	{"no-such-profile", "",
		"The entry of this device names a security profile that is not "
		"there.",
		"dialtone profile list\n"
		"dialtone device set NAME --profile encrypted"},
	{"bad-device-name", "",
		"The name that came is empty, too long, or holds a character "
		"other than letters, digits and ._-",
		"Set a proper device name on the phone."},
	{"malformed-register", "",
		"The phone's REGISTER breaks a rule of SIP, which the refusal "
		"names.",
		"dialtone failures\n"
		"It shows what came. Give the phone other firmware, or look at "
		"who comes under this name."},
	{"not-verified", "", "The connection has no verified certificate.",
		"dialtone capf install NAME --mode null (or string)"},
	{"already-registered", "",
		"A connection with a better right holds this device already: "
		"one over TLS, or one that was heard from just now.",
		"dialtone phone NAME shows where it is registered from.\n"
		"If that is the wrong phone: unplug it. If it is the same one: "
		"wait three keepalive intervals; nothing has to be done."},
	{"being-added", "",
		"Auto-registration is open, and the phone is being written "
		"into the inventory.",
		"Wait: it is let in when it comes again, in some seconds "
		"or half a minute. dialtone device show NAME"},
	{"inventory-full", "",
		"Auto-registration is open, and there is no room for one more "
		"device.",
		"dialtone device list shows whom you no longer need: dialtone "
		"device remove THAT\n"
		"Or raise limits.devices in the configuration and start "
		"dialtoned anew."},
	{"too-many-devices", "",
		"As many devices are registered as limits.devices allows.",
		"Raise limits.devices in the configuration and start dialtoned "
		"anew."},
	/* limits and what no phone should do */
	{"half-open-per-address", "",
		"Too many connections from this phone's address have not "
		"finished their handshake (limits.half_open_per_address).",
		"If many phones share that address (NAT): raise "
		"limits.half_open_per_address. If not: look at what that "
		"address does."},
	{"trust-changed", "",
		"While the phone shook hands, a reload of CallManager-trust "
		"took away the CA that issued its certificate.",
		"Wait for it to come again: it is refused with the rule that "
		"says which CA is missing.\n"
		"If the CA should have stayed: put its file back."},
	{"not-reading", "",
		"The phone did not read what the registrar sent it.",
		"Look at the network on the way to the phone."},
	{"sip-binding", "",
		"The phone's REGISTER asked for something that cannot be "
		"bound; the reason is above.",
		LOOK_AT_SENDER},
	{"sip-not-reading", "",
		"The phone did not read the registrar's answers.",
		"Look at the network on the way to the phone."},
	{"sip-expired", "",
		"The phone did not refresh its registration in time.",
		"Look whether the phone has power and network; it comes back "
		"by itself."},
	{"sip-flow-silent", "",
		"The phone promised keep-alives (RFC 5626) and sent none.",
		"Look whether the phone has power and network, and whether "
		"NAT or a firewall on the way drops quiet connections."},
	{"sip-no-answer", "",
		"The phone did not answer what the registrar asked it over "
		"UDP, for 32 seconds.",
		"Look whether the phone has power and network, and whether a "
		"firewall on the way lets UDP through in both directions."},
	{"sip-idle", "",
		"The phone was connected, said nothing, and was let go.",
		"Look whether its configuration file names this node first."},
	{"sip-first-message-late", "",
		"The phone connected and did not send a whole message in time.",
		LOOK_AT_SENDER},
	{"sip-message-late", "",
		"The phone began a message and did not end it in time.",
		"Look at the network on the way to the phone."},
	{"sip-throttled", "",
		"The phone sent too many messages in a few seconds and was cut "
		"off.",
		"dialtone phone reset NAME\n" LOOK_AT_SENDER},
	{"sip-message-too-long", "",
		"A SIP message was longer than limits.sip_message.",
		LOOK_AT_SENDER},
	{"sip-head-too-long", "", "The headers of a SIP message had no end.",
		LOOK_AT_SENDER},
	{"sip-bad-content-length", "",
		"A SIP message did not say how long it is.", LOOK_AT_SENDER},
	{"sip-not-sip", "", "What came to the SIP port is no SIP.",
		"If this is an SCCP phone: its port is 2443 over TLS, 2000 "
		"without.\n" LOOK_AT_SENDER},
	{"sip-bad-line-end", "",
		"A SIP message had a line that does not end as lines must.",
		LOOK_AT_SENDER},
	{"sccp-length-under-4", "", "What came to the SCCP port is no SCCP.",
		LOOK_AT_SENDER},
	{"sccp-frame-too-long", "",
		"What came to the SCCP port is no SCCP, or a message longer "
		"than any phone sends.",
		"If this is a SIP phone: its port is 5061 over TLS, 5060 "
		"without.\n" LOOK_AT_SENDER},
	{"sccp-lost-framing", "",
		"What came to the SCCP port is no SCCP of a known version.",
		LOOK_AT_SENDER},
	{"sccp-register-too-short", "",
		"The phone's Register is shorter than one can be.",
		LOOK_AT_SENDER},
	{"sccp-first-frame-late", "",
		"The phone connected and did not send a whole message in time.",
		LOOK_AT_SENDER},
	{"sccp-idle", "",
		"The phone was connected, said nothing, and was let go.",
		"Look whether its configuration file names this node first."},
	{"sccp-keepalive-timeout", "",
		"Three keepalives in a row did not come.",
		"Look whether the phone has power and network; it comes back "
		"by itself."},
	{"sccp-throttled", "",
		"The phone sent too many messages in a few seconds and was cut "
		"off.",
		"dialtone phone reset NAME\n" LOOK_AT_SENDER},
	{"sccp-token-unused", "",
		"The phone asked for a token, was given one, and did not "
		"register.",
		"Look at the network on the way to the phone; it tries again "
		"by itself."},
	{"sccp-capabilities-late", "",
		"The phone was let in and then did not say what codecs it has.",
		LOOK_AT_SENDER},
	{"sccp-capabilities-bad", "",
		"The phone said that it has codecs and named none of them.",
		LOOK_AT_SENDER},
	{"sccp-reset-unanswered", "",
		"The phone was told to reset and did not.",
		"Switch it off and on."},
	{"sccp-rejected", "",
		"The registration was rejected; the refusal before this one "
		"says why.",
		"dialtone phone history NAME"},
	{"sccp-unregistered", "", "The phone unregistered itself.",
		"Nothing, unless it does not come back: then look whether it "
		"has power and network."},
	{"sccp-not-reading", "",
		"The phone did not read the registrar's answers.",
		"Look at the network on the way to the phone."},
	/* what only a phone's log or a capture shows */
	{"bad-certificate", "",
		"The certificate is bad in one of these ways: not valid yet, "
		"its key or digest is too weak, or it cannot be read.",
		"The registrar's log names which (rule=): dialtone phone NAME"},
	{"revoked", "", "The phone's certificate was revoked.",
		"Find out why it was. To let the phone in again, give it a new "
		"LSC:\n" NEW_LSC},
	{"other-alert", "", "TLS came to no good end.",
		"The registrar's side of it: dialtone failures"},
	{"orderly-close", "",
		"An orderly end of a connection; nothing is wrong.", ""},
	{"let-in", "",
		"Nothing was refused here. If the phone is not registered all "
		"the same, the refusal came behind TLS (a RegisterReject, a "
		"403) and the registrar knows why.",
		"dialtone explain NAME"},
	{"unfinished", "",
		"The handshake has no end here, and nobody says why: the "
		"capture was ended too early, or packets are lost on the way.",
		"Capture again, on the registrar, until the phone has tried "
		"twice."},
	/* when there is no refusal to explain */
	{"registered", "", "It is registered. Nothing has to be done.", ""},
	{"never-seen", "",
		"The device is in the inventory, and no phone has come under "
		"this name: the registrar has nothing to refuse. The phone "
		"does not find its way here.",
		"Look at the phone's network settings: has it an address, and "
		"does DHCP option 150 (or 66) name the right TFTP server?\n"
		"Does its configuration file (NAME.cnf.xml) exist there, and "
		"does it name this node in processNodeName?\n"
		"Is it registered at another node of that list?\n"
		"Does a firewall stop it? The ports: dialtone status --json "
		"(listeners).\n"
		"See whether it comes at all: capture on the registrar, then "
		"dialtone explain --pcap FILE NAME\n"
		"See what it says itself: its web page, Console Logs, then "
		"dialtone explain --log FILE NAME"},
	{"never-seen-unknown", "",
		"No phone has come under this name, and there is no device of "
		"this name in the inventory.",
		"Look whether the name is written as the phone writes it: "
		"dialtone phones; dialtone failures\n"
		"dialtone device add NAME"},
	{"register-refused", "",
		"The registrar refused the registration itself. Its text is "
		"above; the registrar knows which rule it was.",
		"dialtone explain NAME"},
	{"tls13-unseen", "",
		"In TLS 1.3 everything behind the hellos is encrypted, alerts "
		"too: a capture shows neither the certificate nor how it "
		"ended. The registrar knows both.",
		"dialtone explain NAME"},
	{"tvs-failed", "",
		"This is not its registration: the phone could not reach the "
		"Trust Verification Service (port 2445), which it asks about "
		"certificates that are not in its CTL or ITL file. HTTPS "
		"services and, with them, directories then say \"Host not "
		"found\".",
		"Look whether that TVS runs, and whether its certificate is in "
		"the phone's ITL file."},
	{"other-service-failed", "",
		"The phone could not make a TLS connection; by its port this "
		"was no registration.",
		"Look at the server of that address and port."},
	{"https-unknown", "",
		"This is not its registration: an HTTPS server showed a "
		"certificate that is not in the phone's CTL file, and TVS did "
		"not vouch for it.",
		"Put that server's certificate where TVS finds it, or into the "
		"CTL file."},
	{"https-vouched", "",
		"This is not its registration: an HTTPS server's certificate "
		"is not in the phone's CTL file, and TVS vouched for it. "
		"Nothing is wrong.",
		""},
	{"sccp-unknown-message", "",
		"The phone was sent an SCCP message that its firmware does not "
		"know; it closes the connection and comes back with an alarm.",
		"Give the phone newer firmware, or let the registrar speak an "
		"older version to it: sccp.version_max in the configuration."},
};

#define LOOK_AT_PHONE                                                      \
	"Look whether the phone has power and network: ping its address, " \
	"and see dialtone phone history NAME for how often this happens."

/* About the end of a registration: CUCM's unregistration names. */
static const struct explain_rule ends[] = {
	{"noError", "", "The registration ended in good order.", LOOK_AT_PHONE},
	{"unknown", "", "The registration ended; nobody said why.",
		LOOK_AT_PHONE},
	{"noEntryInDatabase", "", "The device was taken out of the inventory.",
		"dialtone device add NAME"},
	{"databaseConfigurationError", "",
		"The entry of the device cannot be served.",
		"dialtone device show NAME"},
	{"deviceNameUnresolveable", "", "The device's name led nowhere.",
		LOOK_AT_PHONE},
	{"maxDevRegExceeded", "",
		"More devices came than limits.devices allows.",
		"Raise limits.devices in the configuration and start dialtoned "
		"anew."},
	{"connectivityError", "",
		"The connection broke or was closed without a word: power, "
		"cable, switch port, firewall, or a phone that moved on to "
		"another node.",
		LOOK_AT_PHONE},
	{"initializationError", "", "The phone could not finish starting.",
		LOOK_AT_PHONE},
	{"deviceInitiatedReset", "", "The phone resets by itself.",
		"Wait a minute: it comes back. If it does "
		"not:\n" LOOK_AT_PHONE},
	{"callManagerReset", "",
		"An admin reset it, or the CA of its certificate was removed, "
		"or its certificate revoked.",
		"Wait a minute: it comes back. If it does "
		"not:\n" LOOK_AT_PHONE},
	{"deviceUnregistered", "",
		"The phone unregistered itself: it was switched off in good "
		"order, resets, or went to another node.",
		LOOK_AT_PHONE},
	{"malformedRegisterMsg", "",
		"The phone sent what cannot be read as a registration.",
		LOOK_AT_SENDER},
	{"sccpDeviceThrottling", "",
		"The phone sent too many messages and was cut off.",
		LOOK_AT_SENDER},
	{"keepAliveTimeout", "",
		"The phone fell silent: it was not heard from for longer than "
		"its keepalive (or SIP expiry) allows. It lost power, its "
		"network or the way to us.",
		LOOK_AT_PHONE},
	{"configurationMismatch", "",
		"The phone runs with an older configuration than it should.",
		"dialtone phone reset NAME"},
	{"callManagerRestart", "",
		"The registrar was stopped or restarted the phone.",
		"Wait a minute: it comes back. If it does "
		"not:\n" LOOK_AT_PHONE},
	{"duplicateRegistration", "",
		"The device is registered at two nodes at once.",
		"Find the other phone of that name and unplug it."},
	{"callManagerApplyConfig", "", "A new configuration is applied.",
		"Wait a minute: it comes back. If it does "
		"not:\n" LOOK_AT_PHONE},
	{"deviceNoResponse", "",
		"The phone did not answer, or did not read what was sent to "
		"it.",
		LOOK_AT_PHONE},
	{"emLoginLogout", "", "Somebody logged in or out at the phone.",
		"Wait a minute: it comes back."},
	{"emccLoginLogout", "",
		"Somebody logged in or out at the phone across clusters.",
		"Wait a minute: it comes back."},
	{"energywisePowerSavePlus", "", "The phone sleeps to save power.",
		"Press a key at the phone, or wait for the end of its sleep."},
	{"callManagerForcedRestart", "", "The registrar restarted the phone.",
		"Wait a minute: it comes back."},
	{"sourceIPAddrChanged", "", "The phone's address changed.",
		"Wait a minute: it comes back. If it does not, look at DHCP."},
	{"sourcePortChanged", "", "The phone's port changed.",
		"Wait a minute: it comes back. If it does not, look at NAT on "
		"the way."},
	{"registrationSequenceError", "",
		"The phone sent its messages in an impossible order.",
		LOOK_AT_SENDER},
	{"invalidCapabilities", "", "The phone named no usable codecs.",
		LOOK_AT_SENDER},
	{"fallbackInitiated", "",
		"The phone went back to a node of higher priority.",
		"Look at that node: it should be registered there."},
	{"deviceSwitch", "", "Another connection of the same name took over.",
		"dialtone phone history NAME shows from where. If that is "
		"another phone, one of them must be renamed."},
};

static const struct explain_rule *find(const struct explain_rule *list,
	size_t n, const char *rule, const char *about)
{
	const struct explain_rule *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].rule, rule) != 0)
			continue;
		if (strcmp(list[i].about, about) == 0)
			return &list[i];
		if (!*list[i].about)
			found = &list[i];
	}
	return found;
}

const struct explain_rule *explain_rule(const char *rule, const char *about)
{
	size_t n;
	const struct explain_rule *capf = explain_rules_capf(&n);
	const struct explain_rule *found =
		find(rules, sizeof(rules) / sizeof(rules[0]), rule, about);
	return found ? found : find(capf, n, rule, about);
}

const struct explain_rule *explain_end(const char *reason)
{
	return find(ends, sizeof(ends) / sizeof(ends[0]), reason, "");
}

/* n bytes of text with the device in the place of each NAME. */
static json_t *step(const char *text, size_t n, const char *device)
{
	static const char name[] = "NAME";
	char *line = memory_format("%.*s", (int)n, text);
	char *at = *device ? strstr(line, name) : NULL;
	while (at) {
		size_t head = (size_t)(at - line);
		char *longer = memory_format("%.*s%s%s", (int)head, line,
			device, at + sizeof(name) - 1);
		free(line);
		line = longer;
		at = strstr(line + head + strlen(device), name);
	}
	json_t *found = json_string(line);
	free(line);
	return found;
}

json_t *explain_steps(const char *cure, const char *device)
{
	json_t *steps = json_array();
	while (*cure) {
		size_t n = strcspn(cure, "\n");
		json_array_append_new(steps, step(cure, n, device));
		cure += cure[n] ? n + 1 : n;
	}
	return steps;
}

void explain_rule_put(
	json_t *o, const struct explain_rule *rule, const char *device)
{
	json_object_set_new(o, "meaning", json_string(rule->means));
	json_object_set_new(o, "cure", explain_steps(rule->cure, device));
}
