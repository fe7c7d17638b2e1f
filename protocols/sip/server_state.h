/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the server's engine share, and nobody else sees. */
#ifndef PROTOCOLS_SIP_SERVER_STATE_H
#define PROTOCOLS_SIP_SERVER_STATE_H

#include "protocols/sip/answer.h"
#include "protocols/sip/message.h"
#include "protocols/sip/server.h"

enum waiting { FOR_NOTHING, FOR_REGISTER, FOR_TOKEN, FOR_LOCATE };

/* A header line that goes back, by its place in the input. */
struct kept_line {
	enum sip_header header;
	uint32_t at;
	uint32_t n;
};

/*
 * The message that is answered stays at the head of `in` until it is; what
 * the answer needs of its index is kept. `reg`, `kept` and `text` belong to
 * the last event.
 */
struct sip_server_state {
	struct sip_frame frame;
	struct moment now;
	struct sip_source source;
	uint64_t born_ms;
	uint64_t heard_ms; /* when the last whole message came */
	uint64_t ping_ms;  /* or a keep-alive */
	uint64_t begun_ms; /* when the one under way began; or never */
	uint64_t alive_ms; /* when the last binding ends; or never */
	uint64_t window_ms;
	uint64_t order_ms; /* until when an order is answered; never: none */
	uint64_t order_id; /* its Call-ID */
	uint32_t orders;   /* sent so far: the CSeq of the last one */
	enum sip_order order;
	uint32_t window_n;
	bool met;    /* a whole message came */
	bool closed; /* CLOSE was reported */
	bool flow;   /* an outbound client: pings, or is gone */
	enum sip_close why;
	enum waiting waiting;
	struct sip_register *reg;
	struct kept_line *kept;
	size_t n_kept;
	char *text;
};

extern const char sip_server_supported[];

/* Ends the connection once out is drained; the first reason counts. */
void sip_server_shut(struct sip_server *s, enum sip_close why);
/* The message at the head of the input; then it is done with. */
const char *sip_server_input(const struct sip_server *s);
void sip_server_consume(struct sip_server *s);
/* An answer's first lines and its last; finish() sees to a full queue. */
void sip_server_begin(struct sip_server *s, struct sip_answer *a,
	const struct sip_head *head, int status, const char *phrase);
void sip_server_finish(struct sip_server *s, struct sip_answer *a);
/* RFC 3515 2.4.2: a 2xx to REFER has a Contact. */
void sip_server_put_contact(struct sip_server *s, struct sip_answer *a);

/* A well-formed response: to our order, or to nothing we asked. */
bool sip_server_on_response(struct sip_server *s, const struct sip_message *m,
	struct sip_server_event *event);
/* True: the order that is out was not answered in time; or never will be,
 * because the connection ends. */
bool sip_server_order_late(
	struct sip_server *s, struct sip_server_event *event);
bool sip_server_order_lost(
	struct sip_server *s, struct sip_server_event *event);

#endif
