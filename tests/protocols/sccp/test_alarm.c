/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about alarms: why a phone came back, in both forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/alarm.h"

static struct sccp_alarm_report report_of(const char *text)
{
	struct sccp_alarm_report r;
	sccp_alarm_read(&r, text);
	return r;
}

static void says(const char *text, const char *words)
{
	struct sccp_alarm_report r = report_of(text);
	char said[SCCP_ALARM_WORDS];
	sccp_alarm_words(&r, said);
	assert_string_equal(said, words);
}

static void every_reason_has_its_text_and_nothing_twice(void **state)
{
	for (int i = 0; i < SCCP_REASONS; i++) {
		enum sccp_alarm_reason a = (enum sccp_alarm_reason)i;
		const char *word = sccp_alarm_reason_word(a);
		assert_string_not_equal(sccp_alarm_reason_text(a), "");
		if (*word)
			assert_int_equal(sccp_alarm_reason_of_word(word), a);
		for (int k = 0; k < i; k++) {
			enum sccp_alarm_reason b = (enum sccp_alarm_reason)k;
			uint32_t n = sccp_alarm_reason_number(a);
			assert_true(!n || n != sccp_alarm_reason_number(b));
			assert_string_not_equal(sccp_alarm_reason_text(a),
				sccp_alarm_reason_text(b));
		}
	}
	assert_int_equal(sccp_alarm_reason_of_word("keepaliveto"),
		SCCP_REASON_KEEPALIVE);
	assert_int_equal(sccp_alarm_reason_of_word(""), SCCP_REASON_UNKNOWN);
}

static void reads_name_load_and_last(void **state)
{
	struct sccp_alarm_report r =
		report_of("Name=SEP001380AD9E5F Load=CP7912060000SCCP050124A "
			  "Last=CM-aborted-TCP");
	assert_true(r.whole);
	assert_string_equal(r.device, "SEP001380AD9E5F");
	assert_string_equal(r.load, "CP7912060000SCCP050124A");
	assert_string_equal(r.last, "CM-aborted-TCP");
	assert_int_equal(r.reason, SCCP_REASON_CM_ABORTED_TCP);
	assert_false(r.has_number);
	r = report_of("Name=SEP1 Load= 8.5 (3)  Last=Load Rejected HC  ");
	assert_string_equal(r.load, "8.5 (3)");
	assert_string_equal(r.last, "Load Rejected HC");
	assert_int_equal(r.reason, SCCP_REASON_LOAD);
	r = report_of("Last=Initialized Name=SEP2");
	assert_string_equal(r.device, "SEP2");
	assert_int_equal(r.reason, SCCP_REASON_INITIALIZED);
}

static void keeps_an_alarm_of_another_form(void **state)
{
	static const char text[] = "27: Waiting for Requesting Feature Key "
				   "Status From 10.0.0.1";
	struct sccp_alarm_report r = report_of(text);
	assert_string_equal(r.text, text);
	assert_int_equal(r.reason, SCCP_REASON_UNKNOWN);
	says(text, text);
	/* A key is a word of its own. */
	assert_string_equal(report_of("NoLast=x XLoad=y").last, "");
	says("", "");
}

static void control_characters_are_not_taken_over(void **state)
{
	struct sccp_alarm_report r =
		report_of("Name=SEP\x1b[2J Load=a\nb Last=\xff\x7fx");
	assert_string_equal(r.device, "SEP?[2J");
	assert_string_equal(r.load, "a?b");
	assert_string_equal(r.last, "??x");
}

/* As an 8945 says it (chan-sccp issue 412). */
static const char xml[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	"<!-- a remark > -->\n"
	"<x-cisco-alarm>\n"
	"<Alarm Name=\"LastOutOfServiceInformation\">\n"
	"<ParameterList>\n"
	"<String name=\"DeviceName\">SEPe0d173e11d95</String>\n"
	"<String name=\"DeviceIPv4Address\">192.168.10.189/24</String>\n"
	"<String name=\"IPv4DefaultGateway\">192.168.10.1</String>\n"
	"<String name=\"DeviceIPv6Address\"></String>\n"
	"<String name=\"ModelNumber\">CP-8945</String>\n"
	"<String name=\"NeighborIPv4Address\">192.168.10.2</String>\n"
	"<String name='NeighborDeviceID' >sw&amp;1 &lt;core&gt;</String>\n"
	"<String name = \"NeighborPortID\">GigabitEthernet1/0/3</String>\n"
	"<Enum name=\"DHCPv4Status\">1</Enum>\n"
	"<Unknown><Deeper a=\"b\" c='d'/></Unknown>\n"
	"<String name=\"VoiceVLAN\">4095</String>\n"
	"<String name=\"UnifiedCMIPAddress\">10.0.0.1</String>\n"
	"<String name=\"LocalPort\">49431</String>\n"
	"<String name=\"LastProtocolEventSent\">39:Unregister</String>\n"
	"<String name=\"LastProtocolEventReceived\">0x1</String>\n"
	"<Enum name=\"ReasonForOutOfService\">14</Enum>\n"
	"</ParameterList>\n</Alarm>\n</x-cisco-alarm>\n";

static void reads_the_xml_form(void **state)
{
	struct sccp_alarm_report r = report_of(xml);
	assert_true(r.whole);
	assert_true(r.has_number);
	assert_int_equal(r.number, 14);
	assert_int_equal(r.reason, SCCP_REASON_CM_CLOSED_TCP);
	assert_string_equal(r.device, "SEPe0d173e11d95");
	assert_string_equal(r.address, "192.168.10.189/24");
	assert_string_equal(r.gateway, "192.168.10.1");
	assert_string_equal(r.model, "CP-8945");
	assert_string_equal(r.switch_address, "192.168.10.2");
	assert_string_equal(r.switch_name, "sw&1 <core>");
	assert_string_equal(r.switch_port, "GigabitEthernet1/0/3");
	assert_string_equal(r.vlan, "4095");
	assert_string_equal(r.server, "10.0.0.1");
	assert_string_equal(r.local_port, "49431");
	assert_string_equal(r.last_sent, "39:Unregister");
	assert_string_equal(r.last_received, "0x1");
	says(xml, "CM-closed-TCP(14): the server closed its TCP connection; "
		  "switch sw&1 <core> port GigabitEthernet1/0/3");
}

static void every_cut_of_the_xml_is_seen_as_such(void **state)
{
	char cut[sizeof(xml)];
	size_t end = strlen(xml) - 1; /* the last newline is no loss */
	for (size_t n = 0; n < end; n++) {
		memcpy(cut, xml, n);
		cut[n] = '\0';
		if (n > 0)
			assert_false(report_of(cut).whole);
	}
	/* What came whole before the cut stands. */
	memcpy(cut, xml, sizeof(xml));
	strstr(cut, "<Unknown>")[3] = '\0';
	assert_string_equal(report_of(cut).model, "CP-8945");
}

static void refuses_what_is_not_xml(void **state)
{
	static const char *const bad[] = {"<", "<>", "</a>", "<a", "<a b>x</a>",
		"<a b=c>x</a>", "<a b=\"c>x</a>", "<a>x", "<a></a></a>",
		"<a></>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a></a>", "<a/",
		"<a / >", "<!-- a", "<?xml", "<a></a", "< a></a>", "<1",
		"<!---->"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (report_of(bad[i]).whole)
			fail_msg("'%s' passes", bad[i]);
	char deep[200] = "";
	for (int i = 0; i < 20; i++)
		strcat(deep, "<a>");
	for (int i = 0; i < 20; i++)
		strcat(deep, "</a>");
	assert_false(report_of(deep).whole);
}

static void values_are_cut_to_fit_and_numbers_are_numbers(void **state)
{
	char text[700], value[300] = "";
	memset(value, 'x', sizeof(value) - 1);
	snprintf(text, sizeof(text),
		"<a><String name=\"ModelNumber\">%s"
		"</String></a>",
		value);
	struct sccp_alarm_report r = report_of(text);
	assert_int_equal(strlen(r.model), sizeof(r.model) - 1);
	static const char *const numbers[] = {
		"", "x", "-1", "1x", "0x10", "1234567890", "9&amp;"};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		snprintf(text, sizeof(text),
			"<a><Enum name=\"ReasonForOutOfService\">%s</Enum></a>",
			numbers[i]);
		assert_false(report_of(text).has_number);
	}
	says("<a><Enum name='ReasonForOutOfService'> 99 </Enum></a>",
		"reason 99");
	says("<a><Enum name='ReasonForOutOfService'>16</Enum></a>",
		"it lost its IP address (16)");
	says("<a></a>", "");
	says("<a><String name='NeighborDeviceID'>sw</String></a>",
		"switch sw port ?");
}

static void says_it_in_words(void **state)
{
	says("Name=a Load=b Last=KeepaliveTO",
		"KeepaliveTO(15): its keepalives went unanswered");
	says("Name=a Load=b Last=Phone-Abort",
		"Phone-Abort: its firmware gave up");
	says("Name=a Load=b Last=Something else", "Something else");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_text_and_nothing_twice),
		cmocka_unit_test(reads_name_load_and_last),
		cmocka_unit_test(keeps_an_alarm_of_another_form),
		cmocka_unit_test(control_characters_are_not_taken_over),
		cmocka_unit_test(reads_the_xml_form),
		cmocka_unit_test(every_cut_of_the_xml_is_seen_as_such),
		cmocka_unit_test(refuses_what_is_not_xml),
		cmocka_unit_test(values_are_cut_to_fit_and_numbers_are_numbers),
		cmocka_unit_test(says_it_in_words),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp alarm", tests, NULL, NULL);
}
