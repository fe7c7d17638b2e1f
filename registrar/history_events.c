/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to phones, as events of history. */
#include <time.h>

#include "registrar/history.h"

static int64_t unix_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void history_registered(struct history *h, const struct directory_entry *e,
	enum directory_result result)
{
	struct history_event event = {
		.what = HISTORY_REPLACED,
		.at_ms = e->since_ms,
		.protocol = e->protocol,
		.tls = e->tls,
		.udp = e->udp,
		.port = e->port,
		.kind = e->kind,
		.device = e->device,
		.address = e->address,
		.issuer = e->issuer_cn,
		.why = "a newer connection of this name took over",
	};
	if (result == DIRECTORY_REPLACED)
		history_add(h, &event);
	if (result == DIRECTORY_REFRESHED)
		return;
	event.what = HISTORY_REGISTERED;
	event.why = e->came_back;
	history_add(h, &event);
}

void history_lost(struct history *h, const struct peer *peer,
	const char *device, enum reason_unreg cause, const char *why)
{
	const struct history_event event = {
		.what = HISTORY_LOST,
		.at_ms = unix_ms(),
		.protocol = peer->protocol,
		.tls = peer->tls,
		.udp = peer->udp,
		.port = peer->port,
		.kind = peer->kind,
		.space = HISTORY_UNREG,
		.code = (int)cause,
		.device = device,
		.address = peer->address,
		.issuer = peer->cert ? peer->cert->issuer_cn : NULL,
		.why = why,
	};
	history_add(h, &event);
}

void history_distrusted(struct history *h, const struct peer *peer,
	const char *rule, const char *why)
{
	const struct history_event event = {
		.what = HISTORY_DISTRUSTED,
		.at_ms = unix_ms(),
		.protocol = peer->protocol,
		.tls = peer->tls,
		.port = peer->port,
		.kind = peer->kind,
		.device = peer_device(peer),
		.address = peer->address,
		.issuer = peer->cert->issuer_cn,
		.rule = rule,
		.why = why,
	};
	if (event.device[0])
		history_add(h, &event);
}

void history_refused(struct history *h, const struct failure *f, bool stranger)
{
	const struct history_event event = {
		.what = HISTORY_REFUSED,
		.at_ms = unix_ms(),
		.stranger = stranger,
		.protocol = f->protocol,
		.tls = f->tls,
		.udp = f->udp,
		.port = f->port,
		.space = f->code == REASON_FAILURE_NO_ERROR ? HISTORY_NO_CODE
							    : HISTORY_FAILURE,
		.code = (int)f->code,
		.device = f->device,
		.address = f->address,
		.issuer = f->issuer,
		.rule = f->rule,
		.why = f->why,
	};
	if (f->device[0]) /* whose it is nobody can tell */
		history_add(h, &event);
}

void history_ordered(
	struct history *h, const char *device, enum history_what what)
{
	const struct history_event event = {
		.what = what,
		.at_ms = unix_ms(),
		.device = device,
		.why = "an admin's order",
	};
	history_add(h, &event);
}
