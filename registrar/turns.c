/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's loop while somebody waits: whose handshake begins, and when. */
#include "registrar/turns.h"

enum {
	START_BATCH = 4, /* handshakes of those who waited, in one turn */
	/* While somebody waits, accepting takes that share of the time: what
	 * it does not come to waits in the kernel, which is cheaper. */
	ACCEPT_SHARE = 10,
	TICK_MS = 100, /* while somebody waits */
};

static void on_spin(uv_idle_t *idle)
{
}

bool turns_in_storm(const struct turns *t)
{
	return uv_is_active((const uv_handle_t *)&t->tick);
}

bool turns_at_once(const struct turns *t)
{
	return !turns_in_storm(t) && admission_at_once(&t->admission);
}

static uint64_t now_ms(const struct turns *t)
{
	return uv_now(t->host.conn->loop);
}

/* A few at a time, so that those who are in have their turn too. */
static void serve_waiting(struct turns *t, bool idle)
{
	struct room_guest guest;
	for (int i = 0; i < START_BATCH; i++) {
		if (!admission_next(&t->admission, idle, now_ms(t), &guest))
			return;
		meters_took(t->host.conn->world->meters, METERS_WAITING,
			1000 * (now_ms(t) - guest.since_ms));
		t->host.start(t->host.self, &guest);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct turns *t = timer->data;
	uint64_t backlog = t->host.backlog(t->host.self);
	admission_tick(&t->admission, backlog, now_ms(t));
	/* Were all in progress silent, and others never so, nobody else would
	 * have a turn: a few always do. */
	serve_waiting(t, true);
	if (backlog == 0 && !admission_somebody_waits(&t->admission) &&
		overload_state(t->admission.overload->all) == OVERLOAD_CALM)
		uv_timer_stop(&t->tick);
}

void turns_let_wait(
	struct turns *t, int fd, void *listener, const struct in6_addr *address)
{
	admission_wait(&t->admission, fd, listener, address, now_ms(t));
	uv_idle_start(&t->spin, on_spin);
	if (turns_in_storm(t))
		return;
	uv_timer_start(&t->tick, on_tick, TICK_MS, TICK_MS);
	t->turn_ns = clock_cpu_ns();
}

bool turns_spent(struct turns *t, uint64_t began_ns)
{
	if (clock_cpu_ns() - began_ns < t->accept_ns)
		return false;
	t->accept_ns = 0;
	return true;
}

/* Once a turn, outside of every connection's callback: who waited is served. */
static void on_turn(uv_check_t *check)
{
	struct turns *t = check->data;
	if (!admission_somebody_waits(&t->admission))
		uv_idle_stop(&t->spin);
	if (!turns_in_storm(t))
		return;
	uint64_t heard = conn_counter_get(&t->host.conn->counters->bytes_in);
	uint64_t now_ns = clock_cpu_ns();
	bool idle = heard == t->heard;
	t->accept_ns = (now_ns - t->turn_ns) / ACCEPT_SHARE;
	t->heard = heard;
	t->turn_ns = now_ns;
	serve_waiting(t, idle);
}

void turns_init(struct turns *t, const struct turns_host *host)
{
	t->host = *host;
	uv_timer_init(host->conn->loop, &t->tick);
	uv_check_init(host->conn->loop, &t->turn);
	uv_idle_init(host->conn->loop, &t->spin);
	t->tick.data = t;
	t->turn.data = t;
	uv_check_start(&t->turn, on_turn);
}

void turns_end(struct turns *t)
{
	admission_deinit(&t->admission);
	uv_close((uv_handle_t *)&t->tick, NULL);
	uv_close((uv_handle_t *)&t->turn, NULL);
	uv_close((uv_handle_t *)&t->spin, NULL);
}
