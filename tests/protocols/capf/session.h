/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded CAPF sessions of the real-world data beside the checkout. */
#ifndef TESTS_PROTOCOLS_CAPF_SESSION_H
#define TESTS_PROTOCOLS_CAPF_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "protocols/bytes.h"
#include "protocols/capf/frame.h"
#include "protocols/capf/message.h"

enum { SESSION_MESSAGES_MAX = 16 };

struct session {
	const char *name;
	struct {
		struct bytes_queue bytes;
		struct capf_frame frame; /* into bytes */
		struct capf_message m;
		bool from_phone;
	} said[SESSION_MESSAGES_MAX];
	size_t n;
};

/* Replays each of them; skips the fact, and says so, where there are none. */
void session_each(void (*replay)(struct session *session));

#endif
