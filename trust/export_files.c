/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an export that programs and routers read. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "certs/must.h"
#include "trust/export_inside.h"

/* A line that a router does not cut. */
enum { COMMENT_MAX = 200 };

static void comment(
	FILE *f, const char *mark, const char *what, const char *text)
{
	char plain[COMMENT_MAX];
	trust_export_plain(text, plain, sizeof(plain));
	fprintf(f, "%s %s%s\n", mark, what, plain);
}

/* Without the lines around the base64 where `body` alone is wanted. */
static void pem(FILE *f, X509 *cert, bool body)
{
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	char *text = NULL;
	if (PEM_write_bio_X509(bio, cert) != 1)
		abort(); /* law 2: it was read, so it can be written */
	size_t left = (size_t)BIO_get_mem_data(bio, &text);
	while (left) {
		size_t line = (size_t)((char *)memchr(text, '\n', left) - text);
		if (!body || *text != '-')
			fwrite(text, 1, line + 1, f);
		text += line + 1;
		left -= line + 1;
	}
	BIO_free(bio);
}

/* All CAs in one file. */
static void bundle(struct trust_export *e)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	for (size_t i = 0; i < e->n_here; i++) {
		comment(t.f, "#", "", e->ca[i].id.subject);
		pem(t.f, e->ca[i].cert, false);
	}
	trust_export_end(e, &t, "ca.pem");
}

/* A file of that end, and OpenSSL's link to it: the hash of the name in it,
 * and a number where several have that name. */
static void hashed_file(struct trust_export *e, struct trust_export_text *t,
	const char *base, const char *end, const char *link)
{
	char name[TRUST_EXPORT_NAME_MAX + 16];
	snprintf(name, sizeof(name), "%s%s", base, end);
	trust_export_end(e, t, name);
	const char *slash = strrchr(name, '/');
	trust_export_link(e, link, slash ? slash + 1 : name);
}

/* One file a CA, one a list. */
static void hashed(struct trust_export *e, const char *folder)
{
	unsigned long *hash = cert_must(calloc(e->n_here, sizeof(*hash)));
	for (size_t i = 0; i < e->n_here; i++) {
		struct trust_export_text t;
		char base[TRUST_EXPORT_NAME_MAX + 8], link[32];
		unsigned cas = 0, lists = 0;
		hash[i] = X509_subject_name_hash(e->ca[i].cert);
		for (size_t j = 0; j < i; j++) {
			cas += hash[j] == hash[i];
			lists += hash[j] == hash[i] &&
				 trust_export_owns_list(e, j);
		}
		snprintf(base, sizeof(base), "%s%s", folder, e->ca[i].name);
		snprintf(
			link, sizeof(link), "%s%08lx.%u", folder, hash[i], cas);
		trust_export_begin(&t);
		pem(t.f, e->ca[i].cert, false);
		hashed_file(e, &t, base, ".pem", link);
		if (!trust_export_owns_list(e, i))
			continue;
		snprintf(link, sizeof(link), "%s%08lx.r%u", folder, hash[i],
			lists);
		trust_export_begin(&t);
		trust_export_print_list(t.f, e->ca[i].crl);
		hashed_file(e, &t, base, ".crl", link);
	}
	free(hash);
}

static const char freeradius_begin[] =
	"# FreeRADIUS 3: EAP-TLS for phones. This folder is meant to be\n"
	"# ${certdir}/dialtone, and this file mods-enabled/eap.\n"
	"eap {\n"
	"\tdefault_eap_type = tls\n"
	"\ttls-config dialtone {\n"
	"\t\t# The RADIUS server's own; phones must know who issued it.\n"
	"\t\tcertificate_file = ${certdir}/server.pem\n"
	"\t\tprivate_key_file = ${certdir}/server.key\n"
	"\n"
	"\t\t# Who may have issued a phone's: nobody but these.\n"
	"\t\tca_file = ${certdir}/dialtone/ca.pem\n"
	"\t\tca_path = ${certdir}/dialtone/ca\n"
	"\n"
	"\t\t# A phone's 802.1X identity is the CN of its certificate.\n"
	"\t\tcheck_cert_cn = %{User-Name}\n"
	"\n"
	/* check_crl comes here */
	;
static const char freeradius_end[] =
	"\n"
	"\t\t# Phones of the 7900 series know TLS 1.0 alone; they need "
	"\"1.0\"\n"
	"\t\t# and \"DEFAULT@SECLEVEL=0\" here.\n"
	"\t\ttls_min_version = \"1.2\"\n"
	"\t\ttls_max_version = \"1.2\"\n"
	"\t\tcipher_list = \"DEFAULT\"\n"
	"\t}\n"
	"\ttls {\n"
	"\t\ttls = dialtone\n"
	"\t}\n"
	"}\n";

/* It would refuse each phone of a CA without a list, or whose list has ended,
 * and the registrar does not. */
static void print_check(FILE *f, const struct trust_export *e)
{
	bool checks = trust_export_checks(e);
	fprintf(f,
		"\t\t# Lists of revoked certificates, in ca/. With yes, each "
		"phone of a CA\n"
		"\t\t# that has none, or whose list has ended, is refused: "
		"%s\n",
		checks ? "export\n\t\t# again, and restart, before that."
		       : "yes is right\n\t\t# once every CA has one.");
	for (size_t i = 0; i < e->n_here; i++) {
		char state[64];
		trust_export_list_state(e, &e->ca[i], state, sizeof(state));
		if (e->ca[i].anchor)
			fprintf(f, "\t\t#   %s.pem: %s\n", e->ca[i].name,
				state);
	}
	fprintf(f, "\t\tcheck_crl = %s\n", checks ? "yes" : "no");
}

static void dot1x(struct trust_export *e)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	fputs(freeradius_begin, t.f);
	print_check(t.f, e);
	fputs(freeradius_end, t.f);
	trust_export_end(e, &t, "eap");
	bundle(e);
	hashed(e, "ca/");
}

/* How a router is told of a CA: what differs between an ASA and IOS. */
struct router {
	const char *file;
	const char *trustpoint;
	const char *enrollment; /* the lines of the trustpoint */
	const char *authenticate;
	bool body; /* wants the base64 alone */
};

static const struct router asa_words = {"asa.txt", "crypto ca trustpoint",
	" enrollment terminal\n"
	" revocation-check none\n"
	" exit\n",
	"crypto ca authenticate", true};
static const struct router ios_words = {"ios.txt", "crypto pki trustpoint",
	" enrollment terminal pem\n"
	" revocation-check none\n"
	" exit\n",
	"crypto pki authenticate", false};

static void one_trustpoint(
	FILE *f, const struct router *words, const struct trust_export_ca *ca)
{
	fputs("!\n", f);
	comment(f, "!", "", ca->id.subject);
	comment(f, "!", "SHA-1 ", ca->id.sha1);
	comment(f, "!", "SHA-256 ", ca->id.sha256);
	fprintf(f, "%s %s\n%s%s %s\n", words->trustpoint, ca->trustpoint,
		words->enrollment, words->authenticate, ca->trustpoint);
	pem(f, ca->cert, words->body);
	fputs("quit\n", f);
}

static void trustpoints(struct trust_export *e, const struct router *words)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	fputs("! In configuration mode, one block after the other: each ends "
	      "with a question\n"
	      "! after the fingerprint, to be answered with yes if it is the "
	      "one above.\n",
		t.f);
	for (size_t i = 0; i < e->n_here; i++)
		one_trustpoint(t.f, words, &e->ca[i]);
	trust_export_end(e, &t, words->file);
	bundle(e);
}

static void asa(struct trust_export *e)
{
	trustpoints(e, &asa_words);
}

static void ios(struct trust_export *e)
{
	trustpoints(e, &ios_words);
}

static void bundles(struct trust_export *e)
{
	bundle(e);
	trust_export_bundle_lists(e);
}

static void top_hashed(struct trust_export *e)
{
	hashed(e, "");
}

void trust_export_write_files(struct trust_export *e)
{
	static void (*const write[])(struct trust_export *) = {
		[TRUST_EXPORT_DOT1X] = dot1x,
		[TRUST_EXPORT_ASA] = asa,
		[TRUST_EXPORT_IOS] = ios,
		[TRUST_EXPORT_PEM] = bundles,
		[TRUST_EXPORT_HASHED_DIR] = top_hashed,
	};
	write[e->to](e);
}
