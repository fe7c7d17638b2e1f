/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's own roots: one that signs and, during a rollover, the one before. */
#include "registrar/capf/authority.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lsc.h"
#include "registrar/capf/authority_folder.h"
#include "registrar/memory.h"

struct capf_authority {
	const struct config *config;
	char *folder;
	pthread_mutex_t changing; /* one step at a time; taken before lock */
	pthread_mutex_t lock;	  /* of the pointer */
	struct capf_roots *roots;
};

/* In the order of the option's choices. */
static const char *const root_keys[] = {
	"rsa2048", "rsa3072", "rsa4096", "p256", "p384"};

const char *capf_authority_folder(const struct capf_authority *a)
{
	return a->folder;
}

const struct config *capf_authority_config(const struct capf_authority *a)
{
	return a->config;
}

struct capf_roots *capf_authority_roots(struct capf_authority *a)
{
	pthread_mutex_lock(&a->lock);
	struct capf_roots *roots = a->roots;
	__atomic_add_fetch(&roots->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&a->lock);
	return roots;
}

/* What lies in the folder is what is in force. */
static int reread(struct capf_authority *a, struct diag *d)
{
	struct capf_roots *fresh;
	int error = capf_folder_load(a->folder, &fresh, d);
	if (error)
		return error;
	pthread_mutex_lock(&a->lock);
	struct capf_roots *before = a->roots;
	a->roots = fresh;
	pthread_mutex_unlock(&a->lock);
	capf_roots_unref(before);
	return 0;
}

static const char *said_or(const char *said, const char *before)
{
	return *said ? said : before;
}

/* NULL: there was none before it. Phones and RADIUS rules know the old one's
 * organisation; where nothing else is said it stays. */
static int make_root(struct capf_authority *a, const X509 *before, time_t now,
	struct diag *d)
{
	const struct config *c = a->config;
	struct cert_organisation_texts had = {.country = ""};
	int error = before ? cert_organisation_read(before, &had, d) : 0;
	if (error)
		return error;
	const struct cert_organisation of = {
		.country = said_or(c->capf_country, had.country),
		.state = said_or(c->capf_province, had.state),
		.locality = said_or(c->capf_locality, had.locality),
		.organisation = said_or(c->capf_organisation, had.organisation),
		.unit = said_or(c->capf_unit, had.unit),
	};
	struct cert_identity id;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	error = cert_capf_make(&of, root_keys[c->capf_root_key], now,
		c->capf_root_days, &cert, &key, d);
	if (!error)
		error = cert_identity_read(cert, &id);
	if (!error)
		error = capf_folder_put(a->folder, cert, key, id.cn, d);
	X509_free(cert);
	EVP_PKEY_free(key);
	return error ? error : reread(a, d);
}

/* ---- opening ---- */

/* `signing` is written last: without it a start that was cut short goes on. */
static int first_start(struct capf_authority *a, time_t now, struct diag *d)
{
	int error = a->roots->next.cert ? 0 : make_root(a, NULL, now, d);
	if (!error)
		error = capf_authority_publish(a, &a->roots->next, d);
	if (!error)
		error = capf_folder_sign_with(
			a->folder, a->roots->next.name, NULL, d);
	return error ? error : reread(a, d);
}

static char *folder_of(const struct config *config)
{
	if (config->capf_folder[0])
		return memory_dup(config->capf_folder);
	return config->state_folder[0]
		       ? memory_format("%s/capf", config->state_folder)
		       : NULL;
}

int capf_authority_open(const struct config *config, time_t now,
	struct capf_authority **out, struct diag *d)
{
	struct capf_authority *a = memory_zero(sizeof(*a));
	*out = NULL;
	a->config = config;
	a->folder = folder_of(config);
	pthread_mutex_init(&a->changing, NULL);
	pthread_mutex_init(&a->lock, NULL);
	int error = a->folder ? capf_folder_open(a->folder, d)
			      : diag_set(d, -EINVAL,
					"CAPF has no folder for its root: name "
					"state.folder, or capf.folder");
	if (!error)
		error = reread(a, d);
	if (!error && !a->roots->signing.cert)
		error = first_start(a, now, d);
	if (error)
		capf_authority_close(a);
	else
		*out = a;
	return error;
}

void capf_authority_close(struct capf_authority *a)
{
	if (!a)
		return;
	capf_roots_unref(a->roots);
	pthread_mutex_destroy(&a->changing);
	pthread_mutex_destroy(&a->lock);
	free(a->folder);
	free(a);
}

/* ---- the steps of a rollover ---- */

/* A step has the roots to itself: nobody else swaps them meanwhile. */
static const struct capf_roots *begin(struct capf_authority *a)
{
	pthread_mutex_lock(&a->changing);
	return a->roots;
}

/* Hands error on; what was done is in force. */
static int finish(struct capf_authority *a, int error, struct diag *d)
{
	if (!error)
		error = reread(a, d);
	pthread_mutex_unlock(&a->changing);
	return error;
}

int capf_authority_prepare(struct capf_authority *a, time_t now, struct diag *d)
{
	const struct capf_roots *roots = begin(a);
	int error = roots->next.cert
			    ? 0
			    : make_root(a, roots->signing.cert, now, d);
	pthread_mutex_unlock(&a->changing);
	return error;
}

int capf_authority_promote(struct capf_authority *a, struct diag *d)
{
	const struct capf_roots *roots = begin(a);
	int error = 0;
	if (roots->old.cert)
		error = diag_set(d, -EBUSY,
			"%s is still the old root of a rollover: finish that "
			"first (dialtone rollover finish)",
			roots->old.name);
	else if (!roots->next.cert)
		error = diag_set(d, -ENOENT,
			"%s: no next root has been made there", a->folder);
	else
		error = capf_folder_sign_with(
			a->folder, roots->next.name, roots->signing.name, d);
	return finish(a, error, d);
}

int capf_authority_demote(struct capf_authority *a, struct diag *d)
{
	const struct capf_roots *roots = begin(a);
	int error = 0;
	if (roots->old.cert && roots->next.cert)
		error = diag_set(d, -EBUSY,
			"%s is the next root already, and %s cannot be that, "
			"too",
			roots->next.name, roots->signing.name);
	else if (roots->old.cert)
		error = capf_folder_sign_with(
			a->folder, roots->old.name, NULL, d);
	return finish(a, error, d);
}

int capf_authority_retire(struct capf_authority *a, struct diag *d)
{
	const struct capf_roots *roots = begin(a);
	int error = 0;
	if (roots->old.cert) {
		error = capf_folder_keep_retired(a->folder, &roots->old, d);
		if (!error)
			error = capf_folder_sign_with(
				a->folder, roots->signing.name, NULL, d);
	}
	/* Reading the folder ends what is retired. */
	return finish(a, error, d);
}

int capf_authority_abandon(struct capf_authority *a, struct diag *d)
{
	const struct capf_roots *roots = begin(a);
	int error = 0;
	if (roots->next.cert)
		error = capf_folder_remove(a->folder, roots->next.name, d);
	return finish(a, error, d);
}
