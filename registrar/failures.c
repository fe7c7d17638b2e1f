/* SPDX-License-Identifier: Apache-2.0 */
/* The last refusals: what a phone showed, which rule refused it, the cure. */
#include "registrar/failures.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/text.h"
#include "registrar/tls/alert.h"

enum { COPIED_AT_ONCE = 64 }; /* under the lock */

struct failures {
	pthread_mutex_t lock;
	struct failure *list; /* max of them; n in use, in no order */
	size_t n, max;
	uint64_t total;
	struct failures_by_rule by_rule;
	failures_told_fn *tell;
	void *tell_self;
	uint32_t logged_per_s;
	uint32_t logged; /* in `second` */
	uint64_t suppressed;
	int64_t second;
};

static const char *const stages[] = {
	[FAILURE_CONNECTION] = "connection",
	[FAILURE_TLS] = "tls",
	[FAILURE_REGISTRATION] = "registration",
	[FAILURE_ENROLMENT] = "enrolment",
};

const char *failure_stage_name(enum failure_stage stage)
{
	return stages[stage];
}

struct failures *failures_new(size_t max, uint32_t logged_per_s)
{
	struct failures *f = memory_zero(sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	f->list = memory_zero(max * sizeof(*f->list));
	f->max = max;
	f->logged_per_s = logged_per_s;
	return f;
}

void failures_free(struct failures *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->list);
	free(f);
}

/* A name as RFC 2253 writes it, as far as it is known. */
static void put_cn(char *to, size_t size, const char *cn)
{
	char name[sizeof("CN=") + CERT_NAME_MAX];
	snprintf(name, sizeof(name), "CN=%s", cn);
	text_copy(to, size, *cn ? name : "");
}

void failure_from_peer(struct failure *out, const struct peer *peer)
{
	*out = (struct failure){
		.port = peer->port,
		.protocol = peer->protocol,
		.tls = peer->tls,
		.udp = peer->udp,
		.alert = -1,
	};
	text_copy(out->address, sizeof(out->address), peer->address);
	const struct peer_cert *cert = peer->cert;
	if (!cert)
		return;
	text_copy(out->device, sizeof(out->device), cert->device);
	put_cn(out->subject, sizeof(out->subject), cert->cn);
	put_cn(out->issuer, sizeof(out->issuer), cert->issuer_cn);
	text_copy(out->serial, sizeof(out->serial), cert->serial);
	for (size_t i = 0; i < sizeof(cert->sha256); i++)
		snprintf(out->sha256 + 2 * i, 3, "%02x", cert->sha256[i]);
	if (cert->times_ok)
		cert_time_text(cert->not_after, out->not_after);
}

void failure_set_alert(struct failure *out, int alert, bool alert_read)
{
	out->alert = alert;
	out->alert_read = alert_read;
	snprintf(out->console, sizeof(out->console),
		"SSL3 alert [%s]:[fatal]:[%s]", alert_read ? "write" : "read",
		alert_text(alert));
}

enum reason_tls failure_tls_reason(const struct failure *failure)
{
	switch ((int)failure->code) {
	case REASON_FAILURE_X509_NAME:
		return REASON_TLS_X509_NAME;
	case REASON_FAILURE_TLS_CIPHER:
		return REASON_TLS_CIPHER;
	case REASON_FAILURE_AUTHENTICATION:
		return REASON_TLS_AUTHENTICATION;
	default:
		return REASON_TLS_UNKNOWN;
	}
}

void failures_tell(struct failures *f, failures_told_fn *fn, void *self)
{
	f->tell = fn;
	f->tell_self = self;
}

static void write_line(const struct failure *e)
{
	struct log_line line;
	log_begin(&line, LOG_EV_REFUSED);
	log_peer(&line, e->address, e->port);
	log_str(&line, "device", e->device);
	log_str(&line, "service", config_protocol_name(e->protocol));
	log_str(&line, "transport", config_transport_name(e->tls, e->udp));
	log_str(&line, "stage", stages[e->stage]);
	log_str(&line, "rule", e->rule);
	if (e->code != REASON_FAILURE_NO_ERROR)
		log_fmt(&line, "reason", "%s(%d)", reason_failure_name(e->code),
			(int)e->code);
	if (e->alert >= 0)
		log_fmt(&line, "alert", "SSL3 alert [%s]:[fatal]:[%s]",
			e->alert_read ? "read" : "write", alert_text(e->alert));
	log_str(&line, "subject", e->subject);
	log_str(&line, "issuer", e->issuer);
	log_str(&line, "serial", e->serial);
	log_str(&line, "why", e->why);
	log_str(&line, "cure", e->cure);
	log_end(&line);
}

static int64_t unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether this second still has a line to give; says what was left out. */
static bool may_log(struct failures *f, int64_t now_ms)
{
	if (now_ms / 1000 != f->second) {
		if (f->suppressed) {
			struct log_line line;
			log_begin(&line, LOG_EV_SUPPRESSED);
			log_num(&line, "count", (int64_t)f->suppressed);
			log_end(&line);
		}
		f->second = now_ms / 1000;
		f->logged = 0;
		f->suppressed = 0;
	}
	if (f->logged < f->logged_per_s) {
		f->logged++;
		return true;
	}
	f->suppressed++;
	return false;
}

/* The same phone refused for the same thing. */
static bool same(const struct failure *a, const struct failure *b)
{
	return a->stage == b->stage && a->protocol == b->protocol &&
	       a->tls == b->tls && a->udp == b->udp &&
	       strcmp(a->rule, b->rule) == 0 &&
	       strcmp(a->address, b->address) == 0 &&
	       strcmp(a->device, b->device) == 0 &&
	       strcmp(a->sha256, b->sha256) == 0;
}

/* The entry to write: the same one, a free one, or the longest unseen. */
static struct failure *slot(struct failures *f, const struct failure *e)
{
	struct failure *oldest = &f->list[0];
	for (size_t i = 0; i < f->n; i++) {
		if (same(&f->list[i], e))
			return &f->list[i];
		if (f->list[i].last_ms < oldest->last_ms)
			oldest = &f->list[i];
	}
	if (f->n < f->max)
		oldest = &f->list[f->n++];
	oldest->count = 0;
	return oldest;
}

enum {
	RULES_MAX = sizeof(((struct failures_by_rule *)0)->list) /
		    sizeof(((struct failures_by_rule *)0)->list[0])
};

/* The place of a rule; the last one is for all that found none. */
static struct failures_count *place_of(
	struct failures_by_rule *b, enum failure_stage stage, const char *rule)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].stage == stage &&
			strcmp(b->list[i].rule, rule) == 0)
			return &b->list[i];
	struct failures_count *c = &b->list[b->n];
	if (b->n == RULES_MAX)
		return c - 1;
	c->stage = stage;
	text_copy(
		c->rule, sizeof(c->rule), ++b->n < RULES_MAX ? rule : "other");
	return c;
}

void failures_add(struct failures *f, const struct failure *failure)
{
	int64_t now_ms = unix_ms();
	pthread_mutex_lock(&f->lock);
	struct failure *e = slot(f, failure);
	uint64_t count = e->count + 1;
	int64_t first = e->count ? e->first_ms : now_ms;
	*e = *failure;
	e->count = count;
	e->first_ms = first;
	e->last_ms = now_ms;
	e->nth = ++f->total;
	place_of(&f->by_rule, e->stage, e->rule)->count++;
	bool logged = may_log(f, now_ms);
	pthread_mutex_unlock(&f->lock);
	if (f->tell)
		f->tell(f->tell_self, failure);
	if (logged)
		write_line(failure);
}

bool failures_may_log(struct failures *f)
{
	int64_t now_ms = unix_ms();
	pthread_mutex_lock(&f->lock);
	bool may = may_log(f, now_ms);
	pthread_mutex_unlock(&f->lock);
	return may;
}

static int newest_first(const void *a, const void *b)
{
	const struct failure *x = a, *y = b;
	return x->last_ms < y->last_ms ? 1 : x->last_ms > y->last_ms ? -1 : 0;
}

struct failure *failures_list(struct failures *f, size_t *n)
{
	pthread_mutex_lock(&f->lock);
	struct failure *list = memory_zero((f->n ? f->n : 1) * sizeof(*list));
	*n = f->n;
	memcpy(list, f->list, f->n * sizeof(*list));
	pthread_mutex_unlock(&f->lock);
	qsort(list, *n, sizeof(*list), newest_first);
	return list;
}

size_t failures_max(const struct failures *f)
{
	return f->max;
}

uint64_t failures_total(struct failures *f)
{
	pthread_mutex_lock(&f->lock);
	uint64_t total = f->total;
	pthread_mutex_unlock(&f->lock);
	return total;
}

/* Some of those whose last refusal comes after `seen`, from *at on. */
static size_t copy_some(
	struct failures *f, struct failure *list, size_t *at, uint64_t seen)
{
	pthread_mutex_lock(&f->lock);
	size_t n = f->n;
	for (size_t copied = 0; *at < n && copied < COPIED_AT_ONCE; ++*at)
		if (f->list[*at].nth > seen) {
			list[*at] = f->list[*at];
			copied++;
		}
	pthread_mutex_unlock(&f->lock);
	return n;
}

size_t failures_copy_new(
	struct failures *f, struct failure *list, uint64_t *seen)
{
	uint64_t total = failures_total(f);
	size_t n, at = 0;
	do
		n = copy_some(f, list, &at, *seen);
	while (at < n);
	*seen = total; /* what came since may be there, and comes again */
	return n;
}

void failures_by_rule(struct failures *f, struct failures_by_rule *out)
{
	pthread_mutex_lock(&f->lock);
	*out = f->by_rule;
	pthread_mutex_unlock(&f->lock);
}
