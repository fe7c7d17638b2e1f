/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the CAs of an export, and completes their chains. */
#include "trust/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "trust/export_inside.h"
#include "trust/revocation.h"

enum { FILES_MAX = 4 * TRUST_EXPORT_CAS_MAX + 16 };

static const char *const names[] = {
#define X(symbol, name) name,
	TRUST_EXPORT_LIST(X)
#undef X
};
enum { CONSUMERS = sizeof(names) / sizeof(names[0]) };

const char *trust_export_name(enum trust_export_for to)
{
	return names[to];
}

int trust_export_find(const char *name)
{
	for (int i = 0; i < CONSUMERS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* OpenSSL asks this of every CA in a chain, and so do those built on it. */
static const char *unfit(X509 *cert)
{
	if (X509_check_purpose(cert, -1, 0) != 1)
		return "it has extensions that cannot be read";
	uint32_t flags = X509_get_extension_flags(cert);
	if (!(flags & EXFLAG_CA))
		return "it is not a CA certificate (no CA:TRUE)";
	if ((flags & EXFLAG_XKUSAGE) &&
		!(X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT))
		return "its extended key usage lacks clientAuth, so each phone "
		       "under it would be refused (FreeRADIUS: unsupported "
		       "certificate purpose)";
	if (flags & EXFLAG_CRITICAL)
		return "it has a critical extension that nobody knows";
	if (X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 1) != 1)
		return "its key usage does not let it issue TLS client "
		       "certificates";
	return NULL;
}

static void judge(
	struct trust_export_ca *ca, const struct trust_export_order *order)
{
	char said[200];
	struct trust_revoked revoked;
	const struct trust_revocation *r =
		trust_snapshot_revocation(order->trust);
	const char *why = unfit(ca->cert);
	if (!why && !ca->id.times_ok)
		why = "its validity dates are not valid DER times";
	else if (!why && ca->id.not_after <= order->now)
		why = "it has expired";
	else if (!why && ca->anchor && !ca->anchor->usable)
		why = ca->anchor->unusable_why;
	snprintf(ca->left_out, sizeof(ca->left_out), "%s", why ? why : "");
	if (!why && trust_revocation_find(r, ca->id.sha256_raw, "", &revoked)) {
		trust_revoked_text(&revoked, said, sizeof(said));
		snprintf(ca->left_out, sizeof(ca->left_out),
			"it was revoked: %s", said);
	}
	ca->crl = trust_revocation_of(r, ca->id.sha256_raw);
	if (ca->crl && !ca->crl->x509)
		ca->crl = NULL;
}

static int add(struct trust_export *e, X509 *cert,
	const struct trust_anchor *anchor, struct diag *d)
{
	if (e->n == TRUST_EXPORT_CAS_MAX)
		return diag_set(d, -E2BIG,
			"more than %d CAs, the most an export may have",
			TRUST_EXPORT_CAS_MAX);
	struct trust_export_ca *ca = &e->ca[e->n];
	if (cert_identity_read(cert, &ca->id))
		return diag_set(d, -EINVAL,
			"a certificate without a readable subject or serial "
			"number (SHA-256 %s)",
			ca->id.sha256);
	/* One that came twice counts once, an anchor first. */
	for (size_t i = 0; i < e->n; i++)
		if (!memcmp(e->ca[i].id.sha256_raw, ca->id.sha256_raw, 32))
			return 0;
	X509_up_ref(cert);
	ca->cert = cert;
	ca->anchor = anchor;
	e->n++;
	return 0;
}

static int gather(struct trust_export *e,
	const struct trust_export_order *order, struct diag *d)
{
	size_t n;
	const struct trust_anchor *anchors =
		trust_snapshot_anchors(order->trust, &n);
	int error = 0;
	for (size_t i = 0; !error && i < n; i++)
		error = add(e, anchors[i].cert, &anchors[i], d);
	for (size_t i = 0; !error && i < order->n_with; i++)
		error = add(e, order->with[i], NULL, d);
	for (size_t i = 0; i < e->n; i++)
		judge(&e->ca[i], order);
	return error;
}

static bool issued(
	const struct trust_export_ca *ca, const struct trust_export_ca *below)
{
	return X509_check_issued(ca->cert, below->cert) == X509_V_OK &&
	       X509_verify(below->cert, X509_get0_pubkey(ca->cert)) == 1;
}

/* Of what came by `with`, only what the anchors' chains need. */
static void drop_needless(
	struct trust_export *e, const struct trust_export_ca **queue)
{
	bool *needed = cert_must(calloc(e->n + 1, sizeof(*needed)));
	size_t n = 0;
	for (size_t i = 0; i < e->n; i++)
		if ((needed[i] = e->ca[i].anchor && !*e->ca[i].left_out))
			queue[n++] = &e->ca[i];
	for (size_t at = 0; at < n; at++)
		for (size_t i = 0; i < e->n; i++) {
			if (needed[i] || *e->ca[i].left_out ||
				!issued(&e->ca[i], queue[at]))
				continue;
			needed[i] = true;
			queue[n++] = &e->ca[i];
		}
	for (size_t i = 0; i < e->n; i++)
		if (!needed[i] && !*e->ca[i].left_out)
			snprintf(e->ca[i].left_out, sizeof(e->ca[i].left_out),
				"it issued none of the anchors");
	free(needed);
}

/* A walk from the ends of chains downwards. */
struct placing {
	const struct trust_export_ca **queue;
	size_t n;
	bool *placed;
};

static void place(struct trust_export *e, struct placing *p, size_t i,
	bool rooted, size_t level)
{
	e->ca[i].rooted = rooted;
	e->ca[i].level = level;
	p->placed[i] = true;
	p->queue[p->n++] = &e->ca[i];
}

/* Places all below those in the queue from `at` on. */
static void place_below(struct trust_export *e, struct placing *p, size_t at)
{
	for (; at < p->n; at++)
		for (size_t i = 0; i < e->n; i++)
			if (!p->placed[i] && issued(p->queue[at], &e->ca[i]))
				place(e, p, i, p->queue[at]->rooted,
					p->queue[at]->level + 1);
}

static bool has_issuer(const struct trust_export *e, size_t i)
{
	for (size_t j = 0; j < e->n; j++)
		if (!*e->ca[j].left_out && issued(&e->ca[j], &e->ca[i]))
			return true;
	return false;
}

static void say_missing(struct trust_export_ca *ca)
{
	size_t n = (size_t)snprintf(
		ca->missing, sizeof(ca->missing), "%s", ca->id.issuer);
	const ASN1_OCTET_STRING *key = X509_get0_authority_key_id(ca->cert);
	for (int i = 0; key && i < ASN1_STRING_length(key) && i < 32; i++)
		n += (size_t)snprintf(ca->missing + n, sizeof(ca->missing) - n,
			"%s%02x", i ? "" : ", key id ",
			ASN1_STRING_get0_data(key)[i]);
}

/* Roots are one end of chains; another is a CA whose issuer is not here. CAs
 * that issued each other and nothing else are their own ends. */
static void complete_chains(
	struct trust_export *e, const struct trust_export_ca **queue)
{
	struct placing p = {.queue = queue,
		.placed = cert_must(calloc(e->n + 1, sizeof(bool)))};
	for (size_t i = 0; i < e->n; i++)
		p.placed[i] = *e->ca[i].left_out;
	for (size_t i = 0; i < e->n; i++)
		if (!p.placed[i] && issued(&e->ca[i], &e->ca[i]))
			place(e, &p, i, true, 0);
	place_below(e, &p, 0);
	size_t roots_end = p.n;
	for (size_t i = 0; i < e->n; i++)
		if (!p.placed[i] && !has_issuer(e, i)) {
			place(e, &p, i, false, 0);
			say_missing(&e->ca[i]);
		}
	place_below(e, &p, roots_end);
	free(p.placed);
}

static bool is_capf(const struct trust_export_ca *ca)
{
	return ca->anchor && ca->anchor->kind == CERT_KIND_LSC;
}

static void mark_old(struct trust_export *e)
{
	time_t newest = 0;
	for (size_t i = 0; i < e->n_here; i++)
		if (is_capf(&e->ca[i]) && e->ca[i].id.not_before > newest)
			newest = e->ca[i].id.not_before;
	for (size_t i = 0; i < e->n_here; i++)
		e->ca[i].old =
			e->ca[i].anchor &&
			(e->ca[i].anchor->retiring ||
				(is_capf(&e->ca[i]) &&
					e->ca[i].id.not_before < newest));
}

static void count_phones(
	struct trust_export *e, const struct trust_export_order *order)
{
	snprintf(e->uncounted, sizeof(e->uncounted), "%s",
		order->uncounted ? order->uncounted : "");
	for (size_t i = 0; i < e->n; i++) {
		e->ca[i].phones = -1;
		for (size_t j = 0; j < order->n_phones; j++)
			if (strcmp(order->phones[j].sha256,
				    e->ca[i].id.sha256) == 0)
				e->ca[i].phones = order->phones[j].n;
	}
}

static int by_chain(const void *left, const void *right)
{
	const struct trust_export_ca *a = left, *b = right;
	if (!*a->left_out != !*b->left_out)
		return *a->left_out ? 1 : -1;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	int order = strcmp(a->id.subject, b->id.subject);
	if (!order && a->id.not_before != b->id.not_before)
		return a->id.not_before < b->id.not_before ? -1 : 1;
	return order ? order : strcmp(a->id.sha256, b->id.sha256);
}

static int choose(struct trust_export *e,
	const struct trust_export_order *order, struct diag *d)
{
	int error = gather(e, order, d);
	if (error)
		return error;
	const struct trust_export_ca **queue =
		cert_must(calloc(e->n + 1, sizeof(struct trust_export_ca *)));
	drop_needless(e, queue);
	complete_chains(e, queue);
	free((void *)queue);
	qsort(e->ca, e->n, sizeof(*e->ca), by_chain);
	while (e->n_here < e->n && !*e->ca[e->n_here].left_out)
		e->n_here++;
	if (!e->n_here)
		return diag_set(d, -ENOENT,
			"no CA here is of any use elsewhere; of %.200s: %s",
			e->ca[0].id.subject, e->ca[0].left_out);
	trust_export_name_all(e->ca, e->n);
	count_phones(e, order);
	mark_old(e);
	return 0;
}

int trust_export_make(const struct trust_export_order *order,
	struct trust_export **out, struct diag *d)
{
	struct trust_export *e = cert_must(calloc(1, sizeof(*e)));
	*out = NULL;
	e->to = order->to;
	e->now = order->now;
	e->trust = trust_snapshot_ref(order->trust);
	e->ca = cert_must(calloc(TRUST_EXPORT_CAS_MAX, sizeof(*e->ca)));
	e->file = cert_must(calloc(FILES_MAX, sizeof(*e->file)));
	ERR_set_mark();
	int error = choose(e, order, d);
	if (!error) {
		trust_export_write_files(e);
		trust_export_write_notes(e);
	}
	ERR_pop_to_mark();
	if (error) {
		trust_export_free(e);
		return error;
	}
	*out = e;
	return 0;
}

void trust_export_free(struct trust_export *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++)
		X509_free(e->ca[i].cert);
	for (size_t i = 0; i < e->n_files; i++) {
		free((void *)e->file[i].name);
		free((void *)e->file[i].data);
		free((void *)e->file[i].link);
	}
	free(e->ca);
	free(e->file);
	trust_snapshot_unref(e->trust);
	free(e);
}

const struct trust_export_ca *trust_export_cas(
	const struct trust_export *e, size_t *n)
{
	*n = e->n;
	return e->ca;
}

size_t trust_export_depth(const struct trust_export *e)
{
	size_t most = 0;
	for (size_t i = 0; i < e->n_here; i++)
		if (e->ca[i].level > most)
			most = e->ca[i].level;
	return most + 1;
}

const struct cert_folder_file *trust_export_files(
	const struct trust_export *e, size_t *n)
{
	*n = e->n_files;
	return e->file;
}

static struct cert_folder_file *new_file(
	struct trust_export *e, const char *name)
{
	if (e->n_files == FILES_MAX)
		abort(); /* law 1: we make fewer */
	struct cert_folder_file *file = &e->file[e->n_files++];
	file->name = cert_must(strdup(name));
	return file;
}

void trust_export_add(
	struct trust_export *e, const char *name, const void *data, size_t n)
{
	struct trust_export_text t;
	trust_export_begin(&t);
	fwrite(data, 1, n, t.f);
	trust_export_end(e, &t, name);
}

void trust_export_begin(struct trust_export_text *t)
{
	*t = (struct trust_export_text){0};
	t->f = cert_must(open_memstream(&t->data, &t->n));
}

void trust_export_end(
	struct trust_export *e, struct trust_export_text *t, const char *name)
{
	if (fclose(t->f))
		abort(); /* law 2: no memory */
	struct cert_folder_file *file = new_file(e, name);
	file->data = t->data;
	file->n = t->n;
}

void trust_export_link(struct trust_export *e, const char *name, const char *to)
{
	new_file(e, name)->link = cert_must(strdup(to));
}
