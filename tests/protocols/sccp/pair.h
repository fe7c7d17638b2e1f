/* SPDX-License-Identifier: Apache-2.0 */
/* A phone engine on a server engine, and the wire with its accidents. */
#ifndef TESTS_PROTOCOLS_SCCP_PAIR_H
#define TESTS_PROTOCOLS_SCCP_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/sccp/phone.h"
#include "protocols/sccp/server.h"

enum {
	PAIR_LINES = 3,
	PAIR_DIALS = 2,	   /* one of them with a lamp */
	PAIR_FEATURES = 2, /* the lamp's */
	PAIR_SERVICES = 1,
	PAIR_IDS_MAX = 256,
};

/* What happens to the server's n-th frame on its way. */
enum accident {
	NO_ACCIDENT,
	LOST,
	SHORTENED,
	LENGTHENED,
	RENAMED, /* to an id that nobody knows */
	DOUBLED,
	REVERSIONED, /* a header version that nobody negotiated */
	BENT,	     /* up to two of its bytes changed */
};

/* A byte of a frame, and what it becomes. */
struct bend {
	uint16_t at;
	uint8_t value;
};

/* A phone and a server, and the wire between them. */
struct pair {
	struct moment now;
	struct sccp_phone phone;
	struct sccp_server server;
	struct bytes_queue wire; /* server to phone, for accidents */
	size_t cut;	/* phone to server: cut after so many bytes; 0: never */
	size_t crossed; /* phone to server, bytes so far */
	bool single;	/* byte by byte, both ways */
	enum accident accident;
	struct bend bends[2];
	unsigned victim;	    /* the frame that it happens to, from 1 */
	unsigned frames;	    /* server to phone, so far */
	uint32_t ids[PAIR_IDS_MAX]; /* what they were */
	const char *reject;
	uint32_t deny_s;
	/* What was reported. */
	struct sccp_register reg;
	unsigned registers, registered, done, unregistered, closed, tokens;
	unsigned alive;
	uint32_t token, reset;
	unsigned ignored, rejected, failed;
	char text[200];
	char alarm[1024];
};

/* Everything here fails the running cmocka test when it cannot go on. */
void pair_init(struct pair *p, const struct sccp_phone_config *config);
void pair_deinit(struct pair *p);
/* One step of either side; false: it has nothing to say. */
bool pair_phone_to_server(struct pair *p);
bool pair_server_to_phone(struct pair *p);
/* Until neither has anything to say. */
void pair_talk(struct pair *p);
/* So much time passes for both, tick by tick. */
void pair_pass(struct pair *p, uint64_t ms);
/* Bytes of the test's own, from the server's side. */
void pair_tell_phone(struct pair *p, uint8_t *data, size_t n);
void pair_phone_events(struct pair *p);

#endif
