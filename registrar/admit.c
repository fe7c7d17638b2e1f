/* SPDX-License-Identifier: Apache-2.0 */
/* May this device register here, like this? */
#include "registrar/admit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static void decide_plain(const struct config_device *known, const char *device,
	struct admit_verdict *out)
{
	if (!known) {
		refuse(out, REASON_FAILURE_NO_ENTRY, "unknown-device",
			"Unknown device",
			"%s came without TLS and is not in the configuration",
			device);
		cure(out,
			"add \"%s\": {\"plain\": true} to devices if this "
			"phone may register without TLS",
			device);
		return;
	}
	if (!known->plain) {
		refuse(out, REASON_FAILURE_SECURITY_MISMATCH,
			"security-mismatch", "TLS required",
			"%s came without TLS, its device entry requires TLS",
			device);
		out->sip_warning = "Device security mismatch: expected TLS, "
				   "received TCP/UDP";
		cure(out, "let the phone use the TLS port, or set plain for "
			  "it in devices");
	}
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

static void decide_mic(const struct config_device *known,
	const struct peer *peer, const char *device, struct admit_verdict *out)
{
	if (known && known->mic)
		return;
	enum reason_failure code =
		known ? REASON_FAILURE_AUTHENTICATION : REASON_FAILURE_NO_ENTRY;
	refuse(out, code, "mic-not-allowed", "MIC not allowed, LSC needed",
		"%s showed a MIC (anchor %s): it proves a Cisco phone, not "
		"ours, and the configuration does not allow this device its "
		"MIC",
		device, peer->anchor);
	out->sip_warning = "TLS authentication failure";
	cure(out,
		"install an LSC on %s, or set \"%s\": {\"mic\": true} in "
		"devices",
		device, device);
}

void admit_decide(const struct config *config, const struct peer *peer,
	const char *device, struct admit_verdict *out)
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
	const struct config_device *known = config_device(config, device);
	if (!peer->tls) {
		decide_plain(known, device, out);
		return;
	}
	if (!peer->verified) {
		refuse(out, REASON_FAILURE_AUTHENTICATION, "not-verified",
			"Not authenticated", "%s has no verified certificate",
			device);
		cure(out, "give %s an LSC of this cluster", device);
		return;
	}
	decide_name(peer->cert, device, out);
	if (out->code == REASON_FAILURE_NO_ERROR && peer->kind != CERT_KIND_LSC)
		decide_mic(known, peer, device, out);
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

void admit_full(const char *device, struct admit_verdict *out)
{
	*out = (struct admit_verdict){0};
	refuse(out, REASON_FAILURE_MAX_EXCEEDED, "too-many-devices",
		"Max phones exceeded",
		"no room for %s: limits.devices are registered", device);
	out->sip_status = 503;
	cure(out, "raise limits.devices");
}
