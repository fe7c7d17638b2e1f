/* SPDX-License-Identifier: Apache-2.0 */
/* A host for the SIP server engine: one device, real bindings, no socket. */
#ifndef TESTS_PROTOCOLS_SIP_HOST_H
#define TESTS_PROTOCOLS_SIP_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "protocols/sip/server.h"
#include "tests/conversations/runner.h"

struct sip_host {
	struct sip_server_config config;
	struct sip_binding_limits limits;
	struct sip_server server;
	struct sip_bindings bindings;
	struct sip_register reg; /* of the last REGISTER or TOKEN event */
	bool started;		 /* the defaults are in place */
	char source[64];	 /* the other end's address; "": unknown */
	char others[256];	 /* a Contact line of somebody else; or "" */
};

/* Defaults into config and limits, unless they are there already. */
void sip_host_prepare(struct sip_host *h);
void sip_host_init(struct sip_host *h, const struct moment *now);
void sip_host_deinit(struct sip_host *h);
/* Answers the waiting REGISTER as a registrar that knows no stranger. */
void sip_host_apply(struct sip_host *h, const struct moment *now);
/* One event in one line of text; false: none. */
bool sip_host_next(struct sip_host *h, char *text, size_t n);

/* Puts more behind text, which is an array of size; aborts when it
 * does not fit. */
void sip_host_append(char *text, size_t size, const char *more);

/* The same as an actor for conversation files. */
extern const struct conversation_engine sip_host_engine;

#endif
