/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what reads single values: credentials, challenges, alarms. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/alarm.h"
#include "protocols/sip/auth.h"

/* The input: one byte that says what it is, then the value. */
enum what { CREDENTIALS, CHALLENGE, REASON, REPORT, WHATS };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Everything is text of ours: ended, and without what breaks a line. */
static void check_text(const char *text, size_t size)
{
	check(text && strnlen(text, size) < size);
	for (; *text; text++)
		check(*text >= ' ' && *text <= '~');
}

static void credentials(struct sip_slice value)
{
	struct sip_auth auth;
	size_t size = sip_auth_room(value);
	char *room = malloc(size), *end = room; /* exactly, for ASan */
	if (sip_auth_read(value, &auth, &end) == SIP_AUTH_READ) {
		check_text(auth.username, size);
		check_text(auth.realm, size);
		check_text(auth.nonce, size);
		check_text(auth.uri, size);
		check_text(auth.response, size);
		check_text(auth.cnonce, size);
		check_text(auth.nc, size);
		check(auth.algorithm < SIP_ALGORITHMS);
		check(!auth.qop || strlen(auth.nc) == 8);
	}
	check(end <= room + size);
	free(room);
}

static void challenge(struct sip_slice value)
{
	struct sip_challenge_read c;
	if (!sip_auth_challenge(value, &c))
		return;
	check(c.nonce[0] && strlen(c.nonce) < sizeof(c.nonce));
	check(strlen(c.realm) < sizeof(c.realm));
	check(strlen(c.opaque) < sizeof(c.opaque));
}

static void alarm(struct sip_slice value)
{
	struct sip_alarm alarm;
	bool read = sip_alarm_reason(value, &alarm);
	check(read || (!alarm.code && !alarm.last[0]));
	check_text(alarm.last, sizeof(alarm.last));
	sip_alarm_meaning(alarm.code);
}

static void report(struct sip_slice value)
{
	struct sip_alarm_report report;
	sip_alarm_read(value, &report);
	check_text(report.name, sizeof(report.name));
	check_text(report.device, sizeof(report.device));
	check_text(report.text, sizeof(report.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[WHATS])(struct sip_slice value) = {
		credentials, challenge, alarm, report};
	if (size < 1)
		return 0;
	char *copy = malloc(size); /* of the exact length, for ASan */
	memcpy(copy, data + 1, size - 1);
	readers[data[0] % WHATS]((struct sip_slice){copy, size - 1});
	free(copy);
	return 0;
}
