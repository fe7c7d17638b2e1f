/* SPDX-License-Identifier: Apache-2.0 */
/* How an operation of CAPF's stands: CUCM's 34 texts, and our reasons. */
#include "registrar/capf/status.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* By its position in the schema; specs cucm-enumerations 1.3. */
static const char *const texts[] = {
	NULL,
	"None",
	"Operation Pending",
	"Upgrade Success",
	"Delete Success",
	"Troubleshoot Success",
	"Upgrade Failed",
	"Delete Failed",
	"Troubleshoot Failed",
	"Upgrade Failed: Invalid LSC",
	"Upgrade Failed: Invalid Authentication String",
	"Upgrade Failed: Invalid MIC",
	"Upgrade Failed: Invalid Credentials",
	"Upgrade Failed: Phone Communication Failure",
	"Upgrade Failed: Key Generation Failed/Timeout",
	"Upgrade Failed: CA Communication Failure",
	"Upgrade Failed: CA Rejected Connection",
	"Upgrade Failed: User Initiated Request Late/Timedout",
	"Delete Failed: Invalid LSC",
	"Delete Failed: Invalid Authentication String",
	"Delete Failed: Invalid MIC",
	"Delete Failed: Invalid Credentials",
	"Delete Failed: Phone Communication Failure",
	"Delete Failed: Key Generation Failed/Timeout",
	"Delete Failed: CA Communication Failure",
	"Delete Failed: CA Rejected Connection",
	"Delete Failed: User Initiated Request Late/Timedout",
	"Troubleshoot Failed: Invalid LSC",
	"Troubleshoot Failed: Invalid Authentication String",
	"Troubleshoot Failed: Invalid MIC",
	"Troubleshoot Failed: Invalid Credentials",
	"Troubleshoot Failed: Phone Communication Failure",
	"Troubleshoot Failed: Key Generation Failed/Timeout",
	"Troubleshoot Failed: User Initiated Request Late/Timedout",
	"Upgrade Failed: No Support for EC only in CAPF version 3",
};
enum { NONE = 1, PENDING = 2 };
_Static_assert(sizeof(texts) / sizeof(texts[0]) == CAPF_STATUSES,
	"one a number, and none for 0");

/* A name of ours and CUCM's, or what it means, by the number it has. */
struct word {
	const char *name, *text;
};

static const struct word kinds[] = {
#define X(symbol, name, cucm, word) {name, cucm},
	CAPF_OPERATION_LIST(X)
#undef X
};
static const struct word modes[] = {{NULL, NULL},
#define X(symbol, number, name, cucm) [number] = {name, cucm},
	CAPF_MODE_LIST(X)
#undef X
};
static const struct word whys[] = {
#define X(symbol, name, tail, text) {name, text},
	CAPF_WHY_LIST(X)
#undef X
};
static const struct word states[] = {
#define X(symbol, name) {name, NULL},
	CAPF_STATE_LIST(X)
#undef X
};

enum {
	MODES = sizeof(modes) / sizeof(modes[0]),
	STATES = sizeof(states) / sizeof(states[0])
};

static int find(const struct word *words, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (words[i].name && strcasecmp(words[i].name, name) == 0)
			return i;
	return -1;
}

static int find_cucm(const struct word *words, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (words[i].text && strcasecmp(words[i].text, name) == 0)
			return i;
	return -1;
}

/* ---- words ---- */

const char *capf_kind_name(enum capf_kind kind)
{
	assert(kind < CAPF_KINDS);
	return kinds[kind].name;
}

const char *capf_kind_cucm(enum capf_kind kind)
{
	assert(kind < CAPF_KINDS);
	return kinds[kind].text;
}

int capf_kind_find(const char *name)
{
	int i = find(kinds, CAPF_KINDS, name);
	return i >= 0 ? i : find_cucm(kinds, CAPF_KINDS, name);
}

const char *capf_mode_name(enum capf_mode mode)
{
	assert(mode > 0 && (int)mode < MODES);
	return modes[mode].name;
}

const char *capf_mode_cucm(enum capf_mode mode)
{
	assert(mode > 0 && (int)mode < MODES);
	return modes[mode].text;
}

int capf_mode_find(const char *name)
{
	int i = find(modes, MODES, name);
	return i >= 0 ? i : find_cucm(modes, MODES, name);
}

const char *capf_why_name(enum capf_why why)
{
	assert(why < CAPF_WHYS);
	return whys[why].name;
}

const char *capf_why_text(enum capf_why why)
{
	assert(why < CAPF_WHYS);
	return whys[why].text;
}

int capf_why_find(const char *name)
{
	return find(whys, CAPF_WHYS, name);
}

const char *capf_state_name(enum capf_state state)
{
	assert((int)state < STATES);
	return states[state].name;
}

int capf_state_find(const char *name)
{
	return find(states, STATES, name);
}

/* ---- CUCM's status ---- */

static const char *const words[] = {
#define X(symbol, name, cucm, word) word,
	CAPF_OPERATION_LIST(X)
#undef X
};
static const char *const tails[] = {
#define X(symbol, text) text,
	CAPF_TAIL_LIST(X)
#undef X
};
static const enum capf_tail tail_of[] = {
#define X(symbol, name, tail, text) CAPF_TAIL_##tail,
	CAPF_WHY_LIST(X)
#undef X
};

/* 0: there is no such text. */
static unsigned number_of(const char *word, const char *outcome,
	const char *separator, const char *tail)
{
	char text[80];
	snprintf(text, sizeof(text), "%s %s%s%s", word, outcome, separator,
		tail);
	for (unsigned i = NONE; i < CAPF_STATUSES; i++)
		if (strcmp(texts[i], text) == 0)
			return i;
	return 0;
}

/* Of a certificate that did not hold. Who came without one by the mode was not
 * refused for its kind. */
static enum capf_tail invalid(enum capf_mode mode)
{
	if (mode == CAPF_MODE_LSC)
		return CAPF_TAIL_INVALID_LSC;
	return mode == CAPF_MODE_MIC ? CAPF_TAIL_INVALID_MIC
				     : CAPF_TAIL_INVALID_CREDENTIALS;
}

/* Troubleshoot lacks some of the tails, and Upgrade has one alone. */
static unsigned failed(
	enum capf_kind kind, enum capf_why why, enum capf_mode mode)
{
	enum capf_tail tail = tail_of[why];
	if (tail == CAPF_TAIL_INVALID_CERTIFICATE)
		tail = invalid(mode);
	unsigned number =
		tail == CAPF_TAIL_PLAIN
			? 0
			: number_of(words[kind], "Failed", ": ", tails[tail]);
	return number ? number : number_of(words[kind], "Failed", "", "");
}

unsigned capf_status_number(enum capf_kind kind, enum capf_state state,
	enum capf_why why, enum capf_mode mode)
{
	assert(kind < CAPF_KINDS && (int)state < STATES && why < CAPF_WHYS);
	if (kind == CAPF_NONE || state == CAPF_STATE_NONE)
		return NONE;
	if (state == CAPF_STATE_DONE)
		return number_of(words[kind], "Success", "", "");
	/* CUCM tells a failure while the phone may still come again; to wait
	 * for a CA outside is none. */
	if (state == CAPF_STATE_PENDING &&
		(why == CAPF_WHY_NOTHING || why == CAPF_WHY_CA_WAITING))
		return PENDING;
	return failed(kind, why, mode);
}

const char *capf_status_text(enum capf_kind kind, enum capf_state state,
	enum capf_why why, enum capf_mode mode)
{
	return texts[capf_status_number(kind, state, why, mode)];
}
