/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about bindings: RFC 3261 section 10.3, steps 6 to 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/bindings.h"

static const struct sip_binding_limits limits = {
	.expires_s = 120, .min_expires_s = 60};

/* A request with its own Contacts; one at a time is enough for a test. */
static struct sip_contact contacts[SIP_CONTACTS_MAX];
static struct sip_binding_request request;
static struct moment now;
static size_t added;

static int setup(void **state)
{
	static struct sip_bindings bindings;
	bindings = (struct sip_bindings){0};
	now = (struct moment){.mono_ms = 1000000};
	*state = &bindings;
	return 0;
}

static int teardown(void **state)
{
	sip_bindings_deinit(*state);
	return 0;
}

static void ask(const char *call_id, uint32_t cseq)
{
	memset(contacts, 0, sizeof(contacts));
	request = (struct sip_binding_request){.aor = "1@h",
		.call_id = call_id,
		.cseq = cseq,
		.contacts = contacts};
}

static struct sip_contact *contact(const char *uri)
{
	static char texts[SIP_CONTACTS_MAX][SIP_CONTACT_MAX + 1];
	size_t i = request.n_contacts++;
	snprintf(texts[i], sizeof(texts[i]), "<%.1000s>", uri);
	contacts[i].text = texts[i];
	contacts[i].uri = (struct sip_slice){texts[i] + 1, strlen(uri)};
	return &contacts[i];
}

static void contact_for(const char *uri, uint32_t expires_s)
{
	struct sip_contact *c = contact(uri);
	c->has_expires = true;
	c->expires_s = expires_s;
}

static enum sip_bind_verdict apply(struct sip_bindings *b)
{
	return sip_bindings_apply(b, &request, &limits, &now, &added);
}

static void binds_for_the_default_time(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(added, 1);
	assert_int_equal(b->n, 1);
	assert_string_equal(b->list[0].aor, "1@h");
	assert_string_equal(b->list[0].text, "<sip:1@a>");
	assert_int_equal(b->list[0].expires_ms, now.mono_ms + 120000);
	assert_int_equal(sip_bindings_last_ms(b), now.mono_ms + 120000);
}

static void grants_within_its_limits(void **state)
{
	static const struct {
		uint32_t asked, granted;
		enum sip_bind_verdict verdict;
	} rows[] = {
		{1, 0, SIP_BIND_TOO_BRIEF},
		{59, 0, SIP_BIND_TOO_BRIEF},
		{60, 60, SIP_BIND_OK},
		{119, 119, SIP_BIND_OK},
		{121, 120, SIP_BIND_OK},
		{UINT32_MAX, 120, SIP_BIND_OK},
	};
	struct sip_bindings *b = *state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask("c", i);
		contact_for("sip:1@a", rows[i].asked);
		assert_int_equal(apply(b), rows[i].verdict);
		if (rows[i].verdict == SIP_BIND_OK)
			assert_int_equal(b->list[0].expires_ms,
				now.mono_ms + rows[i].granted * 1000);
	}
}

static void never_grants_less_than_its_minimum(void **state)
{
	const struct sip_binding_limits odd = {
		.expires_s = 30, .min_expires_s = 60};
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	request.has_expires = true;
	request.expires_s = 3600;
	assert_int_equal(sip_bindings_apply(b, &request, &odd, &now, &added),
		SIP_BIND_OK);
	assert_int_equal(b->list[0].expires_ms, now.mono_ms + 60000);
}

static void contact_expires_outranks_the_header(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact_for("sip:1@a", 70);
	contact("sip:1@b");
	request.has_expires = true;
	request.expires_s = 80;
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->list[0].expires_ms, now.mono_ms + 70000);
	assert_int_equal(b->list[1].expires_ms, now.mono_ms + 80000);
}

static void same_uri_is_refreshed_not_added(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a;x=1");
	assert_int_equal(apply(b), SIP_BIND_OK);
	now.mono_ms += 100000;
	ask("c", 2);
	contact("SIP:%31@A");
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(added, 0);
	assert_int_equal(b->n, 1);
	assert_string_equal(b->list[0].text, "<SIP:%31@A>");
	assert_int_equal(b->list[0].expires_ms, now.mono_ms + 120000);
}

static void one_call_id_counts_upwards(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 5);
	contact("sip:1@a");
	assert_int_equal(apply(b), SIP_BIND_OK);
	for (uint32_t cseq = 4; cseq < 6; cseq++) {
		ask("c", cseq);
		contact("sip:1@a");
		assert_int_equal(apply(b), SIP_BIND_STALE);
		ask("c", cseq);
		contact_for("sip:1@a", 0);
		assert_int_equal(apply(b), SIP_BIND_STALE);
	}
	assert_int_equal(b->n, 1);
	ask("other", 1);
	contact_for("sip:1@a", 0);
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->n, 0);
	assert_null(b->list);
}

static void nothing_happens_when_a_later_contact_is_refused(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	assert_int_equal(apply(b), SIP_BIND_OK);
	ask("c", 2);
	contact_for("sip:1@a", 0);
	contact("sip:1@b");
	contact_for("sip:1@c", 1);
	assert_int_equal(apply(b), SIP_BIND_TOO_BRIEF);
	assert_int_equal(added, 0);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->list[0].cseq, 1);
}

static void the_same_contact_twice_is_one_binding(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	contact_for("sip:1@A", 60);
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(added, 1);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->list[0].expires_ms, now.mono_ms + 60000);
}

static void star_removes_one_address_and_leaves_others(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	contact("sip:1@b");
	assert_int_equal(apply(b), SIP_BIND_OK);
	ask("d", 1);
	request.aor = "2@h";
	contact("sip:1@a");
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->n, 3);
	ask("e", 1);
	request.star = true;
	assert_int_equal(apply(b), SIP_BIND_BAD_STAR);
	request.has_expires = true;
	request.expires_s = 1;
	assert_int_equal(apply(b), SIP_BIND_BAD_STAR);
	request.expires_s = 0;
	contact("sip:1@a");
	assert_int_equal(apply(b), SIP_BIND_BAD_STAR);
	request.n_contacts = 0;
	request.call_id = "c";
	assert_int_equal(apply(b), SIP_BIND_STALE);
	assert_int_equal(b->n, 3);
	request.cseq = 2;
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->n, 1);
	assert_string_equal(b->list[0].aor, "2@h");
}

static void expired_bindings_are_gone_before_anything_counts(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 9);
	contact_for("sip:1@a", 60);
	contact_for("sip:1@b", 61);
	assert_int_equal(apply(b), SIP_BIND_OK);
	now.mono_ms += 60000;
	assert_int_equal(sip_bindings_expire(b, &now), 1);
	assert_true(sip_field_is(sip_binding_uri(&b->list[0]), "sip:1@b"));
	now.mono_ms += 1000;
	ask("c", 1);
	contact("sip:1@b");
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(added, 1);
	assert_int_equal(b->n, 1);
}

static void a_device_has_a_limited_number_of_bindings(void **state)
{
	struct sip_bindings *b = *state;
	char uri[32];
	for (uint32_t i = 0; i < SIP_BINDINGS_MAX; i++) {
		ask("c", i);
		snprintf(uri, sizeof(uri), "sip:%u@a", i);
		contact(uri);
		assert_int_equal(apply(b), SIP_BIND_OK);
	}
	ask("c", 100);
	contact("sip:0@a");
	contact("sip:more@a");
	assert_int_equal(apply(b), SIP_BIND_TOO_MANY);
	assert_int_equal(b->n, SIP_BINDINGS_MAX);
	assert_int_equal(b->list[0].cseq, 0);
	ask("c", 101);
	contact("sip:0@a");
	assert_int_equal(apply(b), SIP_BIND_OK);
}

static void a_query_changes_nothing(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->n, 0);
	assert_true(sip_bindings_last_ms(b) == MOMENT_NEVER);
}

static void every_verdict_has_a_status_and_a_text(void **state)
{
#define X(symbol, status, words)                                      \
	assert_int_equal(sip_bind_status(SIP_BIND_##symbol), status); \
	assert_string_equal(sip_bind_text(SIP_BIND_##symbol), words);
	SIP_BIND_LIST(X)
#undef X
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A Contact of RFC 5626: <uri>;+sip.instance="<urn:...>" and its reg-id. */
static void flow(const char *uri, const char *urn, uint32_t reg_id)
{
	static char texts[SIP_CONTACTS_MAX][SIP_CONTACT_MAX + 1];
	struct sip_contact *c = contact(uri);
	char *text = texts[request.n_contacts - 1];
	int n = snprintf(text, SIP_CONTACT_MAX, "<%s>;+sip.instance=", uri);
	snprintf(text + n, SIP_CONTACT_MAX - 600, "\"<%s>\"", urn);
	c->text = text;
	c->uri.p = text + 1;
	c->instance = sip_field_text(text + n);
	c->reg_id = reg_id;
}

static void instance_and_reg_id_are_the_binding(void **state)
{
	static const struct {
		const char *uri, *urn;
		uint32_t reg_id;
		size_t added;
	} rows[] = {
		{"sip:1@a", "urn:uuid:A", 1, 1},
		{"sip:1@b", "URN:uuid:a", 1, 0}, /* the same, come from b */
		{"sip:1@b", "urn:uuid:A", 2, 1},
		{"sip:1@b", "urn:uuid:B", 1, 1},
		{"sip:1@b", "urn:uuid:B", 0, 0}, /* by its URI */
		{"sip:1@c", "urn:uuid:B", 0, 1},
	};
	struct sip_bindings *b = *state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask("c", i + 1);
		flow(rows[i].uri, rows[i].urn, rows[i].reg_id);
		assert_int_equal(apply(b), SIP_BIND_OK);
		assert_int_equal(added, rows[i].added);
	}
	assert_int_equal(b->n, 4);
	ask("c", 1);
	flow("sip:1@z", "urn:uuid:A", 2);
	assert_int_equal(apply(b), SIP_BIND_STALE);
	ask("c", 9);
	flow("sip:1@z", "urn:uuid:A", 2);
	contacts[0].has_expires = true;
	assert_int_equal(apply(b), SIP_BIND_OK);
	assert_int_equal(b->n, 3);
}

static void keeps_what_a_contact_says_of_itself(void **state)
{
	struct sip_bindings *b = *state;
	ask("c", 1);
	flow("sip:1@a", "urn:uuid:A", 7);
	contacts[0].q = 250;
	request.path = "<sip:p;lr>";
	assert_int_equal(apply(b), SIP_BIND_OK);
	const struct sip_binding *one = b->list;
	assert_true(sip_field_is(sip_binding_uri(one), "sip:1@a"));
	assert_true(
		sip_field_is(sip_binding_instance(one), "\"<urn:uuid:A>\""));
	assert_int_equal(one->reg_id, 7);
	assert_int_equal(one->q, 250);
	assert_string_equal(sip_binding_path(one), "<sip:p;lr>");
}

static void one_address_takes_so_many_contacts(void **state)
{
	const struct sip_binding_limits two = {120, 60, 2};
	struct sip_bindings *b = *state;
	ask("c", 1);
	contact("sip:1@a");
	contact("sip:1@b");
	assert_int_equal(sip_bindings_apply(b, &request, &two, &now, &added),
		SIP_BIND_OK);
	ask("c", 2);
	contact("sip:1@c");
	assert_int_equal(sip_bindings_apply(b, &request, &two, &now, &added),
		SIP_BIND_TOO_MANY);
	ask("c", 2);
	contact("sip:1@b");
	assert_int_equal(sip_bindings_apply(b, &request, &two, &now, &added),
		SIP_BIND_OK);
	ask("c", 3);
	request.aor = "2@h";
	contact("sip:1@c");
	assert_int_equal(sip_bindings_apply(b, &request, &two, &now, &added),
		SIP_BIND_OK);
	assert_int_equal(b->n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(binds_for_the_default_time),
		FACT(instance_and_reg_id_are_the_binding),
		FACT(keeps_what_a_contact_says_of_itself),
		FACT(one_address_takes_so_many_contacts),
		FACT(grants_within_its_limits),
		FACT(never_grants_less_than_its_minimum),
		FACT(contact_expires_outranks_the_header),
		FACT(same_uri_is_refreshed_not_added),
		FACT(one_call_id_counts_upwards),
		FACT(nothing_happens_when_a_later_contact_is_refused),
		FACT(the_same_contact_twice_is_one_binding),
		FACT(star_removes_one_address_and_leaves_others),
		FACT(expired_bindings_are_gone_before_anything_counts),
		FACT(a_device_has_a_limited_number_of_bindings),
		FACT(a_query_changes_nothing),
		FACT(every_verdict_has_a_status_and_a_text),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sip-bindings", tests, NULL, NULL);
}
