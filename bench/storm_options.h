/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-storm. */
#ifndef BENCH_STORM_OPTIONS_H
#define BENCH_STORM_OPTIONS_H

#include <stdio.h>

#include "bench/mix.h"
#include "bench/option_table.h"
#include "bench/require.h"
#include "bench/storm.h"

struct storm_options {
	const char *server; /* 127.0.0.1, the protocol's own port */
	const char *device; /* SEP000000000001 */
	const char *line;   /* 1001 */
	const char *lab;
	const char *protocol;	/* sccp */
	const char *sip_server; /* --server's host, SIP's own port */
	const char *mix;	/* lsc=100 */
	const char *key;	/* rsa2048 */
	const char *think;	/* 0 */
	const char *from;	/* 127.1.0.0/16 */
	const char *restart_command;
	const char *server_pid_file;
	const char *ciphers;
	const char *ca;
	const char *json;
	const char *html;
	struct option_list require;
	int tls;     /* TLS1_VERSION + n; 1.2, for psk 1.3 */
	int resume;  /* enum storm_resume; id, plain: full */
	int phones;  /* 1000 */
	int rate;    /* 200 */
	int seconds; /* 10 */
	int ramp;
	int pause;
	int hold; /* -1: churn */
	int patience;
	int retry; /* or STORM_FOREVER */
	int until;
	int every;
	int sources;
	int restart_at; /* -1: no restart */
	int server_pid;
	int device_type;
	int sccp_version;
	int plain;
	int token;
	int burst;
	int churn;
	int quiet;
	int allow_any_address;
	int help;
	/* Worked out from the above. */
	struct mix protocols; /* by enum talk_protocol */
	struct mix kinds;     /* LSC, MIC */
	struct mix keys;      /* see storm_options_key() */
	int mic_percent;
	uint32_t think_min_ms;
	uint32_t think_max_ms;
	struct require requires[OPTION_LIST_MAX];
};

extern const struct option_table storm_options_table;

/* 0; -EINVAL with d set. */
int storm_options_parse(
	int argc, char **argv, struct storm_options *o, struct diag *d);
void storm_options_help(FILE *to);

/* The n-th kind of key as struct cert_lab_phone names it. */
const char *storm_options_key_name(unsigned n);
/* What the i-th phone is, each evenly spread by its mix: which key, whether
 * it shows its MIC, which enum talk_protocol it speaks. */
unsigned storm_options_key(const struct storm_options *o, unsigned i);
bool storm_options_is_mic(const struct storm_options *o, unsigned i);
unsigned storm_options_protocol(const struct storm_options *o, unsigned i);
/* Its model, where --device-type says nothing. */
uint32_t storm_options_model(const struct storm_options *o, unsigned protocol);

#endif
