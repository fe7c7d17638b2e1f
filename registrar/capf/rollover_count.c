/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices hang on the root that is to go. */
#include "registrar/capf/rollover_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "registrar/capf/desk.h"
#include "registrar/census.h"
#include "registrar/memory.h"
#include "registrar/server.h"

enum { DAY_S = 86400 };

/* What the ledger says: devices with an LSC of one root in their hands. */
struct holder {
	char device[CERT_DEVICE_MAX + 1];
	int64_t at; /* confirmed; one that is stale: issued, the last of them */
	bool counted;
};
struct holders {
	struct holder *list; /* by device */
	size_t n;
};

static int by_device(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	return strcasecmp(x->device, y->device);
}

static int by_device_and_time(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	int order = by_device(a, b);
	return order ? order : (x->at < y->at) - (x->at > y->at);
}

static bool add_holder(void *self, const struct capf_issued *i)
{
	struct holders *h = self;
	struct holder *one =
		memory_grow((void **)&h->list, &h->n, sizeof(*one));
	*one = (struct holder){.at = i->state == CAPF_ISSUED_STALE
					     ? i->issued_at
					     : i->confirmed_at};
	memcpy(one->device, i->device, sizeof(one->device));
	return true;
}

static int read_holders(struct capf_store *store, enum capf_issued_state state,
	const uint8_t issuer[32], struct holders *out, struct diag *d)
{
	const struct capf_issued_which which = {
		.state = (int)state + 1, .issuer = issuer};
	int error = capf_store_ledger(store, &which, add_holder, out, d);
	size_t n = 0;
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list),
			by_device_and_time);
	for (size_t i = 0; i < out->n; i++)
		if (n == 0 || by_device(&out->list[n - 1], &out->list[i]) != 0)
			out->list[n++] = out->list[i];
	out->n = n;
	return error;
}

static struct holder *find(const struct holders *h, const char *device)
{
	struct holder key = {.at = 0};
	snprintf(key.device, sizeof(key.device), "%s", device);
	return h->n ? bsearch(&key, h->list, h->n, sizeof(key), by_device)
		    : NULL;
}

struct count {
	struct server *server;
	const struct capf_root *old, *new;
	struct holders had, has; /* of the old root, of the new */
	struct holders may;	 /* have one of the old, that is stale */
	int64_t now;
	struct rollover_view *view;
};

/* ---- one device ---- */

/* Which root is known to have signed what the phone has? */
enum belongs {
	BELONGS_TO_NEITHER,
	BELONGS_TO_OLD,
	BELONGS_TO_NEW,
	BELONGS_TO_NOBODY_KNOWS
};

/* Roots' names are theirs alone; an older version knew no more. */
static bool showed_to_tls(const struct bearer *b, const struct capf_root *root)
{
	if (b->seen.kind != CERT_KIND_LSC)
		return false;
	return census_is_known(b->seen.anchor_sha256)
		       ? memcmp(b->seen.anchor_sha256, root->id.sha256_raw,
				 32) == 0
		       : strcmp(b->seen.issuer, root->name) == 0;
}

static bool showed(const struct bearer *b, const struct capf_root *root)
{
	return (b->lsc &&
		       memcmp(b->lsc->anchor, root->id.sha256_raw, 32) == 0) ||
	       showed_to_tls(b, root);
}

/* What we know of one device. */
struct facts {
	const struct holder *had, *has, *may;
};

static struct facts facts_of(struct count *c, const struct bearer *b)
{
	struct holder *had = find(&c->had, b->name);
	struct holder *may = find(&c->may, b->name);
	if (had)
		had->counted = true;
	if (may)
		may->counted = true;
	return (struct facts){had, find(&c->has, b->name), may};
}

static enum belongs belongs(
	const struct count *c, const struct bearer *b, const struct facts *f)
{
	/* One of the two may be from before: both are written behind. */
	bool showed_old = showed(b, c->old), showed_new = showed(b, c->new);
	/* It may have stored that one, and has shown none since. */
	if (f->may && f->may->at >= b->seen.registered &&
		!(f->has && f->has->at >= f->may->at))
		return BELONGS_TO_OLD;
	if (f->has &&
		!(showed_old && !showed_new && b->seen.registered > f->has->at))
		return BELONGS_TO_NEW;
	/* A phone with an LSC does not show its MIC. */
	if (b->seen.kind == CERT_KIND_MIC &&
		b->seen.registered > (f->had ? f->had->at : 0))
		return BELONGS_TO_NEITHER;
	if (showed_old || f->had)
		return BELONGS_TO_OLD;
	if (showed_new)
		return BELONGS_TO_NEW;
	return b->seen.kind == CERT_KIND_UNKNOWN && !b->lsc && !b->mic
		       ? BELONGS_TO_NOBODY_KNOWS
		       : BELONGS_TO_NEITHER;
}

static void look_at_presence(struct server *s, struct rollover_phone *phone)
{
	struct directory_entry e;
	if (!directory_find(server_directory(s), phone->device, &e))
		return;
	phone->registered = e.registered;
	if (e.seen_ms / 1000 > phone->seen)
		phone->seen = e.seen_ms / 1000;
	directory_entry_deinit(&e);
}

static struct rollover_phone *new_phone(struct count *c, const struct bearer *b)
{
	struct rollover_view *v = c->view;
	struct rollover_phone *phone =
		memory_grow((void **)&v->phones, &v->n_phones, sizeof(*phone));
	*phone = (struct rollover_phone){.seen = b->seen.registered};
	snprintf(phone->device, sizeof(phone->device), "%s", b->name);
	look_at_presence(c->server, phone);
	return phone;
}

static bool is_live(const struct count *c, const struct rollover_phone *phone)
{
	int64_t live_s =
		(int64_t)server_config(c->server)->capf_live_days * DAY_S;
	return phone->registered ||
	       (phone->seen && c->now - phone->seen <= live_s);
}

static void add_phone(
	struct count *c, const struct bearer *b, const struct facts *f)
{
	struct rollover_view *v = c->view;
	struct rollover_phone *phone = new_phone(c, b);
	v->left++;
	if (!b->device)
		snprintf(phone->last, sizeof(phone->last),
			"it is not in the inventory: add it (dialtone device "
			"add), so that it can have another LSC");
	if (f->had && f->had->at > phone->seen)
		phone->seen = f->had->at;
	if (f->may && f->may->at > phone->seen)
		phone->seen = f->may->at;
	/* Of some nobody can say: what was seen is written behind, and may be
	 * lost when we are killed. They may be alive. */
	phone->recent = !phone->seen || is_live(c, phone);
	v->offline += !phone->registered;
	v->recent += phone->recent;
}

/* Does its profile want it to come with a certificate? */
static bool is_secure(struct count *c, const struct device *device)
{
	struct security_profile p;
	return inventory_profile(
		       server_inventory(c->server), device->profile, &p) &&
	       p.mode != SECURITY_NON_SECURE;
}

/* One that comes without TLS shows no certificate, and may have one all the
 * same, for 802.1X or a VPN. One that was never here at all, and needs none, is
 * nobody's. */
static void add_unseen(struct count *c, const struct bearer *b)
{
	struct rollover_view *v = c->view;
	if (!b->device)
		return;
	struct rollover_phone *phone = new_phone(c, b);
	phone->unseen = true;
	phone->recent = is_live(c, phone);
	if (!phone->recent && !is_secure(c, b->device))
		v->n_phones--;
}

static bool visit(void *self, const struct bearer *b)
{
	struct count *c = self;
	struct facts f = facts_of(c, b);
	enum belongs root = belongs(c, b, &f);
	if (root == BELONGS_TO_OLD)
		add_phone(c, b, &f);
	else if (root == BELONGS_TO_NEW)
		c->view->done++;
	else if (root == BELONGS_TO_NOBODY_KNOWS)
		add_unseen(c, b);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct rollover_phone *x = a, *y = b;
	return strcasecmp(x->device, y->device);
}

/* Who is in the inventory no more, and not known by a certificate either, may
 * come with its LSC all the same where that is enough. */
static void visit_the_others(struct count *c, const struct holders *h)
{
	if (server_config(c->server)->unknown_devices != CONFIG_UNKNOWN_LSC)
		return;
	for (size_t i = 0; i < h->n; i++)
		if (!h->list[i].counted)
			visit(c, &(struct bearer){.name = h->list[i].device});
}

/* ---- what is pending for them ---- */

/* What the phone handed over at Troubleshoot. */
struct fetched {
	const struct capf_root *old;
	bool any, of_old;
};

static bool take_fetched(void *self, const struct capf_shown *shown)
{
	struct fetched *f = self;
	const unsigned char *at = shown->der;
	X509 *cert = d2i_X509(NULL, &at, (long)shown->n);
	f->any |= cert != NULL;
	f->of_old |= cert && X509_check_issued(f->old->cert, cert) == X509_V_OK;
	X509_free(cert);
	return true;
}

/* Did CAPF learn what the phone has, or that it has none? */
static int ask_capf(struct count *c, struct capf_store *store,
	struct rollover_phone *phone, struct diag *d)
{
	struct fetched f = {.old = c->old};
	struct capf_operation o = {.kind = CAPF_NONE};
	int error = capf_store_shown(store, phone->device, take_fetched, &f, d);
	if (error == 0 || error == -ENOENT)
		error = capf_store_operation(store, phone->device, &o, d);
	if (error < 0 && error != -ENOENT)
		return error;
	bool has_none = (o.kind == CAPF_TROUBLESHOOT &&
				o.why == CAPF_WHY_PHONE_REFUSED) ||
			(o.kind == CAPF_DELETE && o.state == CAPF_STATE_DONE);
	if (f.of_old) {
		phone->unseen = false;
		c->view->left++;
		c->view->offline += !phone->registered;
		c->view->recent += phone->recent;
	} else if (!f.any && !has_none) {
		c->view->unseen++;
		c->view->unseen_recent += phone->recent;
	} else {
		phone->device[0] = '\0'; /* it is nobody's */
	}
	return 0;
}

/* Those of whom CAPF knows better leave the list. */
static int look_at_unseen(struct count *c, struct diag *d)
{
	struct rollover_view *v = c->view;
	struct capf_store *store = capf_desk_look(server_capf(c->server));
	size_t n = 0;
	int error = 0;
	for (size_t i = 0; error == 0 && i < v->n_phones; i++) {
		if (v->phones[i].unseen)
			error = ask_capf(c, store, &v->phones[i], d);
		if (*v->phones[i].device)
			v->phones[n++] = v->phones[i];
	}
	v->n_phones = n;
	capf_desk_looked(server_capf(c->server));
	return error;
}

static int look_at_operation(struct capf_store *store, struct rollover_view *v,
	struct rollover_phone *phone, struct diag *d)
{
	struct capf_operation o;
	int error = capf_store_operation(store, phone->device, &o, d);
	if (error == -ENOENT)
		return 0;
	if (error < 0)
		return error;
	phone->queued = o.state == CAPF_STATE_PENDING;
	v->queued += phone->queued && !phone->unseen;
	if (o.why != CAPF_WHY_NOTHING)
		snprintf(phone->last, sizeof(phone->last), "%s%s%.400s",
			capf_why_text(o.why), *o.detail ? ": " : "", o.detail);
	return 0;
}

static int look_at_operations(
	struct capf_desk *desk, struct rollover_view *v, struct diag *d)
{
	int error = 0;
	struct capf_store *store = capf_desk_look(desk);
	for (size_t i = 0; error == 0 && i < v->n_phones; i++)
		error = look_at_operation(store, v, &v->phones[i], d);
	capf_desk_looked(desk);
	return error;
}

/* What the ledger says of both roots. */
static int read_ledger(struct count *c, struct diag *d)
{
	const uint8_t *old = c->old->id.sha256_raw;
	struct capf_desk *desk = server_capf(c->server);
	struct capf_store *store = capf_desk_look(desk);
	int error = read_holders(store, CAPF_ISSUED_INSTALLED, old, &c->had, d);
	if (error == 0)
		error = read_holders(store, CAPF_ISSUED_INSTALLED,
			c->new->id.sha256_raw, &c->has, d);
	if (error == 0)
		error = read_holders(store, CAPF_ISSUED_STALE, old, &c->may, d);
	capf_desk_looked(desk);
	return error;
}

int rollover_count(struct server *s, const struct capf_root *old,
	const struct capf_root *new, struct rollover_view *out, struct diag *d)
{
	struct count c = {.server = s,
		.old = old,
		.new = new,
		.now = time(NULL),
		.view = out};
	int error = read_ledger(&c, d);
	if (error == 0) {
		const struct census_sources from = server_census(s);
		census_walk(&from, LEAVES_FACTS, visit, &c);
		visit_the_others(&c, &c.had);
		visit_the_others(&c, &c.may);
		error = look_at_unseen(&c, d);
	}
	if (error == 0) {
		if (out->n_phones)
			qsort(out->phones, out->n_phones, sizeof(*out->phones),
				by_name);
		error = look_at_operations(server_capf(s), out, d);
	}
	free(c.had.list);
	free(c.has.list);
	free(c.may.list);
	return error;
}
