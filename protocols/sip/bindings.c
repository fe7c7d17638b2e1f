/* SPDX-License-Identifier: Apache-2.0 */
/* Bindings of one device and the rules of RFC 3261 section 10.3 on them. */
#include "protocols/sip/bindings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocols/sip/uri.h"

static const struct {
	int status;
	const char *text;
} verdicts[] = {
#define X(symbol, status, text) {status, text},
	SIP_BIND_LIST(X)
#undef X
};

int sip_bind_status(enum sip_bind_verdict verdict)
{
	return verdicts[verdict].status;
}

const char *sip_bind_text(enum sip_bind_verdict verdict)
{
	return verdicts[verdict].text;
}

static void *need(void *memory)
{
	if (!memory)
		abort(); /* law 2: no memory; all sizes here are capped */
	return memory;
}

static void remove_at(struct sip_bindings *b, struct sip_binding *binding)
{
	struct sip_binding gone = *binding;
	b->n--;
	memmove(binding, binding + 1,
		(size_t)(b->list + b->n - binding) * sizeof(*binding));
	free(gone.aor);
}

struct sip_slice sip_binding_uri(const struct sip_binding *binding)
{
	return (struct sip_slice){
		binding->text + binding->uri_at, binding->uri_n};
}

const char *sip_binding_path(const struct sip_binding *binding)
{
	return binding->call_id + strlen(binding->call_id) + 1;
}

struct sip_slice sip_binding_instance(const struct sip_binding *binding)
{
	return (struct sip_slice){
		binding->text + binding->instance_at, binding->instance_n};
}

size_t sip_bindings_expire(struct sip_bindings *b, const struct moment *now)
{
	for (size_t i = b->n; i > 0; i--) {
		if (b->list[i - 1].expires_ms <= now->mono_ms)
			remove_at(b, &b->list[i - 1]);
	}
	return b->n;
}

uint64_t sip_bindings_last_ms(const struct sip_bindings *b)
{
	uint64_t last = 0;
	for (size_t i = 0; i < b->n; i++) {
		if (b->list[i].expires_ms > last)
			last = b->list[i].expires_ms;
	}
	return b->n ? last : MOMENT_NEVER;
}

void sip_bindings_deinit(struct sip_bindings *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->list[i].aor);
	free(b->list);
	*b = (struct sip_bindings){0};
}

static bool same_instance(struct sip_slice a, struct sip_slice b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* Is it the binding that this Contact means? */
static bool meant(
	const struct sip_binding *binding, const struct sip_contact *contact)
{
	if (contact->reg_id)
		return binding->reg_id == contact->reg_id &&
		       same_instance(sip_binding_instance(binding),
			       contact->instance);
	return sip_uri_same(sip_binding_uri(binding), contact->uri);
}

static struct sip_binding *find(const struct sip_bindings *b, const char *aor,
	const struct sip_contact *contact)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->list[i].aor, aor) == 0 &&
			meant(&b->list[i], contact))
			return &b->list[i];
	}
	return NULL;
}

static size_t count(const struct sip_bindings *b, const char *aor)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += strcmp(b->list[i].aor, aor) == 0;
	return n;
}

/* One Call-ID counts upwards (RFC 3261 10.3 steps 6 and 7). */
static bool stale(const struct sip_binding *binding,
	const struct sip_binding_request *request)
{
	return strcmp(binding->call_id, request->call_id) == 0 &&
	       request->cseq <= binding->cseq;
}

/* Seconds that this Contact asks for; without a wish it gets the limit. */
static uint32_t asked_s(const struct sip_binding_request *request,
	const struct sip_contact *contact,
	const struct sip_binding_limits *limits)
{
	if (contact->has_expires)
		return contact->expires_s;
	return request->has_expires ? request->expires_s : limits->expires_s;
}

static uint32_t granted_s(
	uint32_t asked, const struct sip_binding_limits *limits)
{
	uint32_t seconds =
		asked < limits->expires_s ? asked : limits->expires_s;
	return seconds > limits->min_expires_s ? seconds
					       : limits->min_expires_s;
}

/* True when an earlier Contact of the request names the same URI. */
static bool repeats(const struct sip_binding_request *request, size_t contact)
{
	for (size_t i = 0; i < contact; i++) {
		const struct sip_contact *a = &request->contacts[i];
		const struct sip_contact *b = &request->contacts[contact];
		if (a->reg_id == b->reg_id && sip_uri_same(a->uri, b->uri))
			return true;
	}
	return false;
}

static enum sip_bind_verdict judge_star(
	const struct sip_bindings *b, const struct sip_binding_request *request)
{
	if (request->n_contacts || !request->has_expires || request->expires_s)
		return SIP_BIND_BAD_STAR;
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->list[i].aor, request->aor) == 0 &&
			stale(&b->list[i], request))
			return SIP_BIND_STALE;
	}
	return SIP_BIND_OK;
}

/* Looks at everything before anything is changed. */
static enum sip_bind_verdict judge(const struct sip_bindings *b,
	const struct sip_binding_request *request,
	const struct sip_binding_limits *limits)
{
	size_t added = 0;
	if (request->star)
		return judge_star(b, request);
	for (size_t i = 0; i < request->n_contacts; i++) {
		const struct sip_contact *contact = &request->contacts[i];
		uint32_t asked = asked_s(request, contact, limits);
		const struct sip_binding *old = find(b, request->aor, contact);
		if (asked > 0 && asked < limits->min_expires_s)
			return SIP_BIND_TOO_BRIEF;
		if (old && stale(old, request))
			return SIP_BIND_STALE;
		added += asked > 0 && !old && !repeats(request, i);
	}
	if (!added)
		return SIP_BIND_OK;
	size_t most = limits->per_aor ? limits->per_aor : SIP_BINDINGS_MAX;
	return b->n + added > SIP_BINDINGS_MAX ||
			       count(b, request->aor) + added > most
		       ? SIP_BIND_TOO_MANY
		       : SIP_BIND_OK;
}

static struct sip_binding *add(struct sip_bindings *b)
{
	assert(b->n < SIP_BINDINGS_MAX);
	b->list = need(realloc(b->list, (b->n + 1) * sizeof(*b->list)));
	struct sip_binding *binding = &b->list[b->n++];
	*binding = (struct sip_binding){0};
	return binding;
}

/* Copies s behind what is in the block, with an end of its own. */
static char *append(char **end, struct sip_slice s)
{
	char *text = *end;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*end += s.n + 1;
	return text;
}

/* Where a part of text begins in it. */
static uint16_t offset(const char *text, struct sip_slice part)
{
	return part.n ? (uint16_t)(part.p - text) : 0;
}

static void write_texts(struct sip_binding *binding,
	const struct sip_binding_request *request,
	const struct sip_contact *contact)
{
	struct sip_slice aor = sip_field_text(request->aor);
	struct sip_slice call_id = sip_field_text(request->call_id);
	struct sip_slice text = sip_field_text(contact->text);
	struct sip_slice path =
		sip_field_text(request->path ? request->path : "");
	char *old = binding->aor;
	char *end = need(malloc(aor.n + call_id.n + text.n + path.n + 4));
	binding->aor = append(&end, aor);
	binding->text = append(&end, text);
	binding->call_id = append(&end, call_id);
	append(&end, path);
	binding->uri_at = offset(contact->text, contact->uri);
	binding->uri_n = (uint16_t)contact->uri.n;
	binding->instance_at = offset(contact->text, contact->instance);
	binding->instance_n = (uint16_t)contact->instance.n;
	free(old);
}

/* One Contact that judge() let pass; answers how many it added, 0 or 1. */
static size_t apply_contact(struct sip_bindings *b,
	const struct sip_binding_request *request,
	const struct sip_contact *contact,
	const struct sip_binding_limits *limits, const struct moment *now)
{
	uint32_t asked = asked_s(request, contact, limits);
	struct sip_binding *binding = find(b, request->aor, contact);
	bool known = binding != NULL;
	if (asked == 0) {
		if (known)
			remove_at(b, binding);
		return 0;
	}
	if (!known)
		binding = add(b);
	write_texts(binding, request, contact);
	binding->cseq = request->cseq;
	binding->reg_id = contact->reg_id;
	binding->q = contact->q;
	binding->expires_ms =
		now->mono_ms + granted_s(asked, limits) * UINT64_C(1000);
	return !known;
}

static void remove_all(struct sip_bindings *b, const char *aor)
{
	for (size_t i = b->n; i > 0; i--) {
		if (strcmp(b->list[i - 1].aor, aor) == 0)
			remove_at(b, &b->list[i - 1]);
	}
}

enum sip_bind_verdict sip_bindings_apply(struct sip_bindings *b,
	const struct sip_binding_request *request,
	const struct sip_binding_limits *limits, const struct moment *now,
	size_t *added)
{
	*added = 0;
	sip_bindings_expire(b, now);
	enum sip_bind_verdict verdict = judge(b, request, limits);
	if (verdict != SIP_BIND_OK)
		return verdict;
	if (request->star)
		remove_all(b, request->aor);
	for (size_t i = 0; i < request->n_contacts; i++)
		*added += apply_contact(
			b, request, &request->contacts[i], limits, now);
	if (b->n == 0)
		sip_bindings_deinit(b);
	return SIP_BIND_OK;
}
