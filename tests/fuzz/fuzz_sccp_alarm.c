/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of alarms: any text, in either form. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/alarm.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void printable(const char *text, size_t size)
{
	size_t n = strnlen(text, size);
	check(n < size);
	for (size_t i = 0; i < n; i++)
		check(text[i] >= ' ' && text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sccp_alarm_report r, again;
	char words[SCCP_ALARM_WORDS], words_again[SCCP_ALARM_WORDS];
	/* Of the exact size: a reader past the end is seen. */
	char *text = malloc(size + 1);
	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	sccp_alarm_read(&r, text);
	sccp_alarm_read(&again, text);
	check(r.reason < SCCP_REASONS);
	check(!r.has_number || r.number <= 999999999);
	printable(r.last, sizeof(r.last));
	printable(r.load, sizeof(r.load));
	printable(r.text, sizeof(r.text));
#define X(field, longest, parameter) printable(r.field, sizeof(r.field));
	SCCP_ALARM_LIST(X)
#undef X
	sccp_alarm_words(&r, words);
	printable(words, sizeof(words));
	sccp_alarm_words(&again, words_again);
	check(strcmp(words, words_again) == 0);
	free(text);
	return 0;
}
