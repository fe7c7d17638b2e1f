/* SPDX-License-Identifier: Apache-2.0 */
/* May this device register here, like this? */
#include "registrar/admit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ADDED_WITHIN_S = 3 };

static void refuse(struct admit_verdict *out, enum reason_failure code,
	const char *rule, const char *phone_text, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void refuse(struct admit_verdict *out, enum reason_failure code,
	const char *rule, const char *phone_text, const char *format, ...)
{
	va_list args;
	out->code = code;
	out->rule = rule;
	out->phone_text = phone_text;
	out->sip_status = 403;
	va_start(args, format);
	vsnprintf(out->why, sizeof(out->why), format, args);
	va_end(args);
}

static void cure(struct admit_verdict *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void cure(struct admit_verdict *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(out->cure, sizeof(out->cure), format, args);
	va_end(args);
}

/* Letters, digits, dot, underscore and hyphen; what CUCM allows. */
static bool is_device_name(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= CERT_DEVICE_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"
			    "vwxyz0123456789._-") == n;
}

static void decide_name(const struct peer_cert *cert, const char *device,
	struct admit_verdict *out)
{
	if (cert_device_equal(cert->device, device))
		return;
	refuse(out, REASON_FAILURE_X509_NAME, "name-mismatch",
		"Certificate name mismatch",
		"InvalidX509NameInCertificate, Rcvd=%s, Expected=%s: the "
		"certificate %s",
		cert->cn, device,
		cert->device[0] ? "names another device" : "names no device");
	out->sip_warning = "TLS authentication failure";
	cure(out,
		"give %s an LSC with its own name; no certificate registers "
		"another device",
		device);
}

static void refuse_unknown(
	const struct peer *peer, const char *device, struct admit_verdict *out)
{
	refuse(out, REASON_FAILURE_NO_ENTRY, "unknown-device", "Unknown device",
		"%s is not in the inventory%s", device,
		peer->kind == CERT_KIND_MIC
			? ", and a MIC proves a Cisco phone, not ours"
			: "");
	cure(out,
		"dialtone device add %s, or look at what name the phone should "
		"have",
		device);
}

static void decide_protocol(const struct device *known, const struct peer *peer,
	struct admit_verdict *out)
{
	bool sccp = peer->protocol == CONFIG_SCCP;
	if (known->protocol == DEVICE_ANY ||
		(known->protocol == DEVICE_SCCP) == sccp)
		return;
	refuse(out, REASON_FAILURE_PROTOCOL, "protocol-mismatch",
		"Wrong protocol",
		"%s came over %s, its entry in the inventory says %s",
		known->name, sccp ? "sccp" : "sip",
		device_protocol_name(known->protocol));
	cure(out,
		"give the phone the firmware of the right protocol, or: "
		"dialtone device set %s --protocol %s",
		known->name, sccp ? "sccp" : "sip");
}

static void mismatch(struct admit_verdict *out, const struct peer *peer,
	const struct device *known, enum security_mode mode)
{
	refuse(out, REASON_FAILURE_SECURITY_MISMATCH, "security-mismatch",
		peer->tls ? "TLS not allowed by profile" : "TLS required",
		"%s came %s, its profile %s is %s", known->name,
		peer->tls ? "over TLS" : "without TLS", known->profile,
		security_mode_name(mode));
	out->sip_warning = peer->tls ? "Device security mismatch: expected "
				       "TCP/UDP, received TLS"
				     : "Device security mismatch: expected "
				       "TLS, received TCP/UDP";
	if (peer->tls)
		cure(out,
			"dialtone device set %s --profile encrypted, or let "
			"the phone come without TLS",
			known->name);
	else
		cure(out,
			"let the phone use the TLS port; or, while it has no "
			"good certificate: dialtone device set %s --profile "
			"non-secure",
			known->name);
}

/* SIP phones alone have a transport to keep to (AXL XTransport). */
static bool wrong_transport(
	const struct peer *peer, const struct security_profile *profile)
{
	return peer->protocol == CONFIG_SIP &&
	       profile->transport == (peer->udp ? SECURITY_TCP : SECURITY_UDP);
}

static void refuse_transport(struct admit_verdict *out, const struct peer *peer,
	const struct device *known)
{
	refuse(out, REASON_FAILURE_SECURITY_MISMATCH, "transport-mismatch",
		"Wrong transport", "%s came over %s, its profile %s says %s",
		known->name, peer->udp ? "UDP" : "TCP", known->profile,
		peer->udp ? "TCP" : "UDP");
	out->sip_warning = peer->udp ? "Device security mismatch: expected "
				       "TCP, received UDP"
				     : "Device security mismatch: expected "
				       "UDP, received TCP";
	cure(out,
		"dialtone profile set %s --transport tcp+udp, or set the "
		"phone's transport right",
		known->profile);
}

static void wrong_cipher(struct admit_verdict *out, const struct peer *peer,
	const struct device *known, enum security_mode mode)
{
	refuse(out, REASON_FAILURE_TLS_CIPHER, "invalid-cipher",
		"Cipher not allowed by profile",
		"%s negotiated %s, its profile %s is %s", known->name,
		peer->cipher, known->profile, security_mode_name(mode));
	out->sip_warning = "TLS authentication failure";
	cure(out,
		"dialtone device set %s --profile %s, or give the phone the "
		"security mode of its profile (an authenticated phone comes "
		"with NULL-SHA to a listener that allows it)",
		known->name,
		mode == SECURITY_AUTHENTICATED ? "encrypted" : "authenticated");
}

/* What the suite's name says: "NULL-SHA", "NULL-SHA256", "ECDHE-…-NULL-SHA".
 */
static bool is_in_the_clear(const struct peer *peer)
{
	return peer->cipher && strstr(peer->cipher, "NULL-") != NULL;
}

static void decide_mode(const struct peer *peer, const struct device *known,
	const struct security_profile *profile, struct admit_verdict *out)
{
	enum security_mode mode = profile->mode;
	if (peer->tls != (mode != SECURITY_NON_SECURE))
		mismatch(out, peer, known, mode);
	else if (peer->tls &&
		 is_in_the_clear(peer) != (mode == SECURITY_AUTHENTICATED))
		wrong_cipher(out, peer, known, mode);
	else if (!peer->tls && wrong_transport(peer, profile))
		refuse_transport(out, peer, known);
}

/* Whatever its profile says, and no profile cures it. */
static void refuse_tls(struct admit_verdict *out, const struct device *known)
{
	refuse(out, REASON_FAILURE_SECURITY_MISMATCH, "security-mismatch",
		"TLS not allowed in cluster",
		"%s came over TLS, and the cluster is non-secure: nobody "
		"registers over TLS here",
		known->name);
	out->sip_warning = "Device security mismatch: expected TCP/UDP, "
			   "received TLS";
	cure(out, "let the phone come without TLS, or set "
		  "security.cluster_mode to \"mixed\" and start dialtoned "
		  "anew");
}

static void decide_profile(const struct config *config,
	struct inventory *inventory, const struct peer *peer,
	const struct device *known, struct admit_verdict *out)
{
	struct security_profile profile;
	if (!inventory_profile(inventory, known->profile, &profile)) {
		refuse(out, REASON_FAILURE_DATABASE_CONFIG, "no-such-profile",
			"Configuration error",
			"%s follows the security profile %s, which is not "
			"there",
			known->name, known->profile);
		cure(out,
			"dialtone profile list; dialtone device set %s "
			"--profile NAME",
			known->name);
		return;
	}
	if (config->cluster_mode == CONFIG_CLUSTER_MIXED)
		decide_mode(peer, known, &profile, out);
	else if (peer->tls)
		refuse_tls(out, known);
}

static void decide_mic(const struct device *known, const struct peer *peer,
	struct admit_verdict *out)
{
	if (!peer->tls || peer->kind == CERT_KIND_LSC || known->mic)
		return;
	refuse(out, REASON_FAILURE_AUTHENTICATION, "mic-not-allowed",
		"MIC not allowed, LSC needed",
		"%s showed a MIC (anchor %s): it proves a Cisco phone, not "
		"ours, and its entry does not allow its MIC",
		known->name, peer_anchor(peer));
	out->sip_warning = "TLS authentication failure";
	cure(out, "install an LSC on %s, or: dialtone device set %s --mic yes",
		known->name, known->name);
}

static void decide_known(const struct config *config,
	struct inventory *inventory, const struct peer *peer,
	const struct device *known, struct admit_verdict *out)
{
	decide_protocol(known, peer, out);
	if (out->code == REASON_FAILURE_NO_ERROR)
		decide_profile(config, inventory, peer, known, out);
	if (out->code == REASON_FAILURE_NO_ERROR)
		decide_mic(known, peer, out);
}

/* The entry that registration.unknown stands for. */
static bool is_taken_unknown(
	const struct config *config, const struct peer *peer)
{
	return config->unknown_devices == CONFIG_UNKNOWN_LSC &&
	       peer->kind == CERT_KIND_LSC;
}

static void decide_certificate(
	const struct peer *peer, const char *device, struct admit_verdict *out)
{
	if (peer->verified) {
		decide_name(peer->cert, device, out);
		return;
	}
	refuse(out, REASON_FAILURE_AUTHENTICATION, "not-verified",
		"Not authenticated", "%s has no verified certificate", device);
	cure(out, "give %s an LSC of this cluster", device);
}

void admit_decide(const struct config *config, struct inventory *inventory,
	const struct peer *peer, const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){.code = REASON_FAILURE_NO_ERROR};
	if (!is_device_name(device)) {
		refuse(out, REASON_FAILURE_MALFORMED, "bad-device-name",
			"Bad device name",
			"the device name is empty, too long or holds a "
			"character other than letters, digits and ._-");
		cure(out, "set a proper device name on the phone");
		return;
	}
	if (peer->tls)
		decide_certificate(peer, device, out);
	if (out->code != REASON_FAILURE_NO_ERROR)
		return;
	struct device *known = inventory_find(inventory, device);
	const struct device implied = {
		.name = device, .profile = SECURITY_PROFILE_DEFAULT};
	if (known || is_taken_unknown(config, peer))
		decide_known(
			config, inventory, peer, known ? known : &implied, out);
	else
		refuse_unknown(peer, device, out);
	device_unref(known);
}

void admit_taken(const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){0};
	refuse(out, REASON_FAILURE_ALREADY_EXISTS, "already-registered",
		"Already registered",
		"%s is registered over another connection with a better right",
		device);
	out->sip_warning = "Registration is active for another client";
	cure(out, "unplug the other phone of this name, or wait three "
		  "keepalive intervals");
}

void admit_pending(const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){0};
	refuse(out, REASON_FAILURE_AUTO_REGISTER_TIMEOUT, "being-added",
		"Being added, please wait",
		"auto-registration is open: %s is being written into the "
		"inventory",
		device);
	out->sip_status = 503;
	out->retry_after_s = ADDED_WITHIN_S;
	cure(out, "nothing: the phone is let in when it comes again");
}

void admit_no_room(const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){0};
	refuse(out, REASON_FAILURE_AUTO_REGISTER_DB, "inventory-full",
		"Auto-registration is full",
		"auto-registration is open, but too many strangers wait to be "
		"added, or limits.devices are there: no room for %s",
		device);
	out->sip_status = 503;
	cure(out, "wait; or raise limits.devices; or dialtone device remove "
		  "those that are gone");
}

void admit_full(const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){0};
	refuse(out, REASON_FAILURE_MAX_EXCEEDED, "too-many-devices",
		"Max phones exceeded",
		"no room for %s: limits.devices are registered", device);
	out->sip_status = 503;
	cure(out, "raise limits.devices");
}
