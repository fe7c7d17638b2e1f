/* SPDX-License-Identifier: Apache-2.0 */
/* Where SIP phones can be reached: bindings, and who is found by them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/admit.h"
#include "registrar/gruu.h"
#include "registrar/memory.h"
#include "registrar/service/sip_session.h"

enum {
	/* A phone refreshes 5 s before its expiry; CUCM waits 15 s from then
	 * on (specs sip-cisco 3), and so do we. */
	GRACE_MS = 10000,
	NAMES_MAX = SIP_BINDINGS_MAX + DEVICE_LINES_MAX,
	OTHERS_MAX = 8,
	TARGETS_MAX = 16,
	URI_MAX = 900, /* what fits a line of an answer */
};

enum sip_bind_verdict sip_session_bind(struct session *s,
	const struct sip_register *reg, const struct moment *now,
	uint32_t *expires_s)
{
	const struct service_world *world = s->seat.world;
	const struct config *c = world->config;
	struct sip_binding_limits limits = {
		.expires_s = overload_jitter(world->overload, c->sip_expires_s),
		.min_expires_s = c->sip_min_expires_s,
		.per_aor = c->sip_contacts,
	};
	size_t added;
	if (limits.expires_s < limits.min_expires_s)
		limits.expires_s = limits.min_expires_s;
	*expires_s = limits.expires_s;
	locations_lock(world->locations, &s->part);
	enum sip_bind_verdict verdict = sip_bindings_apply(
		&s->bindings, &reg->request, &limits, now, &added);
	locations_unlock(world->locations, &s->part);
	return verdict;
}

/* ---- names ---- */

struct names {
	const char *list[NAMES_MAX];
	size_t n;
	char *own[DEVICE_LINES_MAX]; /* those that were made here */
	size_t n_own;
};

static bool has_name(const struct names *names, const char *aor)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], aor) == 0)
			return true;
	return false;
}

static void take_aors(struct names *names, const struct sip_bindings *b)
{
	names->n = 0;
	for (size_t i = 0; i < b->n; i++)
		if (!has_name(names, b->list[i].aor))
			names->list[names->n++] = b->list[i].aor;
}

/* The lines that one REGISTER brought in, at the host of the first. */
static void take_lines(struct names *names, const struct device *known)
{
	const char *at = strchr(names->list[0], '@');
	for (size_t i = 0; at && known && i < known->n_lines &&
			   names->n_own < DEVICE_LINES_MAX;
		i++) {
		char *aor = memory_format("%s%s", known->lines[i].number, at);
		names->own[names->n_own++] = aor;
		if (!has_name(names, aor))
			names->list[names->n++] = aor;
	}
}

void sip_session_publish(struct session *s, const struct device *known)
{
	struct locations *l = s->seat.world->locations;
	struct names names = {.n_own = 0};
	take_aors(&names, &s->bindings);
	if (names.n && s->bulk)
		take_lines(&names, known);
	if (s->part.every_line != s->bulk) {
		locations_lock(l, &s->part);
		s->part.every_line = s->bulk;
		locations_unlock(l, &s->part);
	}
	locations_set_names(l, &s->part, names.list, names.n);
	for (size_t i = 0; i < names.n_own; i++)
		free(names.own[i]);
}

void sip_session_forget(struct session *s)
{
	if (s->part.names)
		locations_set_names(
			s->seat.world->locations, &s->part, NULL, 0);
	sip_bindings_deinit(&s->bindings);
	s->bulk = s->partial = false;
}

/*
 * A server that lost its state and sees only a refresh has the primary line
 * alone: Cisco's "partial registration" (specs sip-cisco 2). Phones that know
 * no bulk registration send a REGISTER for each line.
 */
bool sip_session_is_partial(const struct session *s,
	const struct sip_register *reg, const struct device *known)
{
	struct names names = {.n_own = 0};
	if (s->bulk || reg->source != SIP_DEVICE_CISCO || !known ||
		known->n_lines < 2)
		return false;
	take_aors(&names, &s->bindings);
	return names.n < known->n_lines;
}

/* ---- flows ---- */

static bool same_ref(struct conn_ref a, struct conn_ref b)
{
	return a.worker == b.worker && a.id == b.id;
}

/* The connection that holds the device; id 0: none, or it is ours. */
static struct conn_ref holder(const struct session *s, const char *device)
{
	struct directory_entry e;
	struct conn_ref none = {0};
	if (!directory_find(s->seat.world->directory, device, &e))
		return none;
	directory_entry_deinit(&e);
	bool others = e.registered && !same_ref(e.ref, s->seat.peer->ref);
	return others ? e.ref : none;
}

/* As the directory has it: the address of a datagram proves nothing against a
 * connection. */
static bool same_place(const struct location *l, const struct peer *peer)
{
	return strcmp(l->address, peer->address) == 0 && (l->udp || !peer->udp);
}

bool sip_session_joins(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known,
	const struct moment *now)
{
	const struct service_world *world = s->seat.world;
	const struct sip_contact *contact = reg->request.contacts;
	struct conn_ref held = {0}, old = {0};
	bool beside = false, proven = sip_session_proven(s, known);
	size_t n;
	if (reg->flow)
		held = holder(s, device);
	if (!held.id)
		return false;
	struct sip_slice urn = contact->instance;
	struct location *list =
		locations_find(world->locations, reg->request.aor, now, &n);
	for (size_t i = 0; i < n; i++) {
		const struct location *l = &list[i];
		if (l->part == &s->part || !l->reg_id ||
			!cert_device_equal(l->device, device) ||
			!sip_field_has(urn, l->instance) ||
			(!proven && !same_place(l, s->seat.peer)))
			continue;
		if (l->reg_id == contact->reg_id)
			old = l->ref;
		else
			beside = true;
	}
	locations_list_free(list, n);
	if (same_ref(old, held) || !beside || n > world->config->sip_contacts)
		return false;
	if (old.id)
		world->displace(world->displace_self, old);
	return true;
}

/* ---- answers ---- */

static uint64_t alive_until(const struct session *s)
{
	uint64_t last = sip_bindings_last_ms(&s->bindings);
	return last == MOMENT_NEVER ? last : last + GRACE_MS;
}

/* Contacts that other connections have for this address: RFC 3261 10.3 step 8
 * wants all of them. Cisco's phones look for their own alone. */
static char *other_contacts(const struct session *s,
	const struct sip_register *reg, const struct moment *now)
{
	size_t n, shown = 0;
	char *all = NULL;
	if (reg->source == SIP_DEVICE_CISCO)
		return NULL;
	struct location *list = locations_find(
		s->seat.world->locations, reg->request.aor, now, &n);
	for (size_t i = 0; i < n && shown < OTHERS_MAX; i++) {
		if (list[i].part == &s->part)
			continue;
		char *more = memory_format("%sContact: %s;expires=%u\r\n",
			all ? all : "", list[i].contact, list[i].expires_s);
		free(all);
		all = more;
		shown++;
	}
	locations_list_free(list, n);
	return all;
}

static void fill_gruus(
	const struct session *s, struct sip_gruu_user users[SIP_BINDINGS_MAX])
{
	for (size_t i = 0; i < s->bindings.n; i++)
		gruu_make(s->seat.world->gruu, &s->bindings.list[i],
			users[i].text);
}

void sip_session_grant(struct session *s, const struct sip_register *reg,
	uint32_t expires_s, bool newreg, const struct moment *now)
{
	struct sip_gruu_user users[SIP_BINDINGS_MAX];
	bool standby = reg->kind == SIP_REGISTER_STANDBY;
	bool gruu = reg->supports & SIP_SUPPORTS_GRUU;
	char *others = standby ? NULL : other_contacts(s, reg, now);
	if (gruu)
		fill_gruus(s, users);
	const struct sip_grant answer = {
		.expires_s = expires_s,
		.newreg = newreg,
		.bindings = standby ? NULL : &s->bindings,
		.alive_until_ms = alive_until(s),
		.others = others,
		.temporary = gruu ? users : NULL,
	};
	sip_server_accept(&s->engine, &answer);
	free(others);
}

/* ---- INVITE ---- */

static void missing(struct session *s, int status, const char *warning)
{
	sip_server_reject(&s->engine,
		&(struct sip_refusal){.status = status, .warning = warning});
}

static struct location *find_temporary(const struct service_world *world,
	struct gruu_meaning *meaning, const char *aor, const struct moment *now,
	size_t *n)
{
	char *user = memory_dup(aor);
	user[strcspn(user, "@")] = '\0';
	bool read = gruu_read(world->gruu, user, meaning);
	free(user);
	*n = 0;
	return read ? locations_find_hash(
			      world->locations, meaning->aor_hash, now, n)
		    : NULL;
}

/* It is registered here, or would be let in: what a certificate proves is not
 * yet that it is one of ours. */
static bool is_ours(const struct session *s)
{
	const struct service_world *world = s->seat.world;
	const struct peer *peer = s->seat.peer;
	struct admit_verdict verdict;
	if (s->seat.device[0] || !peer->verified)
		return s->seat.device[0];
	admit_decide(world->config, world->inventory, peer, peer_device(peer),
		&verdict);
	return verdict.code == REASON_FAILURE_NO_ERROR;
}

void sip_session_locate(struct session *s, const char *aor, const char *gr,
	const struct moment *now)
{
	const struct service_world *world = s->seat.world;
	struct sip_target targets[TARGETS_MAX];
	struct gruu_meaning meaning;
	size_t n, found = 0;
	bool temporary = gr && !gr[0];
	if (!is_ours(s)) {
		missing(s, 403, "who asks where others are has to be known");
		return;
	}
	struct location *list =
		temporary ? find_temporary(world, &meaning, aor, now, &n)
			  : locations_find(world->locations, aor, now, &n);
	for (size_t i = 0; i < n && found < TARGETS_MAX; i++) {
		const struct location *l = &list[i];
		bool meant = !gr || (temporary ? gruu_means(&meaning, l)
					       : !strcasecmp(gr, l->instance));
		if (meant && strlen(l->uri) <= URI_MAX)
			targets[found++] =
				(struct sip_target){l->uri, l->q, l->expires_s};
	}
	if (found)
		sip_server_redirect(&s->engine, targets, found);
	else if (gr && !temporary)
		missing(s, 480, "this phone is not registered now");
	else
		missing(s, 404, "nobody is registered under this address");
	locations_list_free(list, n);
}
