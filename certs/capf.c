/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's own root; the contract stands in lsc.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "certs/lsc_parts.h"

enum {
	DAY = 86400,
	DAYS_MAX = 7300,
	SERIAL_DIGITS_MAX = 40, /* RFC 5280, 4.1.2.2 */
};

/* What Cisco's Security Guide asks of a CAPF, or phones break off (specs
 * certificates 2). */
static const struct cert_extension extensions[] = {
	{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
	{"keyUsage", "critical,digitalSignature,keyCertSign,cRLSign"},
	{"subjectKeyIdentifier", "hash"},
	{"authorityKeyIdentifier", "keyid:always"},
	{NULL, NULL},
};

/* NOLINTNEXTLINE(readability-function-size): two things come, two go. */
int cert_capf_make(const struct cert_organisation *of, const char *kind,
	time_t now, unsigned days, X509 **cert, EVP_PKEY **key, struct diag *d)
{
	unsigned char random[4];
	char cn[sizeof("CAPF-00000000")];
	struct cert_attribute subject[CERT_LSC_SUBJECT_MAX] = {{NULL, NULL}};
	struct cert_attribute *row = subject;
	*cert = NULL;
	*key = NULL;
	if (days < 1 || days > DAYS_MAX)
		return diag_set(d, -EINVAL, "%u days: a root has 1 to %d", days,
			DAYS_MAX);
	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	snprintf(cn, sizeof(cn), "CAPF-%02x%02x%02x%02x", random[0], random[1],
		random[2], random[3]);
	cert_lsc_add(&row, "C", of->country);
	cert_lsc_add(&row, "O", of->organisation);
	cert_lsc_add(&row, "OU", of->unit);
	cert_lsc_add(&row, "CN", cn);
	cert_lsc_add(&row, "ST", of->state);
	cert_lsc_add(&row, "L", of->locality);
	int error = cert_key_make(kind, key, d);
	if (error)
		return error;
	/* From yesterday: clocks of phones are late. */
	const struct cert_order order = {
		.subject = subject,
		.extensions = extensions,
		.key = *key,
		.not_before = now - DAY,
		.not_after = now + (time_t)days * DAY,
	};
	error = cert_issue(&order, cert, d);
	if (!error)
		return 0;
	EVP_PKEY_free(*key);
	*key = NULL;
	return error;
}

static bool has_good_serial(const X509 *cert)
{
	char text[CERT_SERIAL_MAX + 1];
	return cert_serial_text(cert, text) == 0 && text[0] != '-' &&
	       strcmp(text, "0") != 0 && strlen(text) <= SERIAL_DIGITS_MAX;
}

static bool is_ca(X509 *cert)
{
	int at = X509_get_ext_by_NID(cert, NID_basic_constraints, -1);
	return X509_check_ca(cert) == 1 && at >= 0 &&
	       X509_EXTENSION_get_critical(X509_get_ext(cert, at));
}

static bool has_usage(X509 *cert)
{
	const uint32_t needed = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN;
	return X509_get_extension_flags(cert) & EXFLAG_KUSAGE &&
	       (X509_get_key_usage(cert) & needed) == needed;
}

static bool has_key_type(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	return key && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC"));
}

/* A rule's name, and what breaks it. */
struct fault {
	const char *rule, *text;
};

static struct fault find_fault(X509 *cert, EVP_PKEY *key)
{
	if (!has_key_type(cert))
		return (struct fault){
			"key-type", "has a key that is neither RSA nor EC"};
	if (X509_check_private_key(cert, key) != 1)
		return (struct fault){
			"other-key", "is not the certificate of that key"};
	if (X509_get_version(cert) != X509_VERSION_3)
		return (struct fault){"version", "is not of X.509 version 3"};
	if (!has_good_serial(cert))
		return (struct fault){"serial",
			"has a serial number that is not above zero, or of "
			"more than 20 bytes"};
	if (X509_NAME_entry_count(X509_get_subject_name(cert)) == 0)
		return (struct fault){"no-subject", "has no subject"};
	if (!is_ca(cert))
		return (struct fault){"not-a-ca",
			"has no critical basicConstraints with CA:TRUE"};
	if (X509_get_pathlen(cert) != 0)
		return (struct fault){"path-length", "has no path length of 0"};
	if (!has_usage(cert))
		return (struct fault){"key-usage",
			"lacks digitalSignature or keyCertSign in its key "
			"usage"};
	return (struct fault){NULL, NULL};
}

int cert_capf_check(X509 *cert, EVP_PKEY *key, struct diag *d)
{
	char name[CERT_NAME_MAX + 1];
	ERR_set_mark();
	struct fault fault = find_fault(cert, key);
	cert_name_text(X509_get_subject_name(cert), name, sizeof(name));
	ERR_pop_to_mark();
	if (!fault.rule)
		return 0;
	return diag_refuse(d, fault.rule, -EINVAL,
		"%s: it %s, so it cannot be CAPF's: have it made again", name,
		fault.text);
}
