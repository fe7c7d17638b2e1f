/* SPDX-License-Identifier: Apache-2.0 */
/* One list of revoked certificates (RFC 5280, 5), read and judged strictly. */
#include "trust/crl.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "certs/must.h"
#include "certs/text.h"

enum {
	NUMBER_BYTES_MAX = 20, /* RFC 5280, 5.2.3 */
	SKEW_S = 300,	       /* that a CA's clock may be ahead of ours */
};

static const struct {
	const char *name;
	const char *why;
	const char *cure;
} rules[TRUST_CRL_RULES] = {
#define X(symbol, rule, why, cure) {rule, why, cure},
	TRUST_CRL_RULE_LIST(X)
#undef X
};

int trust_crl_refuse(struct diag *d, enum trust_crl_rule rule, const char *path,
	const char *issuer, const char *more)
{
	return diag_refuse(d, rules[rule].name, -EINVAL,
		"%s: %s%.160s%s%s%s%.160s%s: %s", path,
		*issuer ? "the list of " : "", issuer, *issuer ? ": " : "",
		rules[rule].why, *more ? " (" : "", more, *more ? ")" : "",
		rules[rule].cure);
}

const char *trust_crl_reason(int reason)
{
	static const char *const names[] = {"unspecified", "keyCompromise",
		"cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", NULL,
		"removeFromCRL", "privilegeWithdrawn", "aACompromise"};
	bool known = reason >= 0 && reason < 11 && names[reason];
	return known ? names[reason] : "unknown";
}

/* ---- what the list says of itself ---- */

static bool read_time(const ASN1_TIME *field, time_t *out)
{
	struct tm tm;
	if (!field || ASN1_TIME_to_tm(field, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

static enum trust_crl_rule read_dates(struct trust_crl *crl, time_t now)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl->x509);
	if (!read_time(
		    X509_CRL_get0_lastUpdate(crl->x509), &crl->this_update) ||
		(next && !read_time(next, &crl->next_update)) ||
		(next && crl->next_update < crl->this_update))
		return TRUST_CRL_DATES;
	if (now && crl->this_update > now + SKEW_S)
		return TRUST_CRL_FUTURE;
	return TRUST_CRL_RULES;
}

static enum trust_crl_rule read_number(struct trust_crl *crl)
{
	int critical = 0;
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(
		crl->x509, NID_crl_number, &critical, NULL);
	if (!number)
		return critical == -1 ? TRUST_CRL_RULES : TRUST_CRL_NUMBER;
	bool good = ASN1_STRING_type(number) == V_ASN1_INTEGER &&
		    ASN1_STRING_length(number) <= NUMBER_BYTES_MAX;
	if (good) {
		BIGNUM *value = cert_must(ASN1_INTEGER_to_BN(number, NULL));
		char *text = cert_must(BN_bn2dec(value));
		snprintf(crl->number, sizeof(crl->number), "%s", text);
		OPENSSL_free(text);
		BN_free(value);
	}
	ASN1_INTEGER_free(number);
	return good ? TRUST_CRL_RULES : TRUST_CRL_NUMBER;
}

/* Who speaks of all of its own certificates may name where it is published. */
static enum trust_crl_rule read_scope(const struct trust_crl *crl)
{
	int critical = 0;
	ISSUING_DIST_POINT *scope = X509_CRL_get_ext_d2i(
		crl->x509, NID_issuing_distribution_point, &critical, NULL);
	if (!scope)
		return critical == -1 ? TRUST_CRL_RULES : TRUST_CRL_CRITICAL;
	enum trust_crl_rule rule = TRUST_CRL_RULES;
	if (scope->onlyuser > 0 || scope->onlyCA > 0 || scope->onlyattr > 0 ||
		scope->onlysomereasons)
		rule = TRUST_CRL_PARTIAL;
	if (scope->indirectCRL > 0)
		rule = TRUST_CRL_INDIRECT;
	ISSUING_DIST_POINT_free(scope);
	return rule;
}

static bool is_known(const X509_EXTENSION *e, const int *known)
{
	int nid = OBJ_obj2nid(X509_EXTENSION_get_object((X509_EXTENSION *)e));
	while (*known != NID_undef && *known != nid)
		known++;
	return nid != NID_undef && *known == nid;
}

static enum trust_crl_rule read_extensions(struct trust_crl *crl)
{
	static const int known[] = {NID_authority_key_identifier,
		NID_crl_number, NID_issuing_distribution_point, NID_undef};
	if (X509_CRL_get_ext_by_NID(crl->x509, NID_delta_crl, -1) >= 0)
		return TRUST_CRL_DELTA;
	for (int i = 0; i < X509_CRL_get_ext_count(crl->x509); i++) {
		const X509_EXTENSION *e = X509_CRL_get_ext(crl->x509, i);
		if (X509_EXTENSION_get_critical(e) && !is_known(e, known))
			return TRUST_CRL_CRITICAL;
	}
	enum trust_crl_rule rule = read_number(crl);
	return rule == TRUST_CRL_RULES ? read_scope(crl) : rule;
}

/* ---- its entries ---- */

/* The first slot of that serial number (FNV-1a); the next ones follow. */
static size_t slot_of(const struct trust_crl *crl, const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261U;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619U;
	return (h ^ h >> 16) & crl->mask;
}

/* Its slot, or the empty one where it would be. */
static uint32_t *seek(const struct trust_crl *crl, const uint8_t *p, size_t n)
{
	for (size_t at = slot_of(crl, p, n);; at = (at + 1) & crl->mask) {
		uint32_t *slot = &crl->slots[at];
		if (!*slot)
			return slot;
		const struct trust_crl_entry *e = &crl->entries[*slot - 1];
		if (e->n == n && memcmp(e->serial, p, n) == 0)
			return slot;
	}
}

static enum trust_crl_rule read_entry_extensions(
	const X509_REVOKED *x, struct trust_crl_entry *e)
{
	static const int known[] = {NID_crl_reason, NID_invalidity_date,
		NID_hold_instruction_code, NID_undef};
	int critical = 0;
	e->reason = TRUST_CRL_NO_REASON;
	for (int i = 0; i < X509_REVOKED_get_ext_count(x); i++) {
		const X509_EXTENSION *one = X509_REVOKED_get_ext(x, i);
		if (X509_EXTENSION_get_critical(one) && !is_known(one, known))
			return X509_REVOKED_get_ext_by_NID(
				       x, NID_certificate_issuer, -1) >= 0
				       ? TRUST_CRL_INDIRECT
				       : TRUST_CRL_CRITICAL;
	}
	if (X509_REVOKED_get_ext_count(x) == 0)
		return TRUST_CRL_RULES;
	ASN1_ENUMERATED *reason =
		X509_REVOKED_get_ext_d2i(x, NID_crl_reason, &critical, NULL);
	if (!reason)
		return critical == -1 ? TRUST_CRL_RULES : TRUST_CRL_ENTRY;
	long value = ASN1_ENUMERATED_get(reason);
	ASN1_ENUMERATED_free(reason);
	if (value == CRL_REASON_REMOVE_FROM_CRL)
		return TRUST_CRL_DELTA; /* in those alone (RFC 5280, 5.3.1) */
	if (value < 0 || value > CRL_REASON_AA_COMPROMISE)
		return TRUST_CRL_ENTRY;
	e->reason = (int8_t)value;
	return TRUST_CRL_RULES;
}

static enum trust_crl_rule read_entry(
	const X509_REVOKED *x, struct trust_crl_entry *e)
{
	const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(x);
	int n = ASN1_STRING_length(serial);
	time_t since;
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || n < 1 ||
		n > TRUST_CRL_SERIAL_MAX ||
		!read_time(X509_REVOKED_get0_revocationDate(x), &since))
		return TRUST_CRL_ENTRY;
	memcpy(e->serial, ASN1_STRING_get0_data(serial), (size_t)n);
	e->n = (uint8_t)n;
	e->since = since > 0 && since < UINT32_MAX ? (uint32_t)since : 0;
	return read_entry_extensions(x, e);
}

static enum trust_crl_rule read_entries(struct trust_crl *crl)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl->x509);
	int n = list ? sk_X509_REVOKED_num(list) : 0;
	if (n > TRUST_CRL_ENTRIES_MAX)
		return TRUST_CRL_TOO_MANY;
	if (n <= 0)
		return TRUST_CRL_RULES;
	size_t slots = 4;
	while (slots < (size_t)n + (size_t)n / 2)
		slots *= 2;
	crl->mask = slots - 1;
	crl->slots = cert_must(calloc(slots, sizeof(*crl->slots)));
	crl->entries = cert_must(calloc((size_t)n, sizeof(*crl->entries)));
	for (int i = 0; i < n; i++) {
		struct trust_crl_entry *e = &crl->entries[crl->n];
		enum trust_crl_rule rule =
			read_entry(sk_X509_REVOKED_value(list, i), e);
		if (rule != TRUST_CRL_RULES)
			return rule;
		uint32_t *slot = seek(crl, e->serial, e->n);
		if (!*slot) /* else it is named twice */
			*slot = (uint32_t)++crl->n;
	}
	return TRUST_CRL_RULES;
}

/* ---- the list ---- */

static enum trust_crl_rule read(struct trust_crl *crl, time_t now)
{
	enum trust_crl_rule rule = read_dates(crl, now);
	if (rule == TRUST_CRL_RULES)
		rule = read_extensions(crl);
	return rule == TRUST_CRL_RULES ? read_entries(crl) : rule;
}

int trust_crl_read(X509_CRL *x509, const char *path, time_t now,
	struct trust_crl **out, struct diag *d)
{
	struct trust_crl *crl = cert_must(calloc(1, sizeof(*crl)));
	atomic_init(&crl->refs, 1);
	crl->x509 = x509;
	crl->path = cert_must(strdup(path));
	const char *slash = strrchr(crl->path, '/');
	crl->file = slash ? slash + 1 : crl->path;
	cert_name_text(
		X509_CRL_get_issuer(x509), crl->issuer, sizeof(crl->issuer));
	if (X509_CRL_digest(x509, EVP_sha256(), crl->sha256, NULL) != 1)
		abort(); /* no memory */
	enum trust_crl_rule rule = read(crl, now);
	if (rule == TRUST_CRL_RULES) {
		*out = crl;
		return 0;
	}
	int error = trust_crl_refuse(d, rule, path, crl->issuer, "");
	trust_crl_unref(crl);
	return error;
}

struct trust_crl *trust_crl_ref(struct trust_crl *crl)
{
	atomic_fetch_add_explicit(&crl->refs, 1, memory_order_relaxed);
	return crl;
}

void trust_crl_unref(struct trust_crl *crl)
{
	if (!crl || atomic_fetch_sub_explicit(
			    &crl->refs, 1, memory_order_acq_rel) != 1)
		return;
	X509_CRL_free(crl->x509);
	free(crl->entries);
	free(crl->slots);
	free(crl->path);
	free(crl);
}

/* ---- lookups ---- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const struct trust_crl_entry *trust_crl_find(
	const struct trust_crl *crl, const char *serial)
{
	uint8_t bytes[TRUST_CRL_SERIAL_MAX];
	size_t n = 0;
	if (!crl->n)
		return NULL;
	/* Zero is the one that has a single digit. */
	const char *p = strcmp(serial, "0") == 0 ? "00" : serial;
	for (; *p; p += 2) {
		int high = digit(p[0]), low = high < 0 ? -1 : digit(p[1]);
		if (low < 0 || n == sizeof(bytes))
			return NULL; /* a negative one: no list names it */
		bytes[n++] = (uint8_t)(high << 4 | low);
	}
	const uint32_t *slot = seek(crl, bytes, n);
	return *slot ? &crl->entries[*slot - 1] : NULL;
}

/* Decimal numbers, none of which begins with 0. */
static int compare_numbers(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	return m == n ? strcmp(a, b) : m < n ? -1 : 1;
}

int trust_crl_compare(const struct trust_crl *a, const struct trust_crl *b)
{
	int by_number = *a->number && *b->number
				? compare_numbers(a->number, b->number)
				: 0;
	if (by_number)
		return by_number;
	return (a->this_update > b->this_update) -
	       (a->this_update < b->this_update);
}
