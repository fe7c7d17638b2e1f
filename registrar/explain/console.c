/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's console log, told in plain words. */
#include "registrar/explain/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/console/line.h"
#include "registrar/explain/alerts.h"
#include "registrar/explain/rules.h"
#include "registrar/explain/words.h"
#include "registrar/memory.h"

/* Who opened a connection. Their lines come mixed with each other's. */
enum teller {
	SIGNALLING, /* the 9.x lines of a registration */
	CLIENT,	    /* the 8.x lines of any TLS connection */
	HTTPS,
	SCCP,
	TELLERS
};

/* One attempt of the phone, gathered from its lines. */
struct incident {
	enum teller teller;
	size_t at;    /* line of the file where it begins; 0: none open */
	size_t times; /* told once, happened so often */
	struct console_line first, offer, alert, failed;
	struct console_text address, port, status;
	bool no_lsc, vouched;
};

struct story {
	const char *device;
	struct incident open[TELLERS];
	/* The last EXPLAIN_INCIDENTS_MAX of `told`, as a ring; where each
	 * teller's last one is, counted from 1. */
	struct incident *ring;
	size_t told, last[TELLERS];
	size_t lines, unexplained, foreign, overlong;
};

/* ---- gathering ---- */

static bool same_text(struct console_text a, struct console_text b)
{
	return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_line(
	const struct console_line *a, const struct console_line *b)
{
#define X(field) same_text(a->field, b->field) &&
	return CONSOLE_TEXT_LIST(X) a->event == b->event;
#undef X
}

static bool same(const struct incident *a, const struct incident *b)
{
	return a->teller == b->teller && a->no_lsc == b->no_lsc &&
	       a->vouched == b->vouched && same_line(&a->offer, &b->offer) &&
	       same_line(&a->alert, &b->alert) &&
	       same_line(&a->failed, &b->failed) &&
	       same_text(a->address, b->address) &&
	       same_text(a->port, b->port) && same_text(a->status, b->status);
}

/* A connection that the 8.x lines begin and nothing ends is no incident. */
static bool is_told(const struct incident *i)
{
	return i->at &&
	       (i->teller != CLIENT || i->alert.event || i->failed.event);
}

/* The same as this teller's last one is told once. */
static bool is_again(struct story *s, const struct incident *i)
{
	size_t last = s->last[i->teller];
	if (!last || s->told - last >= EXPLAIN_INCIDENTS_MAX)
		return false;
	struct incident *before = &s->ring[(last - 1) % EXPLAIN_INCIDENTS_MAX];
	if (!same(before, i))
		return false;
	before->times++;
	return true;
}

static void finish(struct story *s, enum teller teller)
{
	struct incident *i = &s->open[teller];
	if (is_told(i) && !is_again(s, i)) {
		s->ring[s->told++ % EXPLAIN_INCIDENTS_MAX] = *i;
		s->last[teller] = s->told;
	}
	*i = (struct incident){0};
}

static struct incident *begin(
	struct story *s, enum teller teller, const struct console_line *line)
{
	struct incident *i = &s->open[teller];
	finish(s, teller);
	*i = (struct incident){
		.teller = teller, .at = s->lines, .times = 1, .first = *line};
	return i;
}

/* The one that is open, or a new one. */
static struct incident *current(
	struct story *s, enum teller teller, const struct console_line *line)
{
	struct incident *i = &s->open[teller];
	return i->at ? i : begin(s, teller, line);
}

static void on_connecting(struct story *s, const struct console_line *line)
{
	struct incident *i = current(s, CLIENT, line);
	if (i->alert.event || i->failed.event ||
		(i->address.n && !same_text(i->address, line->address)))
		i = begin(s, CLIENT, line);
	i->address = line->address;
	if (line->port.n)
		i->port = line->port;
}

static void on_alert(struct story *s, const struct console_line *line)
{
	bool old = line->address.n > 0;
	bool signalling =
		!old && (s->open[SIGNALLING].at || !s->open[CLIENT].at);
	struct incident *i = current(s, signalling ? SIGNALLING : CLIENT, line);
	if (i->alert.event)
		i = begin(s, i->teller, line);
	i->alert = *line;
	if (old)
		i->address = line->address;
	if (signalling)
		finish(s, SIGNALLING);
}

static void on_offer(struct story *s, const struct console_line *line)
{
	struct incident *i = current(s, SIGNALLING, line);
	if (i->offer.event)
		i = begin(s, SIGNALLING, line);
	i->offer = *line;
}

static void on_failed(struct story *s, const struct console_line *line)
{
	struct incident *i = current(s, CLIENT, line);
	if (!i->failed.event)
		i->failed = *line;
	if (!i->address.n)
		i->address = line->address;
}

/* One message makes two lines: "ID=0x9a", then "ID :9a:". */
static void on_sccp_unknown(struct story *s, const struct console_line *line)
{
	bool first = line->text.n > 1 && line->text.p[1] == 'x';
	if (first || !s->open[SCCP].at)
		begin(s, SCCP, line)->status = line->text;
}

static void take(struct story *s, const struct console_line *line)
{
	switch (line->event) {
	case CONSOLE_NO_LINE:
		s->foreign++;
		break;
	case CONSOLE_OTHER:
		s->unexplained++;
		break;
	case CONSOLE_NO_LSC:
		begin(s, SIGNALLING, line)->no_lsc = true;
		break;
	case CONSOLE_OFFER:
		on_offer(s, line);
		break;
	case CONSOLE_ALERT:
		on_alert(s, line);
		break;
	case CONSOLE_CONNECTING:
		on_connecting(s, line);
		break;
	case CONSOLE_FAILED:
		on_failed(s, line);
		break;
	case CONSOLE_HTTPS_STRANGE:
		begin(s, HTTPS, line)->address = line->address;
		break;
	case CONSOLE_TVS_STATUS:
		current(s, HTTPS, line)->status = line->text;
		break;
	case CONSOLE_TVS_VOUCHED:
		current(s, HTTPS, line)->vouched = true;
		finish(s, HTTPS);
		break;
	case CONSOLE_SCCP_UNKNOWN:
		on_sccp_unknown(s, line);
		break;
	}
}

static void read_lines(struct story *s, const char *data, size_t n)
{
	struct console_line line;
	for (const char *end = data + n; data < end;) {
		const char *stop = memchr(data, '\n', (size_t)(end - data));
		size_t length = (size_t)((stop ? stop : end) - data);
		s->lines++;
		if (length > EXPLAIN_LINE_MAX)
			s->overlong++;
		console_line_read(data,
			length < EXPLAIN_LINE_MAX ? length : EXPLAIN_LINE_MAX,
			&line);
		if (length && !(length == 1 && *data == '\r'))
			take(s, &line);
		data = stop ? stop + 1 : end;
	}
	for (int i = 0; i < TELLERS; i++)
		finish(s, (enum teller)i);
}

static int by_line(const void *a, const void *b)
{
	const struct incident *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* ---- telling ---- */

static void set(json_t *o, const char *key, struct console_text t)
{
	if (t.n)
		json_object_set_new(o, key, words_json(t.p, t.n));
}

static bool is(struct console_text t, const char *text)
{
	return t.n == strlen(text) && strncmp(t.p, text, t.n) == 0;
}

/* Digits that end where the text does; 0 when they are none. */
static int number_of(struct console_text t)
{
	int n = 0;
	for (size_t i = 0; i < t.n && i < 5; i++)
		n = t.p[i] >= '0' && t.p[i] <= '9' ? n * 10 + t.p[i] - '0' : n;
	return n;
}

/* What the phone shows: the offer says, or that it has no LSC. */
static const char *presented(const struct incident *i)
{
	if (is(i->offer.certificate, "LSC"))
		return "LSC";
	if (is(i->offer.certificate, "MIC") || i->no_lsc)
		return "MIC";
	return "";
}

static struct explain_alert alert_of(const struct console_line *line)
{
	return (struct explain_alert){
		.number = explain_alert_number(line->text.p, line->text.n),
		.by_phone = is(line->direction, "write"),
		.fatal = !is(line->level, "warning"),
	};
}

static const char *rule_of(const struct incident *i)
{
	if (i->teller == HTTPS)
		return i->vouched ? "https-vouched" : "https-unknown";
	if (i->teller == SCCP)
		return "sccp-unknown-message";
	if (i->teller == CLIENT && is(i->port, "2445"))
		return "tvs-failed";
	if (i->teller == CLIENT && i->port.n && !is(i->port, "2443") &&
		!is(i->port, "5061"))
		return "other-service-failed";
	if (!i->alert.event)
		return i->failed.event ? "other-alert" : "let-in";
	struct explain_alert alert = alert_of(&i->alert);
	return explain_alert_rule(&alert, *presented(i));
}

static void tell_offer(struct words *w, const struct incident *i)
{
	const struct console_line *offer = &i->offer;
	if (i->no_lsc)
		words_add(w, "The phone has no LSC, so it presents its MIC. ");
	if (!offer->event)
		return;
	words_add(w, "The phone opened TLS for %.*s (%.*s) with its %.*s",
		(int)offer->user.n, offer->user.p, (int)offer->version.n,
		offer->version.p, (int)offer->certificate.n,
		offer->certificate.p);
	if (offer->ciphers.n)
		words_add(w, " and offered %.*s", (int)offer->ciphers.n,
			offer->ciphers.p);
	words_add(w, ". ");
}

static void tell_alert(struct words *w, const struct console_line *line)
{
	struct explain_alert alert = alert_of(line);
	if (!line->event)
		return;
	words_add(w, "%s the %s alert \"%.*s\"",
		alert.by_phone ? "The phone sent" : "The server answered with",
		alert.fatal ? "fatal" : "warning", (int)line->text.n,
		line->text.p);
	if (alert.number >= 0)
		words_add(w, " (%d)", alert.number);
	words_add(w, ". ");
}

static void tell(struct words *w, const struct incident *i)
{
	switch (i->teller) {
	case SIGNALLING:
		tell_offer(w, i);
		tell_alert(w, &i->alert);
		if (!i->alert.event)
			words_add(w, "No alert follows.");
		break;
	case CLIENT:
		words_add(w, "The phone opened TLS to %.*s", (int)i->address.n,
			i->address.p);
		if (i->port.n)
			words_add(w, " port %.*s (%s)", (int)i->port.n,
				i->port.p, words_service(number_of(i->port)));
		words_add(w, ". ");
		tell_alert(w, &i->alert);
		if (i->failed.event)
			words_add(w, "The handshake failed%s%.*s.",
				i->failed.text.n ? " in: " : "",
				(int)i->failed.text.n, i->failed.text.p);
		break;
	case HTTPS:
		words_add(w,
			"The phone met a certificate of %.*s that its CTL "
			"lacks. TVS "
			"%s%.*s.",
			(int)i->address.n, i->address.p,
			i->status.n ? "answered with status "
				    : "gave no answer",
			(int)i->status.n, i->status.p);
		break;
	case SCCP:
	case TELLERS:
		words_add(w,
			"The phone was sent an SCCP message that it does not "
			"know: %.*s.",
			(int)i->status.n, i->status.p);
		break;
	}
}

static json_t *ciphers_of(struct console_text t)
{
	json_t *list = json_array();
	while (t.n) {
		const char *stop = memchr(t.p, ':', t.n);
		size_t n = stop ? (size_t)(stop - t.p) : t.n;
		json_array_append_new(list, words_json(t.p, n));
		t.p += stop ? n + 1 : n;
		t.n -= stop ? n + 1 : n;
	}
	return list;
}

static json_t *explanation(const struct story *s, const struct incident *i)
{
	json_t *o = json_object();
	struct words w = {.n = 0};
	const char *rule = rule_of(i);
	json_object_set_new(o, "line", json_integer((json_int_t)i->at));
	json_object_set_new(o, "times", json_integer((json_int_t)i->times));
	set(o, "number", i->first.number);
	set(o, "phoneClock", i->first.time);
	tell(&w, i);
	json_object_set_new(o, "what", words_json(w.text, w.n));
	set(o, "opens", i->offer.user);
	set(o, "tlsVersion", i->offer.version);
	if (*presented(i))
		json_object_set_new(
			o, "certificate", json_string(presented(i)));
	if (i->offer.ciphers.n)
		json_object_set_new(o, "ciphers", ciphers_of(i->offer.ciphers));
	set(o, "address", i->address);
	set(o, "port", i->port);
	if (i->alert.event) {
		struct explain_alert alert = alert_of(&i->alert);
		explain_alert_put(o, &alert);
	}
	json_object_set_new(o, "rule", json_string(rule));
	explain_rule_put(o, explain_rule(rule, presented(i)), s->device);
	return o;
}

json_t *explain_console(const char *data, size_t n, const char *device)
{
	struct story s = {.device = device};
	s.ring = memory_zero(EXPLAIN_INCIDENTS_MAX * sizeof(*s.ring));
	read_lines(&s, data, n);
	size_t kept =
		s.told < EXPLAIN_INCIDENTS_MAX ? s.told : EXPLAIN_INCIDENTS_MAX;
	qsort(s.ring, kept, sizeof(*s.ring), by_line);
	json_t *all = json_array();
	for (size_t i = 0; i < kept; i++)
		json_array_append_new(all, explanation(&s, &s.ring[i]));
	free(s.ring);
	return json_pack("{so sI sI sI sI sI}", "explanations", all, "lines",
		(json_int_t)s.lines, "unexplained", (json_int_t)s.unexplained,
		"foreign", (json_int_t)s.foreign, "overlong",
		(json_int_t)s.overlong, "earlier", (json_int_t)(s.told - kept));
}
