/* SPDX-License-Identifier: Apache-2.0 */
/* UDP loses: what was answered is said again, what we ask is asked again. */
#ifndef PROTOCOLS_SIP_TRANSACTIONS_H
#define PROTOCOLS_SIP_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/moment.h"
#include "protocols/sip/frame.h"

enum {
	SIP_T1_MS = 500,  /* RFC 3261 17.1.2.2; Cisco phones use the same */
	SIP_T2_MS = 4000, /* the longest pause between two attempts */
	SIP_TRANSACTION_MS = 64 * SIP_T1_MS, /* timers F and J */
	SIP_ANSWERS_MAX = 4,  /* kept for one peer: the last ones */
	SIP_REQUESTS_MAX = 4, /* of ours that wait for an answer of one peer */
};

/*
 * Names the transaction of a message within one peer (RFC 3261 17.2.3, and
 * 17.1.3 for answers): a hash of the branch, sent-by and method; without the
 * magic cookie also of the first line, the From tag and the whole Via.
 * Call-ID and CSeq are hashed in any case: a retransmission has the same
 * ones, and a phone that uses one branch for all it sends is not told the
 * last answer to its next question.
 */
uint64_t sip_transactions_key(const struct sip_head *head);

/* What all peers of one thread may have kept, in bytes. */
struct sip_transactions_budget {
	size_t used, max;
};

/*
 * The transactions of one peer over UDP; zeroed there are none. Bounded by
 * the numbers above and by the budget: what does not fit is not kept, and a
 * retransmission of it is a request like any other.
 */
struct sip_transactions {
	struct sip_kept *answers;  /* newest first */
	struct sip_kept *requests; /* likewise */
};

void sip_transactions_deinit(
	struct sip_transactions *t, struct sip_transactions_budget *budget);

/* Keeps the n bytes that answered the request of that key, for 32 s. */
void sip_transactions_keep(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, const void *data,
	size_t n, const struct moment *now);
/* The answer that such a request got; NULL: none that is kept. */
const void *sip_transactions_find(const struct sip_transactions *t,
	uint64_t key, const struct moment *now, size_t *n);

/* Keeps a request of ours, which was sent now, to be sent again until it is
 * answered; false: it cannot be kept, so it is sent but once. */
bool sip_transactions_ask(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, const void *data,
	size_t n, const struct moment *now);
/* An answer of that key came. A final one ends the transaction, a 1xx slows
 * it down; false: nothing asked for it, or it was answered already. */
bool sip_transactions_answered(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, int status,
	const struct moment *now);

/* When something is to be sent again, given up or forgotten. */
uint64_t sip_transactions_deadline(const struct sip_transactions *t);

enum sip_transactions_step {
	SIP_TRANSACTIONS_IDLE,	/* nothing is due any more */
	SIP_TRANSACTIONS_AGAIN, /* send *data once more */
	SIP_TRANSACTIONS_LOST,	/* a request got no answer in 32 s */
};
/* What is due; call it until IDLE. */
enum sip_transactions_step sip_transactions_tick(struct sip_transactions *t,
	struct sip_transactions_budget *budget, const struct moment *now,
	const void **data, size_t *n);

#endif
