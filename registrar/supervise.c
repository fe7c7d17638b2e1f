/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a service manager how we are: alive, and one line of what we do. */
#include "registrar/supervise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "registrar/notify.h"
#include "trust/snapshot.h"

enum {
	EACH_MS = 2000,
	SIGNS = 3, /* in the time that the watchdog waits */
};

static void say_trust(struct server *server, char *text, size_t size)
{
	struct trust_store_state state;
	struct trust_snapshot *trust =
		server_trust_state(server, STORE_CALLMANAGER, &state);
	size_t n = 0;
	if (trust)
		trust_snapshot_anchors(trust, &n);
	snprintf(text, size, "trust: %zu CA%s, generation %" PRIu64 "%s", n,
		n == 1 ? "" : "s", trust ? trust_snapshot_generation(trust) : 0,
		state.refused.since_ms ? ", a change is refused "
					 "(dialtone trust status)"
				       : "");
	trust_snapshot_unref(trust);
}

static void say_status(struct supervise *s)
{
	char line[SUPERVISE_LINE_MAX + 1], trust[128];
	size_t n = directory_count(server_directory(s->server)).registered;
	say_trust(s->server, trust, sizeof(trust));
	snprintf(line, sizeof(line), "STATUS=%zu phone%s registered; %s", n,
		n == 1 ? "" : "s", trust);
	if (strcmp(line, s->said) == 0)
		return;
	memcpy(s->said, line, sizeof(line));
	notify_say(line);
}

static void on_time(uv_timer_t *timer)
{
	struct supervise *s = timer->data;
	if (server_is_alive(s->server))
		notify_say("WATCHDOG=1");
	say_status(s);
}

void supervise_start(
	struct supervise *s, uv_loop_t *loop, struct server *server)
{
	uint64_t each = notify_watchdog_ms() / SIGNS;
	each = each == 0 || each > EACH_MS ? EACH_MS : each;
	s->server = server;
	s->said[0] = '\0';
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, on_time, each, each);
	say_status(s);
	notify_say("READY=1");
}

void supervise_stop(struct supervise *s)
{
	notify_say("STOPPING=1");
	uv_close((uv_handle_t *)&s->timer, NULL);
}
