/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-phone: one table for getopt, help and tests. */
#include "bench/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>
#include <openssl/ssl.h>

#include "bench/fleet.h"

enum kind { FLAG, TEXT, NUMBER, WORD };

struct row {
	const char *name;
	const char *argument;
	const char *help;
	enum kind kind;
	size_t offset;
	long min, max;		  /* NUMBER */
	const char *const *words; /* WORD: NULL behind the last */
};

#define X(symbol, word, ...) word,
static const char *const protocols[] = {TALK_PROTOCOL_LIST(X) NULL};
#undef X
#define X(symbol, option, ...) option,
static const char *const leaves[] = {CERT_LAB_LEAF_LIST(X) NULL};
#undef X
#define X(symbol, option, ...) option " "
#define LEAF_WORDS CERT_LAB_LEAF_LIST(X)
static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", NULL};
static const char *const untils[] = {"registered", "forever", NULL};

enum { SCCP_DEVICE_MAX = 15, SECONDS_MAX = 7 * 24 * 3600 };

#define AT(field) offsetof(struct options, field)
static const struct row rows[] = {
	{"protocol", "NAME", "sccp (default) or sip", WORD, AT(protocol),
		.words = protocols},
	{"server", "HOST:PORT",
		"default 127.0.0.1, ports 2443 and 5061, plain 2000 and 5060",
		TEXT, AT(server)},
	{"allow-any-address", NULL, "also call addresses that are not loopback",
		FLAG, AT(allow_any_address)},
	{"plain", NULL, "TCP without TLS", FLAG, AT(plain)},
	{"device", "NAME", "of the first phone; default SEP000000000001", TEXT,
		AT(device)},
	{"line", "NUMBER", "SIP: user of the first phone; default 1001", TEXT,
		AT(line)},
	{"lsc", "CERT[:KEY]", "PEM files; the key is CERT's path with .key",
		TEXT, AT(lsc)},
	{"mic", "CERT[:KEY]", "the same, used when there is no --lsc", TEXT,
		AT(mic)},
	{"lab", "DIR",
		"certificates of a lab: DIR/phones/<device>/lsc.pem, else "
		"mic.pem, else issued in memory",
		TEXT, AT(lab)},
	{"leaf", "NAME", "which of the lab's: " LEAF_WORDS, WORD, AT(leaf),
		.words = leaves},
	{"no-certificate", NULL, "show the server none", FLAG,
		AT(no_certificate)},
	{"ca", "FILE",
		"verify the server against these; default: not looked at", TEXT,
		AT(ca)},
	{"tls-min", "VERSION", "1.0 (default), 1.1, 1.2 or 1.3", WORD,
		AT(tls_min), .words = versions},
	{"tls-max", "VERSION", "likewise; default 1.2, as phones have it", WORD,
		AT(tls_max), .words = versions},
	{"ciphers", "LIST",
		"up to TLS 1.2, in OpenSSL's names; default as an 88xx", TEXT,
		AT(ciphers)},
	{"sccp-version", "N", "highest protocol version; default 22", NUMBER,
		AT(sccp_version), 0, 255},
	{"device-type", "N", "model; default 437 (7975) or 683 (8841)", NUMBER,
		AT(device_type), 1, INT_MAX},
	{"standby", NULL, "SIP: only keep alive, as on a second node", FLAG,
		AT(standby)},
	{"until", "WHAT", "registered (default) or forever", WORD, AT(until),
		.words = untils},
	{"hold", "SECONDS",
		"how long all stay, from when the last one is in; default 0",
		NUMBER, AT(hold), 0, SECONDS_MAX},
	{"no-unregister", NULL, "hang up without a goodbye", FLAG,
		AT(no_unregister)},
	{"timeout", "SECONDS",
		"for connecting, the handshake and each answer; default 8, 8 "
		"and what firmware has",
		NUMBER, AT(timeout), 1, 3600},
	{"count", "N",
		"that many phones, names and lines counted upwards, with "
		"certificates issued from --lab on one key; no console",
		NUMBER, AT(count), 1, FLEET_MAX},
	{"rate", "N", "phones that connect per second; default 200", NUMBER,
		AT(rate), 1, 100000},
	{"quiet", NULL, "no console lines, no text summary", FLAG, AT(quiet)},
	{"json", NULL,
		"JSON lines on stdout, one a phone and a summary; the console "
		"goes to stderr",
		FLAG, AT(json)},
	{"help", NULL, "this", FLAG, AT(help)},
};
#undef AT

enum { ROWS = sizeof(rows) / sizeof(*rows), HELP_INDENT = 26, COLUMNS = 78 };

const char *options_name(size_t i)
{
	return i < ROWS ? rows[i].name : NULL;
}

static int set_word(
	const struct row *row, int *to, const char *argument, struct diag *d)
{
	for (int i = 0; row->words[i]; i++) {
		if (strcmp(row->words[i], argument) == 0) {
			*to = i;
			return 0;
		}
	}
	return diag_set(d, -EINVAL, "--%s: '%.80s' is not known: %s", row->name,
		argument, row->help);
}

static int set_number(
	const struct row *row, int *to, const char *argument, struct diag *d)
{
	char *end;
	errno = 0;
	long n = strtol(argument, &end, 10);
	if (end == argument || *end || errno || n < row->min || n > row->max)
		return diag_set(d, -EINVAL,
			"--%s: '%.80s' is not a number from %ld to %ld",
			row->name, argument, row->min, row->max);
	*to = (int)n;
	return 0;
}

static int set(const struct row *row, struct options *o, char *argument,
	struct diag *d)
{
	void *field = (char *)o + row->offset;
	switch (row->kind) {
	case FLAG:
		*(int *)field = 1;
		return 0;
	case TEXT:
		if (!*argument)
			return diag_set(
				d, -EINVAL, "--%s: is empty", row->name);
		*(const char **)field = argument;
		return 0;
	case NUMBER:
		return set_number(row, field, argument, d);
	case WORD:
		return set_word(row, field, argument, d);
	}
	return 0;
}

/* Options that forbid or need each other. */
static int check(const struct options *o, struct diag *d)
{
	const int given = !!o->lsc + !!o->mic + !!o->lab;
	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
		{o->plain && (given || o->no_certificate || o->ca ||
				     o->ciphers),
			"--plain has no TLS: drop --lsc, --mic, --lab, "
			"--no-certificate, --ca and --ciphers"},
		{!o->plain && !given && !o->no_certificate,
			"which certificate does the phone have? Give --lab, "
			"--lsc or --mic, or --no-certificate, or --plain"},
		{given && o->no_certificate,
			"--no-certificate excludes --lsc, --mic and --lab"},
		{o->lab && given > 1, "--lab excludes --lsc and --mic"},
		{o->leaf >= 0 && !o->lab, "--leaf needs --lab"},
		{o->tls_min > o->tls_max, "--tls-min is above --tls-max"},
		{o->standby && o->protocol != TALK_SIP,
			"--standby needs --protocol sip"},
		{o->hold && o->until == OPTIONS_UNTIL_FOREVER,
			"--hold and --until forever exclude each other"},
		{names_check(o->device, o->protocol == TALK_SIP
						? NAMES_DEVICE_MAX
						: SCCP_DEVICE_MAX) < 0,
			"--device: letters, digits, '.', '_' and '-', at most "
			"15 of them (63 for SIP)"},
		{names_check(o->line, NAMES_LINE_MAX) < 0,
			"--line: letters, digits, '.', '_' and '-', at most "
			"24 of them"},
	};
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (rules[i].wrong)
			return diag_set(d, -EINVAL, "%s", rules[i].why);
	return 0;
}

static void fill_table(struct option table[ROWS + 1])
{
	for (int i = 0; i < ROWS; i++)
		table[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument
						    : no_argument,
			.val = 1,
		};
	table[ROWS] = (struct option){0};
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.server = "127.0.0.1",
		.device = "SEP000000000001",
		.line = "1001",
		.leaf = -1,
		.protocol = TALK_SCCP,
		.tls_max = TLS1_2_VERSION - TLS1_VERSION,
		.until = OPTIONS_UNTIL_REGISTERED,
		.count = 1,
		.rate = 200,
		.sccp_version = 22,
	};
}

int options_parse(int argc, char **argv, struct options *o, struct diag *d)
{
	struct option table[ROWS + 1];
	int found, index = 0;
	fill_table(table);
	set_defaults(o);
	optind = 0; /* glibc: start afresh */
	while ((found = getopt_long(argc, argv, ":", table, &index)) != -1) {
		const char *what = argv[optind > 0 ? optind - 1 : 0];
		if (found == ':')
			return diag_set(
				d, -EINVAL, "%.80s: needs an argument", what);
		if (found != 1)
			return diag_set(d, -EINVAL,
				"%.80s: no such option, or not like this",
				what);
		int error = set(&rows[index], o, optarg, d);
		if (error)
			return error;
		if (o->help)
			return 0;
	}
	if (optind < argc)
		return diag_set(
			d, -EINVAL, "'%.80s' is not an option", argv[optind]);
	if (o->device_type == 0)
		o->device_type = o->protocol == TALK_SIP ? 683 : 437;
	return check(o, d);
}

/* Prints text in words, folded into the right-hand column. */
static void fold(FILE *to, const char *text)
{
	size_t column = HELP_INDENT;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");
		bool first = column == HELP_INDENT;
		if (!first && column + 1 + n > COLUMNS) {
			fprintf(to, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
			first = true;
		}
		column += (size_t)fprintf(
			to, "%s%.*s", first ? "" : " ", (int)n, text);
		text += n;
	}
	fputc('\n', to);
}

void options_help(FILE *to)
{
	fputs("usage: dialtone-phone [OPTION]...\n"
	      "A simulated Cisco phone, or a fleet of them: connects, shows "
	      "its certificate,\nregisters, stays, leaves.\n\n",
		to);
	for (int i = 0; i < ROWS; i++) {
		int n = fprintf(to, "  --%s %s", rows[i].name,
			rows[i].argument ? rows[i].argument : "");
		fprintf(to, "%*s", n < HELP_INDENT ? HELP_INDENT - n : 1, "");
		fold(to, rows[i].help);
	}
	fputs("\nExit code: 0 when every phone did what was asked, 1 when one "
	      "did not, 2 usage.\n",
		to);
}
