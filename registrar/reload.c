/* SPDX-License-Identifier: Apache-2.0 */
/* Trust and certificates in force, and how newer ones take their place. */
#include "registrar/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/rule.h"
#include "registrar/capf/authority.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/text.h"
#include "registrar/tls/own.h"

struct store {
	const char *folder; /* "": there is none */
	struct trust_snapshot *in_force;
	struct trust_store_state state;
};

struct reload {
	const struct config *config;
	struct resume *resume;
	struct capf_authority *authority; /* NULL: none */
	reload_fn took_effect;
	void *self;
	pthread_mutex_t running; /* one reload at a time; it alone writes */
	pthread_mutex_t lock;	 /* of what follows */
	struct store stores[TRUST_STORES];
	struct own *own;
	struct reload_refusal own_refused;
	struct profiles *profiles;
};

/* What one reload found, of a store or of our own certificates. */
struct finding {
	int error;
	struct diag d;
	bool news;   /* it is in force now, or newly refused */
	bool mended; /* what was refused before is not any more */
	struct reload_refusal refused; /* for the log */
};

struct attempt {
	bool asked;
	struct finding own_found, found[TRUST_STORES];
	/* References; what is in force, where nothing else is to be. */
	struct own *own;
	struct trust_snapshot *trust[TRUST_STORES];
	struct trust_snapshot *before[TRUST_STORES];
	struct profiles *profiles; /* NULL: those in force serve on */
};

static const char own_name[] = "certificates";

static const struct {
	const char *name, *title;
} names[] = {
#define X(symbol, name, title, option) {name, title},
	TRUST_STORE_LIST(X)
#undef X
};

const char *trust_store_name(enum trust_store store)
{
	return names[store].name;
}

const char *trust_store_title(enum trust_store store)
{
	return names[store].title;
}

const char *trust_store_folder(
	const struct config *config, enum trust_store store)
{
	const char *const folders[] = {
#define X(symbol, name, title, option) config->option,
		TRUST_STORE_LIST(X)
#undef X
	};
	return folders[store];
}

static int64_t unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- reading ---- */

/* What the configuration says of anchors; and CAPF's old root is retiring. The
 * caller frees its list. */
static struct trust_policy policy_of(
	const struct reload *r, const struct capf_roots *roots)
{
	const struct config *c = r->config;
	struct trust_anchor_policy *rows =
		memory_zero((c->n_anchors + 1) * sizeof(*rows));
	struct trust_policy policy = {.auth_level = (int)c->auth_level,
		.anchors = rows,
		.n_anchors = c->n_anchors};
	if (c->n_anchors)
		memcpy(rows, c->anchors, c->n_anchors * sizeof(*rows));
	if (roots && roots->old.cert)
		rows[policy.n_anchors++] = (struct trust_anchor_policy){
			.name = roots->old.id.sha256, .retiring = true};
	return policy;
}

static int read_store(struct reload *r, enum trust_store i, bool asked,
	struct trust_snapshot **out, struct diag *d)
{
	struct trust_snapshot *in_force = r->stores[i].in_force;
	struct capf_roots *roots =
		r->authority ? capf_authority_roots(r->authority) : NULL;
	struct trust_policy policy = policy_of(r, roots);
	struct trust_load load = {
		.dir = r->stores[i].folder,
		.generation =
			in_force ? trust_snapshot_generation(in_force) + 1 : 1,
		.now = time(NULL),
		.policy = &policy,
		.before = in_force,
		.explicit_order = asked,
	};
	int error = trust_snapshot_load(&load, out, d);
	free((void *)policy.anchors);
	capf_roots_unref(roots);
	if (error == 0 && in_force && trust_snapshot_is_same(in_force, *out)) {
		trust_snapshot_unref(*out);
		*out = trust_snapshot_ref(in_force);
	}
	return error;
}

/* Nobody watches our own certificates' files: they are read when asked, and
 * when CAPF has another root. */
static int read_own(
	struct reload *r, bool asked, struct own **out, struct diag *d)
{
	if (r->own && !asked && own_has_capf(r->own, r->authority)) {
		*out = own_ref(r->own);
		return 0;
	}
	int error = own_load(r->config, r->authority, out, d);
	if (error == 0 && r->own && own_is_same(r->own, *out)) {
		own_unref(*out);
		*out = own_ref(r->own);
	}
	return error;
}

static void read_all(struct reload *r, struct attempt *a)
{
	struct finding *own = &a->own_found;
	own->error = read_own(r, a->asked, &a->own, &own->d);
	if (own->error < 0 && r->own)
		a->own = own_ref(r->own);
	for (int i = 0; i < TRUST_STORES; i++) {
		struct trust_snapshot *in_force = r->stores[i].in_force;
		struct finding *f = &a->found[i];
		if (!*r->stores[i].folder)
			continue;
		f->error = read_store(
			r, (enum trust_store)i, a->asked, &a->trust[i], &f->d);
		if (f->error < 0 && in_force)
			a->trust[i] = trust_snapshot_ref(in_force);
	}
}

/* Contexts anew where trust or certificates are. If OpenSSL does not take new
 * certificates, trust comes with the next look, under the old ones. */
static void make_profiles(struct reload *r, struct attempt *a)
{
	struct trust_snapshot *trust = a->trust[STORE_CALLMANAGER];
	if (!trust || !a->own ||
		(trust == r->stores[STORE_CALLMANAGER].in_force &&
			a->own == r->own))
		return;
	struct finding *f = &a->own_found;
	int error = profiles_new(
		r->config, trust, a->own, r->resume, &a->profiles, &f->d);
	if (error == 0)
		return;
	f->error = error;
	trust_snapshot_unref(trust);
	own_unref(a->own);
	trust = r->stores[STORE_CALLMANAGER].in_force;
	a->trust[STORE_CALLMANAGER] = trust ? trust_snapshot_ref(trust) : NULL;
	a->own = r->own ? own_ref(r->own) : NULL;
}

/* ---- what was refused ---- */

/* "FOLDER/FILE:LINE: why", as loaders write it. */
static void read_place(
	const char *text, const char *folder, struct reload_refusal *out)
{
	size_t n = strlen(folder);
	out->file[0] = '\0';
	out->line = 0;
	if (n == 0 || strncmp(text, folder, n) != 0 || text[n] != '/')
		return;
	text += n + 1;
	n = strcspn(text, ":");
	if (n >= sizeof(out->file))
		return;
	snprintf(out->file, sizeof(out->file), "%.*s", (int)n, text);
	if (text[n] == ':')
		out->line = (int)strtol(text + n + 1, NULL, 10);
}

/* A rule's own; else what else there may be: the world, or our own
 * certificates, which nobody watches (folder ""). */
static const char *cure_of(const char *rule, const char *folder)
{
	const char *cure = cert_rule_cure(cert_rule_find(rule));
	if (*cure)
		return cure;
	return *folder ? "mend it: the folder is looked at again by itself"
		       : "mend it and send SIGHUP again";
}

static bool is_same_reason(
	const struct reload_refusal *a, const struct reload_refusal *b)
{
	if (*a->rule || *b->rule)
		return strcmp(a->rule, b->rule) == 0 &&
		       strcmp(a->file, b->file) == 0;
	return strcmp(a->why, b->why) == 0;
}

/* Keeps a finding; it has news if it says something else than the last. */
static void keep(
	struct reload_refusal *kept, struct finding *f, const char *folder)
{
	if (f->error == 0) {
		f->mended = kept->since_ms != 0;
		*kept = (struct reload_refusal){.rule = "", .cure = ""};
		return;
	}
	struct reload_refusal *now = &f->refused;
	now->rule = f->d.rule ? f->d.rule : "";
	now->cure = cure_of(now->rule, folder);
	now->last_ms = unix_ms();
	now->since_ms = kept->since_ms ? kept->since_ms : now->last_ms;
	text_copy(now->why, sizeof(now->why), f->d.text);
	read_place(now->why, folder, now);
	f->news = !kept->since_ms || !is_same_reason(kept, now);
	now->retries = f->news ? 0 : kept->retries + 1;
	*kept = *now;
}

static void count(struct trust_store_state *state, const char *rule)
{
	size_t i = 0;
	while (i < state->n_refusals &&
		strcmp(state->refusals[i].rule, rule) != 0)
		i++;
	if (i == RELOAD_RULES_MAX)
		return;
	if (i == state->n_refusals) {
		state->refusals[i].rule = rule;
		state->n_refusals++;
	}
	state->refusals[i].n++;
}

/* ---- putting it in force ---- */

/* Swaps one store's pointer; the old one's reference goes to `before`. */
static void settle_store(struct store *s, struct finding *f,
	struct trust_snapshot *trust, struct trust_snapshot **before)
{
	keep(&s->state.refused, f, s->folder);
	if (f->error < 0 && f->news)
		count(&s->state, *f->refused.rule ? f->refused.rule : "other");
	*before = s->in_force;
	s->in_force = trust;
	if (trust != *before)
		s->state.loaded_ms = unix_ms();
}

static void settle(struct reload *r, struct attempt *a)
{
	struct profiles *old = a->profiles ? r->profiles : NULL;
	struct own *old_own = r->own;
	pthread_mutex_lock(&r->lock);
	for (int i = 0; i < TRUST_STORES; i++)
		settle_store(&r->stores[i], &a->found[i], a->trust[i],
			&a->before[i]);
	if (a->asked || a->own_found.error < 0)
		keep(&r->own_refused, &a->own_found, "");
	r->own = a->own;
	if (old_own && a->own != old_own)
		a->own_found.news = true;
	if (a->profiles)
		__atomic_store_n(&r->profiles, a->profiles, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&r->lock);
	profiles_unref(old);
	own_unref(old_own);
}

/* ---- the log ---- */

static void log_begin_of(struct log_line *line, enum log_event event,
	const char *store, const struct attempt *a)
{
	log_begin(line, event);
	log_str(line, "store", store);
	log_str(line, "asked", a->asked ? "yes" : NULL);
}

static void log_refused(const char *store, const struct attempt *a,
	const struct reload_refusal *refused)
{
	struct log_line line;
	log_begin_of(&line, LOG_EV_RELOAD_REFUSED, store, a);
	log_str(&line, "rule", refused->rule);
	log_str(&line, "file", refused->file);
	if (refused->line)
		log_num(&line, "line", refused->line);
	log_str(&line, "why", refused->why);
	log_str(&line, "cure", refused->cure);
	log_end(&line);
}

static void log_unusable(const char *store, const struct trust_anchor *anchor)
{
	struct log_line line;
	log_begin(&line, LOG_EV_TRUST_UNUSABLE);
	log_str(&line, "store", store);
	log_str(&line, "file", anchor->file);
	log_str(&line, "subject", anchor->id.subject);
	log_str(&line, "why", anchor->unusable_why);
	log_end(&line);
}

static void log_set(enum log_event event, const char *store,
	const struct attempt *a, const struct trust_snapshot *trust)
{
	struct log_line line;
	size_t n;
	const struct trust_anchor *anchors = trust_snapshot_anchors(trust, &n);
	log_begin_of(&line, event, store, a);
	log_num(&line, "generation", (int64_t)trust_snapshot_generation(trust));
	log_num(&line, "anchors", (int64_t)n);
	log_str(&line, "fingerprint", trust_snapshot_fingerprint(trust));
	log_end(&line);
	for (size_t i = 0; event == LOG_EV_TRUST_LOADED && i < n; i++)
		if (!anchors[i].usable)
			log_unusable(store, &anchors[i]);
}

/* Once a reason, and whatever an admin asked for. */
static void log_store(const struct attempt *a, enum trust_store i)
{
	const struct finding *f = &a->found[i];
	const char *store = trust_store_name(i);
	if (!a->trust[i]) /* there is no such store, or we do not start */
		return;
	if (f->error < 0 && (f->news || a->asked))
		log_refused(store, a, &f->refused);
	else if (a->trust[i] != a->before[i])
		log_set(LOG_EV_TRUST_LOADED, store, a, a->trust[i]);
	else if (f->error == 0 && (f->mended || a->asked))
		log_set(LOG_EV_TRUST_UNCHANGED, store, a, a->trust[i]);
}

static void log_own(const struct attempt *a)
{
	const struct finding *f = &a->own_found;
	struct log_line line;
	if (!a->own)
		return;
	if (f->error < 0 && (f->news || a->asked)) {
		log_refused(own_name, a, &f->refused);
	} else if (f->news || f->mended) {
		log_begin_of(&line, LOG_EV_CERTIFICATES_LOADED, NULL, a);
		log_num(&line, "certificates", (int64_t)a->own->n);
		log_end(&line);
	}
}

/* ---- a reload ---- */

/* Tells who wants to know, and lets go of what was. */
static void conclude(struct reload *r, struct attempt *a)
{
	log_own(a);
	for (int i = 0; i < TRUST_STORES; i++) {
		log_store(a, (enum trust_store)i);
		if (a->trust[i] && a->trust[i] != a->before[i])
			r->took_effect(r->self, (enum trust_store)i,
				a->before[i], a->trust[i]);
		trust_snapshot_unref(a->before[i]);
	}
}

static int first_error(const struct attempt *a, struct diag *d)
{
	const struct finding *f = &a->found[0];
	for (int i = 1; f->error == 0 && i < TRUST_STORES; i++)
		f = &a->found[i];
	if (f->error == 0)
		f = &a->own_found;
	if (f->error < 0)
		*d = f->d;
	return f->error;
}

int reload_run(struct reload *r, bool asked, struct diag *d)
{
	struct attempt a = {.asked = asked};
	pthread_mutex_lock(&r->running);
	read_all(r, &a);
	make_profiles(r, &a);
	settle(r, &a);
	conclude(r, &a);
	pthread_mutex_unlock(&r->running);
	return first_error(&a, d);
}

/* ---- life ---- */

struct reload *reload_new(const struct config *config, struct resume *resume,
	reload_fn took_effect, void *self)
{
	struct reload *r = memory_zero(sizeof(*r));
	r->config = config;
	r->resume = resume;
	r->took_effect = took_effect;
	r->self = self;
	r->own_refused = (struct reload_refusal){.rule = "", .cure = ""};
	for (int i = 0; i < TRUST_STORES; i++) {
		r->stores[i].folder =
			trust_store_folder(config, (enum trust_store)i);
		r->stores[i].state.refused = r->own_refused;
	}
	pthread_mutex_init(&r->running, NULL);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void reload_use_capf(struct reload *r, struct capf_authority *authority)
{
	r->authority = authority;
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	profiles_unref(r->profiles);
	own_unref(r->own);
	for (int i = 0; i < TRUST_STORES; i++)
		trust_snapshot_unref(r->stores[i].in_force);
	pthread_mutex_destroy(&r->running);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- what is in force ---- */

struct trust_snapshot *reload_trust(
	struct reload *r, enum trust_store store, struct trust_store_state *out)
{
	pthread_mutex_lock(&r->lock);
	struct trust_snapshot *trust = r->stores[store].in_force;
	if (trust)
		trust_snapshot_ref(trust);
	if (out)
		*out = r->stores[store].state;
	pthread_mutex_unlock(&r->lock);
	return trust;
}

struct profiles *reload_profiles(struct reload *r)
{
	pthread_mutex_lock(&r->lock);
	struct profiles *p = profiles_ref(r->profiles);
	pthread_mutex_unlock(&r->lock);
	return p;
}

struct profiles *const *reload_profiles_at(const struct reload *r)
{
	return &r->profiles;
}

struct reload_refusal reload_own_refused(struct reload *r)
{
	pthread_mutex_lock(&r->lock);
	struct reload_refusal refused = r->own_refused;
	pthread_mutex_unlock(&r->lock);
	return refused;
}
