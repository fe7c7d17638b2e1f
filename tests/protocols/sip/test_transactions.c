/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about transactions over UDP: keys, answers kept, requests repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sip/transactions.h"

enum { START_MS = 1000000, TEXT_MAX = 2048 };

static struct moment at(uint64_t ms)
{
	return (struct moment){.mono_ms = START_MS + ms};
}

/* A request as its parts make it. */
struct parts {
	const char *first, *via, *from, *call_id, *cseq;
};

static const struct parts modern = {
	"REGISTER sip:x SIP/2.0",
	"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport",
	"<sip:a@b>;tag=1",
	"c1",
	"7 REGISTER",
};

static uint64_t key(struct parts p)
{
	char text[TEXT_MAX];
	struct sip_head head;
	int n = snprintf(text, sizeof(text),
		"%s\r\nVia: %s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n\r\n",
		p.first, p.via, p.from, p.call_id, p.cseq);
	sip_head_index(&head, text, (size_t)n);
	return sip_transactions_key(&head);
}

static void a_retransmission_has_the_same_key(void **state)
{
	struct parts again = modern;
	again.from = "<sip:other@b>;tag=2"; /* the branch says it all */
	assert_true(key(modern) == key(again));
	again = modern;
	again.via = "SIP / 2.0 / UDP  192.0.2.1:5060 ;rport;branch=z9hG4bK1, "
		    "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2";
	assert_true(key(modern) == key(again));
	again = modern;
	again.cseq = "7   REGISTER";
	assert_true(key(modern) == key(again));
}

static void each_part_makes_another_key(void **state)
{
	const struct parts others[] = {
		{.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK2"},
		{.via = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1"},
		{.via = "SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bK1"},
		{.via = "SIP/2.0/UDP 192.0.2.1:5060"},
		{.cseq = "7 OPTIONS"},
		{.cseq = "8 REGISTER"},
		{.call_id = "c2"},
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct parts p = modern;
		p.via = others[i].via ? others[i].via : p.via;
		p.cseq = others[i].cseq ? others[i].cseq : p.cseq;
		p.call_id = others[i].call_id ? others[i].call_id : p.call_id;
		assert_false(key(p) == key(modern));
	}
}

/* RFC 2543 clients have a branch of their own making, or none. */
static void old_clients_are_told_apart_by_more(void **state)
{
	struct parts old = modern, other;
	old.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=1";
	other = old;
	assert_true(key(old) == key(other));
	other.from = "<sip:a@b>;tag=2";
	assert_false(key(old) == key(other));
	other = old;
	other.first = "REGISTER sip:y SIP/2.0";
	assert_false(key(old) == key(other));
	other = old;
	other.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=2";
	assert_false(key(old) == key(other));
	other = old;
	other.via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK";
	assert_false(key(old) == key(other));
}

static void a_message_without_anything_has_a_key(void **state)
{
	struct sip_head head;
	sip_head_index(&head, "X\r\n\r\n", 5);
	sip_transactions_key(&head);
}

struct fixture {
	struct sip_transactions t;
	struct sip_transactions_budget budget;
};

static struct fixture fresh(size_t max)
{
	return (struct fixture){.budget = {0, max}};
}

static void keep(struct fixture *f, uint64_t k, const char *text, uint64_t ms)
{
	struct moment now = at(ms);
	sip_transactions_keep(&f->t, &f->budget, k, text, strlen(text), &now);
}

static void kept_is(
	struct fixture *f, uint64_t k, const char *text, uint64_t ms)
{
	struct moment now = at(ms);
	size_t n = 0;
	const void *data = sip_transactions_find(&f->t, k, &now, &n);
	if (!text) {
		assert_null(data);
		return;
	}
	assert_non_null(data);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, n);
}

/* One step; *text is what is sent again. */
static enum sip_transactions_step tick(
	struct fixture *f, uint64_t ms, const char **text)
{
	struct moment now = at(ms);
	const void *data = NULL;
	size_t n;
	enum sip_transactions_step step =
		sip_transactions_tick(&f->t, &f->budget, &now, &data, &n);
	if (text)
		*text = data;
	return step;
}

static void end(struct fixture *f)
{
	sip_transactions_deinit(&f->t, &f->budget);
	assert_int_equal(f->budget.used, 0);
}

static void an_answer_is_kept_for_32_seconds(void **state)
{
	struct fixture f = fresh(10000);
	keep(&f, 1, "one", 0);
	keep(&f, 2, "two", 100);
	kept_is(&f, 1, "one", 31999);
	kept_is(&f, 1, NULL, 32000);
	kept_is(&f, 2, "two", 32000);
	kept_is(&f, 3, NULL, 0);
	assert_int_equal(sip_transactions_deadline(&f.t), START_MS + 32000);
	assert_int_equal(tick(&f, 32000, NULL), SIP_TRANSACTIONS_IDLE);
	assert_int_equal(sip_transactions_deadline(&f.t), START_MS + 32100);
	assert_int_equal(tick(&f, 32100, NULL), SIP_TRANSACTIONS_IDLE);
	assert_true(sip_transactions_deadline(&f.t) == MOMENT_NEVER);
	assert_int_equal(f.budget.used, 0);
	end(&f);
}

static void the_last_few_answers_are_kept(void **state)
{
	struct fixture f = fresh(10000);
	char text[] = "a";
	for (uint64_t i = 0; i < 6; i++, text[0]++)
		keep(&f, i, text, i);
	kept_is(&f, 1, NULL, 10);
	kept_is(&f, 2, "c", 10);
	kept_is(&f, 5, "f", 10);
	keep(&f, 5, "again", 10); /* the same one takes no other's place */
	kept_is(&f, 2, "c", 10);
	kept_is(&f, 5, "again", 10);
	end(&f);
}

static void the_budget_is_for_all(void **state)
{
	struct fixture f = fresh(300);
	struct sip_transactions other = {0};
	struct moment now = at(0);
	char big[200] = "big";
	memset(big, 'x', sizeof(big) - 1);
	keep(&f, 1, big, 0);
	kept_is(&f, 1, big, 0);
	sip_transactions_keep(&other, &f.budget, 2, big, 199, &now);
	assert_null(other.answers);
	assert_false(
		sip_transactions_ask(&other, &f.budget, 3, big, 199, &now));
	assert_true(f.budget.used <= f.budget.max);
	sip_transactions_deinit(&other, &f.budget);
	end(&f);
}

/* RFC 3261 17.1.2.2: 0.5, 1, 2, 4, 4 ... seconds, and over after 32. */
static void a_request_is_repeated_until_it_is_given_up(void **state)
{
	static const uint64_t times[] = {500, 1500, 3500, 7500, 11500, 15500,
		19500, 23500, 27500, 31500};
	struct fixture f = fresh(10000);
	struct moment now = at(0);
	const char *text;
	assert_true(
		sip_transactions_ask(&f.t, &f.budget, 9, "NOTIFY", 7, &now));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(
			sip_transactions_deadline(&f.t), START_MS + times[i]);
		assert_int_equal(
			tick(&f, times[i] - 1, NULL), SIP_TRANSACTIONS_IDLE);
		assert_int_equal(
			tick(&f, times[i], &text), SIP_TRANSACTIONS_AGAIN);
		assert_string_equal(text, "NOTIFY");
		assert_int_equal(
			tick(&f, times[i], NULL), SIP_TRANSACTIONS_IDLE);
	}
	assert_int_equal(sip_transactions_deadline(&f.t), START_MS + 32000);
	assert_int_equal(tick(&f, 32000, NULL), SIP_TRANSACTIONS_LOST);
	assert_int_equal(tick(&f, 32000, NULL), SIP_TRANSACTIONS_IDLE);
	assert_true(sip_transactions_deadline(&f.t) == MOMENT_NEVER);
	end(&f);
}

static bool answered(struct fixture *f, uint64_t k, int status, uint64_t ms)
{
	struct moment now = at(ms);
	return sip_transactions_answered(&f->t, &f->budget, k, status, &now);
}

static void an_answer_ends_a_request_once(void **state)
{
	struct fixture f = fresh(10000);
	struct moment now = at(0);
	sip_transactions_ask(&f.t, &f.budget, 9, "NOTIFY", 7, &now);
	assert_false(answered(&f, 8, 200, 10));
	assert_true(answered(&f, 9, 100, 10)); /* it works on it */
	assert_int_equal(sip_transactions_deadline(&f.t), START_MS + 4010);
	assert_true(answered(&f, 9, 481, 20));
	assert_false(answered(&f, 9, 481, 30));
	assert_true(sip_transactions_deadline(&f.t) == MOMENT_NEVER);
	end(&f);
}

static void only_so_many_requests_wait(void **state)
{
	struct fixture f = fresh(10000);
	struct moment now = at(0);
	for (uint64_t i = 0; i < SIP_REQUESTS_MAX; i++)
		assert_true(
			sip_transactions_ask(&f.t, &f.budget, i, "x", 1, &now));
	assert_false(sip_transactions_ask(&f.t, &f.budget, 99, "x", 1, &now));
	for (int i = 0; i < SIP_REQUESTS_MAX; i++)
		assert_int_equal(tick(&f, 600, NULL), SIP_TRANSACTIONS_AGAIN);
	assert_int_equal(tick(&f, 600, NULL), SIP_TRANSACTIONS_IDLE);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retransmission_has_the_same_key),
		cmocka_unit_test(each_part_makes_another_key),
		cmocka_unit_test(old_clients_are_told_apart_by_more),
		cmocka_unit_test(a_message_without_anything_has_a_key),
		cmocka_unit_test(an_answer_is_kept_for_32_seconds),
		cmocka_unit_test(the_last_few_answers_are_kept),
		cmocka_unit_test(the_budget_is_for_all),
		cmocka_unit_test(a_request_is_repeated_until_it_is_given_up),
		cmocka_unit_test(an_answer_ends_a_request_once),
		cmocka_unit_test(only_so_many_requests_wait),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
