/* SPDX-License-Identifier: Apache-2.0 */
/* Who is locked out by a change of trust: before it is made, and after. */
#ifndef REGISTRAR_IMPACT_H
#define REGISTRAR_IMPACT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/census.h"
#include "registrar/reload.h"
#include "trust/impact.h"

struct server;

/* ---- a report ---- */

/* A device that could come in, and cannot any more. */
struct impact_row {
	char device[CERT_DEVICE_MAX + 1];
	enum cert_kind kind; /* of its last certificate */
	size_t anchor;	     /* that vouched, of the report's */
	enum trust_verdict then;
	bool judged;	 /* else by its anchor: the certificate is not kept */
	bool mic_passes; /* it has another one that it could use */
	bool registered; /* now */
	int64_t seen_ms; /* last, unix; 0: not known */
};

/* X(field, key in JSON and log) */
#define IMPACT_NUMBER_LIST(X)                                          \
	X(devices, "devices")	   /* that were looked at */           \
	X(locked_out, "lockedOut") /* of these: */                     \
	X(registered, "registered")                                    \
	X(mic_passes, "micPasses")                                     \
	X(not_judged, "notJudged") /* their certificate is not kept */ \
	X(let_in, "letIn")	   /* could not come in, and can */

struct impact_numbers {
#define X(field, key) size_t field;
	IMPACT_NUMBER_LIST(X)
#undef X
};

struct impact_anchor {
	char file[NAME_MAX + 1];
	size_t locked_out, registered;
};

struct impact_report {
	const struct trust_snapshot *before, *after;
	enum trust_purpose purpose; /* to enrol, any MIC serves */
	/* Whom an earlier change locked out stays so until it passes; or NULL.
	 */
	const struct impact_report *standing;
	struct impact_numbers n;
	struct impact_anchor *anchors; /* those of which n.locked_out hang */
	size_t n_anchors;
	struct impact_row *rows; /* by name */
	size_t n_rows;
	double cpu_s; /* what it cost */
};

/*
 * Judges every device under both sets, which the report does not keep. Takes
 * 0.2 ms a device, and no lock for longer than one of them; *stop (or NULL)
 * ends it early.
 */
void impact_judge(
	struct server *s, struct impact_report *report, const bool *stop);
/* What a store's phones want of it. */
enum trust_purpose impact_purpose(enum trust_store store);
void impact_report_deinit(struct impact_report *report);

/* ---- after a reload ---- */

/* Tells log and status who is locked out now, on a thread of its own. */
struct impact;
int impact_new(struct server *s, struct impact **out, struct diag *d);
void impact_free(struct impact *i);

/*
 * From one set to the next. Says one line when phones are locked out, and
 * again when another reload changes their number, also to none: whom one
 * locked out is held against each later set. Reloads that come while it judges
 * are one. Takes references of its own.
 */
void impact_tell(struct server *s, enum trust_store store,
	struct trust_snapshot *before, struct trust_snapshot *after);

/* What was told last; locked_out 0: nobody is. */
struct impact_told {
	int64_t since_ms;
	struct impact_numbers n;
	char anchors[512]; /* "FILE 12, FILE 3" */
};
struct impact_told impact_told(struct server *s, enum trust_store store);

/* ---- at any time ---- */

/* A census not older than its cost allows; valid until it is released. */
const struct census *impact_census(struct server *s);
void impact_census_release(struct server *s);
/* Devices whose last certificate hangs on that anchor, or may: cheap. */
size_t impact_depending(struct server *s, const uint8_t anchor[32]);

#endif
