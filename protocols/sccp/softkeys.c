/* SPDX-License-Identifier: Apache-2.0 */
/* The names of softkeys, their template and their sets. */
#include "protocols/sccp/softkeys.h"

#include <string.h>

/*
 * Events double as positions in the template and as numbers of the built-in
 * labels (0x80, n): phones disagree on which of the three a set means, and so
 * they cannot go wrong. That is why 6, 7 and 12 have their place too.
 */
enum key {
	REDIAL = 1,
	NEW_CALL,
	HOLD,
	TRANSFER,
	FORWARD_ALL,
	FORWARD_BUSY,
	FORWARD_NO_ANSWER,
	BACKSPACE,
	END_CALL,
	RESUME,
	ANSWER,
	INFO,
	CONFERENCE,
	PARK,
	JOIN,
	MEET_ME,
	PICKUP,
	GROUP_PICKUP,
	N_KEYS = GROUP_PICKUP,
};

enum {
	BUILT_IN_LABEL = 0x80,
	/* Whoever has typed, called or been called must get out of it. */
	ALWAYS = 1 << BACKSPACE | 1 << END_CALL | 1 << RESUME | 1 << ANSWER,
};

/* The keys that sets hold. X(name, key) */
#define NAME_LIST(X)              \
	X("redial", REDIAL)       \
	X("newcall", NEW_CALL)    \
	X("hold", HOLD)           \
	X("transfer", TRANSFER)   \
	X("cfwdall", FORWARD_ALL) \
	X("backspace", BACKSPACE) \
	X("endcall", END_CALL)    \
	X("resume", RESUME)       \
	X("answer", ANSWER)       \
	X("conf", CONFERENCE)     \
	X("park", PARK)           \
	X("join", JOIN)           \
	X("meetme", MEET_ME)      \
	X("pickup", PICKUP)       \
	X("gpickup", GROUP_PICKUP)

#define X(name, key) [key] = name,
static const char *const names_of_keys[N_KEYS + 1] = {NAME_LIST(X)};
#undef X

/* In the order of the set numbers that SelectSoftKeys knows. */
static const uint8_t sets_of_keys[][SCCP_SET_KEYS] = {
	/* 0 on hook */ {REDIAL, NEW_CALL, FORWARD_ALL, PICKUP, GROUP_PICKUP},
	/* 1 connected */ {HOLD, END_CALL, TRANSFER, PARK, CONFERENCE},
	/* 2 hold */ {RESUME, NEW_CALL},
	/* 3 ring in */ {ANSWER},
	/* 4 off hook */
	{REDIAL, END_CALL, FORWARD_ALL, MEET_ME, PICKUP, GROUP_PICKUP},
	/* 5 connected, transfer */ {HOLD, END_CALL, TRANSFER},
	/* 6 digits */ {BACKSPACE, END_CALL},
	/* 7 connected, conference */ {HOLD, END_CALL, CONFERENCE, JOIN},
	/* 8 ring out */ {END_CALL},
	/* 9 off hook, feature */ {REDIAL, END_CALL},
	/* 10 in use, hint */ {REDIAL, NEW_CALL},
};

enum { N_SETS = sizeof(sets_of_keys) / sizeof(*sets_of_keys) };

const char *sccp_softkeys_names(void)
{
#define X(name, key) "," name
	static const char list[] = NAME_LIST(X);
#undef X
	return list + 1;
}

static int key_named(const char *name, size_t n)
{
	for (int key = 1; key <= N_KEYS; key++) {
		const char *known = names_of_keys[key];
		if (known && strlen(known) == n && memcmp(known, name, n) == 0)
			return key;
	}
	return 0;
}

const char *sccp_softkeys_read(const char *names, uint32_t *allowed)
{
	*allowed = 0;
	while (*names || *allowed) {
		size_t n = strcspn(names, ",");
		int key = key_named(names, n);
		if (!key)
			return names;
		*allowed |= UINT32_C(1) << key;
		if (!names[n])
			break;
		names += n + 1;
	}
	return NULL;
}

void sccp_softkeys_template(struct sccp_keys *keys)
{
	*keys = (struct sccp_keys){.count = N_KEYS, .total = N_KEYS};
	for (size_t i = 0; i < N_KEYS; i++) {
		keys->keys[i].label[0] = (char)BUILT_IN_LABEL;
		keys->keys[i].label[1] = (char)(i + 1);
		keys->keys[i].event = (uint32_t)i + 1;
	}
}

void sccp_softkeys_sets(struct sccp_sets *sets, uint32_t allowed)
{
	uint32_t shown = allowed ? allowed | ALWAYS : UINT32_MAX;
	*sets = (struct sccp_sets){.count = N_SETS, .total = N_SETS};
	for (size_t i = 0; i < N_SETS; i++) {
		size_t n = 0;
		for (size_t k = 0; k < SCCP_SET_KEYS; k++) {
			uint8_t key = sets_of_keys[i][k];
			if (!key || !(shown >> key & 1))
				continue;
			sets->sets[i].position[n] = key;
			sets->sets[i].info[n++] = SCCP_KEY_INFO + key;
		}
	}
}
