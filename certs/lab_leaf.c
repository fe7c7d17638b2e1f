/* SPDX-License-Identifier: Apache-2.0 */
/* The laboratory's phones: one good or one wrong certificate at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "certs/identity.h"
#include "certs/issuer.h"
#include "certs/lab.h"
#include "certs/lab_store.h"
#include "certs/pem.h"

enum {
	DAY = 86400,
	HOUR = 3600,
	LSC_DAYS = 1825,
	MIC_DAYS = 3650,
	DAYS_MAX = 36500,
	EXPIRED_DAYS = 365, /* how long an expired one was valid */
	LATER_DAYS = 30,    /* when one becomes valid that is not yet */
	ORGANISATION_MAX = 8,
	SUBJECT_MAX = ORGANISATION_MAX + 4,
};

static const struct {
	const char *option;
	const char *file;
	enum cert_lab_ca ca;
} leaves[CERT_LAB_LEAVES] = {
#define X(symbol, option, file, ca) {option, file, CERT_LAB_##ca},
	CERT_LAB_LEAF_LIST(X)
#undef X
};

const char *cert_lab_leaf_name(enum cert_lab_leaf leaf)
{
	return leaves[leaf].option;
}

enum cert_lab_ca cert_lab_leaf_ca(enum cert_lab_leaf leaf)
{
	return leaves[leaf].ca;
}

int cert_lab_leaf_find(const char *option)
{
	for (int i = 0; i < CERT_LAB_LEAVES; i++)
		if (!strcmp(option, leaves[i].option))
			return i;
	return -1;
}

/* The texts that an order points to. */
struct draft {
	char device[CERT_DEVICE_MAX + 1];
	char cn[CERT_NAME_MAX + 1];
	char hardware[64];
	char san[CERT_DEVICE_MAX + 8];
	char copied[ORGANISATION_MAX][CERT_NAME_MAX + 1];
	struct cert_attribute subject[SUBJECT_MAX + 1];
	struct cert_extension extensions[8];
	size_t n_subject;
	size_t n_extensions;
};

static bool is_mic(enum cert_lab_leaf leaf)
{
	return leaf == CERT_LAB_LEAF_MIC || leaf == CERT_LAB_LEAF_MIC_SHA1;
}

static void add_attribute(
	struct draft *draft, const char *type, const char *text)
{
	draft->subject[draft->n_subject++] =
		(struct cert_attribute){type, text};
}

static void add_extension(
	struct draft *draft, const char *type, const char *value)
{
	draft->extensions[draft->n_extensions++] =
		(struct cert_extension){type, value};
}

/* O, OU, L, ST and C as the CAPF has them: an LSC is of its cluster. */
static void copy_organisation(struct draft *draft, X509 *ca)
{
	static const struct {
		const char *type;
		int nid;
	} fields[] = {
		{"C", NID_countryName},
		{"O", NID_organizationName},
		{"OU", NID_organizationalUnitName},
		{"ST", NID_stateOrProvinceName},
		{"L", NID_localityName},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char *text = draft->copied[i];
		int n = X509_NAME_get_text_by_NID(X509_get_subject_name(ca),
			fields[i].nid, text, CERT_NAME_MAX + 1);
		if (n > 0)
			add_attribute(draft, fields[i].type, text);
	}
}

static void name_it(
	struct draft *draft, const struct cert_lab_phone *phone, X509 *ca)
{
	const char *model = phone->model ? phone->model
			    : phone->leaf == CERT_LAB_LEAF_MIC_SHA1 ? "CP-7970G"
								    : "CP-8861";
	size_t n = strlen(draft->device);
	if (*model) {
		snprintf(draft->cn, sizeof(draft->cn), "%s-%s", model,
			draft->device);
		snprintf(draft->hardware, sizeof(draft->hardware),
			"PID:%s SN:FCH2133%s", model,
			n > 4 ? draft->device + n - 4 : "0000");
		add_attribute(draft, "serialNumber", draft->hardware);
	} else {
		snprintf(draft->cn, sizeof(draft->cn), "%s", draft->device);
	}
	if (!is_mic(phone->leaf)) {
		copy_organisation(draft, ca);
	} else {
		add_attribute(draft, "O", "Cisco Systems Inc.");
		add_attribute(draft, "OU",
			phone->leaf == CERT_LAB_LEAF_MIC ? "CTG" : "VTG");
	}
	add_attribute(draft, "CN", draft->cn);
}

static void extend_it(struct draft *draft, enum cert_lab_leaf leaf)
{
	add_extension(draft, "basicConstraints", "critical,CA:FALSE");
	add_extension(draft, "keyUsage",
		is_mic(leaf) ? "digitalSignature,keyEncipherment"
			     : "critical,digitalSignature,keyEncipherment");
	if (is_mic(leaf))
		return;
	add_extension(draft, "extendedKeyUsage",
		leaf == CERT_LAB_LEAF_WRONG_PURPOSE
			? "serverAuth"
			: "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5");
	snprintf(draft->san, sizeof(draft->san), "URI:%s", draft->device);
	add_extension(draft, "subjectAltName", draft->san);
	if (leaf == CERT_LAB_LEAF_SELF_SIGNED)
		return;
	add_extension(draft, "subjectKeyIdentifier", "hash");
	add_extension(draft, "authorityKeyIdentifier", "keyid");
}

static void date_it(
	struct cert_order *order, const struct cert_lab_phone *phone)
{
	uint32_t days = phone->days	      ? phone->days
			: is_mic(phone->leaf) ? MIC_DAYS
					      : LSC_DAYS;
	order->not_before = phone->now - HOUR;
	order->not_after = phone->now + (time_t)days * DAY;
	if (phone->leaf == CERT_LAB_LEAF_EXPIRED) {
		order->not_after = phone->now - DAY;
		order->not_before =
			order->not_after - (time_t)EXPIRED_DAYS * DAY;
	}
	if (phone->leaf == CERT_LAB_LEAF_NOT_YET_VALID) {
		order->not_before = phone->now + (time_t)LATER_DAYS * DAY;
		order->not_after = order->not_before + (time_t)days * DAY;
	}
}

/* A device of the lab may become a file name: nothing but a device name. */
static int check_phone(const struct cert_lab_phone *phone, struct diag *d)
{
	const char *found = cert_device_in_cn(phone->device);
	if (!found || found != phone->device || strlen(found) > CERT_DEVICE_MAX)
		return diag_set(d, -EINVAL,
			"\"%s\" is no device name, such as SEP and 12 hex "
			"digits",
			phone->device);
	static const char MODEL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-";
	if (phone->model && (phone->model[strspn(phone->model, MODEL)] ||
				    strlen(phone->model) > 24))
		return diag_set(d, -EINVAL,
			"\"%s\" is no model, such as CP-8861", phone->model);
	if (phone->days > DAYS_MAX)
		return diag_set(d, -EINVAL, "%u days: at most %d",
			(unsigned int)phone->days, DAYS_MAX);
	return 0;
}

/* Another phone's name: the last character is not its own. */
static void change_name(char *device)
{
	char *last = device + strlen(device) - 1;
	*last = *last == '0' ? '1' : '0';
}

int cert_lab_issue(const struct cert_lab *lab,
	const struct cert_lab_phone *phone, X509 **cert, EVP_PKEY **key,
	struct diag *d)
{
	*cert = NULL;
	*key = NULL;
	int error = check_phone(phone, d);
	if (error)
		return error;
	struct draft draft = {0};
	enum cert_lab_ca ca = leaves[phone->leaf].ca;
	snprintf(draft.device, sizeof(draft.device), "%s", phone->device);
	if (phone->leaf == CERT_LAB_LEAF_WRONG_NAME)
		change_name(draft.device);
	name_it(&draft, phone, lab->cert[ca]);
	extend_it(&draft, phone->leaf);
	struct cert_order order = {
		.subject = draft.subject,
		.extensions = draft.extensions,
		.key = phone->use_key,
		.digest = phone->leaf == CERT_LAB_LEAF_MIC_SHA1 ? "SHA1"
								: "SHA256",
	};
	date_it(&order, phone);
	if (phone->leaf != CERT_LAB_LEAF_SELF_SIGNED) {
		order.issuer = lab->cert[ca];
		order.issuer_key = lab->key[ca];
	}
	if (order.key)
		EVP_PKEY_up_ref(order.key);
	else
		error = cert_key_make(
			phone->key ? phone->key : "rsa2048", &order.key, d);
	if (!error)
		error = cert_issue(&order, cert, d);
	if (error)
		EVP_PKEY_free(order.key);
	else
		*key = order.key;
	return error;
}

static int make_folder(const struct cert_lab *lab, const char *device,
	char *path, struct diag *d)
{
	int error = cert_lab_path(path, d, "%s/phones", lab->dir);
	if (!error)
		error = cert_lab_folder(path, 0700, d);
	if (!error)
		error = cert_lab_path(
			path, d, "%s/phones/%s", lab->dir, device);
	return error ? error : cert_lab_folder(path, 0700, d);
}

int cert_lab_phone(const struct cert_lab *lab,
	const struct cert_lab_phone *phone, struct diag *d)
{
	X509 *certs[2] = {NULL, lab->cert[leaves[phone->leaf].ca]};
	EVP_PKEY *key = NULL;
	char dir[CERT_LAB_PATH_MAX];
	char path[CERT_LAB_PATH_MAX];
	int error = cert_lab_issue(lab, phone, &certs[0], &key, d);
	if (error)
		return error;
	const char *file = leaves[phone->leaf].file;
	error = make_folder(lab, phone->device, dir, d);
	/* The key first: a certificate without its key helps nobody. */
	if (!error)
		error = cert_lab_path(path, d, "%s/%s.key", dir, file);
	if (!error)
		error = cert_key_write(path, key, d);
	if (!error)
		error = cert_lab_path(path, d, "%s/%s.pem", dir, file);
	if (!error)
		error = cert_pem_write(
			path, certs, is_mic(phone->leaf) ? 2 : 1, d);
	X509_free(certs[0]);
	EVP_PKEY_free(key);
	return error;
}
