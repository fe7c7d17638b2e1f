/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's life, its transactions, and what it says of itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/memory.h"
#include "registrar/text.h"

static const struct {
	const char *name;
	enum log_event log; /* LOG_EVENTS: an order's own line says it */
} events[] = {
#define X(symbol, name, log) {name, log},
	DESK_EVENT_LIST(X)
#undef X
};

int64_t capf_desk_now(const struct capf_desk *desk)
{
	if (desk->world.now)
		return desk->world.now(desk->world.self);
	return (int64_t)time(NULL);
}

/* ---- turns with the records ---- */

void capf_desk_enter(struct capf_desk *desk)
{
	pthread_mutex_lock(&desk->turns);
	uint64_t mine = desk->next_turn++;
	while (desk->serving != mine)
		pthread_cond_wait(&desk->turn, &desk->turns);
	pthread_mutex_unlock(&desk->turns);
}

/* Published before anybody else has the records, and so before the thread can
 * free a visit that has left. */
void capf_desk_leave(struct capf_desk *desk)
{
	while (desk->to_publish) {
		struct capf_visit *v = desk->to_publish;
		desk->to_publish = v->next_published;
		capf_visit_publish(v);
	}
	pthread_mutex_lock(&desk->turns);
	desk->serving++;
	pthread_mutex_unlock(&desk->turns);
	pthread_cond_broadcast(&desk->turn);
}

struct capf_store *capf_desk_look(struct capf_desk *desk)
{
	capf_desk_enter(desk);
	return desk->store;
}

void capf_desk_looked(struct capf_desk *desk)
{
	capf_desk_leave(desk);
}

enum { WALK = 500 }; /* links at once: some milliseconds */

int capf_desk_check_audit(struct capf_desk *desk, struct capf_progress *p,
	struct capf_audit *head, struct diag *d)
{
	struct capf_audit_walk walk = {.number = 0};
	int error = 0;
	*head = (struct capf_audit){.number = 0};
	while (error == 0 && !walk.over) {
		if (p && __atomic_load_n(&p->stop, __ATOMIC_RELAXED))
			return diag_set(d, -ECANCELED,
				"dialtoned ends: the chain was not walked to "
				"its end");
		struct capf_store *store = capf_desk_look(desk);
		error = capf_store_audit_walk(store, &walk, WALK, d);
		if (error == 0 && walk.over &&
			capf_store_audit_head(store, head, d) == -EIO)
			error = -EIO;
		capf_desk_looked(desk);
	}
	return error;
}

/* ---- why nothing is issued ---- */

static void log_halt(enum log_event event, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_str(&line, "why", why);
	log_end(&line);
}

void capf_desk_halt(struct capf_desk *desk, enum desk_halt by, const char *why)
{
	pthread_mutex_lock(&desk->lock);
	if (desk->halt > by) { /* which must be over first */
		pthread_mutex_unlock(&desk->lock);
		return;
	}
	bool news = desk->halt != by;
	if (news)
		desk->state.halted_since = capf_desk_now(desk);
	desk->halt = by;
	text_copy(desk->state.halted, sizeof(desk->state.halted), why);
	pthread_mutex_unlock(&desk->lock);
	if (news)
		log_halt(LOG_EV_CAPF_HALTED, why);
}

void capf_desk_works(struct capf_desk *desk, enum desk_halt by)
{
	pthread_mutex_lock(&desk->lock);
	bool news = desk->halt == by;
	if (news) {
		desk->halt = HALT_NOT;
		desk->state.halted[0] = '\0';
		desk->state.halted_since = 0;
	}
	pthread_mutex_unlock(&desk->lock);
	if (news)
		log_halt(LOG_EV_CAPF_WORKS, NULL);
}

struct capf_desk_state capf_desk_state(struct capf_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	struct capf_desk_state state = desk->state;
	pthread_mutex_unlock(&desk->lock);
	return state;
}

/* ---- notes ---- */

struct desk_note capf_desk_note_of(const struct capf_visit *v,
	enum desk_event event, const char *serial, const char *detail)
{
	struct desk_note note = {.event = event, .port = v->port};
	text_copy(note.device, sizeof(note.device), v->device);
	text_copy(note.serial, sizeof(note.serial), serial);
	if (!v->unattended)
		text_copy(note.address, sizeof(note.address), v->address);
	text_copy(note.detail, sizeof(note.detail), detail);
	return note;
}

int capf_desk_audit(
	struct capf_desk *desk, const struct desk_note *note, struct diag *d)
{
	struct capf_audit link = {.at = capf_desk_now(desk)};
	const char *name = note->name ? note->name : events[note->event].name;
	snprintf(link.event, sizeof(link.event), "%s", name);
	memcpy(link.device, note->device, sizeof(link.device));
	memcpy(link.serial, note->serial, sizeof(link.serial));
	memcpy(link.address, note->address, sizeof(link.address));
	memcpy(link.detail, note->detail, sizeof(link.detail));
	int error = capf_store_audit(desk->store, &link, d);
	if (error < 0)
		return error;
	desk->changed = true;
	*(struct desk_note *)memory_grow(
		(void **)&desk->notes, &desk->n_notes, sizeof(*note)) = *note;
	return 0;
}

static void log_note(const struct desk_note *note)
{
	struct log_line line;
	if (note->name || events[note->event].log == LOG_EVENTS)
		return;
	log_begin(&line, events[note->event].log);
	log_str(&line, "device", note->device);
	if (*note->address)
		log_peer(&line, note->address, note->port);
	log_str(&line, "what", events[note->event].name);
	if (note->why)
		log_str(&line, "rule", capf_why_name(note->why));
	log_str(&line, "serial", note->serial);
	log_str(&line, "why", note->detail);
	log_end(&line);
}

static void count(struct capf_desk_state *state, enum desk_event event)
{
	state->issued += event == DESK_ISSUED || event == DESK_IMPORTED;
	state->delivered_again += event == DESK_AGAIN;
	state->refused += event == DESK_REFUSED || event == DESK_LATE;
	state->removed += event == DESK_ERASED;
	state->fetched += event == DESK_FETCHED;
}

static void tell_notes(struct capf_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	for (size_t i = 0; i < desk->n_notes; i++)
		if (!desk->notes[i].name)
			count(&desk->state, desk->notes[i].event);
	pthread_mutex_unlock(&desk->lock);
	for (size_t i = 0; i < desk->n_notes; i++)
		log_note(&desk->notes[i]);
}

/* ---- transactions ---- */

int capf_desk_put(
	struct capf_desk *desk, const struct capf_operation *o, struct diag *d)
{
	int error = capf_store_put_operation(desk->store, o, d);
	desk->changed |= error == 0;
	return error;
}

static void free_names(struct desk_name *list)
{
	while (list) {
		struct desk_name *next = list->next;
		free(list);
		list = next;
	}
}

/* They may not outlive an order for a device of the same name. */
static int forget_those_gone(struct capf_desk *desk, struct diag *d)
{
	int error = 0;
	pthread_mutex_lock(&desk->lock);
	struct desk_name **end = &desk->forgetting;
	while (*end)
		end = &(*end)->next;
	*end = desk->forget;
	desk->forget = NULL;
	pthread_mutex_unlock(&desk->lock);
	for (struct desk_name *at = desk->forgetting; at && error == 0;
		at = at->next)
		error = capf_forget(desk, at->device, d);
	return error;
}

static void reset(struct capf_desk *desk)
{
	free(desk->notes);
	desk->notes = NULL;
	desk->n_notes = 0;
	desk->changed = false;
	desk->issued_at = 0;
}

void capf_desk_abort(struct capf_desk *desk)
{
	capf_store_rollback(desk->store);
	reset(desk);
}

void capf_desk_fail(struct capf_desk *desk, const struct diag *d)
{
	capf_desk_halt(desk, HALT_DISK, d->text);
	capf_desk_abort(desk);
}

int capf_desk_begin(struct capf_desk *desk, struct diag *d)
{
	reset(desk);
	int error = capf_store_begin(desk->store, d);
	if (error == 0)
		error = forget_those_gone(desk, d);
	if (error < 0)
		capf_desk_fail(desk, d);
	return error;
}

int capf_desk_commit(struct capf_desk *desk, struct diag *d)
{
	if (!desk->changed) {
		capf_desk_abort(desk);
		return 0;
	}
	int error = capf_store_commit(desk->store, d);
	if (error < 0) {
		capf_desk_fail(desk, d);
		return error;
	}
	if (desk->issued_at > desk->newest_issue)
		desk->newest_issue = desk->issued_at;
	free_names(desk->forgetting);
	desk->forgetting = NULL;
	capf_desk_works(desk, HALT_DISK);
	tell_notes(desk);
	reset(desk);
	return 0;
}

int capf_desk_close_with(struct capf_desk *desk, int error, struct diag *d)
{
	if (error == 0)
		return capf_desk_commit(desk, d);
	if (error == -ENOENT || error == -EINVAL || error == -EEXIST ||
		error == -EBUSY)
		capf_desk_abort(desk);
	else
		capf_desk_fail(desk, d);
	return error;
}

int capf_desk_mark(struct capf_desk *desk, size_t *notes, struct diag *d)
{
	*notes = desk->n_notes;
	return capf_store_mark(desk->store, d);
}

void capf_desk_back_to_mark(struct capf_desk *desk, size_t notes)
{
	capf_store_back_to_mark(desk->store);
	desk->n_notes = notes;
}

int capf_desk_note(struct capf_desk *desk, const char *event,
	const char *detail, struct diag *d)
{
	struct desk_note note = {.name = event};
	text_copy(note.detail, sizeof(note.detail), detail);
	capf_desk_enter(desk);
	int error = capf_desk_begin(desk, d);
	if (error == 0)
		error = capf_desk_close_with(
			desk, capf_desk_audit(desk, &note, d), d);
	capf_desk_leave(desk);
	return error;
}

/* ---- life ---- */

static int open_records(
	struct capf_desk *desk, const char *folder, struct diag *d)
{
	struct capf_store_counts counts;
	int error = capf_store_open(folder, &desk->store, d);
	if (error == 0)
		error = capf_store_newest_issue(
			desk->store, &desk->newest_issue, d);
	if (error == 0)
		error = capf_store_count(desk->store, &counts, d);
	if (error == 0) {
		capf_tend_again(desk);
		desk->stale = counts.issued[CAPF_ISSUED_STALE];
		desk->missed = capf_tend_missed(desk);
		error = capf_later_start(desk, d);
	}
	return error;
}

static void destroy(struct capf_desk *desk)
{
	capf_store_close(desk->store);
	free_names(desk->forget);
	free_names(desk->forgetting);
	free(desk->notes);
	free(desk->later);
	pthread_mutex_destroy(&desk->turns);
	pthread_cond_destroy(&desk->turn);
	pthread_mutex_destroy(&desk->lock);
	pthread_cond_destroy(&desk->news);
	free(desk);
}

int capf_desk_open(const struct capf_desk_world *world, const char *folder,
	struct capf_desk **out, struct diag *d)
{
	struct capf_desk *desk = memory_zero(sizeof(*desk));
	pthread_condattr_t steady;
	*out = NULL;
	desk->world = *world;
	desk->end = &desk->first;
	/* A phone's SUDI proof is of a session id: one that may come twice
	 * could be shown twice. */
	if (RAND_bytes((unsigned char *)&desk->session,
		    sizeof(desk->session)) != 1)
		abort();
	pthread_mutex_init(&desk->turns, NULL);
	pthread_cond_init(&desk->turn, NULL);
	pthread_mutex_init(&desk->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&desk->news, &steady);
	pthread_condattr_destroy(&steady);
	int error = open_records(desk, folder, d);
	if (error == 0 && world->config->capf_issuer == CONFIG_ISSUER_EST)
		error = est_open(world->config, &desk->est, d);
	if (error == 0)
		error = capf_queue_start(desk, d);
	if (error < 0) {
		est_close(desk->est);
		destroy(desk);
		return error;
	}
	*out = desk;
	return 0;
}

void capf_desk_close(struct capf_desk *desk)
{
	if (!desk)
		return;
	/* Whoever comes now asks no CA any more; the last replies of those who
	 * did are news for the thread. */
	capf_desk_enter(desk);
	struct est *est = desk->est;
	desk->est = NULL;
	capf_desk_leave(desk);
	est_close(est);
	capf_queue_stop(desk);
	destroy(desk);
}
