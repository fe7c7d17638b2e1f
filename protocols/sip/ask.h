/* SPDX-License-Identifier: Apache-2.0 */
/* Writes REGISTER and REFER of a phone as 78xx and 88xx firmware words it. */
#ifndef PROTOCOLS_SIP_ASK_H
#define PROTOCOLS_SIP_ASK_H

#include <stdint.h>

#include "protocols/sip/answer.h"
#include "protocols/sip/phone.h"

enum sip_ask_kind {
	SIP_ASK_NOTHING,
	SIP_ASK_FIRST,	 /* with Reason and the offer of features */
	SIP_ASK_REFRESH, /* the short form */
	SIP_ASK_LEAVE,	 /* Expires: 0 */
	SIP_ASK_STANDBY, /* Expires: 0 and cisco-keep-alive */
	SIP_ASK_TOKEN,	 /* REFER: may it come back here? */
};

enum {
	SIP_ASK_CALL_ID_SIZE = 128,
	SIP_ASK_VIA_SIZE = 320,
	SIP_ASK_REASON_SIZE = 256,
	SIP_ASK_AUTHORIZATION_SIZE = 900,
};

/* What makes one phone's requests its own; kept from one to the next. */
struct sip_ask {
	uint64_t seed; /* state of the mixer that all ids come from */
	char mac[13];  /* lower case; of a SEP name, else made up */
	char uuid[37]; /* user of the Contact */
	char tag[34];  /* of From */
	char call_id[SIP_ASK_CALL_ID_SIZE];
	char via[SIP_ASK_VIA_SIZE]; /* value of the last request's */
	uint32_t cseq;		    /* of the last request */
	uint32_t registers;	    /* the last CSeq of a REGISTER */
	uint32_t refers;	    /* and of a REFER */
	uint32_t expires_s;
	/* Of the next first REGISTER, instead of the configuration's. */
	char reason[SIP_ASK_REASON_SIZE];
	char authorization[SIP_ASK_AUTHORIZATION_SIZE]; /* "": none to send */
};

void sip_ask_init(struct sip_ask *ask, const struct sip_phone_config *config);
/* A new Call-ID: for every cycle, unregister, keepalive and after a 423. */
void sip_ask_renew(struct sip_ask *ask, const struct sip_phone_config *config);
/* Why it comes back after that action of service-control. */
void sip_ask_reason(struct sip_ask *ask, const struct sip_phone_config *config,
	const char *action);
/* The addr-spec of our Contact; size at least 320. */
void sip_ask_uri(const struct sip_ask *ask,
	const struct sip_phone_config *config, char *uri, size_t size);
/* Queues the request under its method's next CSeq and a new branch. */
void sip_ask_write(struct sip_ask *ask, const struct sip_phone_config *config,
	enum sip_ask_kind kind, struct sip_answer *a, const struct moment *now);

#endif
