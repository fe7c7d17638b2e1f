/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the SIP framer, its index, and the scanners of header values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/frame.h"
#include "protocols/sip/uri.h"

static const struct sip_limits limits = {
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = 16,
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(struct sip_slice s, const char *data, size_t n)
{
	return !s.n || (s.p >= data && s.p + s.n <= data + n);
}

/* A URI is the same as itself, and its canonical form reads back. */
static void check_uri(struct sip_slice text)
{
	struct sip_uri uri, again;
	char aor[256], second[256], wrapped[300];
	if (!sip_uri_read(text, &uri))
		return;
	check(sip_uri_same(text, text));
	if (!uri.sip || !sip_uri_aor(&uri, aor, sizeof(aor)))
		return;
	snprintf(wrapped, sizeof(wrapped), "sip:%s", aor);
	check(sip_uri_read(sip_field_text(wrapped), &again));
	check(sip_uri_aor(&again, second, sizeof(second)));
	check(strcmp(aor, second) == 0);
}

static void check_address(struct sip_slice value)
{
	struct sip_address address;
	struct sip_param param;
	char text[64];
	if (!sip_field_address(value, &address))
		return;
	check(inside(address.uri, value.p, value.n));
	check_uri(address.uri);
	while (sip_field_param(&address.params, &param)) {
		check(inside(param.whole, value.p, value.n));
		check(inside(param.value, param.whole.p, param.whole.n));
		if (sip_field_unquote(param.value, text, sizeof(text)))
			check(strlen(text) <= param.value.n);
	}
	check(address.params.n == 0);
}

static void check_value(struct sip_slice value)
{
	struct sip_slice rest = value, element;
	size_t n = 0;
	while (sip_field_list(&rest, &element)) {
		check(inside(element, value.p, value.n));
		check_address(element);
		n++;
	}
	check(n > 0 && n <= value.n + 1);
}

static void check_head(const char *data, size_t n)
{
	static struct sip_head head;
	sip_head_index(&head, data, n);
	check(head.n <= SIP_LINES_MAX && inside(head.first, data, n));
	for (size_t i = 0; i < head.n; i++) {
		const struct sip_line *line = &head.lines[i];
		check(inside(line->name, data, n));
		check(inside(line->value, data, n));
		check_value(line->value);
	}
}

/* Whole or byte by byte, the framer says the same. */
static size_t check_frame(const char *data, size_t n)
{
	struct sip_frame whole = {0}, slow = {0};
	size_t skip, slow_skip = 0, dropped = 0;
	enum sip_frame_step found =
		sip_frame_next(&whole, &limits, data, n, &skip);
	enum sip_frame_step step = SIP_FRAME_MORE;
	for (size_t i = 0; i <= n && step == SIP_FRAME_MORE; i++) {
		step = sip_frame_next(&slow, &limits, data + dropped,
			i - dropped, &slow_skip);
		dropped += slow_skip;
	}
	check(step == found && dropped == skip);
	check(whole.rule == slow.rule && whole.head == slow.head);
	if (found == SIP_FRAME_PING)
		return skip;
	check_head(data + skip, n - skip);
	if (found != SIP_FRAME_MESSAGE)
		return 0;
	size_t length = (size_t)whole.head + whole.body;
	check(length <= limits.message_max && skip + length <= n);
	return skip + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	memcpy(copy, data, size);
	for (size_t at = 0, n = 1; at < size && n; at += n)
		n = check_frame(copy + at, size - at);
	free(copy);
	return 0;
}
