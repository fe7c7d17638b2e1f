/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of revoked certificates that go along with an export. */
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "certs/must.h"
#include "trust/export_inside.h"

bool trust_export_owns_list(const struct trust_export *e, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (e->ca[j].crl == e->ca[i].crl)
			return false;
	return e->ca[i].crl != NULL;
}

void trust_export_list_state(const struct trust_export *e,
	const struct trust_export_ca *ca, char *out, size_t size)
{
	char at[21] = "";
	if (!ca->crl) {
		snprintf(out, size, "no list");
		return;
	}
	if (ca->crl->next_update)
		cert_time_text(ca->crl->next_update, at);
	snprintf(out, size, "%s %s%s",
		trust_export_has_list(e, ca) ? "its list is good"
					     : "its list has ended,",
		*at && trust_export_has_list(e, ca) ? "until " : "", at);
}

bool trust_export_has_list(
	const struct trust_export *e, const struct trust_export_ca *ca)
{
	return ca->crl &&
	       (!ca->crl->next_update || ca->crl->next_update > e->now);
}

bool trust_export_checks(const struct trust_export *e)
{
	for (size_t i = 0; i < e->n_here; i++)
		if (e->ca[i].anchor && !trust_export_has_list(e, &e->ca[i]))
			return false;
	return true;
}

void trust_export_print_list(FILE *f, const struct trust_crl *crl)
{
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	char *text = NULL;
	if (PEM_write_bio_X509_CRL(bio, crl->x509) != 1)
		abort(); /* law 2: it was read, so it can be written */
	size_t n = (size_t)BIO_get_mem_data(bio, &text);
	fwrite(text, 1, n, f);
	BIO_free(bio);
}

void trust_export_bundle_lists(struct trust_export *e)
{
	struct trust_export_text t;
	bool any = false;
	for (size_t i = 0; i < e->n_here; i++)
		any |= e->ca[i].crl != NULL;
	if (!any)
		return;
	trust_export_begin(&t);
	for (size_t i = 0; i < e->n_here; i++)
		if (trust_export_owns_list(e, i))
			trust_export_print_list(t.f, e->ca[i].crl);
	trust_export_end(e, &t, "crl.pem");
}
