/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone phone cert: a phone's certificates, and who believes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

static const struct ctl_column fields[] = {
	{"certificate", "type"},
	{"  subject", "subject"},
	{"  names this device", "namesThisDevice"},
	{"  issuer", "issuer"},
	{"  serial", "serial"},
	{"  key", "key"},
	{"  from", "notBefore"},
	{"  until", "notAfter"},
	{"  SHA-1", "sha1"},
	{"  SHA-256", "sha256"},
};

/* "CallManager-trust: register: unknown-ca", and what belongs to it. */
static void print_verdict(const json_t *v)
{
	printf("  %s, to %s: %s", ctl_text(v, "store"), ctl_text(v, "for"),
		ctl_text(v, "verdict"));
	if (*ctl_text(v, "anchor"))
		printf(", by %s as %s", ctl_text(v, "anchor"),
			ctl_text(v, "kind"));
	putchar('\n');
	if (*ctl_text(v, "why"))
		printf("    why: %s\n", ctl_text(v, "why"));
	if (*ctl_text(v, "cure"))
		printf("    cure: %s\n", ctl_text(v, "cure"));
}

static void print_facts(const json_t *cert)
{
	size_t i;
	json_t *one;
	ctl_print_fields(cert, fields, sizeof(fields) / sizeof(fields[0]));
	json_array_foreach(json_object_get(cert, "obtained"), i, one)
	{
		printf("  obtained: %s%s%s, as %s\n", ctl_text(one, "how"),
			*ctl_text(one, "at") ? ", " : "", ctl_text(one, "at"),
			ctl_text(one, "type"));
	}
	json_array_foreach(json_object_get(cert, "verdicts"), i, one)
	{
		print_verdict(one);
	}
}

/* As openssl x509 -text has it. */
static void print_text(const char *pem)
{
	BIO *from = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(from, NULL, NULL, NULL);
	if (cert)
		X509_print_ex_fp(stdout, cert, XN_FLAG_COMPAT, 0);
	X509_free(cert);
	BIO_free(from);
}

enum how { FACTS, PEM, TEXT };

static void print(const json_t *o, enum how how)
{
	size_t i;
	json_t *cert;
	json_array_foreach(json_object_get(o, "certificates"), i, cert)
	{
		if (i && how == FACTS)
			putchar('\n');
		if (how != PEM)
			print_facts(cert);
		if (how == TEXT)
			print_text(ctl_text(cert, "pem"));
		if (how == PEM)
			fputs(ctl_text(cert, "pem"), stdout);
	}
}

/* -1: none of these. */
static int read_how(int argc, char **argv)
{
	if (argc == 1)
		return FACTS;
	if (argc == 2 && strcmp(argv[1], "--pem") == 0)
		return PEM;
	return argc == 2 && strcmp(argv[1], "--text") == 0 ? TEXT : -1;
}

int ctl_phone_cert(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int how = argc && *argv[0] != '-' ? read_how(argc, argv) : -1;
	if (how < 0)
		return ctl_misused(ctl);
	char *phone = ctl_path("/v1/phones/", argv[0]);
	char *path = memory_format("%s/certificates", phone);
	int status = ctl_admin(ctl, "GET", path, &o);
	free(path);
	free(phone);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		print(o, (enum how)how);
	json_decref(o);
	return CTL_OK;
}
