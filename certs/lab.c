/* SPDX-License-Identifier: Apache-2.0 */
/* The laboratory's folder: its CAs, its servers, and their files. */
#include "certs/lab.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "certs/identity.h"
#include "certs/issuer.h"
#include "certs/lab_store.h"
#include "certs/lsc.h"
#include "certs/must.h"
#include "certs/pem.h"

enum {
	DAY = 86400,
	CISCO_DAYS = 9131, /* Cisco's own live 25 years and more */
	SERVER_DAYS = 3650,
	HOST_MAX = 253,
};

/* Extensions as specs/certificates.md gives them. */
static const struct cert_extension root_extensions[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "keyCertSign,cRLSign"},
	{"subjectKeyIdentifier", "hash"},
	{NULL, NULL},
};
static const struct cert_extension issuing_extensions[] = {
	{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
	{"keyUsage", "digitalSignature,keyCertSign,cRLSign"},
	{"subjectKeyIdentifier", "hash"},
	{"authorityKeyIdentifier", "keyid"},
	{NULL, NULL},
};

/* How each CA is made; NULL in cn: as CAPF makes its roots. An issuer
 * stands before what it issues; a CA that is its own issuer is a root. */
static const struct {
	const char *file;
	const char *o;
	const char *cn;
	enum cert_lab_ca issuer;
	const char *digest;
	const struct cert_extension *extensions;
	int days;
} plans[CERT_LAB_CAS] = {
	[CERT_LAB_CAPF] = {"capf", "Dialtone Lab", NULL, CERT_LAB_CAPF, NULL,
		NULL, CERT_CAPF_DAYS},
	[CERT_LAB_OTHER_CAPF] = {"other-capf", "Another Cluster", NULL,
		CERT_LAB_OTHER_CAPF, NULL, NULL, CERT_CAPF_DAYS},
	[CERT_LAB_MFG_ROOT] = {"manufacturing-root", "Cisco",
		"Cisco Root CA M2", CERT_LAB_MFG_ROOT, "SHA256",
		root_extensions, CISCO_DAYS},
	[CERT_LAB_MFG_SHA2] = {"manufacturing-sha2", "Cisco",
		"Cisco Manufacturing CA SHA2", CERT_LAB_MFG_ROOT, "SHA256",
		issuing_extensions, CISCO_DAYS},
	[CERT_LAB_MFG_ROOT_SHA1] = {"manufacturing-root-sha1", "Cisco Systems",
		"Cisco Root CA 2048", CERT_LAB_MFG_ROOT_SHA1, "SHA1",
		root_extensions, CISCO_DAYS},
	[CERT_LAB_MFG_SHA1] = {"manufacturing-sha1", "Cisco Systems",
		"Cisco Manufacturing CA", CERT_LAB_MFG_ROOT_SHA1, "SHA1",
		issuing_extensions, CISCO_DAYS},
};

int cert_lab_path(char *path, struct diag *d, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(path, CERT_LAB_PATH_MAX, format, args);
	va_end(args);
	if (n >= 0 && n < CERT_LAB_PATH_MAX)
		return 0;
	return diag_set(d, -ENAMETOOLONG, "%s: path too long", path);
}

int cert_lab_folder(const char *path, mode_t mode, struct diag *d)
{
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	return diag_set(d, -errno, "%s: %s", path, strerror(errno));
}

/* dir/sub/file with that suffix. */
static int write_cert(const char *dir, const char *sub, const char *file,
	X509 *cert, struct diag *d)
{
	char path[CERT_LAB_PATH_MAX];
	int error = cert_lab_path(path, d, "%s/%s/%s.pem", dir, sub, file);
	return error ? error : cert_pem_write(path, &cert, 1, d);
}

static int write_key(const char *dir, const char *sub, const char *file,
	EVP_PKEY *key, struct diag *d)
{
	char path[CERT_LAB_PATH_MAX];
	int error = cert_lab_path(path, d, "%s/%s/%s.key", dir, sub, file);
	return error ? error : cert_key_write(path, key, d);
}

static int make_capf(
	struct cert_lab *lab, enum cert_lab_ca ca, time_t now, struct diag *d)
{
	const struct cert_organisation of = {.country = "NL",
		.state = "Gelderland",
		.locality = "Arnhem",
		.organisation = plans[ca].o,
		.unit = "Telephony"};
	return cert_capf_make(&of, "rsa2048", now, (unsigned)plans[ca].days,
		&lab->cert[ca], &lab->key[ca], d);
}

static int make_cisco(
	struct cert_lab *lab, enum cert_lab_ca ca, time_t now, struct diag *d)
{
	const struct cert_attribute subject[] = {
		{"O", plans[ca].o}, {"CN", plans[ca].cn}, {NULL, NULL}};
	int error = cert_key_make("rsa2048", &lab->key[ca], d);
	if (error)
		return error;
	struct cert_order order = {
		.subject = subject,
		.extensions = plans[ca].extensions,
		.key = lab->key[ca],
		.digest = plans[ca].digest,
		.not_before = now - DAY,
		.not_after = now + (time_t)plans[ca].days * DAY,
	};
	if (plans[ca].issuer != ca) {
		order.issuer = lab->cert[plans[ca].issuer];
		order.issuer_key = lab->key[plans[ca].issuer];
	}
	return cert_issue(&order, &lab->cert[ca], d);
}

static int write_pair(const struct cert_lab *lab, const char *sub,
	const char *file, enum cert_lab_ca ca, struct diag *d)
{
	int error = write_cert(lab->dir, sub, file, lab->cert[ca], d);
	return error ? error : write_key(lab->dir, sub, file, lab->key[ca], d);
}

static int make_ca(
	struct cert_lab *lab, enum cert_lab_ca ca, time_t now, struct diag *d)
{
	int error = plans[ca].cn ? make_cisco(lab, ca, now, d)
				 : make_capf(lab, ca, now, d);
	return error ? error : write_pair(lab, "ca", plans[ca].file, ca, d);
}

/* As CAPF names the files of its roots. */
static int make_capf_folder(const struct cert_lab *lab, struct diag *d)
{
	struct cert_identity id;
	cert_identity_read(lab->cert[CERT_LAB_CAPF], &id);
	return write_pair(lab, "capf", id.cn, CERT_LAB_CAPF, d);
}

/* Under the name that CUCM gives it: the own CAPF by its CN alone. */
static int write_anchor(const struct cert_lab *lab, const char *store,
	enum cert_lab_ca ca, struct diag *d)
{
	struct cert_identity id;
	char file[sizeof(id.cn) + sizeof(id.serial) + 2];
	cert_identity_read(lab->cert[ca], &id);
	for (char *p = id.cn; *p; p++)
		*p = *p == ' ' ? '_' : *p;
	if (ca == CERT_LAB_CAPF)
		snprintf(file, sizeof(file), "%s", id.cn);
	else
		snprintf(file, sizeof(file), "%s_%s", id.cn, id.serial);
	return write_cert(lab->dir, store, file, lab->cert[ca], d);
}

/* CAPF hears phones whose MIC is too old to register with. */
static int make_trust(const struct cert_lab *lab, struct diag *d)
{
	static const struct {
		const char *store;
		enum cert_lab_ca ca;
	} anchors[] = {
		{"CallManager-trust", CERT_LAB_CAPF},
		{"CallManager-trust", CERT_LAB_MFG_SHA2},
		{"CAPF-trust", CERT_LAB_CAPF},
		{"CAPF-trust", CERT_LAB_MFG_SHA2},
		{"CAPF-trust", CERT_LAB_MFG_SHA1},
	};
	int error = 0;
	for (size_t i = 0; !error && i < sizeof(anchors) / sizeof(anchors[0]);
		i++)
		error = write_anchor(lab, anchors[i].store, anchors[i].ca, d);
	return error;
}

/* What may stand in a subjectAltName, where a comma would begin another. */
static int check_host(const char *host, struct diag *d)
{
	size_t n = strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789.-");
	unsigned char address[16];
	if (inet_pton(AF_INET6, host, address) == 1 ||
		(n && !host[n] && n <= HOST_MAX && host[0] != '-'))
		return 0;
	return diag_set(d, -EINVAL,
		"\"%s\" is neither a host name nor an address", host);
}

static int make_server(const char *dir, const char *host, const char *kind,
	const char *file, time_t now, struct diag *d)
{
	unsigned char address[16];
	char san[HOST_MAX + 64];
	bool literal = inet_pton(AF_INET, host, address) == 1 ||
		       inet_pton(AF_INET6, host, address) == 1;
	snprintf(san, sizeof(san), "%s:%s,DNS:localhost,IP:127.0.0.1,IP:::1",
		literal ? "IP" : "DNS", host);
	/* A subject's CN ends at 64 characters (RFC 5280, ub-common-name). */
	char cn[65];
	snprintf(cn, sizeof(cn), "%s", host);
	const struct cert_attribute subject[] = {
		{"O", "Dialtone Lab"}, {"CN", cn}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"},
		{"keyUsage", "critical,digitalSignature,keyEncipherment"},
		{"extendedKeyUsage", "serverAuth,clientAuth"},
		{"subjectAltName", san},
		{NULL, NULL},
	};
	struct cert_order order = {
		.subject = subject,
		.extensions = extensions,
		.not_before = now - DAY,
		.not_after = now + (time_t)SERVER_DAYS * DAY,
	};
	X509 *cert = NULL;
	int error = cert_key_make(kind, &order.key, d);
	if (!error)
		error = cert_issue(&order, &cert, d);
	if (!error)
		error = write_cert(dir, "server", file, cert, d);
	if (!error)
		error = write_key(dir, "server", file, order.key, d);
	X509_free(cert);
	EVP_PKEY_free(order.key);
	return error;
}

static int make_folders(const char *dir, struct diag *d)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {
		{"CallManager-trust", 0755},
		{"CAPF-trust", 0755},
		{"ca", 0700},
		{"capf", 0700},
		{"server", 0700},
		{"phones", 0700},
	};
	int error = cert_lab_folder(dir, 0755, d);
	DIR *there = error ? NULL : opendir(dir);
	if (!there)
		return diag_set(d, -errno, "%s: %s", dir, strerror(errno));
	const struct dirent *entry = NULL;
	while ((entry = readdir(there)) && entry->d_name[0] == '.' &&
		strspn(entry->d_name, ".") == strlen(entry->d_name))
		;
	closedir(there);
	if (entry)
		return diag_set(d, -EEXIST,
			"%s: exists and is not empty; name a new folder", dir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[CERT_LAB_PATH_MAX];
		error = cert_lab_path(path, d, "%s/%s", dir, folders[i].name);
		if (!error)
			error = cert_lab_folder(path, folders[i].mode, d);
		if (error)
			return error;
	}
	return 0;
}

static struct cert_lab *new_lab(const char *dir)
{
	struct cert_lab *lab = cert_must(calloc(1, sizeof(*lab)));
	lab->dir = cert_must(strdup(dir));
	return lab;
}

int cert_lab_init(const char *dir, const char *host, time_t now, struct diag *d)
{
	int error = check_host(host, d);
	if (!error)
		error = make_folders(dir, d);
	if (error)
		return error;
	struct cert_lab *lab = new_lab(dir);
	for (enum cert_lab_ca ca = 0; !error && ca < CERT_LAB_CAS; ca++)
		error = make_ca(lab, ca, now, d);
	if (!error)
		error = make_trust(lab, d);
	if (!error)
		error = make_capf_folder(lab, d);
	if (!error)
		error = make_server(dir, host, "rsa2048", "rsa", now, d);
	if (!error)
		error = make_server(dir, host, "p256", "ec", now, d);
	cert_lab_close(lab);
	return error;
}

static int open_ca(struct cert_lab *lab, enum cert_lab_ca ca, struct diag *d)
{
	char path[CERT_LAB_PATH_MAX];
	struct cert_list list = {0};
	int error = cert_lab_path(
		path, d, "%s/ca/%s.pem", lab->dir, plans[ca].file);
	if (!error)
		error = cert_pem_read(path, &list, d);
	if (error)
		return error;
	X509_up_ref(list.cert[0]);
	lab->cert[ca] = list.cert[0];
	cert_list_deinit(&list);
	error = cert_lab_path(
		path, d, "%s/ca/%s.key", lab->dir, plans[ca].file);
	if (!error)
		error = cert_key_read(path, &lab->key[ca], d);
	if (!error && X509_check_private_key(lab->cert[ca], lab->key[ca]) != 1)
		error = diag_set(d, -EINVAL,
			"%s: not the key of the certificate beside it", path);
	return error;
}

int cert_lab_open(const char *dir, struct cert_lab **out, struct diag *d)
{
	struct cert_lab *lab = new_lab(dir);
	int error = 0;
	for (enum cert_lab_ca ca = 0; !error && ca < CERT_LAB_CAS; ca++)
		error = open_ca(lab, ca, d);
	*out = error ? NULL : lab;
	if (error)
		cert_lab_close(lab);
	return error;
}

void cert_lab_close(struct cert_lab *lab)
{
	if (!lab)
		return;
	for (int ca = 0; ca < CERT_LAB_CAS; ca++) {
		X509_free(lab->cert[ca]);
		EVP_PKEY_free(lab->key[ca]);
	}
	free(lab->dir);
	free(lab);
}

X509 *cert_lab_ca(const struct cert_lab *lab, enum cert_lab_ca ca)
{
	return lab->cert[ca];
}
