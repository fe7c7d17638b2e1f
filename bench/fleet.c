/* SPDX-License-Identifier: Apache-2.0 */
/* Many handsets on one loop: they come at a rate, stay together, and leave. */
#include "bench/fleet.h"

#include <errno.h>
#include <stdlib.h>

#include <sys/resource.h>

enum {
	RAMP_TICK_MS = 10,
	LEAVE_MS = 5000,
	NIGHT_MS = 24 * 3600 * 1000,
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
	bool hang_up = f->config.goodbye == FLEET_HANG_UP;
	f->stopping = true;
	uv_timer_stop(&f->ramp);
	uv_timer_stop(&f->hold);
	for (unsigned i = 0; i < f->made; i++)
		life_leave(&f->lives[i], hang_up);
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

static void on_in(struct life *l)
{
	count_decided(l->owner);
}

static void close_timers(struct fleet *f)
{
	uv_close((uv_handle_t *)&f->ramp, NULL);
	uv_close((uv_handle_t *)&f->hold, NULL);
}

static void on_over(struct life *l)
{
	struct fleet *f = l->owner;
	if (!l->in)
		count_decided(f);
	f->config.on_result(f->config.owner, l);
	life_deinit(l);
	if (++f->over == f->made)
		close_timers(f);
}

static void on_step(struct enrol *e, enum enrol_step step, uint64_t ns)
{
	const struct life *l = e->phone.owner;
	const struct fleet *f = l->owner;
	if (f->config.capf->tally)
		enrol_tally_step(f->config.capf->tally, step, ns);
}

static void on_visit(struct life *l, const struct enrol_result *result)
{
	const struct fleet *f = l->owner;
	if (f->config.capf->tally)
		enrol_tally_visit(f->config.capf->tally, result);
}

static void on_setback(struct life *l, const struct handset_result *result)
{
	const struct fleet *f = l->owner;
	if (f->config.capf && f->config.capf->tally)
		f->config.capf->tally->setbacks[result->outcome]++;
}

static void start(struct life *l)
{
	if (l->state == LIFE_NEW)
		life_start(l);
	else
		life_power_on(l);
}

/* Starts as many as are due since the ramp began. */
static void on_ramp(uv_timer_t *timer)
{
	struct fleet *f = timer->data;
	uint64_t passed = uv_now(timer->loop) - f->ramp_from_ms;
	uint64_t due = 1 + passed * f->config.rate / 1000;
	if (f->config.rate == 0 || due > f->made)
		due = f->made;
	while (f->started < due)
		start(&f->lives[f->started++]);
	if (f->started == f->made)
		uv_timer_stop(&f->ramp);
}

static void start_ramp(struct fleet *f)
{
	f->started = 0;
	f->ramp_from_ms = uv_now(f->ramp.loop);
	uv_timer_start(&f->ramp, on_ramp, 0, RAMP_TICK_MS);
}

static void on_night(uv_timer_t *timer)
{
}

void fleet_power(struct fleet *f, bool on)
{
	if (f->stopping)
		return;
	if (on) {
		start_ramp(f);
		return;
	}
	/* Phones without power do not keep the loop alive. */
	uv_timer_start(&f->ramp, on_night, NIGHT_MS, NIGHT_MS);
	for (unsigned i = 0; i < f->made; i++)
		life_power_off(&f->lives[i]);
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

/* What a phone has that knows no CAPF. */
static int fill_simply(const struct fleet_config *c, const char *device,
	struct flash *flash, struct diag *d)
{
	struct credential credential;
	int error = credential_get(c->credentials, device, &credential, d);
	return error ? error : flash_fill(flash, &credential, d);
}

static int fill(const struct fleet_config *c, const char *device,
	struct flash *flash, struct diag *d)
{
	struct credential lsc, mic;
	int error = credential_begin(c->credentials, device, &lsc, &mic, d);
	if (error)
		return error;
	error = flash_fill(flash, &lsc, d);
	if (!error)
		error = flash_fill(flash, &mic, d);
	credential_deinit(&lsc);
	credential_deinit(&mic);
	return error;
}

/* A flash that is new is filled; one that has a mode is not: what is missing
 * there was taken away. */
static int make_flash(const struct fleet_config *c, const char *device,
	struct flash *flash, struct diag *d)
{
	const struct fleet_capf *capf = c->capf;
	int error = flash_open(flash, capf ? capf->flash : NULL, d);
	if (error || !capf)
		return error ? error : fill_simply(c, device, flash, d);
	enum flash_mode mode = capf->mode;
	if (flash->mode == FLASH_MODE_NONE) {
		mode = mode ? mode : FLASH_MODE_NULL_STRING;
		error = fill(c, device, flash, d);
	}
	if (!error && mode && mode != flash->mode)
		error = flash_keep_mode(flash, mode, d);
	if (error)
		flash_close(flash);
	return error;
}

static int make_life(struct fleet *f, unsigned i, struct diag *d)
{
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
	struct flash flash;
	const struct fleet_config *c = &f->config;
	int error = count_names(c, i, device, line, d);
	if (!error)
		error = make_flash(c, device, &flash, d);
	if (error)
		return error;
	struct life *l = &f->lives[i];
	life_init(l, &f->setup, device, line, &flash);
	l->owner = f;
	l->number = i;
	l->handset.console.to = c->console;
	f->made++;
	return 0;
}

static void set_up(struct fleet *f, uv_loop_t *loop)
{
	const struct fleet_config *c = &f->config;
	f->setup = (struct life_setup){
		.handset =
			{
				.loop = loop,
				.target = c->target,
				.ctx = c->ctx,
				.talk = c->talk,
				.connect_ms = c->connect_ms,
				.leave_ms = LEAVE_MS,
				.on_reset = HANDSET_RETURNS,
				.plain = f->plain,
				.received = f->received,
			},
		.die_after = ENROL_STEPS,
		.comes_back = c->comes_back,
		.on_in = on_in,
		.on_visit = on_visit,
		.on_setback = on_setback,
		.on_over = on_over,
	};
	life_set_up(&f->setup);
	if (!c->capf)
		return;
	f->enrol = c->capf->enrol;
	f->enrol.loop = loop;
	f->enrol.plain = f->plain;
	f->enrol.received = f->received;
	f->enrol.on_step = on_step;
	life_set_up_enrol(&f->enrol);
	f->setup.enrol = &f->enrol;
	f->setup.when = c->capf->when;
	f->setup.until = c->capf->until;
	f->setup.retry_ms = c->capf->retry_ms;
	f->setup.die_after = c->capf->die_after;
	f->setup.handset.talk.leaves = true;
}

int fleet_init(struct fleet *f, uv_loop_t *loop,
	const struct fleet_config *config, struct diag *d)
{
	f->config = *config;
	set_up(f, loop);
	f->made = f->started = f->decided = f->over = 0;
	f->stopping = false;
	uv_timer_init(loop, &f->ramp);
	uv_timer_init(loop, &f->hold);
	f->ramp.data = f;
	f->hold.data = f;
	f->lives = calloc(config->count, sizeof(*f->lives));
	if (!f->lives)
		abort();
	/* The last names first: making certificates takes its time. */
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
	int error = count_names(config, config->count - 1, device, line, d);
	for (unsigned i = 0; i < config->count && !error; i++)
		error = make_life(f, i, d);
	return error;
}

void fleet_start(struct fleet *f)
{
	/* Making the phones took its time. */
	uv_update_time(f->ramp.loop);
	start_ramp(f);
}

void fleet_stop(struct fleet *f)
{
	everybody_leaves(f);
}

static void ignore_result(void *owner, const struct life *l)
{
}

void fleet_deinit(struct fleet *f)
{
	if (!f->lives)
		return;
	f->config.on_result = ignore_result;
	everybody_leaves(f);
	if (f->made == 0)
		close_timers(f);
	uv_run(f->setup.handset.loop, UV_RUN_DEFAULT);
	free(f->lives);
	f->lives = NULL;
}
