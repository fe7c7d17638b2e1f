/* SPDX-License-Identifier: Apache-2.0 */
/* What can be counted, for Prometheus: text format 0.0.4. */
#include "registrar/status/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "registrar/impact.h"
#include "registrar/status/metrics_inside.h"
#include "registrar/text.h"
#include "registrar/version.h"
#include "trust/revocation.h"

static void look_at_store(
	struct server *s, enum trust_store store, struct metrics_store *out)
{
	struct trust_snapshot *trust =
		server_trust_state(s, store, &out->state);
	size_t anchors;
	if (!trust)
		return;
	trust_snapshot_anchors(trust, &anchors);
	out->there = true;
	out->anchors = anchors;
	out->generation = trust_snapshot_generation(trust);
	out->locked_out = impact_told(s, store).n.locked_out;
	text_copy(out->fingerprint, sizeof(out->fingerprint),
		trust_snapshot_fingerprint(trust));
	const struct trust_revocation *r = trust_snapshot_revocation(trust);
	out->crls = trust_revocation_count(r);
	for (size_t i = 0; i < out->crls; i++)
		out->crls_overdue += trust_revocation_state(r, i, time(NULL)) ==
				     TRUST_CRL_OVERDUE;
	trust_snapshot_unref(trust);
}

static void look(struct server *s, struct metrics_seen *out)
{
	const struct resume *r = server_resume(s);
	*out = (struct metrics_seen){
		.server = s,
		.limits = server_limits(s),
		.phones = directory_count(server_directory(s)),
		.overload = server_overload(s),
		.memory = server_memory(s),
		.leaves = leaves_count(server_leaves(s)),
	};
	server_meters(s, &out->meters);
	if (r->cache)
		out->sessions = session_cache_fill(r->cache);
	for (int i = 0; i < TRUST_STORES; i++)
		look_at_store(s, (enum trust_store)i, &out->stores[i]);
	out->has_capf = status_capf_look(s, &out->capf);
}

/* ---- families whose series are not known beforehand ---- */

static void info(struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_label(page, "node", server_config(seen->server)->node);
	metrics_label(page, "version", DIALTONE_VERSION);
	metrics_value(page, 1);
}

static void started(struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_value(page, (uint64_t)server_started_ms(seen->server) / 1000);
}

static void rotate(struct metrics_page *page, const struct metrics_seen *seen)
{
	if (server_resume(seen->server)->keys)
		metrics_value(
			page, server_config(seen->server)->ticket_rotate_s);
}

static void dropped(struct metrics_page *page, const struct metrics_seen *seen)
{
	struct history *h = server_history(seen->server);
	if (h)
		metrics_value(page, history_count(h).dropped);
}

/* ---- numbers of a trust store ---- */

static uint64_t generation(const struct metrics_store *store)
{
	return store->generation;
}

static uint64_t anchors(const struct metrics_store *store)
{
	return store->anchors;
}

static uint64_t crls(const struct metrics_store *store)
{
	return store->crls;
}

static uint64_t crls_overdue(const struct metrics_store *store)
{
	return store->crls_overdue;
}

static uint64_t locked_out(const struct metrics_store *store)
{
	return store->locked_out;
}

static uint64_t loaded(const struct metrics_store *store)
{
	return (uint64_t)store->state.loaded_ms / 1000;
}

static uint64_t refused(const struct metrics_store *store)
{
	return store->state.refused.since_ms != 0;
}

/* ---- the table ---- */

/* A number of `struct metrics_seen`, or one of each worker's or each trust
 * store's, or a family that writes itself. Rows of one name stand together; the
 * first has the help. */
struct row {
	const char *name;
	const char *type;
	const char *help;
	const char *label, *label_value; /* fixed; NULL: none */
	enum { NUMBER, OF_WORKERS, OF_STORES, FAMILY } kind;
	size_t offset, size;
	uint64_t (*of_store)(const struct metrics_store *store);
	void (*write)(
		struct metrics_page *page, const struct metrics_seen *seen);
};

#define COUNTER "counter"
#define GAUGE "gauge"
#define HISTOGRAM "histogram"
#define SEEN(member)                                                     \
	.kind = NUMBER, .offset = offsetof(struct metrics_seen, member), \
	.size = sizeof(((struct metrics_seen *)0)->member)
#define ADMISSION(figure) SEEN(overload.figures.figure)
#define WORKER(member)                                                        \
	.kind = OF_WORKERS, .offset = offsetof(struct conn_counters, member), \
	.size = sizeof(((struct conn_counters *)0)->member)
#define STORE(function) .kind = OF_STORES, .of_store = (function)
#define WRITTEN_BY(function) .kind = FAMILY, .write = (function)
#define LABEL(key, value) .label = (key), .label_value = (value)

static const struct row rows[] = {
	{"dialtone_info", GAUGE, "Which registrar this is; always 1.",
		WRITTEN_BY(info)},
	{"dialtone_build_info", GAUGE, "What it was built of; always 1.",
		WRITTEN_BY(metrics_process_build)},

	{"dialtone_connections", GAUGE, "Connections of phones that are open.",
		SEEN(limits.connections)},
	{"dialtone_connections_half_open", GAUGE,
		"Those that have not finished their handshake.",
		SEEN(limits.half_open)},
	{"dialtone_connections_max", GAUGE, "How many there may be.",
		SEEN(limits.connections_max)},
	{"dialtone_connections_half_open_max", GAUGE,
		"How many of them may be half open.",
		SEEN(limits.half_open_max)},
	{"dialtone_connections_accepted_total", COUNTER,
		"Connections that were accepted.", WORKER(accepted)},
	{"dialtone_connections_closed_total", COUNTER,
		"Connections that were accepted and have ended.",
		WORKER(closed)},
	{"dialtone_connections_refused_total", COUNTER,
		"Connections closed by a limit, or gone before they were "
		"accepted.",
		WORKER(refused)},
	{"dialtone_handshakes_total", COUNTER,
		"TLS handshakes that have ended, resumptions among them.",
		LABEL("result", "ok"), WORKER(handshakes_ok)},
	{"dialtone_handshakes_total", COUNTER, NULL, LABEL("result", "failed"),
		WORKER(handshakes_failed)},
	{"dialtone_handshakes_resumed_total", COUNTER,
		"TLS handshakes that were resumptions.", WORKER(resumed)},
	{"dialtone_handshakes_version_total", COUNTER,
		"TLS handshakes that succeeded, by version and kind.",
		WRITTEN_BY(metrics_tls_by_version)},
	{"dialtone_handshakes_cipher_total", COUNTER,
		"The same by cipher suite, version and kind.",
		WRITTEN_BY(metrics_tls_ciphers)},
	{"dialtone_handshakes_anchor_total", COUNTER,
		"The same by the file of the anchor that vouched and by the "
		"certificate's kind.",
		WRITTEN_BY(metrics_tls_anchors)},
	{"dialtone_handshake_seconds", HISTOGRAM,
		"How long TLS handshakes that succeeded took, from when they "
		"were begun.",
		WRITTEN_BY(metrics_tls_took)},
	{"dialtone_alerts_total", COUNTER,
		"Fatal TLS alerts, in the words that phones print.",
		WRITTEN_BY(metrics_tls_alerts)},
	{"dialtone_received_bytes_total", COUNTER,
		"Bytes that phones sent, TLS included.", WORKER(bytes_in)},
	{"dialtone_sent_bytes_total", COUNTER,
		"Bytes sent to phones, TLS included.", WORKER(bytes_out)},
	{"dialtone_udp_flows_opened_total", COUNTER,
		"Phones over UDP among the connections that were accepted.",
		WORKER(flows)},
	{"dialtone_udp_flows_closed_total", COUNTER,
		"Those of them that have ended.", WORKER(flows_closed)},
	{"dialtone_udp_datagrams_received_total", COUNTER,
		"Datagrams that came.", WORKER(datagrams_in)},
	{"dialtone_udp_datagrams_sent_total", COUNTER,
		"Datagrams that were sent.", WORKER(datagrams_out)},
	{"dialtone_udp_datagrams_repeated_total", COUNTER,
		"Requests that came again and got the same answer again.",
		WORKER(datagrams_repeated)},
	{"dialtone_udp_datagrams_lost_total", COUNTER,
		"Datagrams without an answer: no SIP message, beyond a limit, "
		"or dropped by the system because we were slow.",
		LABEL("why", "ignored"), WORKER(datagrams_ignored)},
	{"dialtone_udp_datagrams_lost_total", COUNTER, NULL,
		LABEL("why", "limit"), WORKER(datagrams_dropped)},
	{"dialtone_udp_datagrams_lost_total", COUNTER, NULL,
		LABEL("why", "overflow"), WORKER(datagrams_overflowed)},

	{"dialtone_phones_known", GAUGE,
		"Devices remembered, registered or gone.", SEEN(phones.known)},
	{"dialtone_registered", GAUGE,
		"Phones that are registered; partially: not all of their lines "
		"are.",
		WRITTEN_BY(metrics_phones_registered)},
	{"dialtone_registration_seconds", HISTOGRAM,
		"From the start of a connection to the registration over it, "
		"without UDP.",
		WRITTEN_BY(metrics_phones_took)},
	{"dialtone_failures_total", COUNTER,
		"Refusals: where on its way a phone was, and by which rule.",
		WRITTEN_BY(metrics_phones_failures)},

	{"dialtone_sip_responses_total", COUNTER,
		"Answers to SIP requests, by the class of their status.",
		WRITTEN_BY(metrics_phones_sip)},
	{"dialtone_digest_challenges_total", COUNTER,
		"SIP requests that were asked for a password.",
		SEEN(meters.counts[METERS_DIGEST_CHALLENGES])},
	{"dialtone_digest_failures_total", COUNTER,
		"Passwords that were wrong.",
		SEEN(meters.counts[METERS_DIGEST_FAILURES])},
	{"dialtone_sccp_rejects_total", COUNTER,
		"SCCP phones that were told no, by the message that told them.",
		LABEL("message", "RegisterReject"),
		SEEN(meters.counts[METERS_REGISTER_REJECTS])},
	{"dialtone_sccp_rejects_total", COUNTER, NULL,
		LABEL("message", "RegisterTokenReject"),
		SEEN(meters.counts[METERS_TOKEN_REJECTS])},

	{"dialtone_admission_state", GAUGE,
		"1 for the state that admission is in.",
		WRITTEN_BY(metrics_load_state)},
	{"dialtone_admission_handshakes", GAUGE,
		"TLS handshakes that have begun and not ended.",
		ADMISSION(in_progress)},
	{"dialtone_admission_handshakes_max", GAUGE,
		"How many are begun at once.", SEEN(overload.handshakes_max)},
	{"dialtone_admission_waiting", GAUGE,
		"Connections that wait for their handshake: in the kernel, "
		"with a session of ours, without one.",
		LABEL("where", "backlog"), ADMISSION(backlog)},
	{"dialtone_admission_waiting", GAUGE, NULL, LABEL("where", "resuming"),
		ADMISSION(resuming)},
	{"dialtone_admission_waiting", GAUGE, NULL, LABEL("where", "strangers"),
		ADMISSION(strangers)},
	{"dialtone_admission_oldest_seconds", GAUGE,
		"How long the first of them has waited.",
		WRITTEN_BY(metrics_load_oldest)},
	{"dialtone_admission_wait_seconds", HISTOGRAM,
		"How long those waited whose handshake did not begin at once.",
		WRITTEN_BY(metrics_load_waits)},
	{"dialtone_admission_served_total", COUNTER,
		"Handshakes begun at once, or after waiting.",
		LABEL("how", "at once"), ADMISSION(at_once)},
	{"dialtone_admission_served_total", COUNTER, NULL,
		LABEL("how", "waited, resuming"), ADMISSION(waited_resuming)},
	{"dialtone_admission_served_total", COUNTER, NULL,
		LABEL("how", "waited, strangers"), ADMISSION(waited_strangers)},
	{"dialtone_admission_refused_total", COUNTER,
		"Connections that were reset while they waited, or had gone.",
		LABEL("why", "expired"), ADMISSION(expired)},
	{"dialtone_admission_refused_total", COUNTER, NULL,
		LABEL("why", "room full"), ADMISSION(room_full)},
	{"dialtone_admission_refused_total", COUNTER, NULL,
		LABEL("why", "gone"), ADMISSION(gone)},
	{"dialtone_admission_put_off_total", COUNTER,
		"Phones that were told to come later.", LABEL("what", "tokens"),
		ADMISSION(tokens_rejected)},
	{"dialtone_admission_put_off_total", COUNTER, NULL,
		LABEL("what", "registers"), ADMISSION(registers_put_off)},
	{"dialtone_loop_turn_seconds", HISTOGRAM,
		"How long the loops worked before they looked at their sockets "
		"again, to a millisecond.",
		WRITTEN_BY(metrics_load_turns)},
	{"dialtone_loop_longest_turn_seconds", GAUGE,
		"The longest of the last 30 to 60 seconds.",
		WRITTEN_BY(metrics_load_longest)},

	{"dialtone_resumption_verdicts_total", COUNTER,
		"Sessions that phones offered and we could open: used, or why "
		"not.",
		WRITTEN_BY(metrics_tls_verdicts)},
	{"dialtone_sessions", GAUGE,
		"Sessions kept for resumption by id, some of them expired.",
		SEEN(sessions.used)},
	{"dialtone_sessions_max", GAUGE, "How many there is room for.",
		SEEN(sessions.room)},
	{"dialtone_ticket_key_age_seconds", GAUGE,
		"How long ago the newest ticket key was made.",
		WRITTEN_BY(metrics_tls_key_age)},

	{"dialtone_ticket_key_rotate_seconds", GAUGE,
		"How old it may become (tls.ticket_rotate_s).",
		WRITTEN_BY(rotate)},

	{"dialtone_trust_info", GAUGE,
		"The fingerprint of a trust store's set in force; always 1.",
		WRITTEN_BY(metrics_trust_fingerprints)},
	{"dialtone_trust_generation", GAUGE,
		"How often a trust store's set in force was another.",
		STORE(generation)},
	{"dialtone_trust_anchors", GAUGE, "Anchors in force.", STORE(anchors)},
	{"dialtone_trust_crls", GAUGE,
		"Lists of revoked certificates, whatever their state.",
		STORE(crls)},
	{"dialtone_trust_crls_overdue", GAUGE,
		"Those of them that have ended, and stay in force.",
		STORE(crls_overdue)},
	{"dialtone_trust_anchor_not_after_timestamp_seconds", GAUGE,
		"When the first anchor of a file ends.",
		WRITTEN_BY(metrics_trust_anchors)},
	{"dialtone_trust_crl_next_update_timestamp_seconds", GAUGE,
		"When the first list of a file ends.",
		WRITTEN_BY(metrics_trust_crls)},
	{"dialtone_trust_locked_out_devices", GAUGE,
		"Devices that a reload has locked out, until it is undone.",
		STORE(locked_out)},
	{"dialtone_trust_loaded_timestamp_seconds", GAUGE,
		"When the set in force was loaded.", STORE(loaded)},
	{"dialtone_trust_reload_refused", GAUGE,
		"1 while the folder holds what is refused.", STORE(refused)},
	{"dialtone_trust_refusals_total", COUNTER,
		"Refused states of a trust folder, by rule.",
		WRITTEN_BY(metrics_trust_refusals)},
	{"dialtone_trust_retiring_devices", GAUGE,
		"Devices that still come with a certificate of a retiring "
		"anchor, by its file.",
		WRITTEN_BY(metrics_trust_retiring)},
	{"dialtone_phones_certificates_ending", GAUGE,
		"Certificates of phones that end within so many days, those "
		"ended not.",
		WRITTEN_BY(metrics_trust_ending)},
	{"dialtone_certificates_reload_refused", GAUGE,
		"1 while the registrar's own certificates on the disk are "
		"refused.",
		WRITTEN_BY(metrics_trust_own_refused)},
	{"dialtone_certificate_not_after_timestamp_seconds", GAUGE,
		"When the registrar's own certificates end.",
		WRITTEN_BY(metrics_trust_own)},

	{"dialtone_capf_pending", GAUGE,
		"Devices whose operation waits for them, by operation.",
		WRITTEN_BY(metrics_capf_pending)},
	{"dialtone_capf_operations", GAUGE,
		"Devices by the status of their last operation, in CUCM's "
		"words.",
		WRITTEN_BY(metrics_capf_operations)},
	{"dialtone_capf_done_total", COUNTER, "What CAPF did since the start.",
		WRITTEN_BY(metrics_capf_done)},
	{"dialtone_capf_ledger", GAUGE,
		"LSCs ever issued, by what became of them.",
		WRITTEN_BY(metrics_capf_ledger)},
	{"dialtone_capf_visits", GAUGE, "Phones that are at CAPF now.",
		WRITTEN_BY(metrics_capf_visits)},
	{"dialtone_capf_halted", GAUGE,
		"1 while nothing is issued: the clock, the disk or a trust "
		"folder is wrong.",
		WRITTEN_BY(metrics_capf_halted)},
	{"dialtone_capf_audit_links", GAUGE, "Links of the audit chain.",
		WRITTEN_BY(metrics_capf_audit)},
	{"dialtone_capf_root_not_after_timestamp_seconds", GAUGE,
		"When CAPF's own roots end.", WRITTEN_BY(metrics_capf_roots)},

	{"dialtone_connection_memory_bytes", GAUGE,
		"What memory grew by, by connection; 0 under a hundred of "
		"them.",
		SEEN(memory.per_connection)},
	{"dialtone_session_cache_bytes", GAUGE,
		"Memory or file in use for sessions kept.",
		SEEN(memory.session_cache)},
	{"dialtone_store_failing", GAUGE,
		"1 while what phones cause cannot be written to the disk.",
		WRITTEN_BY(metrics_process_stores)},
	{"dialtone_phones_certificates_kept", GAUGE,
		"Certificates of phones that are kept, to be judged again "
		"when trust changes.",
		SEEN(leaves.kept)},
	{"dialtone_phones_certificates_waiting", GAUGE,
		"Those that wait to be written.", SEEN(leaves.waiting)},
	{"dialtone_phones_certificates_dropped_total", COUNTER,
		"Those that are not kept: too many waited, or one is too long.",
		SEEN(leaves.dropped)},
	{"dialtone_history_dropped_total", COUNTER,
		"Events of phones that were not kept.", WRITTEN_BY(dropped)},

	{"process_start_time_seconds", GAUGE,
		"When it started, in seconds since 1970.", WRITTEN_BY(started)},
	{"process_cpu_seconds_total", COUNTER,
		"Processor time, of the system on its behalf, too.",
		WRITTEN_BY(metrics_process_cpu)},
	{"process_open_fds", GAUGE, "Descriptors that are open.",
		WRITTEN_BY(metrics_process_fds)},
	{"process_max_fds", GAUGE, "How many there may be.",
		WRITTEN_BY(metrics_process_max_fds)},
	{"process_resident_memory_bytes", GAUGE, "Memory that is resident.",
		SEEN(memory.resident)},
	{"process_virtual_memory_bytes", GAUGE, "Memory that has an address.",
		WRITTEN_BY(metrics_process_virtual)},
};

static uint64_t number_at(const void *object, const struct row *row)
{
	const char *at = (const char *)object + row->offset;
	if (row->size == sizeof(uint32_t))
		return *(const uint32_t *)at;
	assert(row->size == sizeof(uint64_t));
	return *(const uint64_t *)at;
}

static void write_workers(struct metrics_page *page, const struct row *row,
	const struct metrics_seen *seen)
{
	for (size_t i = 0; i < server_workers(seen->server); i++) {
		struct conn_counters c =
			server_worker_counters(seen->server, i);
		char number[21];
		snprintf(number, sizeof(number), "%zu", i);
		if (row->label)
			metrics_label(page, row->label, row->label_value);
		metrics_label(page, "worker", number);
		metrics_value(page, number_at(&c, row));
	}
}

static void write_row(struct metrics_page *page, const struct row *row,
	const struct metrics_seen *seen)
{
	metrics_family(page, row->name, row->type, row->help);
	switch (row->kind) {
	case NUMBER:
		if (row->label)
			metrics_label(page, row->label, row->label_value);
		metrics_value(page, number_at(seen, row));
		break;
	case OF_WORKERS:
		write_workers(page, row, seen);
		break;
	case OF_STORES:
		metrics_trust_of_stores(page, seen, row->of_store);
		break;
	case FAMILY:
		row->write(page, seen);
		break;
	}
}

char *metrics_text(struct server *s)
{
	struct metrics_page page;
	struct metrics_seen seen;
	look(s, &seen);
	metrics_begin(&page);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_row(&page, &rows[i], &seen);
	return metrics_end(&page);
}
