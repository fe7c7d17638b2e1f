/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar as a whole: its stores, its workers, its status. */
#include "registrar/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "registrar/capf/counts.h"
#include "registrar/capf/offline.h"
#include "registrar/crl_watch.h"
#include "registrar/impact.h"
#include "registrar/leaves.h"
#include "registrar/listen.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/notify.h"
#include "registrar/store/folder.h"
#include "registrar/text.h"
#include "registrar/tls/resumption.h"
#include "registrar/watch.h"
#include "registrar/worker.h"

enum {
	DESCRIPTORS_KEPT = 200,	   /* for files, status and admin clients */
	DESCRIPTORS_OF_WORKER = 8, /* for its loop; its sockets come on top */
	CONNECTIONS_TO_TELL = 100, /* what one of them takes */
	UNWATCHED_MAX = 128,
	/* CAPF may have so much of the limits of connections: phones that
	 * make keys, or say nothing, take no other's place. */
	CAPF_SHARE = 4,
	CAPF_TEND_MS = 1000,
};

struct server {
	const struct config *config;
	struct worker_shared shared;
	struct worker **workers;
	size_t n_workers;
	struct server_listener *listeners;
	size_t n_listeners;
	struct resume resume;
	struct folder *state;		  /* NULL: none */
	struct capf_authority *authority; /* NULL: no CAPF */
	struct capf_offline *offline;	  /* NULL: no folder of its */
	struct capf_counts capf_counts;
	struct leaves *leaves;
	struct impact *impact;
	struct reload *reload; /* trust and certificates in force */
	struct crl_watch crl_watch;
	struct watch *watch;			     /* of their folders */
	char unwatched[TRUST_STORES][UNWATCHED_MAX]; /* as it was logged */
	bool stalled;				     /* that was logged */
	int64_t started_ms;
	size_t resident_at_start;
};

static int64_t unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- trust and certificates ---- */

static void on_trust(void *self, enum trust_store store,
	struct trust_snapshot *before, struct trust_snapshot *after)
{
	if (store == STORE_CALLMANAGER)
		server_sweep(self); /* at the start nobody is here yet */
	if (before)
		impact_tell(self, store, before, after);
}

/* Once a reason: a folder that cannot be watched is looked at by and by. */
static void log_unwatched(struct server *s, enum trust_store store)
{
	char why[UNWATCHED_MAX];
	struct log_line line;
	server_trust_unwatched(s, store, why, sizeof(why));
	if (strcmp(why, s->unwatched[store]) == 0)
		return;
	memcpy(s->unwatched[store], why, sizeof(why));
	if (!*why)
		return;
	log_begin(&line, LOG_EV_TRUST_UNWATCHED);
	log_str(&line, "store", trust_store_name(store));
	log_str(&line, "why", why);
	log_str(&line, "cure",
		"raise fs.inotify.max_user_watches and max_user_instances, or "
		"let the registrar read the folder; until then say dialtone "
		"trust reload after a change");
	log_end(&line);
}

static bool on_look(void *self, bool asked)
{
	struct server *s = self;
	struct diag d;
	int error = reload_run(s->reload, asked, &d);
	for (int i = 0; i < TRUST_STORES; i++)
		log_unwatched(s, (enum trust_store)i);
	if (asked)
		notify_say("READY=1"); /* after SIGHUP: it is over */
	return error == 0;
}

int server_reload(struct server *s, bool explicit_order, struct diag *d)
{
	int error = reload_run(s->reload, explicit_order, d);
	if (error < 0)
		watch_nudge(s->watch); /* it tries again */
	return error;
}

void server_ask_reload(struct server *s)
{
	watch_ask(s->watch);
}

/* Watched first: what changes while it is read is seen. */
static int open_trust(struct server *s, struct diag *d)
{
	const char *folders[TRUST_STORES];
	size_t n = 0;
	for (int i = 0; i < TRUST_STORES; i++) {
		const char *folder =
			trust_store_folder(s->config, (enum trust_store)i);
		if (*folder)
			folders[n++] = folder;
	}
	s->watch = watch_new(folders, n, on_look, s);
	return reload_run(s->reload, false, d);
}

struct profiles *server_profiles(struct server *s)
{
	return reload_profiles(s->reload);
}

static struct profiles *get_profiles(void *self)
{
	return server_profiles(self);
}

/* ---- workers ---- */

static void displace(void *self, struct conn_ref ref)
{
	struct server *s = self;
	worker_displace(s->workers[ref.worker], ref);
}

static void make_room(void *self, struct limits *limits)
{
	struct server *s = self;
	for (size_t i = 0; i < s->n_workers; i++)
		worker_make_room(s->workers[i], limits);
}

int server_may_order(struct server *s, const char *device, struct conn_ref *ref,
	struct diag *d)
{
	struct directory_entry entry;
	if (!directory_find(s->shared.world.directory, device, &entry))
		return diag_set(d, -ENOENT,
			"%s was never registered here since the start", device);
	bool registered = entry.registered;
	if (ref)
		*ref = entry.ref;
	directory_entry_deinit(&entry);
	if (!registered)
		return diag_set(d, -ENOTCONN,
			"%s is not registered now: nobody is there to be told; "
			"dialtone phone %s says what is known",
			device, device);
	return 0;
}

int server_order(struct server *s, const char *device, enum phone_order order,
	struct diag *d)
{
	struct conn_ref ref = {0};
	int error = server_may_order(s, device, &ref, d);
	if (error < 0)
		return error;
	worker_order(s->workers[ref.worker], ref, order);
	history_ordered(s->shared.world.history, device,
		order == PHONE_RESET	 ? HISTORY_RESET
		: order == PHONE_RESTART ? HISTORY_RESTART
					 : HISTORY_APPLY);
	return 0;
}

static size_t workers_wanted(const struct config *c)
{
	if (c->workers)
		return c->workers;
	size_t n = uv_available_parallelism();
	return n > 64 ? 64 : n;
}

/* Descriptors decide how many connections there really can be. */
static uint32_t connections_max(const struct config *c)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return c->connections_max;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t kept =
		DESCRIPTORS_KEPT +
		workers_wanted(c) * (DESCRIPTORS_OF_WORKER + c->n_listeners);
	rlim_t room = limit.rlim_cur > kept * 2 ? limit.rlim_cur - kept
						: limit.rlim_cur / 2;
	return room < c->connections_max ? (uint32_t)room : c->connections_max;
}

static int start_workers(struct server *s, struct diag *d)
{
	const struct config *c = s->config;
	size_t n = workers_wanted(c);
	s->workers = memory_zero(n * sizeof(struct worker *));
	for (; s->n_workers < n; s->n_workers++)
		s->workers[s->n_workers] =
			worker_new((uint32_t)s->n_workers, &s->shared);
	s->n_listeners = c->n_listeners;
	s->listeners =
		memory_zero((c->n_listeners + 1) * sizeof(*s->listeners));
	int error = listen_on_all(c, s->workers, n, s->listeners, d);
	for (size_t i = 0; error == 0 && i < n; i++)
		error = worker_start(s->workers[i], d);
	for (size_t i = 0; error == 0 && i < s->n_listeners; i++)
		listen_log(&s->listeners[i]);
	return error;
}

/* ---- resumption ---- */

enum { RESUMPTION_ALL, RESUMPTION_IDS, RESUMPTION_TICKETS, RESUMPTION_OFF };

static int open_resumption(struct server *s, struct diag *d)
{
	const struct config *c = s->config;
	bool ids = c->resumption <= RESUMPTION_IDS;
	bool tickets = c->resumption == RESUMPTION_ALL ||
		       c->resumption == RESUMPTION_TICKETS;
	int error = 0;
	s->resume.config = c;
	s->resume.inventory = s->shared.world.inventory;
	s->resume.now = time;
	if (tickets)
		error = ticket_keys_open(c->ticket_keys, &s->resume.keys, d);
	if (error == 0 && ids)
		error = session_cache_open(
			c->session_cache, c->sessions_max, &s->resume.cache, d);
	return error;
}

/* ---- what lasts ---- */

/* Who is out of the inventory comes anew, and is refused then. */
static void on_removed(void *self, const char *device)
{
	struct diag d; /* not registered: nobody to tell */
	struct server *s = self;
	server_order(s, device, PHONE_RESET, &d);
	leaves_forget(s->leaves, device);
	if (s->shared.world.capf)
		capf_desk_forget(s->shared.world.capf, device);
}

static int open_state(struct server *s, struct diag *d)
{
	if (!*s->config->state_folder)
		return 0;
	inventory_on_removed(s->shared.world.inventory, on_removed, s);
	int error = folder_open(s->config->state_folder, &s->state, d);
	if (error == 0)
		error = inventory_open(
			s->shared.world.inventory, s->config->state_folder, d);
	return error;
}

static void watch_crls(struct server *s)
{
	struct trust_snapshot *trust = server_trust(s, STORE_CALLMANAGER);
	crl_watch_look(&s->crl_watch, trust, time(NULL));
	trust_snapshot_unref(trust);
}

void server_sweep(struct server *s)
{
	watch_crls(s);
	for (size_t i = 0; i < s->n_workers; i++)
		worker_sweep(s->workers[i]);
}

/* Once: a watchdog may end us, and whoever reads the log asks why. */
static void log_stalled(struct server *s, size_t worker)
{
	struct log_line line;
	if (s->stalled)
		return;
	s->stalled = true;
	log_begin(&line, LOG_EV_STALLED);
	log_num(&line, "worker", (int64_t)worker);
	log_str(&line, "why", "its loop has not turned since it was asked");
	log_end(&line);
}

bool server_is_alive(struct server *s)
{
	bool alive = true;
	for (size_t i = 0; i < s->n_workers; i++) {
		if (worker_turns(s->workers[i]))
			continue;
		log_stalled(s, i);
		alive = false;
	}
	if (alive)
		s->stalled = false;
	return alive;
}

void server_tend(struct server *s)
{
	resumption_tend(&s->resume);
	capf_offline_tend(s->offline);
	watch_crls(s);
}

/* ---- history ---- */

/* Of every refusal; who is in the inventory is no stranger. */
static void on_refused(void *self, const struct failure *f)
{
	struct server *s = self;
	struct device *known =
		inventory_find(s->shared.world.inventory, f->device);
	history_refused(s->shared.world.history, f, !known);
	device_unref(known);
	if (f->stage == FAILURE_TLS || f->stage == FAILURE_REGISTRATION)
		directory_refused(
			s->shared.world.directory, f->device, unix_ms());
}

static int open_history(struct server *s, struct diag *d)
{
	const struct config *c = s->config;
	failures_tell(s->shared.world.failures, on_refused, s);
	return history_open(*c->state_folder ? c->state_folder : NULL,
		c->history_events, &s->shared.world.history, d);
}

/* ---- certificates ---- */

static int open_leaves(struct server *s, struct diag *d)
{
	const struct config *c = s->config;
	int error = leaves_open(*c->state_folder ? c->state_folder : NULL, c,
		s->shared.world.inventory, &s->leaves, d);
	s->resume.leaves = s->leaves;
	return error < 0 ? error : impact_new(s, &s->impact, d);
}

/* ---- CAPF ---- */

static struct trust_snapshot *trust_of(void *self, enum trust_store store)
{
	return server_trust(self, store);
}

static void wake(void *self, struct conn_ref ref)
{
	struct server *s = self;
	worker_wake(s->workers[ref.worker], ref);
}

static int reset(void *self, const char *device)
{
	struct diag d;
	return server_order(self, device, PHONE_RESET, &d);
}

/* Before trust is read: the first root puts itself there. */
static int open_authority(struct server *s, struct diag *d)
{
	if (!config_has_capf(s->config))
		return 0;
	int error =
		capf_authority_open(s->config, time(NULL), &s->authority, d);
	reload_use_capf(s->reload, s->authority);
	return error;
}

static int open_desk(struct server *s, struct diag *d)
{
	const struct capf_desk_world world = {
		.config = s->config,
		.inventory = s->shared.world.inventory,
		.authority = s->authority,
		.trust = trust_of,
		.wake = wake,
		.reset = reset,
		.tend_ms = CAPF_TEND_MS,
		.self = s,
	};
	const struct capf_believers by = {trust_of, s};
	if (!s->authority)
		return 0;
	int error = capf_desk_open(
		&world, s->config->state_folder, &s->shared.world.capf, d);
	return error < 0 ? error
			 : capf_offline_open(s->config, s->shared.world.capf,
				   &by, &s->offline, d);
}

/* ---- life ---- */

int server_new(const struct config *config, struct server **out, struct diag *d)
{
	struct server *s = memory_zero(sizeof(*s));
	*out = NULL;
	s->config = config;
	s->started_ms = unix_ms();
	pthread_mutex_init(&s->crl_watch.lock, NULL);
	capf_counts_init(&s->capf_counts);
	s->reload = reload_new(config, &s->resume, on_trust, s);
	s->shared = (struct worker_shared){
		.world =
			{
				.config = config,
				.directory = directory_new(config->devices_max),
				.inventory = inventory_new(config),
				.locations = locations_new(),
				.digest = digest_new(),
				.gruu = gruu_new(),
				.failures = failures_new(config->failures_max,
					config->refusals_per_s),
				.displace = displace,
				.displace_self = s,
			},
		.limits = limits_new(connections_max(config),
			config->half_open_max, config->half_open_per_address),
		.overload = overload_new(config),
		.resume = &s->resume,
		.workers = workers_wanted(config),
		.profiles = reload_profiles_at(s->reload),
		.get_profiles = get_profiles,
		.make_room = make_room,
		.self = s,
	};
	s->shared.meters =
		memory_zero(s->shared.workers * sizeof(*s->shared.meters));
	s->shared.capf_limits = limits_share(s->shared.limits, CAPF_SHARE);
	service_limits_init(&s->shared.world.limits, config);
	int error = open_state(s, d);
	if (error == 0)
		error = open_history(s, d);
	if (error == 0)
		error = open_leaves(s, d);
	if (error == 0)
		error = open_resumption(s, d);
	if (error == 0)
		error = open_authority(s, d);
	if (error == 0)
		error = open_trust(s, d);
	if (error == 0)
		error = open_desk(s, d);
	if (error == 0)
		error = start_workers(s, d);
	if (error < 0) {
		server_free(s);
		return error;
	}
	watch_start(s->watch);
	s->resident_at_start = memory_resident();
	*out = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	watch_free(s->watch);
	for (size_t i = 0; i < s->n_workers; i++)
		worker_stop(s->workers[i]);
	for (size_t i = 0; i < s->n_workers; i++)
		worker_join(s->workers[i]);
	/* It wakes workers, and their connections visit it. */
	capf_offline_close(s->offline);
	capf_desk_close(s->shared.world.capf);
	for (size_t i = 0; i < s->n_workers; i++)
		worker_free(s->workers[i]);
	impact_free(s->impact);
	reload_free(s->reload);
	capf_authority_close(s->authority);
	leaves_close(s->leaves);
	ticket_keys_free(s->resume.keys);
	session_cache_close(s->resume.cache);
	limits_free(s->shared.capf_limits);
	limits_free(s->shared.limits);
	overload_free(s->shared.overload);
	free(s->shared.meters);
	history_close(s->shared.world.history);
	failures_free(s->shared.world.failures);
	locations_free(s->shared.world.locations);
	digest_free((struct digest *)s->shared.world.digest);
	gruu_free((struct gruu *)s->shared.world.gruu);
	directory_free(s->shared.world.directory);
	inventory_free(s->shared.world.inventory);
	folder_close(s->state);
	pthread_mutex_destroy(&s->crl_watch.lock);
	capf_counts_deinit(&s->capf_counts);
	free(s->workers);
	free(s->listeners);
	free(s);
}

/* ---- for status ---- */

const struct config *server_config(const struct server *s)
{
	return s->config;
}

struct directory *server_directory(struct server *s)
{
	return s->shared.world.directory;
}

struct history *server_history(struct server *s)
{
	return s->shared.world.history;
}

struct capf_desk *server_capf(struct server *s)
{
	return s->shared.world.capf;
}

struct capf_authority *server_authority(struct server *s)
{
	return s->authority;
}

struct capf_counts *server_capf_counts(struct server *s)
{
	return &s->capf_counts;
}

struct inventory *server_inventory(struct server *s)
{
	return s->shared.world.inventory;
}

struct leaves *server_leaves(struct server *s)
{
	return s->leaves;
}

struct impact *server_impact(struct server *s)
{
	return s->impact;
}

struct locations *server_locations(struct server *s)
{
	return s->shared.world.locations;
}

struct failures *server_failures(struct server *s)
{
	return s->shared.world.failures;
}

struct limits_counts server_limits(struct server *s)
{
	return limits_count(s->shared.limits);
}

struct conn_counters server_worker_counters(struct server *s, size_t worker)
{
	const struct conn_counters *c = worker_counters(s->workers[worker]);
	struct conn_counters out;
#define X(name) out.name = conn_counter_get(&c->name);
	CONN_COUNTER_LIST(X)
#undef X
	for (size_t i = 0; i < CONN_TLS_VERSIONS; i++)
		for (size_t k = 0; k < 2; k++)
			out.by_version[i][k] =
				conn_counter_get(&c->by_version[i][k]);
	return out;
}

struct conn_counters server_counters(struct server *s)
{
	struct conn_counters sum = {0};
	for (size_t i = 0; i < s->n_workers; i++) {
		struct conn_counters c = server_worker_counters(s, i);
#define X(name) sum.name += c.name;
		CONN_COUNTER_LIST(X)
#undef X
		for (size_t k = 0; k < (size_t)CONN_TLS_VERSIONS * 2; k++)
			sum.by_version[k / 2][k % 2] +=
				c.by_version[k / 2][k % 2];
	}
	return sum;
}

void server_meters(struct server *s, struct meters *sum)
{
	*sum = (struct meters){0};
	for (size_t i = 0; i < s->n_workers; i++)
		meters_sum(sum, &s->shared.meters[i]);
}

const struct meters *server_worker_meters(struct server *s, size_t worker)
{
	return &s->shared.meters[worker];
}

struct overload_view server_overload(struct server *s)
{
	return overload_view(s->shared.overload);
}

struct server_memory server_memory(struct server *s)
{
	struct server_memory m = {.resident = memory_resident()};
	size_t open = server_limits(s).connections;
	if (open >= CONNECTIONS_TO_TELL && m.resident > s->resident_at_start)
		m.per_connection = (m.resident - s->resident_at_start) / open;
	if (s->resume.cache) {
		struct session_cache_fill fill =
			session_cache_fill(s->resume.cache);
		m.session_cache = fill.used * fill.slot_bytes;
	}
	return m;
}

const struct server_listener *server_listeners(
	const struct server *s, size_t *n)
{
	*n = s->n_listeners;
	return s->listeners;
}

struct trust_snapshot *server_trust(struct server *s, enum trust_store store)
{
	return reload_trust(s->reload, store, NULL);
}

struct trust_snapshot *server_trust_state(
	struct server *s, enum trust_store store, struct trust_store_state *out)
{
	return reload_trust(s->reload, store, out);
}

void server_trust_unwatched(
	struct server *s, enum trust_store store, char *why, size_t n)
{
	watch_fault(s->watch, trust_store_folder(s->config, store), why, n);
}

struct reload_refusal server_own_refused(struct server *s)
{
	return reload_own_refused(s->reload);
}

int64_t server_started_ms(const struct server *s)
{
	return s->started_ms;
}

size_t server_workers(const struct server *s)
{
	return s->n_workers;
}

struct resume *server_resume(struct server *s)
{
	return &s->resume;
}
