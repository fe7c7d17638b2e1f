/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about header fields and SIP URIs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/uri.h"

static bool same(const char *a, const char *b)
{
	bool forth = sip_uri_same(sip_field_text(a), sip_field_text(b));
	bool back = sip_uri_same(sip_field_text(b), sip_field_text(a));
	assert_int_equal(forth, back);
	return forth;
}

/* The examples of RFC 3261 19.1.4, and our own. */
static void equivalent_uris_are_the_same(void **state)
{
	static const char *const rows[][2] = {
		{"sip:%61lice@atlanta.com;transport=TCP",
			"sip:alice@AtLanTa.CoM;Transport=tcp"},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
		{"sip:carol@chicago.com;security=on",
			"sip:carol@chicago.com;newparam=5"},
		{"sip:biloxi.com;transport=tcp;method=REGISTER"
		 "?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp"
			"?to=sip:bob%40biloxi.com"},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&"
			"subject=project%20x"},
		{"SIP:a@b", "sip:a@B"},
		{"sip:a%2ab@c", "sip:a*b@c"},
		{"sip:a@[::1]:5060", "sip:a@[::1]:5060"},
		{"tel:+1", "tel:+1"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(same(rows[i][0], rows[i][1]));
}

static void different_uris_are_not_the_same(void **state)
{
	static const char *const rows[][2] = {
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp",
			"sip:alice@AtLanTa.CoM;Transport=UDP"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
		{"sip:carol@chicago.com",
			"sip:carol@chicago.com?Subject=next%20meeting"},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
		{"sip:carol@chicago.com;security=on",
			"sip:carol@chicago.com;security=off"},
		{"sip:a@b", "sips:a@b"},
		{"sip:a@b", "sip:a:@b"},
		{"sip:a@b", "sip:b"},
		{"sip:a%3bb@c", "sip:a;b@c"},
		{"sip:null-%00-null@a", "sip:null-@a"},
		{"sip:%00@a", "sip:%00%00@a"},
		{"sip:a@b;user=phone", "sip:a@b"},
		{"sip:a@b;%75ser=phone", "sip:a@b"},
		{"tel:+1", "tel:+2"},
		{"sip:a@b", "not a uri"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(same(rows[i][0], rows[i][1]));
}

static void broken_uris_are_refused(void **state)
{
	static const char *const rows[] = {"", "sip", "sip:", ":a", "1sip:a",
		"sip:a b@c", "sip:<a>@b", "sip:\"a\"@b", "sip:a@", "sip:@a",
		"sip:a@b@c", "sip:a@b:", "sip:a@b:65536", "sip:a@b:x",
		"sip:a@[::1", "sip:a@[]", "sip:a@b;", "sip:a@b;;c", "sip:a@b?",
		"sip:a@b?&", "sip:%4@a", "sip:%zz@a", "sip:a@b/c",
		"sip:a\x80@b", "sip:a@b;x=1;%58=2",
		"sip:b;a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q",
		"sip:b?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_uri uri;
		if (sip_uri_read(sip_field_text(rows[i]), &uri))
			fail_msg("read: %s", rows[i]);
	}
}

static const char *aor(const char *text)
{
	static char dst[64];
	struct sip_uri uri;
	assert_true(sip_uri_read(sip_field_text(text), &uri));
	return sip_uri_aor(&uri, dst, sizeof(dst)) ? dst : NULL;
}

static void aors_are_canonical(void **state)
{
	assert_string_equal(aor("sip:2001@CM.Test"), "2001@cm.test");
	assert_string_equal(
		aor("sips:%53EP%30:pw@h:5061;user=phone?a=b"), "SEP0@h");
	assert_string_equal(aor("sip:a%00b%2f@h"), "a%00b%2F@h");
	assert_string_equal(aor("sip:h"), "h");
	assert_string_equal(aor("sip:u@[2001:DB8::1]:5060"), "u@[2001:db8::1]");
	assert_null(aor("sip:uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
			"uuuuuuuuuuuuuuuuu@h"));
}

static void lists_split_at_commas_that_count(void **state)
{
	struct sip_slice rest = sip_field_text(
		"\"a,\\\"b\" <sip:x,y@z>;p=\"1,2\" ,\r\n <b>,,c");
	static const char *const wanted[] = {
		"\"a,\\\"b\" <sip:x,y@z>;p=\"1,2\"", "<b>", "", "c"};
	struct sip_slice element;
	for (size_t i = 0; i < 4; i++) {
		assert_true(sip_field_list(&rest, &element));
		assert_true(sip_field_is(element, wanted[i]));
	}
	assert_false(sip_field_list(&rest, &element));
	rest = sip_field_text("<a,b");
	assert_true(sip_field_list(&rest, &element));
	assert_true(sip_field_is(element, "<a,b"));
	assert_false(sip_field_list(&rest, &element));
}

static void addresses_come_apart(void **state)
{
	struct sip_address a;
	struct sip_param p;
	assert_true(sip_field_address(
		sip_field_text("\"<\\\";x\" <sip:a@b;c>\r\n ; d = \"e;f\" ;g"),
		&a));
	assert_true(a.bracketed);
	assert_true(sip_field_is(a.uri, "sip:a@b;c"));
	assert_true(sip_field_find(a.params, "D", &p));
	assert_true(sip_field_is(p.value, "\"e;f\""));
	assert_true(sip_field_find(a.params, "g", &p));
	assert_null(p.value.p);
	assert_false(sip_field_find(a.params, "h", &p));
	assert_true(sip_field_address(
		sip_field_text("sip:a@b;c=\"<sip:x@y>\""), &a));
	assert_false(a.bracketed);
	assert_true(sip_field_is(a.uri, "sip:a@b"));
	static const char *const bad[] = {"", "<>", "<sip:a", "sip:a b",
		"\"a <sip:b>", "<sip:a>b", "<sip:a>;", "<sip:a>;=b",
		"<sip:a>;b=", "<sip:a>;b=\"c", "<sip:a>;b c", "sip:a>"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (sip_field_address(sip_field_text(bad[i]), &a))
			fail_msg("read: %s", bad[i]);
	}
}

static void comparing_stops_at_both_ends(void **state)
{
	struct sip_slice s = sip_field_text("Via-and-much-more");
	assert_false(sip_field_is(s, "Via"));
	assert_false(sip_field_is_nocase(s, "via"));
	assert_true(sip_field_starts(s, "via"));
	s.n = 3;
	assert_true(sip_field_is(s, "Via"));
	assert_false(sip_field_is(s, "via"));
	assert_true(sip_field_is_nocase(s, "vIA"));
	assert_false(sip_field_is_nocase(s, "Via-"));
	assert_false(sip_field_starts(s, "Via-"));
}

static void numbers_saturate_and_are_digits(void **state)
{
	uint32_t n;
	assert_true(sip_field_number(sip_field_text("0042"), &n));
	assert_int_equal(n, 42);
	assert_true(sip_field_number(
		sip_field_text("99999999999999999999999999"), &n));
	assert_int_equal(n, UINT32_MAX);
	assert_false(sip_field_number(sip_field_text(""), &n));
	assert_false(sip_field_number(sip_field_text("-1"), &n));
	assert_false(sip_field_number(sip_field_text("1 "), &n));
}

static void text_for_people_is_printable_and_cut(void **state)
{
	char text[8];
	sip_field_show(sip_field_text("a\x1b\r\n\xc3z~tail"), text, 8);
	assert_string_equal(text, "a?  ?z~");
}

static void unquoting_never_cuts(void **state)
{
	char text[4];
	assert_true(sip_field_unquote(sip_field_text("\"a\\\"b\""), text, 4));
	assert_string_equal(text, "a\"b");
	assert_false(sip_field_unquote(sip_field_text("\"abcd\""), text, 4));
	assert_false(sip_field_unquote(sip_field_text("\"ab"), text, 4));
	assert_false(sip_field_unquote(sip_field_text("\"a\"b"), text, 4));
	assert_true(sip_field_unquote(sip_field_text("ab"), text, 4));
	assert_string_equal(text, "ab");
}

static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static void narrow_classes_are_what_they_name(void **state)
{
	static const struct {
		unsigned classes;
		const char *of_alnum; /* which of them, and what besides */
		const char *others;
	} rows[] = {
		{SIP_CHARS_DIGIT, "0123456789", ""},
		{SIP_CHARS_HEX, "0123456789abcdefABCDEF", ""},
		{SIP_CHARS_TOKEN, alnum, "-.!%*_+`'~"},
		{SIP_CHARS_NAME, alnum, "-_."},
		{SIP_CHARS_SCHEME, alnum, "+-."},
		{SIP_CHARS_SPACE, "", " \t\r\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int c = 0; c < 256; c++) {
			bool in = c && (strchr(rows[i].of_alnum, c) ||
					       strchr(rows[i].others, c));
			assert_int_equal(
				sip_chars_in((char)c, rows[i].classes), in);
		}
	}
}

static void wide_classes_leave_out_what_they_must(void **state)
{
	for (int c = 0; c < 256; c++) {
		bool visible = c > ' ' && c <= '~';
		bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
		bool control = c < ' ' || c == 127;
		bool angle = c == '<' || c == '>';
		bool letter =
			visible && strchr(alnum, c) && (c < '0' || c > '9');
		const struct {
			unsigned classes;
			bool in;
		} cells[] = {
			{SIP_CHARS_ALPHA, letter},
			{SIP_CHARS_VISIBLE, visible},
			{SIP_CHARS_URI, visible && !angle && c != '"'},
			{SIP_CHARS_AOR, visible && c != '"' && c != '\\'},
			{SIP_CHARS_BARE, !space && !angle && c != '"'},
			{SIP_CHARS_SHOWN, !control},
			{SIP_CHARS_INERT, c && !strchr("\r\n;,", c)},
			{SIP_CHARS_QUOTED, visible && !strchr("\"\\;,", c)},
		};
		for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
			assert_int_equal(
				sip_chars_in((char)c, cells[i].classes),
				cells[i].in);
	}
}

static void each_byte_is_printable_or_not_at_each_place(void **state)
{
	for (size_t n = 1; n < 20; n++) {
		for (size_t at = 0; at < n; at++) {
			for (int c = 0; c < 256; c++) {
				char text[] = "~ ~ ~ ~ ~ ~ ~ ~ ~ ~ ";
				struct sip_slice s = {text, n};
				text[at] = (char)c;
				assert_int_equal(sip_field_printable(s),
					c >= ' ' && c <= '~');
			}
		}
	}
	assert_true(sip_field_printable((struct sip_slice){NULL, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equivalent_uris_are_the_same),
		cmocka_unit_test(different_uris_are_not_the_same),
		cmocka_unit_test(broken_uris_are_refused),
		cmocka_unit_test(aors_are_canonical),
		cmocka_unit_test(lists_split_at_commas_that_count),
		cmocka_unit_test(addresses_come_apart),
		cmocka_unit_test(comparing_stops_at_both_ends),
		cmocka_unit_test(numbers_saturate_and_are_digits),
		cmocka_unit_test(text_for_people_is_printable_and_cut),
		cmocka_unit_test(unquoting_never_cuts),
		cmocka_unit_test(narrow_classes_are_what_they_name),
		cmocka_unit_test(wide_classes_leave_out_what_they_must),
		cmocka_unit_test(each_byte_is_printable_or_not_at_each_place),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-uri", tests, NULL, NULL);
}
