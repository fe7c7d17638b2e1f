/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-storm. */
#ifndef BENCH_STORM_OPTIONS_H
#define BENCH_STORM_OPTIONS_H

#include <stdio.h>

#include "bench/option_table.h"
#include "bench/require.h"

struct storm_options {
	const char *server; /* 127.0.0.1, the protocol's own port */
	const char *device; /* SEP000000000001 */
	const char *line;   /* 1001 */
	const char *lab;
	const char *mix; /* lsc=100 */
	const char *ciphers;
	const char *ca;
	const char *json;
	const char *html;
	struct option_list require;
	int key;      /* see storm_options_key() */
	int protocol; /* enum talk_protocol */
	int tls;      /* TLS1_VERSION + n; 1.2, for psk 1.3 */
	int resume;   /* enum storm_resume; id, plain: full */
	int phones;   /* 1000 */
	int rate;     /* 200 */
	int seconds;  /* 10 */
	int ramp;
	int pause;
	int hold; /* -1: churn */
	int patience;
	int retry;
	int server_pid;
	int device_type;
	int sccp_version;
	int plain;
	int burst;
	int churn;
	int quiet;
	int allow_any_address;
	int help;
	/* Worked out from the above. */
	int mic_percent;
	struct require requires[OPTION_LIST_MAX];
};

extern const struct option_table storm_options_table;

/* 0; -EINVAL with d set. */
int storm_options_parse(
	int argc, char **argv, struct storm_options *o, struct diag *d);
void storm_options_help(FILE *to);
/* The key of the phones, as struct cert_lab_phone names it. */
const char *storm_options_key(const struct storm_options *o);
/* Does the i-th phone show its MIC? Spread evenly by --mix. */
int storm_options_is_mic(const struct storm_options *o, unsigned i);

#endif
