/* SPDX-License-Identifier: Apache-2.0 */
/* Where CAPF's records last. An engine implements this; SQLite does. */
#ifndef REGISTRAR_STORE_CAPF_STORE_H
#define REGISTRAR_STORE_CAPF_STORE_H

#include "certs/diag.h"
#include "registrar/capf/records.h"

/*
 * capf.db in the state folder (NULL: in memory). At the opening the whole audit
 * chain is walked: one that does not hold is -EINVAL with d naming the link and
 * the cure. A commit is on the disk, file and folder, when it answers.
 *
 * One thread at a time may call these. All answer 0, or with d -ENOENT (there
 * is none; to remove what is not there is fine), -EEXIST, -ENOSPC, -EIO, or
 * -EINVAL: a row is damaged. What changes something does so inside begin() and
 * commit(); a commit that fails has changed nothing, and the store serves on.
 * (Where not even that can be written, a kill before the next commit may leave
 * it whole, never in half.) A write that fails for want of room may undo all
 * since begin(): what follows is -EIO then, the commit, too. rollback() without
 * begin() is fine.
 */
struct capf_store;
int capf_store_open(
	const char *folder, struct capf_store **out, struct diag *d);
void capf_store_close(struct capf_store *s);
int capf_store_begin(struct capf_store *s, struct diag *d);
int capf_store_commit(struct capf_store *s, struct diag *d);
void capf_store_rollback(struct capf_store *s);
/* Part of a transaction, from the last mark on, that may be undone alone. */
int capf_store_mark(struct capf_store *s, struct diag *d);
void capf_store_back_to_mark(struct capf_store *s);

/* ---- operations, by device, without case ---- */

int capf_store_operation(struct capf_store *s, const char *device,
	struct capf_operation *out, struct diag *d);
int capf_store_put_operation(struct capf_store *s,
	const struct capf_operation *from, struct diag *d);
int capf_store_remove_operation(
	struct capf_store *s, const char *device, struct diag *d);

/* Which ones; a zeroed one: all, by device. */
struct capf_which {
	const char *after;  /* devices behind this one; NULL */
	bool pending;	    /* those alone */
	int64_t turn_by;    /* pending, to be told, not told, and their
			     * turn is by then: by turn; 0 */
	bool missed;	    /* pending, and not to be reached at their turn */
	int64_t late_at;    /* pending, completes_by < that; 0 */
	int64_t null_at;    /* pending, by null string, not ended then; 0 */
	const char *origin; /* of that origin alone; NULL */
	size_t most;	    /* 0: all */
};
/* Until visit() says false; it must not change the store. */
int capf_store_operations(struct capf_store *s, const struct capf_which *which,
	bool (*visit)(void *self, const struct capf_operation *o), void *self,
	struct diag *d);

/* How many operations stand how: by kind and status number. */
struct capf_store_counts {
	size_t pending[CAPF_KINDS];
	size_t by_status[CAPF_STATUSES]; /* capf_status_number() */
	size_t issued[CAPF_ISSUED_STATES];
	size_t requests, shown;
	uint64_t audit; /* links */
};
int capf_store_count(
	struct capf_store *s, struct capf_store_counts *out, struct diag *d);

/* ---- the ledger: nothing in it is ever removed ---- */

/* -EEXIST: that serial number was used before. */
int capf_store_add_issued(struct capf_store *s, const struct capf_issued *from,
	const uint8_t *der, size_t n, struct diag *d);
/* confirmed_at 0: it stays as it is. */
int capf_store_set_issued(struct capf_store *s, const char *serial,
	enum capf_issued_state state, int64_t confirmed_at, struct diag *d);
/* All of the device that are INSTALLED or STALE, and were issued before that
 * one ("": all). */
int capf_store_end_issued(struct capf_store *s, const char *device,
	const char *before_serial, enum capf_issued_state state,
	struct diag *d);
/* By serial number; by SHA-256 of the certificate; the device's newest STALE
 * one of that key; the device's newest one in `state`. */
int capf_store_issued(struct capf_store *s, const char *serial,
	struct capf_issued *out, struct diag *d);
int capf_store_issued_as(struct capf_store *s, const uint8_t sha256[32],
	struct capf_issued *out, struct diag *d);
int capf_store_stale(struct capf_store *s, const char *device,
	const uint8_t key_sha256[32], struct capf_issued *out, struct diag *d);
int capf_store_newest(struct capf_store *s, const char *device,
	enum capf_issued_state state, struct capf_issued *out, struct diag *d);
/* The certificate, malloc'ed. */
int capf_store_issued_der(struct capf_store *s, const char *serial,
	uint8_t **der, size_t *n, struct diag *d);
/* Zeroed: all, in the order of issue. */
struct capf_issued_which {
	const char *device;    /* NULL: of all */
	int state;	       /* + 1; 0: any */
	const uint8_t *issuer; /* SHA-256; NULL: any */
	int64_t ends_before;   /* not_after < that; 0: any */
	/* In the part of their life that `part` of 1000 says has passed; 0. */
	int64_t now;
	unsigned part;
	int64_t begins_after; /* not_before > that; 0: any */
	/* Behind this one in the order, all if there is none such; NULL */
	const char *after_serial;
	size_t most;
};
int capf_store_ledger(struct capf_store *s,
	const struct capf_issued_which *which,
	bool (*visit)(void *self, const struct capf_issued *i), void *self,
	struct diag *d);
/* Unix seconds that no right clock is before: when the newest line was issued,
 * of those behind which no clock was accepted, or when that was; 0: nobody
 * knows any. */
int capf_store_newest_issue(struct capf_store *s, int64_t *at, struct diag *d);
/* What the lines so far say of the time counts no more; `at` does. */
int capf_store_accept_clock(struct capf_store *s, int64_t at, struct diag *d);

/* ---- phones' certificates, one of a type and device ---- */

int capf_store_put_shown(
	struct capf_store *s, const struct capf_shown *c, struct diag *d);
/* All of that device go. */
int capf_store_remove_shown(
	struct capf_store *s, const char *device, struct diag *d);
int capf_store_shown(struct capf_store *s, const char *device,
	bool (*visit)(void *self, const struct capf_shown *c), void *self,
	struct diag *d);

/* ---- requests to a CA outside, the last one of a device ---- */

int capf_store_put_request(
	struct capf_store *s, const struct capf_request *r, struct diag *d);
int capf_store_remove_request(
	struct capf_store *s, const char *device, struct diag *d);
/* device NULL: all, by device. */
int capf_store_requests(struct capf_store *s, const char *device,
	bool (*visit)(void *self, const struct capf_request *r), void *self,
	struct diag *d);

/* ---- the audit chain ---- */

/*
 * Adds a link; number and hash are the store's to fill. The hash is SHA-256
 * over the previous link's hash (32 bytes; of the first one: zeroes) and the
 * link's text: number, at (both decimal), event, device, serial, address and
 * detail, each as a netstring ("5:hello,"), so that no two links have the same
 * text.
 *
 * The walk finds any link that was changed, moved, inserted or removed, and the
 * head, which is written along with each link, one that is missing at the end.
 * There is no secret in it: whoever can write capf.db can make another chain
 * with a head that fits, or put an old capf.db back. Only the number and hash
 * of a link that were noted elsewhere show that.
 */
int capf_store_audit(
	struct capf_store *s, struct capf_audit *link, struct diag *d);
/* Links from `number` on. */
int capf_store_audit_read(struct capf_store *s, uint64_t number,
	bool (*visit)(void *self, const struct capf_audit *link), void *self,
	struct diag *d);
/* The last link; -ENOENT: there is none. */
int capf_store_audit_head(
	struct capf_store *s, struct capf_audit *out, struct diag *d);
/* Walks the chain. -EINVAL with d: it does not hold. */
int capf_store_audit_check(struct capf_store *s, struct diag *d);
/* The same in parts, between which links may be added: `most` links a call
 * (0: all that are left), until it is over. Zeroed: before the first one. */
struct capf_audit_walk {
	uint64_t number; /* of the last link that held */
	uint8_t hash[CAPF_HASH];
	bool over; /* up to the head: it holds */
};
int capf_store_audit_walk(struct capf_store *s, struct capf_audit_walk *w,
	size_t most, struct diag *d);

#endif
