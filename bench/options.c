/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of dialtone-phone: one table for getopt, help and tests. */
#include "bench/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "bench/fleet.h"
#include "bench/option_table.h"
#include "protocols/capf/ids.h"
#include "protocols/sccp/generation.h"

#define X(symbol, word, ...) word,
static const char *const protocols[] = {TALK_PHONE_LIST(X) NULL};
static const char *const leaves[] = {CERT_LAB_LEAF_LIST(X) NULL};
#undef X
#define X(symbol, word) word,
static const char *const steps[] = {ENROL_STEP_LIST(X) NULL};
static const char *const faults[] = {ENROL_FAULT_LIST(X) NULL};
static const char *const whens[] = {LIFE_WHEN_LIST(X) NULL};
#undef X
#define X(symbol, number, word) word,
static const char *const modes[] = {FLASH_MODE_LIST(X) NULL};
#undef X
#define X(name, ...) name,
static const char *const generations[] = {SCCP_GENERATION_LIST(X) NULL};
#undef X
/* For the help. */
#define LEAF_WORD(symbol, word, ...) word " "
#define LEAF_WORDS CERT_LAB_LEAF_LIST(LEAF_WORD)
#define WORD(symbol, word) word " "
#define STEP_WORDS ENROL_STEP_LIST(WORD)
#define FAULT_WORDS ENROL_FAULT_LIST(WORD)
#define GENERATION_WORD(name, ...) name " "
#define GENERATION_WORDS SCCP_GENERATION_LIST(GENERATION_WORD)
static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", NULL};
static const char *const transports[] = {"tls", "tcp", "udp", NULL};
static const char *const untils[] = {"registered", "forever", "enrolled", NULL};
static const char *const likes[] = {"cisco", "usecallmanager", NULL};
static const char *const progresses[] = {"none", "one", "many", NULL};

enum {
	SCCP_DEVICE_MAX = 15,
	SCCP_MODEL = 437, /* a 7975 */
	SCCP_VERSION = 22,
	SIP_MODEL = 683, /* an 8841 */
	SECONDS_MAX = 7 * 24 * 3600,
	KEYGEN_S_MAX = 4 * 3600,
	RETRY_MS = 30000, /* specs capf 8 */
	RETRY_MS_MAX = 3600 * 1000,
};

#define AT(field) offsetof(struct options, field)
static const struct option_row rows[] = {
	{"protocol", "NAME", "sccp (default) or sip", OPTION_WORD, AT(protocol),
		.words = protocols},
	{"server", "HOST:PORT",
		"default 127.0.0.1, ports 2443 and 5061, plain 2000 and 5060",
		OPTION_TEXT, AT(server)},
	{"allow-any-address", NULL, "also call addresses that are not loopback",
		OPTION_FLAG, AT(allow_any_address)},
	{"plain", NULL, "TCP without TLS", OPTION_FLAG, AT(plain)},
	{"transport", "NAME", "tls (default), tcp (the same as --plain) or udp",
		OPTION_WORD, AT(transport), .words = transports},
	{"device", "NAME", "of the first phone; default SEP000000000001",
		OPTION_TEXT, AT(device)},
	{"line", "NUMBER", "SIP: user of the first phone; default 1001",
		OPTION_TEXT, AT(line)},
	{"lsc", "CERT[:KEY]", "PEM files; the key is CERT's path with .key",
		OPTION_TEXT, AT(lsc)},
	{"mic", "CERT[:KEY]", "the same, used when there is no --lsc",
		OPTION_TEXT, AT(mic)},
	{"lab", "DIR",
		"certificates of a lab: DIR/phones/<device>/lsc.pem, else "
		"mic.pem, else issued in memory",
		OPTION_TEXT, AT(lab)},
	{"leaf", "NAME", "which of the lab's: " LEAF_WORDS, OPTION_WORD,
		AT(leaf), .words = leaves},
	{"no-certificate", NULL, "show the server none", OPTION_FLAG,
		AT(no_certificate)},
	{"ca", "FILE",
		"verify the server against these; default: not looked at",
		OPTION_TEXT, AT(ca)},
	{"tls-min", "VERSION", "1.0 (default), 1.1, 1.2 or 1.3", OPTION_WORD,
		AT(tls_min), .words = versions},
	{"tls-max", "VERSION", "likewise; default 1.2, as phones have it",
		OPTION_WORD, AT(tls_max), .words = versions},
	{"ciphers", "LIST",
		"up to TLS 1.2, in OpenSSL's names; default as an 88xx",
		OPTION_TEXT, AT(ciphers)},
	{"sccp-version", "N", "highest protocol version; default 22",
		OPTION_NUMBER, AT(sccp_version), 0, 255},
	{"device-type", "N", "model; default 437 (7975) or 683 (8841)",
		OPTION_NUMBER, AT(device_type), 1, INT_MAX},
	{"generation", "NAME",
		"SCCP: speak as one of " GENERATION_WORDS
		"(model, version, order of questions)",
		OPTION_WORD, AT(generation), .words = generations},
	{"token", NULL, "ask for a token first, as when falling back",
		OPTION_FLAG, AT(token)},
	{"standby", NULL, "only keep alive, as on a second node", OPTION_FLAG,
		AT(standby)},
	{"lost-state", NULL,
		"SIP: the first REGISTER is a refresh, as a node sees it that "
		"has lost its registrations",
		OPTION_FLAG, AT(lost_state)},
	{"username", "NAME", "SIP: for digest; default the device's name",
		OPTION_TEXT, AT(username)},
	{"password", "TEXT", "SIP: answers digest challenges with it",
		OPTION_TEXT, AT(password)},
	{"capf", "HOST[:PORT]",
		"comes to CAPF there (3804) while it has no LSC, and when the "
		"server resets it; it begins with the lab's LSC where that is "
		"a "
		"file or the --leaf, and always with a MIC, but a fleet that "
		"has LSCs",
		OPTION_TEXT, AT(capf)},
	{"auth", "MODE",
		"how: null (default), string, lsc or mic (the certificate of "
		"that kind, or else the other)",
		OPTION_WORD, AT(auth), .words = modes},
	{"string", "DIGITS", "the authentication string", OPTION_TEXT,
		AT(string)},
	{"capf-when", "OCCASION",
		"lacking (it has no LSC), reset (default: that, and when the "
		"server resets it) or always (that, and when it starts)",
		OPTION_WORD, AT(capf_when), .words = whens},
	{"capf-version", "N", "2 or 3 (default)", OPTION_NUMBER,
		AT(capf_version), 2, 3},
	{"capf-like", "CLIENT",
		"cisco (default: VERSION first, no PASSWORD by null string, "
		"shows LSC and MIC) or usecallmanager (by tag, empty PASSWORD, "
		"SUDI_DATA, shows its LSC)",
		OPTION_WORD, AT(capf_like), .words = likes},
	{"capf-progress", "HOW",
		"REQUEST_IN_PROGRESS: none, one (default) or many", OPTION_WORD,
		AT(capf_progress), .words = progresses},
	{"capf-retry-ms", "MS",
		"how long after a broken visit it tries again, three times; "
		"default 30000",
		OPTION_NUMBER, AT(capf_retry_ms), 1, RETRY_MS_MAX},
	{"pinned-capf", "FILE",
		"verify CAPF against these; default: not looked at",
		OPTION_TEXT, AT(pinned_capf)},
	{"keygen-time", "SECONDS",
		"a key takes so long at least, as an old phone's; or A-B, by "
		"chance between them",
		OPTION_TEXT, AT(keygen_time)},
	{"shared-keys", "N",
		"not a key for each phone, but N of each kind, which phones "
		"share",
		OPTION_NUMBER, AT(shared_keys), 1, KEYS_SHARED_MAX},
	{"flash", "DIR",
		"what a single phone keeps over its power cuts; made and "
		"filled "
		"when it is not there; default: in memory",
		OPTION_TEXT, AT(flash)},
	{"die-after", "STEP", "power is cut after it, once: " STEP_WORDS,
		OPTION_WORD, AT(die_after), .words = steps},
	{"fail-at", "WHAT", "the phone answers that it cannot: " FAULT_WORDS,
		OPTION_WORD, AT(fail_at), .words = faults},
	{"come-back", NULL,
		"phones that were refused or lost come again, after a second, "
		"doubled up to 60",
		OPTION_FLAG, AT(come_back)},
	{"until", "WHAT",
		"registered (default), forever, or enrolled: one visit to CAPF "
		"and no more",
		OPTION_WORD, AT(until), .words = untils},
	{"hold", "SECONDS",
		"how long all stay, from when the last one is in; default 0",
		OPTION_NUMBER, AT(hold), 0, SECONDS_MAX},
	{"no-unregister", NULL, "hang up without a goodbye", OPTION_FLAG,
		AT(no_unregister)},
	{"timeout", "SECONDS",
		"for connecting, the handshake and each answer; default 8, 8 "
		"and what firmware has",
		OPTION_NUMBER, AT(timeout), 1, 3600},
	{"count", "N",
		"that many phones, names and lines counted upwards, with "
		"certificates issued from --lab on one key; no console",
		OPTION_NUMBER, AT(count), 1, FLEET_MAX},
	{"rate", "N", "phones that connect per second; default 200",
		OPTION_NUMBER, AT(rate), 1, 100000},
	{"quiet", NULL, "no console lines, no text summary", OPTION_FLAG,
		AT(quiet)},
	{"json", NULL,
		"JSON lines on stdout, one a phone and a summary; the console "
		"goes to stderr",
		OPTION_FLAG, AT(json)},
	{"help", NULL, "this", OPTION_HELP, AT(help)},
};
#undef AT

enum { ROWS = sizeof(rows) / sizeof(*rows) };

static const struct option_table table = {rows, ROWS};

const char *options_name(size_t i)
{
	return i < ROWS ? rows[i].name : NULL;
}

/* Options that forbid or need each other. */
static int check_capf(const struct options *o, struct diag *d)
{
	const bool by_string = o->auth == FLASH_MODE_STRING - 1;
	const struct option_rule rules[] = {
		{!o->capf && (o->auth >= 0 || o->string || o->pinned_capf ||
				     o->keygen_time || o->flash ||
				     o->shared_keys || o->die_after >= 0 ||
				     o->fail_at >= 0),
			"--auth, --string, --pinned-capf, --keygen-time, "
			"--shared-keys, --flash, --die-after and --fail-at "
			"need --capf"},
		{!o->capf && o->until == OPTIONS_UNTIL_ENROLLED,
			"--until enrolled needs --capf"},
		{by_string && !o->string, "--auth string needs --string"},
		{o->string && o->auth >= 0 && !by_string,
			"--string needs --auth string"},
		{o->string && !o->flash && !by_string,
			"--string needs --auth string, or a --flash that says "
			"so"},
		{o->string && strspn(o->string, "0123456789") !=
					strlen(o->string),
			"--string: digits alone"},
		{o->string && strlen(o->string) > CAPF_PASSWORD_MAX,
			"--string: at most 128 digits"},
		{o->flash && o->count > 1, "--flash is a single phone's"},
	};
	return option_table_check(rules, sizeof(rules) / sizeof(*rules), d);
}

static int check(const struct options *o, struct diag *d)
{
	const int given = !!o->lsc + !!o->mic + !!o->lab;
	const struct option_rule rules[] = {
		{o->transport == OPTIONS_UDP && o->protocol != TALK_SIP,
			"--transport udp needs --protocol sip"},
		{o->plain && !o->capf &&
				(given || o->no_certificate || o->ca ||
					o->ciphers),
			"--plain has no TLS: drop --lsc, --mic, --lab, "
			"--no-certificate, --ca and --ciphers"},
		{!o->plain && !given && !o->no_certificate && !o->flash,
			"which certificate does the phone have? Give --lab, "
			"--lsc or --mic, or --no-certificate, or --plain"},
		{given && o->no_certificate,
			"--no-certificate excludes --lsc, --mic and --lab"},
		{o->lab && given > 1, "--lab excludes --lsc and --mic"},
		{o->leaf >= 0 && !o->lab, "--leaf needs --lab"},
		{o->tls_min > o->tls_max, "--tls-min is above --tls-max"},
		{o->generation >= 0 && o->protocol != TALK_SCCP,
			"--generation needs --protocol sccp"},
		{o->token && o->standby,
			"--token and --standby exclude each other"},
		{(o->lost_state || o->username || o->password) &&
				o->protocol != TALK_SIP,
			"--lost-state, --username and --password need "
			"--protocol sip"},
		{o->username && !o->password, "--username needs --password"},
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
	return option_table_check(rules, sizeof(rules) / sizeof(*rules), d);
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
		.generation = -1,
		.sccp_version = -1,
		.auth = -1,
		.capf_version = CAPF_VERSION,
		.capf_progress = ENROL_PROGRESS_ONE,
		.capf_when = LIFE_WHEN_RESET,
		.capf_retry_ms = RETRY_MS,
		.die_after = -1,
		.fail_at = -1,
	};
}

/* What is not given goes by the generation. */
static void fill_model(struct options *o)
{
	if (o->generation >= 0)
		o->speaks = sccp_generation_find(generations[o->generation]);
	if (o->sccp_version < 0)
		o->sccp_version = o->speaks ? o->speaks->version : SCCP_VERSION;
	if (o->device_type == 0 && o->speaks)
		o->device_type = (int)o->speaks->device_type;
	if (o->device_type == 0)
		o->device_type =
			o->protocol == TALK_SIP ? SIP_MODEL : SCCP_MODEL;
}

/* SECONDS or A-B. */
static int fill_keygen(struct options *o, struct diag *d)
{
	char *end;
	const char *text = o->keygen_time;
	if (!text)
		return 0;
	long from = strtol(text, &end, 10), to = from;
	bool number = end != text;
	if (number && *end == '-') {
		text = end + 1;
		to = strtol(text, &end, 10);
		number = end != text;
	}
	if (!number || *end || from < 0 || from > to || to > KEYGEN_S_MAX)
		return diag_set(d, -EINVAL,
			"--keygen-time: '%.80s' is neither seconds (0 to %d) "
			"nor two of them, A-B",
			o->keygen_time, KEYGEN_S_MAX);
	o->keygen_min_ms = (int)from * 1000;
	o->keygen_max_ms = (int)to * 1000;
	return 0;
}

int options_parse(int argc, char **argv, struct options *o, struct diag *d)
{
	set_defaults(o);
	int error = option_table_parse(&table, argc, argv, o, d);
	if (error || o->help)
		return error;
	o->plain |= o->transport != OPTIONS_TLS;
	fill_model(o);
	error = fill_keygen(o, d);
	if (!error)
		error = check_capf(o, d);
	return error ? error : check(o, d);
}

void options_help(FILE *to)
{
	fputs("usage: dialtone-phone [OPTION]...\n"
	      "A simulated Cisco phone, or a fleet of them: gets its LSC "
	      "(--capf), connects,\nshows its certificate, registers, stays, "
	      "leaves.\n\n",
		to);
	option_table_help(&table, to);
	fputs("\nSIGUSR1 cuts the power of all phones, SIGUSR2 gives it back.\n"
	      "Exit code: 0 when every phone did what was asked, 1 when one "
	      "did not, 2 usage.\n",
		to);
}
