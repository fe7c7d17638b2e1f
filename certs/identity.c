/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone's certificate says about its bearer. */
#include "certs/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "certs/text.h"

enum {
	NAME_DER_MAX = 8192, /* longer names are not printed */
	SERIAL_BYTES_MAX = CERT_SERIAL_MAX / 2,
};

const char *cert_kind_name(enum cert_kind kind)
{
	static const char *const names[] = {
		[CERT_KIND_UNKNOWN] = "unknown",
		[CERT_KIND_LSC] = "LSC",
		[CERT_KIND_MIC] = "MIC",
	};
	return names[kind];
}

void cert_time_text(time_t t, char at[21])
{
	struct tm tm;
	char text[64];
	if (!gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900 ||
		tm.tm_year < -1900)
		snprintf(text, sizeof(text), "unknown");
	else
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(at, 21, "%.20s", text);
}

void cert_name_text(const X509_NAME *name, char *out, size_t size)
{
	int length = i2d_X509_NAME(name, NULL);
	if (length < 0 || length > NAME_DER_MAX) {
		snprintf(out, size, "(a name of %d bytes)", length);
		return;
	}
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	/* RFC 2253, but letters beyond ASCII stay letters. */
	X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	char *text = NULL;
	long n = BIO_get_mem_data(bio, &text);
	cert_text_clean(n > 0 ? text : "", n > 0 ? (size_t)n : 0, out, size);
	BIO_free(bio);
}

/*
 * The one value of that attribute, or the first of several, cleaned. True
 * only when it is the only one and came over unchanged: what is decided by a
 * name must not depend on which of two we read, or on what NULs hide.
 */
static bool read_attribute(
	const X509_NAME *name, int nid, char *out, size_t size)
{
	out[0] = '\0';
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	if (at < 0)
		return false;
	bool single = X509_NAME_get_index_by_NID(name, nid, at) < 0;
	const ASN1_STRING *value =
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_length(value) > NAME_DER_MAX
			? -1
			: ASN1_STRING_to_UTF8(&utf8, value);
	if (n < 0)
		return false;
	bool unchanged = cert_text_clean(utf8, (size_t)n, out, size);
	OPENSSL_free(utf8);
	return single && unchanged;
}

/* The word behind key in "PID:CP-8861 SN:FCH18198CNQ"; "" if too long. */
static void read_word(const char *text, const char *key, char *out, size_t size)
{
	out[0] = '\0';
	for (const char *p = text; p; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (strncmp(p, key, strlen(key)) != 0)
			continue;
		p += strlen(key);
		size_t n = strcspn(p, " ");
		if (n < size)
			snprintf(out, size, "%.*s", (int)n, p);
		return;
	}
}

static void read_device(struct cert_identity *out)
{
	const char *name = cert_device_in_cn(out->cn);
	if (!name || strlen(name) > CERT_DEVICE_MAX)
		return;
	snprintf(out->device, sizeof(out->device), "%s", name);
	char prefix[4];
	snprintf(prefix, sizeof(prefix), "%s", name);
	bool sep = cert_device_equal(prefix, "SEP");
	for (char *p = out->device; sep && *p; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	size_t before = (size_t)(name - out->cn);
	if (before > 1 && before - 1 < sizeof(out->model))
		snprintf(out->model, sizeof(out->model), "%.*s",
			(int)before - 1, out->cn);
}

static int read_names(const X509 *cert, struct cert_identity *out)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	const X509_NAME *issuer = X509_get_issuer_name(cert);
	cert_name_text(subject, out->subject, sizeof(out->subject));
	cert_name_text(issuer, out->issuer, sizeof(out->issuer));
	read_attribute(
		issuer, NID_commonName, out->issuer_cn, sizeof(out->issuer_cn));
	char hardware[CERT_NAME_MAX + 1];
	if (read_attribute(subject, NID_commonName, out->cn, sizeof(out->cn)))
		read_device(out);
	if (read_attribute(
		    subject, NID_serialNumber, hardware, sizeof(hardware))) {
		read_word(hardware, "SN:", out->hardware_serial,
			sizeof(out->hardware_serial));
		if (!out->model[0])
			read_word(hardware, "PID:", out->model,
				sizeof(out->model));
	}
	bool readable = X509_NAME_entry_count(subject) > 0 &&
			i2d_X509_NAME(subject, NULL) <= NAME_DER_MAX;
	return readable ? 0 : -EINVAL;
}

bool cert_is_ca(X509 *cert)
{
	return X509_check_ca(cert) ||
	       X509_get_extension_flags(cert) & EXFLAG_CA;
}

int cert_serial_text(const X509 *cert, char out[CERT_SERIAL_MAX + 1])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	*out = '\0';
	/* A sign takes a digit's place: lists name no negative number. */
	bool negative = ASN1_STRING_type(serial) & V_ASN1_NEG;
	if (ASN1_STRING_length(serial) < 1 ||
		ASN1_STRING_length(serial) + negative > SERIAL_BYTES_MAX)
		return -EINVAL;
	BIGNUM *number = cert_must(ASN1_INTEGER_to_BN(serial, NULL));
	char *hex = cert_must(BN_bn2hex(number));
	for (char *p = hex; *p; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
	snprintf(out, CERT_SERIAL_MAX + 1, "%s", hex);
	OPENSSL_free(hex);
	BN_free(number);
	return 0;
}

static void read_key(const X509 *cert, struct cert_identity *out)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
	char group[24];
	size_t n = 0;
	if (!type)
		snprintf(out->key, sizeof(out->key), "unknown");
	else if (!EVP_PKEY_is_a(key, "EC"))
		snprintf(out->key, sizeof(out->key), "%.20s-%d", type,
			EVP_PKEY_get_bits(key));
	else if (!EVP_PKEY_get_group_name(key, group, sizeof(group), &n))
		snprintf(out->key, sizeof(out->key), "EC-%d",
			EVP_PKEY_get_bits(key));
	else if (EC_curve_nid2nist(OBJ_sn2nid(group)))
		snprintf(out->key, sizeof(out->key), "%s",
			EC_curve_nid2nist(OBJ_sn2nid(group)));
	else
		snprintf(out->key, sizeof(out->key), "EC-%s", group);
}

/* X509_cmp_time is what verification reads dates with: what it refuses must
 * not pass here. */
static bool read_time(const ASN1_TIME *field, time_t *out)
{
	time_t epoch = 0;
	struct tm tm;
	*out = 0;
	if (!ASN1_TIME_to_tm(field, &tm))
		return false;
	*out = timegm(&tm);
	return X509_cmp_time(field, &epoch) != 0;
}

static void hex_text(const unsigned char *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void read_fingerprints(const X509 *cert, struct cert_identity *out)
{
	unsigned char sha1[20];
	unsigned int n = 0;
	if (X509_digest(cert, EVP_sha1(), sha1, &n) == 1)
		hex_text(sha1, sizeof(sha1), out->sha1);
	if (X509_digest(cert, EVP_sha256(), out->sha256_raw, &n) == 1)
		hex_text(out->sha256_raw, 32, out->sha256);
}

int cert_identity_read(const X509 *cert, struct cert_identity *out)
{
	*out = (struct cert_identity){0};
	ERR_set_mark();
	int names = read_names(cert, out);
	int serial = cert_serial_text(cert, out->serial);
	read_key(cert, out);
	bool begins = read_time(X509_get0_notBefore(cert), &out->not_before);
	bool ends = read_time(X509_get0_notAfter(cert), &out->not_after);
	out->times_ok = begins && ends;
	read_fingerprints(cert, out);
	ERR_pop_to_mark();
	return names ? names : serial;
}
