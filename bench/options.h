/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-phone: one table for getopt, help and tests. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "certs/diag.h"

struct sccp_generation;

enum options_until {
	OPTIONS_UNTIL_REGISTERED,
	OPTIONS_UNTIL_FOREVER,
	OPTIONS_UNTIL_ENROLLED,
};

enum options_transport { OPTIONS_TLS, OPTIONS_TCP, OPTIONS_UDP };

/* Every option lands in an int (flag 0/1, number, index of a word) or in a
 * string; strings are argv's. What is not given stands as said here. */
struct options {
	const char *server;   /* 127.0.0.1, the protocol's own port */
	const char *device;   /* SEP000000000001 */
	const char *line;     /* 1001 */
	const char *username; /* the rest: NULL */
	const char *password;
	const char *lsc;
	const char *mic;
	const char *lab;
	const char *ciphers;
	const char *ca;
	const char *capf; /* no port: CAPF's own */
	const char *string;
	const char *pinned_capf;
	const char *keygen_time; /* as keygen_min_ms and keygen_max_ms */
	const char *flash;
	int leaf;	  /* enum cert_lab_leaf; -1 */
	int protocol;	  /* enum talk_protocol */
	int tls_min;	  /* TLS1_VERSION + n */
	int tls_max;	  /* TLS 1.2 */
	int until;	  /* enum options_until */
	int hold;	  /* seconds; 0 */
	int count;	  /* 1 */
	int rate;	  /* a second; 200 */
	int timeout;	  /* seconds; 0: connect 8, answers as the engines do */
	int device_type;  /* 437 (7975) for SCCP, 683 (8841) for SIP, or the
			   * generation's */
	int sccp_version; /* 22, or the generation's */
	int generation;	  /* index in SCCP_GENERATION_LIST; -1 */
	const struct sccp_generation *speaks; /* the same; NULL */
	int token;
	int plain;
	int transport; /* enum options_transport; TLS */
	int no_certificate;
	int standby;
	int lost_state;
	int no_unregister;
	int auth;	   /* enum flash_mode - 1; -1 */
	int capf_like;	   /* enum enrol_like */
	int capf_version;  /* 2 or 3; 3 */
	int capf_progress; /* enum enrol_progress; ONE */
	int capf_when;	   /* enum life_when; RESET */
	int capf_retry_ms; /* 30000 */
	int die_after;	   /* enum enrol_step; ENROL_STEPS */
	int fail_at;	   /* enum enrol_fault; ENROL_FAULTS */
	int shared_keys;
	int keygen_min_ms;
	int keygen_max_ms;
	int come_back;
	int quiet;
	int json;
	int allow_any_address;
	int help;
};

/* 0; -EINVAL with d set: the option, what came, and what it takes. */
int options_parse(int argc, char **argv, struct options *o, struct diag *d);
void options_help(FILE *to);

/* For tests: the name of the i-th option, NULL behind the last. */
const char *options_name(size_t i);

#endif
