/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificates of a CAPF look like, where OpenSSL lets more pass. */
#include "trust/form.h"

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bn.h>
#include <openssl/x509v3.h>

enum { SERIAL_BYTES_MAX = 20 }; /* RFC 5280, 4.1.2.2 */

const char trust_form_not_critical[] =
	"has basicConstraints that are not critical";

static const char *fault_of_serial(const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *p = ASN1_STRING_get0_data(serial);
	int n = ASN1_STRING_length(serial);
	if (ASN1_STRING_type(serial) & V_ASN1_NEG)
		return "has a negative serial number";
	if (n == 0 || (n == 1 && p[0] == 0))
		return "has the serial number 0";
	/* In DER, a first bit of 1 needs a byte of zeros before it. */
	if (n + (p[0] >> 7) > SERIAL_BYTES_MAX)
		return "has a serial number of more than 20 bytes";
	return NULL;
}

static const char *fault_of_both(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	if (X509_get_version(cert) != X509_VERSION_3)
		return "is not of X.509 version 3";
	if (!key || (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC")))
		return "has a key that is neither RSA nor EC";
	return fault_of_serial(cert);
}

static bool has_path_length(X509 *cert)
{
	BASIC_CONSTRAINTS *constraints =
		X509_get_ext_d2i(cert, NID_basic_constraints, NULL, NULL);
	bool has = constraints && constraints->pathlen;
	BASIC_CONSTRAINTS_free(constraints);
	return has;
}

const char *trust_form_leaf(X509 *leaf)
{
	static const struct {
		int nid;
		const char *fault;
	} strays[] = {
		{NID_name_constraints, "has nameConstraints, which are a CA's"},
		{NID_policy_mappings, "has policyMappings, which are a CA's"},
		{NID_policy_constraints,
			"has policyConstraints, which are a CA's"},
		{NID_inhibit_any_policy,
			"has inhibitAnyPolicy, which is a CA's"},
	};
	const char *fault = fault_of_both(leaf);
	if (fault)
		return fault;
	/* Without the extension, every bit is set. */
	uint32_t usage = X509_get_key_usage(leaf);
	if (usage != UINT32_MAX && usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return "may sign certificates or CRLs, which is a CA's";
	for (size_t i = 0; i < sizeof(strays) / sizeof(strays[0]); i++)
		if (X509_get_ext_by_NID(leaf, strays[i].nid, -1) >= 0)
			return strays[i].fault;
	return has_path_length(leaf) ? "has a path length, which is a CA's"
				     : NULL;
}

const char *trust_form_ca(X509 *ca)
{
	const char *fault = fault_of_both(ca);
	int at = X509_get_ext_by_NID(ca, NID_basic_constraints, -1);
	if (fault)
		return fault;
	if (X509_NAME_entry_count(X509_get_subject_name(ca)) == 0)
		return "has no subject";
	if (at < 0)
		return "has no basicConstraints";
	return X509_EXTENSION_get_critical(X509_get_ext(ca, at))
		       ? NULL
		       : trust_form_not_critical;
}
