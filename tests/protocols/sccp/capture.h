/* SPDX-License-Identifier: Apache-2.0 */
/* A captured SCCP registration as questions, each with its answers. */
#ifndef TESTS_PROTOCOLS_SCCP_CAPTURE_H
#define TESTS_PROTOCOLS_SCCP_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

enum { CAPTURE_ANSWERS_MAX = 8 };

/* A whole frame, header and all. */
struct capture_frame {
	unsigned packet; /* that completed it, counted from 1 */
	uint32_t id;
	uint8_t *data;
	size_t n;
};

/* What the phone said, and what the server said before the phone went on. */
struct capture_turn {
	struct capture_frame said;
	struct capture_frame answers[CAPTURE_ANSWERS_MAX];
	unsigned n_answers;
};

struct capture {
	struct capture_turn *turns;
	size_t n;
	const char *error; /* NULL, or why it is not usable */
};

/*
 * Where the real capture of a 7912 on CallManager 4.1 lies: path[n] is filled
 * from DIALTONE_SHARED. NULL when it is not there: skip the test.
 */
const char *capture_7912(char *path, size_t n);

/* In that capture: the packets of the last request, and of the keepalive. */
enum { CAPTURE_7912_LAST = 60, CAPTURE_7912_KEEPALIVE = 76 };

/* Reads the SCCP frames on TCP 2000. Free it in any case. */
void capture_open(struct capture *c, const char *path);
void capture_close(struct capture *c);

#endif
