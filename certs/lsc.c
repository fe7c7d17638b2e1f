/* SPDX-License-Identifier: Apache-2.0 */
/* Phones' LSCs: made, and judged when another CA made them. */
#include "certs/lsc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "certs/lsc_parts.h"
#include "certs/text.h"

enum {
	DAY = 86400,
	HOUR = 3600, /* that a CA's clock may be ahead of ours */
	SERIAL_BYTES = 16,
	SERIAL_DIGITS = 2 * SERIAL_BYTES,
};

void cert_lsc_add(
	struct cert_attribute **row, const char *type, const char *text)
{
	if (text && *text)
		*(*row)++ = (struct cert_attribute){type, text};
}

/* A phone's name becomes a subject and, behind URI:, text that OpenSSL reads:
 * nothing but a device name. */
static int check_device(const char *device, struct diag *d)
{
	if (strlen(device) <= CERT_DEVICE_MAX &&
		cert_device_in_cn(device) == device)
		return 0;
	return diag_refuse(d, "device-name", -EINVAL,
		"\"%.80s\" is no name that a phone can prove by a certificate, "
		"such as SEP and 12 hex digits",
		device);
}

int cert_lsc_parts(struct cert_lsc_parts *out, const char *device,
	const struct cert_organisation *of, EVP_PKEY *key, struct diag *d)
{
	*out = (struct cert_lsc_parts){0};
	int error = check_device(device, d);
	if (error)
		return error;
	struct cert_attribute *row = out->subject;
	cert_lsc_add(&row, "CN", device);
	cert_lsc_add(&row, "O", of->organisation);
	cert_lsc_add(&row, "OU", of->unit);
	cert_lsc_add(&row, "L", of->locality);
	cert_lsc_add(&row, "ST", of->state);
	cert_lsc_add(&row, "C", of->country);
	snprintf(out->san, sizeof(out->san), "URI:%s", device);
	struct cert_extension *e = out->extensions;
	*e++ = (struct cert_extension){"basicConstraints", "critical,CA:FALSE"};
	*e++ = (struct cert_extension){"keyUsage",
		EVP_PKEY_is_a(key, "EC")
			? "critical,digitalSignature,keyAgreement"
			: "critical,digitalSignature,keyEncipherment"};
	*e++ = (struct cert_extension){
		"extendedKeyUsage", "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5"};
	*e = (struct cert_extension){"subjectAltName", out->san};
	return 0;
}

static int check_serial(const char *serial, struct diag *d)
{
	if (strlen(serial) == SERIAL_DIGITS && serial[0] >= '1' &&
		serial[0] <= '7' &&
		strspn(serial, "0123456789abcdefABCDEF") == SERIAL_DIGITS)
		return 0;
	return diag_refuse(d, "serial", -EINVAL,
		"\"%.80s\" is not 32 hex digits, the first of them 1 to 7",
		serial);
}

/* The attribute's first value; "" if there is none. False: not as it is. */
static bool copy(const X509_NAME *name, int nid, char *out, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	out[0] = '\0';
	if (at < 0)
		return true;
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(
		&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	bool good = n >= 0 && cert_text_clean(utf8, (size_t)n, out, size);
	OPENSSL_free(utf8);
	return good;
}

int cert_organisation_read(
	const X509 *cert, struct cert_organisation_texts *out, struct diag *d)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	if (copy(name, NID_countryName, out->country, sizeof(out->country)) &&
		copy(name, NID_stateOrProvinceName, out->state,
			sizeof(out->state)) &&
		copy(name, NID_localityName, out->locality,
			sizeof(out->locality)) &&
		copy(name, NID_organizationName, out->organisation,
			sizeof(out->organisation)) &&
		copy(name, NID_organizationalUnitName, out->unit,
			sizeof(out->unit)))
		return 0;
	return diag_refuse(d, "issuer-name", -EINVAL,
		"the issuer's C, ST, L, O or OU is longer than an LSC's may "
		"be, or holds characters that nobody can read");
}

static int set_dates(struct cert_order *order, const struct cert_lsc *lsc,
	const struct cert_identity *issuer, struct diag *d)
{
	char from[21], to[21];
	if (!issuer->times_ok)
		return diag_refuse(d, "issuer-dates", -EINVAL,
			"the issuer's dates cannot be read");
	order->not_before = lsc->not_before > issuer->not_before
				    ? lsc->not_before
				    : issuer->not_before;
	order->not_after = lsc->not_after < issuer->not_after
				   ? lsc->not_after
				   : issuer->not_after;
	if (order->not_before < order->not_after)
		return 0;
	cert_time_text(order->not_before, from);
	cert_time_text(order->not_after, to);
	return diag_refuse(d, "no-validity", -EINVAL,
		"an LSC from %s to %s would never be good: look at our clock "
		"and at the issuer's dates",
		from, to);
}

static int set_subject(struct cert_lsc_parts *parts, const struct cert_lsc *lsc,
	struct cert_organisation_texts *copied, struct diag *d)
{
	int error = cert_organisation_read(lsc->issuer, copied, d);
	if (error)
		return error;
	const struct cert_organisation of = {copied->country, copied->state,
		copied->locality, copied->organisation, copied->unit};
	error = cert_lsc_parts(parts, lsc->device, &of, lsc->key, d);
	if (error)
		return error;
	struct cert_extension *e = parts->extensions;
	while (e->type)
		e++;
	*e++ = (struct cert_extension){"subjectKeyIdentifier", "hash"};
	*e = (struct cert_extension){"authorityKeyIdentifier", "keyid"};
	return 0;
}

int cert_lsc_make(const struct cert_lsc *lsc, X509 **out, struct diag *d)
{
	struct cert_organisation_texts copied = {.country = ""};
	struct cert_lsc_parts parts;
	struct cert_identity issuer;
	struct cert_order order = {
		.subject = parts.subject,
		.extensions = parts.extensions,
		.key = lsc->key,
		.issuer = lsc->issuer,
		.issuer_key = lsc->issuer_key,
		.serial = lsc->serial,
	};
	*out = NULL;
	int error = check_serial(lsc->serial, d);
	if (!error)
		error = set_subject(&parts, lsc, &copied, d);
	if (error)
		return error;
	cert_identity_read(lsc->issuer, &issuer);
	error = set_dates(&order, lsc, &issuer, d);
	if (error)
		return error;
	ERR_set_mark();
	bool pair = X509_check_private_key(lsc->issuer, lsc->issuer_key) == 1;
	ERR_pop_to_mark();
	if (!pair)
		return diag_refuse(d, "other-key", -EINVAL,
			"%s: the key that would sign is not its own",
			issuer.cn);
	return cert_issue(&order, out, d);
}

void cert_serial_make(char out[33])
{
	unsigned char bytes[SERIAL_BYTES];
	do {
		if (RAND_bytes(bytes, sizeof(bytes)) != 1)
			abort();
		bytes[0] &= 0x7f;
	} while (bytes[0] < 0x10);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Does a subjectAltName hold another device's name? */
static bool names_another(X509 *cert, const char *device)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool another = false;
	for (int i = 0; !another && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		int type = 0;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
		if (type != GEN_URI && type != GEN_DNS && type != GEN_EMAIL)
			continue;
		char text[CERT_NAME_MAX + 1];
		bool clean = cert_text_clean(ASN1_STRING_get0_data(value),
			(size_t)ASN1_STRING_length(value), text, sizeof(text));
		const char *found = cert_device_in_cn(text);
		another =
			!clean || (found && !cert_device_equal(found, device));
	}
	GENERAL_NAMES_free(names);
	return another;
}

static bool may_sign_certificates(X509 *cert)
{
	uint32_t usage = X509_get_key_usage(cert);
	return cert_is_ca(cert) ||
	       (usage != UINT32_MAX &&
		       usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
}

static int check_dates(const struct cert_identity *id, time_t now,
	unsigned max_days, struct diag *d)
{
	char from[21], to[21];
	cert_time_text(id->not_before, from);
	cert_time_text(id->not_after, to);
	if (!id->times_ok || now < id->not_before || now >= id->not_after)
		return diag_refuse(d, "not-valid-now", -EINVAL,
			"%s: it is valid from %s to %s, which is not now",
			id->subject, id->times_ok ? from : "a date",
			id->times_ok ? to : "another that cannot be read");
	if (id->not_after - now > (time_t)max_days * DAY + HOUR)
		return diag_refuse(d, "too-long", -EINVAL,
			"%s: it is valid until %s, and LSCs last %u days at "
			"most",
			id->subject, to, max_days);
	return 0;
}

static int check_lsc(X509 *cert, const char *device, EVP_PKEY *key,
	const struct cert_identity *id, struct diag *d)
{
	EVP_PKEY *its = X509_get0_pubkey(cert);
	if (!its || EVP_PKEY_eq(its, key) != 1)
		return diag_refuse(d, "other-key", -EINVAL,
			"%s: its key is not the one that %.80s made",
			id->subject, device);
	if (!id->device[0] || !cert_device_equal(id->device, device))
		return diag_refuse(d, "other-name", -EINVAL,
			"%s: the subject does not name %.80s, or not alone",
			id->subject, device);
	if (names_another(cert, device))
		return diag_refuse(d, "other-alt-name", -EINVAL,
			"%s: its subjectAltName names another device than "
			"%.80s",
			id->subject, device);
	if (may_sign_certificates(cert))
		return diag_refuse(d, "is-a-ca", -EINVAL,
			"%s: it may sign certificates or CRLs, which is a "
			"CA's",
			id->subject);
	if (X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		return diag_refuse(d, "wrong-purpose", -EINVAL,
			"%s: it may not act as a TLS client: ask for "
			"digitalSignature and clientAuth",
			id->subject);
	return 0;
}

int cert_lsc_check(X509 *cert, const char *device, EVP_PKEY *key, time_t now,
	unsigned max_days, struct diag *d)
{
	struct cert_identity id;
	cert_identity_read(cert, &id);
	ERR_set_mark();
	int error = check_lsc(cert, device, key, &id, d);
	ERR_pop_to_mark();
	return error ? error : check_dates(&id, now, max_days, d);
}
