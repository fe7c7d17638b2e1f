/* SPDX-License-Identifier: Apache-2.0 */
/* Many handsets on one loop: they come at a rate, stay together, and leave. */
#include "bench/fleet.h"

#include <errno.h>
#include <stdlib.h>

#include <sys/resource.h>

enum {
	RAMP_TICK_MS = 10,
	LEAVE_MS = 5000,
	SPARE_DESCRIPTORS = 64, /* the loop's, the files' */
};

int fleet_raise_limit(unsigned phones, struct diag *d)
{
	const rlim_t wanted = phones + SPARE_DESCRIPTORS;
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return diag_set(d, -errno, "getrlimit failed");
	if (limit.rlim_max < wanted)
		return diag_set(d, -EMFILE,
			"%u phones need %llu file descriptors, and one process "
			"may have %llu here: start several programs with fewer "
			"phones each, or raise the hard limit (ulimit -Hn)",
			phones, (unsigned long long)wanted,
			(unsigned long long)limit.rlim_max);
	if (limit.rlim_cur >= wanted)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return diag_set(d, -errno, "setrlimit failed");
	return 0;
}

static void everybody_leaves(struct fleet *f)
{
	f->stopping = true;
	uv_timer_stop(&f->ramp);
	uv_timer_stop(&f->hold);
	for (unsigned i = 0; i < f->made; i++) {
		struct handset *h = &f->handsets[i];
		h->returning = false;
		if (h->state >= HANDSET_UP &&
			f->config.goodbye == FLEET_HANG_UP)
			handset_close(h, h->result.outcome, "");
		else
			handset_leave(h);
	}
}

static void on_hold_over(uv_timer_t *timer)
{
	everybody_leaves(timer->data);
}

static void count_decided(struct fleet *f)
{
	if (++f->decided < f->config.count || f->stopping)
		return;
	if (f->config.end == FLEET_HOLD)
		uv_timer_start(&f->hold, on_hold_over, f->config.hold_ms, 0);
}

static void on_registered(struct handset *h)
{
	count_decided(h->owner);
}

static void close_timers(struct fleet *f)
{
	uv_close((uv_handle_t *)&f->ramp, NULL);
	uv_close((uv_handle_t *)&f->hold, NULL);
}

static void on_closed(struct handset *h)
{
	struct fleet *f = h->owner;
	/* Who was registered once has been counted then. */
	if (h->result.seconds < 0)
		count_decided(f);
	f->config.on_result(f->config.owner, h);
	if (++f->closed == f->made)
		close_timers(f);
}

/* Starts as many as are due since the ramp began. */
static void on_ramp(uv_timer_t *timer)
{
	struct fleet *f = timer->data;
	uint64_t passed = uv_now(f->setup.loop) - f->ramp_from_ms;
	uint64_t due = 1 + passed * f->config.rate / 1000;
	if (f->config.rate == 0 || due > f->made)
		due = f->made;
	while (f->started < due)
		handset_start(&f->handsets[f->started++]);
	if (f->started == f->made)
		uv_timer_stop(&f->ramp);
}

/* The names of the i-th phone. 0, or -errno with d set. */
static int count_names(const struct fleet_config *c, unsigned i,
	char device[NAMES_DEVICE_MAX + 1], char line[NAMES_LINE_MAX + 1],
	struct diag *d)
{
	int error = names_device(c->device, i, device);
	if (error)
		return diag_set(d, error,
			"cannot count %u devices upwards from %s", c->count,
			c->device);
	error = names_line(c->line, i, line);
	if (error)
		return diag_set(d, error,
			"cannot count %u lines upwards from %s", c->count,
			c->line);
	return 0;
}

static int make_handset(struct fleet *f, unsigned i, struct diag *d)
{
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
	struct credential credential;
	const struct fleet_config *c = &f->config;
	int error = count_names(c, i, device, line, d);
	if (error)
		return error;
	error = credential_get(c->credentials, device, &credential, d);
	if (error)
		return error;
	struct handset *h = &f->handsets[i];
	handset_init(h, &f->setup, device, line, &credential);
	h->owner = f;
	h->console.to = c->console;
	f->made++;
	return 0;
}

int fleet_init(struct fleet *f, uv_loop_t *loop,
	const struct fleet_config *config, struct diag *d)
{
	f->config = *config;
	f->setup = (struct handset_setup){
		.loop = loop,
		.target = config->target,
		.ctx = config->ctx,
		.talk = config->talk,
		.connect_ms = config->connect_ms,
		.leave_ms = LEAVE_MS,
		.on_reset = HANDSET_RETURNS,
		.plain = f->plain,
		.received = f->received,
		.on_registered = on_registered,
		.on_closed = on_closed,
	};
	f->made = f->started = f->decided = f->closed = 0;
	f->stopping = false;
	uv_timer_init(loop, &f->ramp);
	uv_timer_init(loop, &f->hold);
	f->ramp.data = f;
	f->hold.data = f;
	f->handsets = calloc(config->count, sizeof(*f->handsets));
	if (!f->handsets)
		abort();
	/* The last names first: making certificates takes its time. */
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
	int error = count_names(config, config->count - 1, device, line, d);
	for (unsigned i = 0; i < config->count && !error; i++)
		error = make_handset(f, i, d);
	return error;
}

void fleet_start(struct fleet *f)
{
	/* Making the phones took its time. */
	uv_update_time(f->setup.loop);
	f->ramp_from_ms = uv_now(f->setup.loop);
	uv_timer_start(&f->ramp, on_ramp, 0, RAMP_TICK_MS);
}

void fleet_stop(struct fleet *f)
{
	everybody_leaves(f);
}

static void ignore_result(void *owner, const struct handset *h)
{
}

void fleet_deinit(struct fleet *f)
{
	if (!f->handsets)
		return;
	f->config.on_result = ignore_result;
	everybody_leaves(f);
	if (f->made == 0)
		close_timers(f);
	uv_run(f->setup.loop, UV_RUN_DEFAULT);
	free(f->handsets);
	f->handsets = NULL;
}
