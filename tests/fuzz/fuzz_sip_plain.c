/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the short way past libosip2: what is plain, libosip2 takes. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/message.h"
#include "protocols/sip/plain.h"

/*
 * The input: a request line and headers that end in LF, not in CR LF. Its
 * Content-Length comes from here. So most of what a fuzzer changes is still
 * a message, and much of it still plain.
 */
static const char END[] = "Content-Length: 7\r\n\r\n";

static size_t write_head(char *head, const uint8_t *data, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			head[n++] = '\r';
		head[n++] = (char)data[i];
	}
	memcpy(head + n, END, sizeof(END) - 1);
	return n + sizeof(END) - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	static struct sip_message m;
	if (!ready)
		sip_message_setup();
	ready = true;
	char *room = malloc(2 * size + sizeof(END));
	size_t n = write_head(room, data, size);
	char *head = malloc(n); /* of the exact length, for ASan */
	memcpy(head, room, n);
	free(room);
	sip_message_read_part(&m, head, n);
	m.body = (struct sip_slice){head + n, 0};
	if (sip_plain_message(&m) && !sip_message_grammatical(&m))
		abort();
	free(head);
	return 0;
}
