/* SPDX-License-Identifier: Apache-2.0 */
/* Why a Cisco phone came back: its Reason header and its alarms. */
#include "protocols/sip/alarm.h"

#include <stdio.h>
#include <string.h>

static const char ALARM[] = "cisco-alarm:";
static const char LAST[] = " Last=";

static const struct {
	uint32_t code;
	const char *meaning;
} meanings[] = {
#define X(code, word, meaning) {code, meaning},
	SIP_ALARM_LIST(X)
#undef X
};

const char *sip_alarm_meaning(uint32_t code)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].code == code)
			return meanings[i].meaning;
	}
	return NULL;
}

/* What stands behind text; p NULL: it is not there. */
static struct sip_slice behind(struct sip_slice s, const char *text)
{
	size_t n = strlen(text);
	const char *p = s.n ? memmem(s.p, s.n, text, n) : NULL;
	if (!p)
		return (struct sip_slice){NULL, 0};
	return (struct sip_slice){p + n, s.n - (size_t)(p + n - s.p)};
}

/* What stands in front of the first of these characters. */
static struct sip_slice until(struct sip_slice s, const char *ends)
{
	size_t n = 0;
	while (n < s.n && s.p[n] && !strchr(ends, s.p[n]))
		n++;
	return (struct sip_slice){s.p, n};
}

bool sip_alarm_reason(struct sip_slice reason, struct sip_alarm *alarm)
{
	*alarm = (struct sip_alarm){0};
	struct sip_slice rest = behind(reason, ALARM);
	struct sip_slice code = {
		rest.p, rest.p ? sip_field_span(rest, SIP_CHARS_DIGIT) : 0};
	if (!sip_field_number(code, &alarm->code))
		return false;
	struct sip_slice last = behind(rest, LAST);
	if (last.p)
		sip_field_show(
			until(last, " \""), alarm->last, sizeof(alarm->last));
	return true;
}

/* Moves to the next element of this name; its attributes and what follows. */
static bool next_element(
	struct sip_slice *rest, const char *open, struct sip_slice *attributes)
{
	struct sip_slice found = behind(*rest, open);
	if (!found.p)
		return false;
	*attributes = until(found, ">");
	if (attributes->n == found.n)
		return false; /* the tag does not end */
	size_t n = attributes->n + 1;
	*rest = (struct sip_slice){found.p + n, found.n - n};
	return true;
}

/* name="value" among the attributes of an element. */
static struct sip_slice attribute(struct sip_slice s, const char *name)
{
	struct sip_slice value = behind(s, name);
	if (!value.n || (value.p[0] != '"' && value.p[0] != '\''))
		return (struct sip_slice){NULL, 0};
	char quote[] = {value.p[0], '\0'};
	return until((struct sip_slice){value.p + 1, value.n - 1}, quote);
}

/* Puts `name=value` behind what is in text. */
static void add(struct sip_alarm_report *report, struct sip_slice name,
	struct sip_slice value)
{
	char key[SIP_ALARM_WORD_MAX + 1], shown[SIP_ALARM_TEXT_MAX + 1];
	size_t n = strlen(report->text);
	sip_field_show(name, key, sizeof(key));
	sip_field_show(value, shown, sizeof(shown));
	snprintf(report->text + n, sizeof(report->text) - n, "%s%s=%s",
		n ? ", " : "", key, shown);
	if (strcmp(key, "DeviceName") == 0)
		snprintf(
			report->device, sizeof(report->device), "%.63s", shown);
}

void sip_alarm_read(struct sip_slice body, struct sip_alarm_report *report)
{
	struct sip_slice rest = body, attributes;
	*report = (struct sip_alarm_report){0};
	if (!next_element(&rest, "<Alarm ", &attributes))
		return;
	struct sip_slice name = attribute(attributes, "Name=");
	if (name.p)
		sip_field_show(name, report->name, sizeof(report->name));
	/* <String name="...">, <Enum name="...">: the list is flat. */
	while (next_element(&rest, " name=", &attributes)) {
		struct sip_slice whole = {attributes.p - 6, attributes.n + 6};
		struct sip_slice value = until(rest, "<");
		struct sip_slice key = attribute(whole, " name=");
		if (key.p)
			add(report, key, sip_field_trim(value));
		if (strlen(report->text) == SIP_ALARM_TEXT_MAX)
			return;
	}
}
