/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-storm. */
#include "bench/storm_options.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bench/names.h"
#include "bench/storm.h"

#define X(symbol, word, ...) word,
static const char *const protocols[] = {TALK_PROTOCOL_LIST(X) NULL};
static const char *const resumes[] = {STORM_RESUME_LIST(X) NULL};
#undef X
static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", NULL};
static const char *const keys[] = {
	"rsa2048", "p256", "rsa3072", "p384", "rsa1024", NULL};

enum { TLS_1_2 = 2, TLS_1_3 = 3, SCCP_DEVICE_MAX = 15, PID_MAX = 1 << 22 };

#define AT(field) offsetof(struct storm_options, field)
static const struct option_row rows[] = {
	{"protocol", "NAME",
		"sccp (default) or sip; or http, where one GET stands for the "
		"REGISTER: for servers that know no phones",
		OPTION_WORD, AT(protocol), .words = protocols},
	{"server", "HOST:PORT",
		"default 127.0.0.1, ports 2443 and 5061, plain 2000 and 5060; "
		"HTTP 443 and 80",
		OPTION_TEXT, AT(server)},
	{"allow-any-address", NULL, "also call addresses that are not loopback",
		OPTION_FLAG, AT(allow_any_address)},
	{"plain", NULL, "TCP without TLS", OPTION_FLAG, AT(plain)},
	{"lab", "DIR", "where the CAs are that issue the phones' certificates",
		OPTION_TEXT, AT(lab)},
	{"mix", "lsc=N,mic=N", "percent of phones with each; default lsc=100",
		OPTION_TEXT, AT(mix)},
	{"key", "NAME",
		"of all phones: rsa2048 (default), p256, rsa3072, p384 or "
		"rsa1024",
		OPTION_WORD, AT(key), .words = keys},
	{"tls", "VERSION",
		"1.0, 1.1, 1.2 or 1.3, this one alone; default 1.2, with "
		"--resume psk 1.3",
		OPTION_WORD, AT(tls), .words = versions},
	{"ciphers", "LIST",
		"up to TLS 1.2, in OpenSSL's names; default as an 88xx",
		OPTION_TEXT, AT(ciphers)},
	{"ca", "FILE",
		"verify the server against these; default: not looked at",
		OPTION_TEXT, AT(ca)},
	{"resume", "WAY",
		"full: never; id (default) and ticket: as TLS 1.2 does; psk: "
		"as "
		"1.3 does. Unless full, every phone registers once before the "
		"storm and keeps its session",
		OPTION_WORD, AT(resume), .words = resumes},
	{"pause", "SECONDS",
		"between that and the storm, to restart the server",
		OPTION_NUMBER, AT(pause), 0, STORM_SECONDS_MAX},
	{"phones", "N", "how many there are; default 1000", OPTION_NUMBER,
		AT(phones), 1, STORM_PHONES_MAX},
	{"rate", "N", "arrivals per second; default 200", OPTION_NUMBER,
		AT(rate), 1, STORM_RATE_MAX},
	{"seconds", "N", "of arrivals; default 10", OPTION_NUMBER, AT(seconds),
		1, STORM_SECONDS_MAX},
	{"ramp", "SECONDS", "of them in which the rate grows from nothing",
		OPTION_NUMBER, AT(ramp), 0, STORM_SECONDS_MAX},
	{"burst", NULL, "every phone once, all at the same time", OPTION_FLAG,
		AT(burst)},
	{"churn", NULL,
		"phones hang up once registered and come again (default)",
		OPTION_FLAG, AT(churn)},
	{"hold", "SECONDS",
		"each phone comes once at most and stays that long after the "
		"last one, with its keepalives",
		OPTION_NUMBER, AT(hold), 0, STORM_HOLD_MAX_S},
	{"patience", "SECONDS", "that an attempt may take; default 8",
		OPTION_NUMBER, AT(patience), 1, STORM_PATIENCE_MAX_S},
	{"retry", "N",
		"attempts after a failed one, each waiting longer: 1 s doubled "
		"up to 60 s, half by chance; held phones that are lost come "
		"back; default 0",
		OPTION_NUMBER, AT(retry), 0, STORM_RETRIES_MAX},
	{"device", "NAME", "of the first phone; default SEP000000000001",
		OPTION_TEXT, AT(device)},
	{"line", "NUMBER", "SIP: user of the first phone; default 1001",
		OPTION_TEXT, AT(line)},
	{"device-type", "N", "model; default 437 (7975) or 683 (8841)",
		OPTION_NUMBER, AT(device_type), 1, INT_MAX},
	{"sccp-version", "N", "highest protocol version; default 22",
		OPTION_NUMBER, AT(sccp_version), 0, 255},
	{"server-pid", "PID",
		"a process of this machine whose CPU and memory are measured, "
		"with its children's",
		OPTION_NUMBER, AT(server_pid), 1, PID_MAX},
	{"require", "THRESHOLD",
		"such as p99<200ms, resumed>95% or failed=0; may be given 16 "
		"times",
		OPTION_LIST, AT(require)},
	{"json", "FILE", "write the report there; - is the standard output",
		OPTION_TEXT, AT(json)},
	{"html", "FILE", "write it as a page with plots", OPTION_TEXT,
		AT(html)},
	{"quiet", NULL, "no progress, no text", OPTION_FLAG, AT(quiet)},
	{"help", NULL, "this", OPTION_HELP, AT(help)},
};
#undef AT

const struct option_table storm_options_table = {
	rows, sizeof(rows) / sizeof(*rows)};

static int check(const struct storm_options *o, struct diag *d)
{
	const size_t device_max =
		o->protocol == TALK_SCCP ? SCCP_DEVICE_MAX : NAMES_DEVICE_MAX;
	const struct option_rule rules[] = {
		{o->plain && (o->lab || o->ca || o->ciphers || o->tls >= 0 ||
				     o->resume > STORM_FULL || o->mix),
			"--plain has no TLS: drop --lab, --mix, --ca, "
			"--ciphers, --tls and --resume"},
		{!o->plain && !o->lab,
			"which certificates do phones have? Give --lab, or "
			"--plain"},
		{o->resume == STORM_PSK && o->tls >= 0 && o->tls != TLS_1_3,
			"--resume psk needs --tls 1.3"},
		{(o->resume == STORM_ID || o->resume == STORM_TICKET) &&
				o->tls == TLS_1_3,
			"--resume id and ticket are TLS 1.2's and older; TLS "
			"1.3 has psk"},
		{o->churn && o->hold >= 0,
			"--churn and --hold exclude each other"},
		{o->burst && o->ramp, "--burst and --ramp exclude each other"},
		{o->ramp > o->seconds, "--ramp is longer than --seconds"},
		{o->pause && o->resume == STORM_FULL,
			"--pause needs --resume id, ticket or psk"},
		{names_check(o->device, device_max) < 0,
			"--device: letters, digits, '.', '_' and '-', at most "
			"15 of them (63 but for SCCP)"},
		{names_check(o->line, NAMES_LINE_MAX) < 0,
			"--line: letters, digits, '.', '_' and '-', at most "
			"24 of them"},
	};
	return option_table_check(rules, sizeof(rules) / sizeof(*rules), d);
}

/* One "lsc=80"; NULL when it is none, else what stands behind it. */
static const char *parse_share(const char *text, bool *mic, long *percent)
{
	char *end;
	*mic = strncmp(text, "mic=", 4) == 0;
	if ((!*mic && strncmp(text, "lsc=", 4) != 0) || text[4] < '0' ||
		text[4] > '9')
		return NULL;
	*percent = strtol(text + 4, &end, 10);
	return *percent <= 100 ? end : NULL;
}

/* "lsc=80,mic=20", either alone, in any order; 100 together. */
static int parse_mix(struct storm_options *o, struct diag *d)
{
	bool mic, other_mic;
	long a = 0, b = 0;
	if (!o->mix)
		return 0;
	const char *rest = parse_share(o->mix, &mic, &a);
	other_mic = !mic;
	if (rest && *rest == ',')
		rest = parse_share(rest + 1, &other_mic, &b);
	if (!rest || *rest || mic == other_mic || a + b != 100)
		return diag_set(d, -EINVAL,
			"--mix: '%.80s' is not like lsc=80,mic=20, together "
			"100",
			o->mix);
	o->mic_percent = (int)(mic ? a : b);
	return 0;
}

static int parse_requires(struct storm_options *o, struct diag *d)
{
	int error = 0;
	for (size_t i = 0; i < o->require.n && !error; i++)
		error = require_parse(o->require.text[i], &o->requires[i], d);
	return error;
}

static void fill_in(struct storm_options *o)
{
	if (o->device_type == 0)
		o->device_type = o->protocol == TALK_SIP ? 683 : 437;
	if (o->resume < 0)
		o->resume =
			o->plain || o->tls == TLS_1_3 ? STORM_FULL : STORM_ID;
	if (o->tls < 0 && !o->plain)
		o->tls = o->resume == STORM_PSK ? TLS_1_3 : TLS_1_2;
}

int storm_options_parse(
	int argc, char **argv, struct storm_options *o, struct diag *d)
{
	*o = (struct storm_options){
		.server = "127.0.0.1",
		.device = "SEP000000000001",
		.line = "1001",
		.protocol = TALK_SCCP,
		.tls = -1,
		.resume = -1,
		.phones = 1000,
		.rate = 200,
		.seconds = 10,
		.hold = -1,
		.patience = 8,
		.sccp_version = 22,
	};
	int error = option_table_parse(&storm_options_table, argc, argv, o, d);
	if (error || o->help)
		return error;
	error = check(o, d);
	if (!error)
		error = parse_mix(o, d);
	if (!error)
		error = parse_requires(o, d);
	fill_in(o);
	return error;
}

void storm_options_help(FILE *to)
{
	fputs("usage: dialtone-storm --lab DIR [OPTION]...\n"
	      "Thousands of simulated phones that register as scheduled, and "
	      "what it cost.\n\n",
		to);
	option_table_help(&storm_options_table, to);
	fputs("\nFigures for --require, with <, <=, >, >= or =:\n", to);
	for (int i = 0; i < REQUIRE_METRICS; i++) {
		enum require_metric metric = (enum require_metric)i;
		fprintf(to, "  %-24s", require_metric_name(metric));
		option_table_fold(to, require_metric_meaning(metric));
	}
	fputs("\nTimes count from when an arrival was due, retries included; "
	      "a storm that is\nslow to serve cannot hide it by sending less. "
	      "Exit code: 0 when the storm ran\nto its end, somebody "
	      "registered and every --require is met, 1 when not, 2 usage.\n",
		to);
}

const char *storm_options_key(const struct storm_options *o)
{
	return keys[o->key];
}

int storm_options_is_mic(const struct storm_options *o, unsigned i)
{
	/* 37 and 100 have no common factor: any hundred phones in a row have
	 * exactly that many, and never all of them first. */
	return (int)(i % 100 * 37 % 100) < o->mic_percent;
}
