/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-storm. */
#include "bench/storm_options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
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
static const char *const kinds[] = {"lsc", "mic", NULL};
static const char *const forever[] = {"forever", NULL};

enum { LSC, MIC };
enum { TLS_1_2 = 2, TLS_1_3 = 3, SCCP_DEVICE_MAX = 15, PID_MAX = 1 << 22 };
/* Steps of mix_pick() for what is mixed. */
enum { STEP_PROTOCOL = 71, STEP_KIND = 37, STEP_KEY = 61 };

#define AT(field) offsetof(struct storm_options, field)
static const struct option_row rows[] = {
	{"protocol", "NAME",
		"sccp (default), sip, or both: sccp=60,sip=40; or http, where "
		"one GET stands for the REGISTER: for servers that know no "
		"phones",
		OPTION_TEXT, AT(protocol)},
	{"server", "HOST:PORT",
		"default 127.0.0.1, ports 2443 and 5061, plain 2000 and 5060; "
		"HTTP 443 and 80",
		OPTION_TEXT, AT(server)},
	{"sip-server", "HOST:PORT",
		"where SIP phones of a mix call; default: --server's host, "
		"SIP's port",
		OPTION_TEXT, AT(sip_server)},
	{"allow-any-address", NULL, "also call addresses that are not loopback",
		OPTION_FLAG, AT(allow_any_address)},
	{"plain", NULL, "TCP without TLS", OPTION_FLAG, AT(plain)},
	{"lab", "DIR", "where the CAs are that issue the phones' certificates",
		OPTION_TEXT, AT(lab)},
	{"mix", "lsc=N,mic=N", "percent of phones with each; default lsc=100",
		OPTION_TEXT, AT(mix)},
	{"key", "NAME",
		"of all phones: rsa2048 (default), p256, rsa3072, p384 or "
		"rsa1024; or a mix: rsa2048=80,p256=20",
		OPTION_TEXT, AT(key)},
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
	{"every", "SECONDS",
		"the burst again that often, as long as --seconds last",
		OPTION_NUMBER, AT(every), 1, STORM_SECONDS_MAX},
	{"churn", NULL,
		"phones hang up once registered and come again (default)",
		OPTION_FLAG, AT(churn)},
	{"hold", "SECONDS",
		"each phone comes once at most and stays that long after the "
		"last one, with its keepalives",
		OPTION_NUMBER, AT(hold), 0, STORM_HOLD_MAX_S},
	{"think", "MIN-MAX",
		"seconds, by chance, that a phone of --churn stays registered "
		"before it hangs up, and rests before it comes again",
		OPTION_TEXT, AT(think)},
	{"token", NULL, "phones ask whether they may come before they register",
		OPTION_FLAG, AT(token)},
	{"patience", "SECONDS", "that an attempt may take; default 8",
		OPTION_NUMBER, AT(patience), 1, STORM_PATIENCE_MAX_S},
	{"retry", "N",
		"attempts after a failed one, each waiting longer: 1 s doubled "
		"up to 60 s, half by chance; forever needs --until; phones "
		"that the server loses come back; default 0. To wait as a "
		"server tells it to is no failure",
		OPTION_NUMBER, AT(retry), 0, STORM_RETRIES_MAX,
		.words = forever},
	{"until", "SECONDS",
		"who is not registered then, from the first arrival on, has "
		"failed",
		OPTION_NUMBER, AT(until), 1, STORM_SECONDS_MAX},
	{"restart-at", "SECONDS",
		"from the first arrival: then --restart-command is run",
		OPTION_NUMBER, AT(restart_at), 0, STORM_HOLD_MAX_S},
	{"restart-command", "COMMAND",
		"for sh -c, to restart the server in mid-storm; its output "
		"goes nowhere unless it says where",
		OPTION_TEXT, AT(restart_command)},
	{"sources", "N", "spread phones over so many addresses of their own",
		OPTION_NUMBER, AT(sources), 1, STORM_PHONES_MAX},
	{"from", "ADDRESS/BITS",
		"evenly within this range; default 127.1.0.0/16", OPTION_TEXT,
		AT(from)},
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
	{"server-pid-file", "FILE",
		"holds its number instead, and is read again and again: CPU "
		"is the sum over all processes it has named",
		OPTION_TEXT, AT(server_pid_file)},
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

static bool both_protocols(const struct storm_options *o)
{
	return o->protocols.percent[TALK_SCCP] > 0 &&
	       o->protocols.percent[TALK_SIP] > 0;
}

static int check_phones(const struct storm_options *o, struct diag *d)
{
	bool sccp = o->protocols.percent[TALK_SCCP] > 0;
	unsigned http = o->protocols.percent[TALK_HTTP];
	const size_t device_max = sccp ? SCCP_DEVICE_MAX : NAMES_DEVICE_MAX;
	const struct option_rule rules[] = {
		{o->plain && (o->lab || o->ca || o->ciphers || o->tls >= 0 ||
				     o->resume > STORM_FULL || o->mix ||
				     o->key),
			"--plain has no TLS: drop --lab, --mix, --key, --ca, "
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
		{http && http < 100,
			"--protocol: http is no phone's; only sccp and sip "
			"mix, such as sccp=60,sip=40"},
		{http && o->token, "--token is for phones: HTTP has none"},
		{o->sip_server && !both_protocols(o),
			"--sip-server is for a mix, such as --protocol "
			"sccp=60,sip=40; else --server says it"},
		{o->from && !o->sources, "--from needs --sources"},
		{names_check(o->device, device_max) < 0,
			"--device: letters, digits, '.', '_' and '-', at most "
			"15 of them (63 but for SCCP)"},
		{names_check(o->line, NAMES_LINE_MAX) < 0,
			"--line: letters, digits, '.', '_' and '-', at most "
			"24 of them"},
	};
	return option_table_check(rules, sizeof(rules) / sizeof(*rules), d);
}

static int check_times(const struct storm_options *o, struct diag *d)
{
	bool hold = o->hold >= 0;
	const struct option_rule rules[] = {
		{o->churn && hold, "--churn and --hold exclude each other"},
		{o->think && hold, "--think is for phones that --churn"},
		{o->burst && o->ramp, "--burst and --ramp exclude each other"},
		{o->every && !o->burst, "--every needs --burst"},
		{o->every && hold,
			"--every and --hold exclude each other: a phone that "
			"stays comes once"},
		{o->ramp > o->seconds, "--ramp is longer than --seconds"},
		{o->pause && o->resume == STORM_FULL,
			"--pause needs --resume id, ticket or psk"},
		{o->retry == STORM_FOREVER && !o->until,
			"--retry forever needs --until"},
		{o->until && o->until < o->seconds && (!o->burst || o->every),
			"--until is shorter than --seconds"},
		{(o->restart_at >= 0) != (o->restart_command != NULL),
			"--restart-at and --restart-command need each other"},
		{o->server_pid && o->server_pid_file,
			"--server-pid and --server-pid-file exclude each "
			"other"},
	};
	return option_table_check(rules, sizeof(rules) / sizeof(*rules), d);
}

static int parse_mixes(struct storm_options *o, struct diag *d)
{
	int error =
		mix_parse("protocol", o->protocol, protocols, &o->protocols, d);
	if (!error)
		error = mix_parse(
			"mix", o->mix ? o->mix : "lsc", kinds, &o->kinds, d);
	if (!error)
		error = mix_parse(
			"key", o->key ? o->key : keys[0], keys, &o->keys, d);
	o->mic_percent = (int)o->kinds.percent[MIC];
	return error;
}

/* Seconds with a fraction; NULL when there are none, else what is behind. */
static const char *parse_seconds(const char *text, uint32_t *ms)
{
	char *end;
	/* strtod also takes "nan", "inf", blanks and hexadecimal. */
	size_t n = strspn(text, "0123456789.");
	double seconds = strtod(text, &end);
	if (n == 0 || end != text + n || seconds > STORM_THINK_MAX_S)
		return NULL;
	*ms = (uint32_t)lround(seconds * 1000);
	return end;
}

/* "MIN-MAX", or one of them alone. */
static int parse_think(struct storm_options *o, struct diag *d)
{
	if (!o->think)
		return 0;
	const char *rest = parse_seconds(o->think, &o->think_min_ms);
	o->think_max_ms = o->think_min_ms;
	if (rest && *rest == '-')
		rest = parse_seconds(rest + 1, &o->think_max_ms);
	if (!rest || *rest || o->think_max_ms < o->think_min_ms)
		return diag_set(d, -EINVAL,
			"--think: '%.80s' is not like 0.5-3, in seconds, at "
			"most %d",
			o->think, STORM_THINK_MAX_S);
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
	if (o->device_type == 0 && !both_protocols(o))
		o->device_type = (int)storm_options_model(
			o, storm_options_protocol(o, 0));
	if (!o->key && !o->plain)
		o->key = keys[0];
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
		.protocol = protocols[TALK_SCCP],
		.restart_at = -1,
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
	error = parse_mixes(o, d);
	if (!error)
		error = check_phones(o, d);
	if (!error)
		error = check_times(o, d);
	if (!error)
		error = parse_think(o, d);
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

const char *storm_options_key_name(unsigned n)
{
	return keys[n];
}

unsigned storm_options_key(const struct storm_options *o, unsigned i)
{
	return mix_pick(&o->keys, i, STEP_KEY);
}

bool storm_options_is_mic(const struct storm_options *o, unsigned i)
{
	return mix_pick(&o->kinds, i, STEP_KIND) == MIC;
}

unsigned storm_options_protocol(const struct storm_options *o, unsigned i)
{
	return mix_pick(&o->protocols, i, STEP_PROTOCOL);
}

uint32_t storm_options_model(const struct storm_options *o, unsigned protocol)
{
	if (o->device_type)
		return (uint32_t)o->device_type;
	return protocol == TALK_SIP ? 683 : 437;
}
