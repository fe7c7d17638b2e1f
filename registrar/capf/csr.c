/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that wait for a CA outside, as its people are handed them. */
#include "registrar/capf/csr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/lsc.h"
#include "certs/must.h"
#include "registrar/memory.h"

enum { KEYID_BYTES = 8 };

/* ---- what the store has, copied in a moment: the desk waits meanwhile ---- */

struct copy {
	struct capf_csr csr;
	uint8_t *spki;
	size_t n;
};

struct copies {
	struct copy *item;
	size_t n;
};

static bool copy_request(void *self, const struct capf_request *r)
{
	struct copies *list = self;
	struct copy *c = memory_grow(
		(void **)&list->item, &list->n, sizeof(*list->item));
	*c = (struct copy){.n = r->n};
	memcpy(c->csr.device, r->device, sizeof(c->csr.device));
	memcpy(c->csr.key_sha256, r->key_sha256, sizeof(c->csr.key_sha256));
	c->csr.at = r->at;
	c->csr.exported_at = r->exported_at;
	c->spki = memory_zero(r->n + 1);
	memcpy(c->spki, r->spki, r->n);
	return true;
}

/* A CA has answered it when a certificate of that key waits for the phone. */
static int ask_answered(
	struct capf_store *store, struct copies *list, struct diag *d)
{
	struct capf_issued issued;
	for (size_t i = 0; i < list->n; i++) {
		struct capf_csr *c = &list->item[i].csr;
		int error = capf_store_stale(
			store, c->device, c->key_sha256, &issued, d);
		if (error && error != -ENOENT)
			return error;
		c->answered = error == 0;
	}
	return 0;
}

static int copy_all(struct capf_desk *desk, const char *device,
	struct copies *list, struct diag *d)
{
	struct capf_store *store = capf_desk_look(desk);
	int error = capf_store_requests(store, device, copy_request, list, d);
	if (!error || error == -ENOENT)
		error = ask_answered(store, list, d);
	capf_desk_looked(desk);
	return error;
}

/* ---- what people are handed ---- */

static char *text_of(BIO *bio)
{
	char *data = NULL;
	long n = BIO_get_mem_data(bio, &data);
	char *text = memory_zero((size_t)n + 1);
	memcpy(text, data, (size_t)n);
	BIO_free(bio);
	return text;
}

static char *pem_of(const char *type, const uint8_t *der, size_t n)
{
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	if (PEM_write_bio(bio, type, "", der, (long)n) <= 0)
		abort(); /* law 2: it fails of memory alone */
	return text_of(bio);
}

static int make(struct capf_csr *c, const struct cert_organisation *of,
	EVP_PKEY *key, struct diag *d)
{
	uint8_t *der = NULL;
	size_t n = 0;
	if (!key)
		return diag_set(d, -EINVAL,
			"%s: the key that waits in the state folder is damaged",
			c->device);
	c->ec = EVP_PKEY_is_a(key, "EC");
	int error = cert_request_make(c->device, of, key, &der, &n, d);
	if (!error)
		c->request = pem_of(PEM_STRING_X509_REQ, der, n);
	free(der);
	return error;
}

static void finish(struct copy *from, const struct cert_organisation *of)
{
	struct capf_csr *c = &from->csr;
	const unsigned char *at = from->spki;
	struct diag d = {.text = ""};
	int n = snprintf(c->name, sizeof(c->name), "%s-", c->device);
	for (size_t i = 0; i < KEYID_BYTES; i++)
		n += snprintf(c->name + n, sizeof(c->name) - (size_t)n, "%02x",
			c->key_sha256[i]);
	ERR_set_mark();
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)from->n);
	if (make(c, of, key, &d) == 0)
		c->key = pem_of(PEM_STRING_PUBLIC, from->spki, from->n);
	else
		snprintf(c->fault, sizeof(c->fault), "%.255s", d.text);
	EVP_PKEY_free(key);
	ERR_pop_to_mark();
}

int capf_csr_read(struct capf_desk *desk, const struct config *config,
	const char *device, struct capf_csr_list *out, struct diag *d)
{
	const struct cert_organisation of = {
		.country = config->capf_country,
		.state = config->capf_province,
		.locality = config->capf_locality,
		.organisation = config->capf_organisation,
		.unit = config->capf_unit,
	};
	struct copies list = {0};
	*out = (struct capf_csr_list){0};
	int error = copy_all(desk, device, &list, d);
	if (!error && list.n)
		out->item = memory_zero(list.n * sizeof(*out->item));
	for (size_t i = 0; i < list.n; i++) {
		if (!error) {
			finish(&list.item[i], &of);
			out->item[out->n++] = list.item[i].csr;
		}
		free(list.item[i].spki);
	}
	free(list.item);
	if (!error && device && !out->n)
		error = diag_set(d, -ENOENT,
			"%.63s: no request of it waits for a CA outside",
			device);
	return error;
}

void capf_csr_list_deinit(struct capf_csr_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->item[i].request);
		free(list->item[i].key);
	}
	free(list->item);
	*list = (struct capf_csr_list){0};
}

/* ---- what was handed out ---- */

static int mark_one(struct capf_store *store, const struct capf_csr_mark *m,
	int64_t now, size_t *marked, struct diag *d)
{
	struct copies list = {0};
	int error =
		capf_store_requests(store, m->device, copy_request, &list, d);
	if (error == -ENOENT)
		error = 0;
	for (size_t i = 0; i < list.n; i++) {
		const struct copy *c = &list.item[i];
		struct capf_request r = {.at = c->csr.at,
			.exported_at = now,
			.n = c->n,
			.spki = c->spki};
		memcpy(r.device, c->csr.device, sizeof(r.device));
		memcpy(r.key_sha256, c->csr.key_sha256, sizeof(r.key_sha256));
		if (!error && memcmp(r.key_sha256, m->key_sha256, m->n) == 0) {
			error = capf_store_put_request(store, &r, d);
			*marked += !error;
		}
		free(c->spki);
	}
	free(list.item);
	return error;
}

int capf_csr_exported(struct capf_desk *desk, const struct capf_csr_mark *marks,
	size_t n, size_t *marked, struct diag *d)
{
	int64_t now = time(NULL);
	struct capf_store *store = capf_desk_look(desk);
	*marked = 0;
	int error = capf_store_begin(store, d);
	if (!error) {
		for (size_t i = 0; i < n && !error; i++)
			error = mark_one(store, &marks[i], now, marked, d);
		if (error)
			capf_store_rollback(store);
		else
			error = capf_store_commit(store, d);
	}
	capf_desk_looked(desk);
	return error;
}
