/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an export that people read: README.txt and manifest.txt. */
#include <stdlib.h>
#include <string.h>

#include "trust/export_inside.h"

/* What each who uses it has to be told. */
struct words {
	const char *use;
	const char *whole;  /* what it does with a chain that has no root */
	const char *remove; /* how a CA goes from there */
	const char *lists;  /* what it does with them; NULL: none go along */
};

#define ROOT_NEEDED                                               \
	"every phone below such a CA is refused. Give its root\n" \
	"with --with FILE"

static const struct words words_for[] = {
	[TRUST_EXPORT_DOT1X] =
		{"For a RADIUS server that lets phones into the network by "
		 "EAP-TLS.\n\n"
		 "FreeRADIUS: copy this folder to ${certdir}/dialtone and the "
		 "file eap to\n"
		 "mods-enabled/eap (or its ca_file, ca_path and check_cert_cn "
		 "into yours). Check it\n"
		 "with `freeradius -XC`, restart, and try a phone's "
		 "certificate "
		 "with `eapol_test`.\n"
		 "ISE, ACS: import each ca/*.pem as a trusted certificate, for "
		 "client\n"
		 "authentication; take the identity from Subject - Common Name."
		 "\n\n"
		 "A phone's 802.1X identity is the CN of its certificate, "
		 "CP-8861-SEP0123456789AB.\n"
		 "A MIC says that it is a phone of Cisco's, not that it is one "
		 "of yours.\n",
			"FreeRADIUS 3.2 lets phones below such a CA in; ISE, "
			"ACS\n"
			"and older ones do not: give its root with --with FILE",
			"remove ca/NAME.pem, the link to it, and its block in "
			"ca.pem",
			"FreeRADIUS reads them from ca/ when it starts, if "
			"check_crl is yes in eap, as\n"
			"it is where every CA has one. It wants that of the "
			"CA that issued the phone's\n"
			"certificate (check_all_crl: of every CA of the "
			"chain)."},
	[TRUST_EXPORT_ASA] =
		{"For an ASA that lets phones in over VPN by their "
		 "certificates.\n\n"
		 "Paste asa.txt block by block. Check: `show crypto ca "
		 "certificates`, and\n"
		 "`debug crypto ca 3` while a phone comes. To take one back: "
		 "`no crypto ca\n"
		 "trustpoint NAME`. ca.pem holds the same CAs for any TLS "
		 "server.\n\n"
		 "The other way round, phones must know the ASA: its own "
		 "certificate (or its CA's)\n"
		 "goes into Phone-VPN-trust, and its phones get the VPN's URL "
		 "with the base64 of the\n"
		 "SHA-1 of that certificate:\n"
		 "  openssl x509 -in asa.pem -outform DER | openssl sha1 "
		 "-binary | base64\n",
			"an ASA may refuse the phones below such a CA; give "
			"its\n"
			"root with --with FILE",
			"no crypto ca trustpoint NAME"},
	[TRUST_EXPORT_IOS] =
		{"For a router with secure SRST, to which phones turn when no "
		 "registrar answers.\n\n"
		 "Paste ios.txt block by block. Check: `show crypto pki "
		 "certificates`. To take one\n"
		 "back: `no crypto pki trustpoint NAME`. ca.pem holds the same "
		 "CAs for any TLS server.\n\n"
		 "The other way round, the router's own certificate is given "
		 "to "
		 "phones through the\n"
		 "`credentials` service: `ip source-address ... port 2445`, "
		 "`trustpoint NAME` of its\n"
		 "own; CallManager fetches it there.\n",
			"a router takes each trustpoint for itself, so this is "
			"no "
			"harm",
			"no crypto pki trustpoint NAME"},
	[TRUST_EXPORT_PEM] =
		{"For a TLS server that asks phones for their certificates.\n\n"
		 "nginx:    ssl_client_certificate ca.pem; ssl_verify_client "
		 "on;\n"
		 "HAProxy:  bind ... ca-file ca.pem verify required\n"
		 "Check:    openssl verify -purpose sslclient -CAfile ca.pem "
		 "PHONE.pem\n",
			ROOT_NEEDED, "remove its block in ca.pem",
			"nginx:    ssl_crl crl.pem;\n"
			"HAProxy:  crl-file crl.pem\n"
			"Both then want one of every CA of the chain, of its "
			"root, too."},
	[TRUST_EXPORT_HASHED_DIR] =
		{"For what reads a folder of CAs by OpenSSL's hashes "
		 "(SSLCACertificatePath, ca_path).\n\n"
		 "Check:    openssl verify -purpose sslclient -CApath . "
		 "PHONE.pem\n"
		 "If you add a CA of your own: `openssl rehash .`\n",
			ROOT_NEEDED, "remove NAME.pem and the link to it",
			"Check:    openssl verify -crl_check -purpose "
			"sslclient -CApath . PHONE.pem"},
};

static const char *role_of(const struct trust_export_ca *ca)
{
	return ca->anchor ? cert_kind_name(ca->anchor->kind)
			  : "CA certificates alone (issuer of an anchor)";
}

static void print_chain(FILE *f, const struct trust_export_ca *ca)
{
	if (*ca->missing)
		fprintf(f,
			"  chain    ends here; its issuer is not among them: "
			"%s\n",
			ca->missing);
	else if (!ca->rooted)
		fputs("  chain    ends without a root\n", f);
	else if (ca->level)
		fprintf(f, "  chain    whole, its root is %zu above\n",
			ca->level);
	else
		fputs("  chain    is a root\n", f);
}

static void print_ca(FILE *f, const struct trust_export_ca *ca)
{
	char from[21], to[21];
	const struct trust_anchor *a = ca->anchor;
	cert_time_text(ca->id.not_before, from);
	cert_time_text(ca->id.not_after, to);
	fprintf(f,
		"\n%s.pem\n"
		"  subject  %s\n"
		"  issuer   %s\n"
		"  serial   %s\n"
		"  valid    %s to %s\n"
		"  SHA-1    %s\n"
		"  SHA-256  %s\n"
		"  issues   %s%s%s\n",
		ca->name, ca->id.subject, ca->id.issuer, ca->id.serial, from,
		to, ca->id.sha1, ca->id.sha256, role_of(ca),
		a && a->enrol_only ? ", for enrolment alone" : "",
		a && a->retiring ? ", retiring" : "");
	if (a)
		fprintf(f, "  file     %s of the store\n", a->file);
	print_chain(f, ca);
	if (ca->crl)
		fprintf(f, "  list     %s of the store%s%s, %zu revoked\n",
			ca->crl->file, *ca->crl->number ? ", number " : "",
			ca->crl->number, ca->crl->n);
	if (ca->phones >= 0 && a)
		fprintf(f, "  phones   %lld depend on it\n", ca->phones);
}

static void print_left_out(FILE *f, const struct trust_export *e)
{
	if (e->n_here == e->n)
		return;
	fputs("\nLeft out, and in none of the files:\n", f);
	for (size_t i = e->n_here; i < e->n; i++)
		fprintf(f,
			"\n%s\n  SHA-256  %s\n  file     %s\n  why      %s\n",
			e->ca[i].id.subject, e->ca[i].id.sha256,
			e->ca[i].anchor ? e->ca[i].anchor->file : "of --with",
			e->ca[i].left_out);
}

static void write_manifest(struct trust_export *e)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	fprintf(t.f,
		"CAs for %s, issuers first. Fingerprint of the store: %s\n",
		trust_export_name(e->to), trust_snapshot_fingerprint(e->trust));
	for (size_t i = 0; i < e->n_here; i++)
		print_ca(t.f, &e->ca[i]);
	print_left_out(t.f, e);
	trust_export_end(e, &t, "manifest.txt");
}

static void print_unrooted(FILE *f, const struct trust_export *e)
{
	bool none = true;
	for (size_t i = 0; i < e->n_here; i++) {
		if (e->ca[i].rooted)
			continue;
		if (none)
			fprintf(f, "\nChains without a root: %s.\n",
				words_for[e->to].whole);
		fprintf(f, "  %s.pem\n", e->ca[i].name);
		none = false;
	}
}

static void print_lists(FILE *f, const struct trust_export *e)
{
	if (!words_for[e->to].lists)
		return;
	fprintf(f,
		"\nLists of revoked certificates, as far as the store has "
		"them.\n%s\n"
		"Who checks them refuses each phone of a CA without one, or "
		"whose list has ended,\n"
		"which the registrar does not: export again before that.\n",
		words_for[e->to].lists);
	for (size_t i = 0; i < e->n_here; i++) {
		char state[64];
		trust_export_list_state(e, &e->ca[i], state, sizeof(state));
		fprintf(f, "  %s.pem: %s\n", e->ca[i].name, state);
	}
}

static void print_old(
	FILE *f, const struct trust_export *e, const struct trust_export_ca *ca)
{
	fprintf(f, "\n  %s.pem%s\n", ca->name,
		ca->anchor->retiring ? ", retiring" : ", not the newest CAPF");
	if (e->to == TRUST_EXPORT_ASA || e->to == TRUST_EXPORT_IOS)
		fprintf(f, "    trustpoint %s\n", ca->trustpoint);
	if (ca->phones > 0)
		fprintf(f, "    %lld phones depend on it: it must stay.\n",
			ca->phones);
	else if (ca->phones == 0)
		fputs("    No phone that the registrar knows depends on it: "
		      "it may go.\n",
			f);
	else
		fprintf(f,
			"    Nobody counted the phones that depend on it (%s): "
			"it must stay.\n",
			*e->uncounted ? e->uncounted
				      : "mark it as retiring in trust.anchors");
}

/* "Safe to delete": never before every phone has its new LSC. */
static void print_deletion(FILE *f, const struct trust_export *e)
{
	bool none = true;
	fprintf(f,
		"\nWhen an old CAPF root may go: when every phone has its new "
		"LSC, and not before.\n"
		"A phone shows the LSC that it has; without its CA here it is "
		"refused,\n"
		"whatever CallManager-trust says. First here:\n"
		"  %s,\n"
		"then in CAPF-trust and CallManager-trust (`dialtone trust "
		"remove "
		"FILE`).\n",
		words_for[e->to].remove);
	for (size_t i = 0; i < e->n_here; i++) {
		if (!e->ca[i].old)
			continue;
		print_old(f, e, &e->ca[i]);
		none = false;
	}
	if (none)
		fputs("\n  None here is old. Once CAPF has a new one, export "
		      "again: both go there.\n",
			f);
}

static void write_readme(struct trust_export *e)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	fputs(words_for[e->to].use, t.f);
	if (e->to == TRUST_EXPORT_PEM && trust_export_depth(e) > 1)
		fprintf(t.f, "          (nginx: ssl_verify_depth %zu;)\n",
			trust_export_depth(e));
	fputs("\nA root vouches for every CA below it, not just for those "
	      "here. manifest.txt and\n"
	      "manifest.json say what each CA is, with its fingerprints.\n",
		t.f);
	print_unrooted(t.f, e);
	print_lists(t.f, e);
	print_deletion(t.f, e);
	trust_export_end(e, &t, "README.txt");
}

void trust_export_write_notes(struct trust_export *e)
{
	write_manifest(e);
	write_readme(e);
}
