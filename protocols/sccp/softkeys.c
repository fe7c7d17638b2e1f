/* SPDX-License-Identifier: Apache-2.0 */
/* The softkey template and its sets. */
#include "protocols/sccp/softkeys.h"

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

enum { BUILT_IN_LABEL = 0x80 };

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

void sccp_softkeys_template(struct sccp_keys *keys)
{
	*keys = (struct sccp_keys){.count = N_KEYS, .total = N_KEYS};
	for (size_t i = 0; i < N_KEYS; i++) {
		keys->keys[i].label[0] = (char)BUILT_IN_LABEL;
		keys->keys[i].label[1] = (char)(i + 1);
		keys->keys[i].event = (uint32_t)i + 1;
	}
}

void sccp_softkeys_sets(struct sccp_sets *sets)
{
	*sets = (struct sccp_sets){.count = N_SETS, .total = N_SETS};
	for (size_t i = 0; i < N_SETS; i++) {
		for (size_t k = 0; k < SCCP_SET_KEYS; k++) {
			uint8_t key = sets_of_keys[i][k];
			if (!key)
				break;
			sets->sets[i].position[k] = key;
			sets->sets[i].info[k] = SCCP_KEY_INFO + key;
		}
	}
}
