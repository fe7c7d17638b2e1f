/* SPDX-License-Identifier: Apache-2.0 */
/* What the services have in common: judging, registering, recording. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "registrar/admit.h"
#include "registrar/log.h"
#include "registrar/service/service.h"
#include "registrar/text.h"
#include "trust/waiver.h"

void service_refused(const struct service_world *world, const struct peer *peer,
	const char *device, const struct admit_verdict *verdict)
{
	struct failure f;
	failure_from_peer(&f, peer);
	f.stage = FAILURE_REGISTRATION;
	f.code = verdict->code;
	text_copy(f.rule, sizeof(f.rule), verdict->rule);
	text_copy(f.device, sizeof(f.device), device);
	text_copy(f.why, sizeof(f.why), verdict->why);
	text_copy(f.cure, sizeof(f.cure), verdict->cure);
	if (verdict->phone_text)
		snprintf(f.console, sizeof(f.console),
			"Registration Rejected: %s", verdict->phone_text);
	failures_add(world->failures, &f);
}

void service_fault(const struct service_world *world, const struct peer *peer,
	const char *device, const char *rule, const char *why)
{
	struct failure f;
	failure_from_peer(&f, peer);
	f.stage = FAILURE_CONNECTION;
	f.code = REASON_FAILURE_NO_ERROR;
	text_copy(f.rule, sizeof(f.rule), rule);
	if (device && *device)
		text_copy(f.device, sizeof(f.device), device);
	text_copy(f.why, sizeof(f.why), why);
	text_copy(f.cure, sizeof(f.cure),
		"look at what this address sends: it is no phone of ours, or "
		"its firmware is broken");
	failures_add(world->failures, &f);
}

/* While auto-registration is open a stranger becomes a device of ours, and is
 * let in when it comes again. */
static void ask_to_be_added(const struct service_world *world,
	const struct peer *peer, const char *device,
	struct admit_verdict *verdict)
{
	switch (inventory_auto_register(
		world->inventory, device, peer, time(NULL))) {
	case INVENTORY_AUTO_CLOSED:
		break;
	case INVENTORY_AUTO_PENDING:
		admit_pending(device, verdict);
		break;
	case INVENTORY_AUTO_FULL:
		admit_no_room(device, verdict);
		break;
	}
}

bool service_admit(const struct service_world *world, const struct peer *peer,
	const char *device, struct admit_verdict *verdict)
{
	admit_decide(world->config, world->inventory, peer, device, verdict);
	if (verdict->code == REASON_FAILURE_NO_ERROR)
		return true;
	if (verdict->code == REASON_FAILURE_NO_ENTRY)
		ask_to_be_added(world, peer, device, verdict);
	service_refused(world, peer, device, verdict);
	return false;
}

bool service_is_here(const struct service_world *world, const char *device)
{
	struct directory_entry entry;
	if (!directory_find(world->directory, device, &entry))
		return false;
	directory_entry_deinit(&entry);
	return entry.registered;
}

void service_entry(struct directory_entry *entry, const struct peer *peer,
	const char *device, const struct moment *now)
{
	const struct peer_cert *cert = peer->cert;
	*entry = (struct directory_entry){
		.device = device,
		.address = peer->address,
		.tls_version = peer->tls_version,
		.cipher = peer->cipher,
		.anchor = peer_anchor(peer),
		.protocol = peer->protocol,
		.tls = peer->tls,
		.udp = peer->udp,
		.ref = peer->ref,
		.port = peer->port,
		.kind = peer->kind,
		.resumed = peer->resumed,
		.since_ms = now->unix_ms,
		.seen_ms = now->unix_ms,
		.seen_mono_ms = now->mono_ms,
	};
	if (!cert)
		return;
	entry->issuer_cn = cert->issuer_cn;
	entry->cert_serial = cert->serial;
	entry->model = cert->model;
	entry->cert_not_after = cert->not_after;
	entry->waived = cert->waived;
}

static void log_entry(enum log_event event, const struct directory_entry *e)
{
	struct log_line line;
	if (!log_wanted(event))
		return;
	log_begin(&line, event);
	log_peer(&line, e->address, e->port);
	log_str(&line, "device", e->device);
	log_str(&line, "service", config_protocol_name(e->protocol));
	log_str(&line, "transport", config_transport_name(e->tls, e->udp));
	if (e->tls) {
		log_str(&line, "cert", cert_kind_name(e->kind));
		log_str(&line, "issuer", e->issuer_cn);
		log_str(&line, "waived", trust_waiver_text(e->waived));
		log_str(&line, "tls", e->tls_version);
		log_str(&line, "cipher", e->cipher);
		log_str(&line, "resumed", e->resumed ? "yes" : NULL);
	}
	log_str(&line, "model", e->model);
	log_str(&line, "firmware", e->firmware);
	log_num(&line, "keepalive_s", e->keepalive_s);
	log_end(&line);
}

/*
 * Who takes a device out of the inventory looks here for its registration
 * afterwards, and we look there after we registered it: one of us sees the
 * other. True: it is there still, or needs no entry.
 */
static bool is_there_still(const struct service_world *world,
	const struct peer *peer, const struct directory_entry *entry,
	struct admit_verdict *verdict)
{
	if (inventory_seen(world->inventory, entry->device, peer,
		    entry->since_ms / 1000))
		return true;
	admit_decide(
		world->config, world->inventory, peer, entry->device, verdict);
	if (verdict->code == REASON_FAILURE_NO_ERROR)
		return true;
	directory_unregister(world->directory, entry->device, peer->ref,
		REASON_UNREG_DEVICE_UNREGISTERED, entry->since_ms);
	return false;
}

bool service_register(const struct service_world *world,
	const struct peer *peer, struct directory_entry *entry,
	enum directory_result *result, struct admit_verdict *verdict)
{
	struct conn_ref old = {0};
	*result = directory_register(world->directory, entry, &old);
	switch (*result) {
	case DIRECTORY_TAKEN:
		admit_taken(entry->device, verdict);
		break;
	case DIRECTORY_FULL:
		admit_full(entry->device, verdict);
		break;
	case DIRECTORY_REPLACED:
		log_entry(LOG_EV_REPLACED, entry);
		world->displace(world->displace_self, old);
		__attribute__((fallthrough));
	case DIRECTORY_NEW:
		if (!is_there_still(world, peer, entry, verdict))
			break;
		history_registered(world->history, entry, *result);
		log_entry(LOG_EV_REGISTERED, entry);
		if (world->capf)
			capf_desk_registered(world->capf, entry->device,
				peer->cert ? peer->cert->sha256 : NULL);
		return true;
	case DIRECTORY_REFRESHED:
		return true;
	}
	service_refused(world, peer, entry->device, verdict);
	return false;
}

void service_sit(struct seat *seat, const struct service_world *world,
	const struct peer *peer)
{
	*seat = (struct seat){
		.world = world, .peer = peer, .cause = REASON_UNREG_UNKNOWN};
}

void service_heard(const struct seat *seat, const struct moment *now)
{
	if (seat->device[0])
		directory_touch(seat->world->directory, seat->device,
			seat->peer->ref, now->unix_ms, now->mono_ms);
}

void service_log(
	const struct seat *seat, struct log_line *line, enum log_event event)
{
	log_begin(line, event);
	log_peer(line, seat->peer->address, seat->peer->port);
	log_str(line, "device", seat->device);
	log_str(line, "service", config_protocol_name(seat->peer->protocol));
}

void service_release(struct seat *seat, enum reason_unreg cause,
	const char *why, const struct moment *now)
{
	struct log_line line;
	if (seat->device[0] &&
		directory_unregister(seat->world->directory, seat->device,
			seat->peer->ref, cause, now->unix_ms)) {
		history_lost(seat->world->history, seat->peer, seat->device,
			cause, why);
		service_log(seat, &line, LOG_EV_UNREGISTERED);
		log_fmt(&line, "reason", "%s(%d)", reason_unreg_name(cause),
			(int)cause);
		log_str(&line, "why", why);
		log_end(&line);
	}
	seat->device[0] = '\0';
}

const char *service_device(const void *self)
{
	const struct seat *seat = self;
	return seat->device;
}

const char *service_ended(const void *self)
{
	const struct seat *seat = self;
	return seat->ended;
}

void service_leave(
	void *self, enum reason_unreg cause, const struct moment *now)
{
	struct seat *seat = self;
	bool known = seat->cause != REASON_UNREG_UNKNOWN;
	service_release(seat, known ? seat->cause : cause, seat->ended, now);
}
