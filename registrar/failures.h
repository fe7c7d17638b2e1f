/* SPDX-License-Identifier: Apache-2.0 */
/* The last refusals: what a phone showed, which rule refused it, the cure. */
#ifndef REGISTRAR_FAILURES_H
#define REGISTRAR_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registrar/peer.h"
#include "registrar/reason.h"
#include "trust/verdict.h"

/* Where on its way a phone was refused. */
enum failure_stage {
	FAILURE_CONNECTION,   /* limits, silence, what is no protocol at all */
	FAILURE_TLS,	      /* the handshake */
	FAILURE_REGISTRATION, /* admit said no */
	FAILURE_ENROLMENT,    /* CAPF did */
};

const char *failure_stage_name(enum failure_stage stage);

struct failure {
	enum failure_stage stage;
	int64_t first_ms; /* unix time */
	int64_t last_ms;
	uint64_t count; /* the same again and again is one entry */
	uint64_t nth;	/* the last of them, of all refusals */
	char address[PEER_ADDRESS_MAX];
	uint16_t port;
	enum config_protocol protocol;
	bool tls;
	bool udp;
	char rule[48];		    /* "unknown-ca", "sccp-frame-too-long" */
	enum trust_verdict verdict; /* TLS: trust's judgement */
	int alert;		    /* TLS alert sent or read; -1 none */
	bool alert_read;	    /* by us, so the phone sent it */
	enum reason_failure code;   /* CUCM's number */
	char device[CERT_DEVICE_MAX + 1]; /* claimed, or the certificate's */
	char subject[256]; /* of the certificate presented; "" none */
	char issuer[256];
	char serial[CERT_SERIAL_MAX + 1];
	char sha256[65];
	char not_after[21];
	char missing_ca[256];
	char why[512];
	char cure[256];
	char console[96]; /* mirror of the phone's console line */
};

struct failures;

struct failures *failures_new(size_t max, uint32_t logged_per_s);
void failures_free(struct failures *f);

/* Fills who and what was presented from peer; the caller adds the rest. */
void failure_from_peer(struct failure *out, const struct peer *peer);
/* Sets alert and the mirror of the phone's console line. */
void failure_set_alert(struct failure *out, int alert, bool alert_read);

/* What SNMP's trap would say of a TLS connection that came to nothing. */
enum reason_tls failure_tls_reason(const struct failure *failure);

/* Who is told of each that is added, before the first thread. */
typedef void failures_told_fn(void *self, const struct failure *failure);
void failures_tell(struct failures *f, failures_told_fn *fn, void *self);

/* Remembers, tells and logs it; first_ms, last_ms, count are filled here. */
void failures_add(struct failures *f, const struct failure *failure);
/* Copies, newest first; the caller frees the array. */
struct failure *failures_list(struct failures *f, size_t *n);
/* The most of them there can be. */
size_t failures_max(const struct failures *f);
/*
 * Brings a copy of them up to date: list has room for failures_max(), *seen is
 * how many refusals it knows of, 0 at first. Answers how many are in it. What
 * is new is copied some at a time, so no refusal waits long. Each one's place
 * stays the same.
 */
size_t failures_copy_new(
	struct failures *f, struct failure *list, uint64_t *seen);
/* May one more line be logged that a stranger can cause at will? It shares
 * the second's lines with refusals; what does not fit is counted. */
bool failures_may_log(struct failures *f);
/* How many there were in all, since the start. */
uint64_t failures_total(struct failures *f);

/* The same by stage and rule; what finds no place here is "other". */
struct failures_by_rule {
	struct failures_count {
		enum failure_stage stage;
		char rule[48];
		uint64_t count;
	} list[128];
	size_t n;
};
void failures_by_rule(struct failures *f, struct failures_by_rule *out);

#endif
