/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a CA outside again for what it said it would answer later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/capf/est_answer.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* Of our own accord, at the EST server: phones that wait have most of it. */
enum { AT_ONCE = 16 };

/* NULL: nothing is known of it. */
static struct desk_later *find(struct capf_desk *desk, const char *device)
{
	for (size_t i = 0; i < desk->n_later; i++)
		if (cert_device_equal(desk->later[i].device, device))
			return &desk->later[i];
	return NULL;
}

void capf_later_put(struct capf_desk *desk, const char *device, long in_s)
{
	struct desk_later *l = find(desk, device);
	if (!l)
		l = memory_grow(
			(void **)&desk->later, &desk->n_later, sizeof(*l));
	text_copy(l->device, sizeof(l->device), device);
	l->at = capf_desk_now(desk) + in_s;
}

static bool take(void *self, const struct capf_request *r)
{
	capf_later_put(self, r->device, 0);
	return true;
}

int capf_later_start(struct capf_desk *desk, struct diag *d)
{
	if (desk->world.config->capf_issuer != CONFIG_ISSUER_EST)
		return 0;
	int error = capf_store_requests(desk->store, NULL, take, desk, d);
	return error == -ENOENT ? 0 : error;
}

/* ---- asking ---- */

/* A visit without a phone: an operation has one visit, so whatever ends
 * another one's ends this, too. */
static void ask(struct capf_desk *desk, const struct capf_operation *o,
	EVP_PKEY *key, const uint8_t key_sha256[32])
{
	struct capf_visit *v = memory_zero(sizeof(*v));
	v->desk = desk;
	v->unattended = v->gone = v->no_key = true;
	v->step = STEP_CA;
	v->key = key;
	memcpy(v->key_sha256, key_sha256, sizeof(v->key_sha256));
	memcpy(v->address, o->address, sizeof(v->address));
	capf_visit_enrol(v, o->device);
	desk->unattended++;
	capf_outside_begin(v);
}

/* -ENOENT: nothing waits for the CA any more. */
static int ask_for(struct capf_desk *desk, const char *device)
{
	struct capf_operation o;
	struct capf_issued i;
	struct diag d;
	uint8_t key_sha256[32];
	EVP_PKEY *key = NULL;
	int error = capf_pending(desk, device, &o, &d);
	if (error == 0)
		error = capf_outside_key(desk, device, &key, key_sha256, &d);
	if (error < 0)
		return error;
	error = capf_store_stale(desk->store, device, key_sha256, &i, &d);
	if (error == -ENOENT) {
		ask(desk, &o, key, key_sha256);
		return 0;
	}
	EVP_PKEY_free(key);
	return error == 0 ? -ENOENT : error;
}

/* A clock that was set back must not make it wait for years. */
static bool is_due(const struct desk_later *l, int64_t now)
{
	return l->at <= now || l->at - now > EST_RETRY_MAX_S;
}

void capf_later_tend(struct capf_desk *desk)
{
	char why[CAPF_DETAIL_MAX + 1];
	int64_t now = capf_desk_now(desk);
	size_t i = 0;
	if (!desk->est || !desk->n_later || capf_issue_may(desk, now, why))
		return;
	while (i < desk->n_later && desk->unattended < AT_ONCE) {
		struct desk_later *l = &desk->later[i];
		if (is_due(l, now) && ask_for(desk, l->device) == -ENOENT) {
			*l = desk->later[--desk->n_later];
			continue;
		}
		/* Its answer says when again, if there is one. */
		if (is_due(l, now))
			l->at = now + EST_RETRY_S;
		i++;
	}
}
