/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the keys that phones make, and share when they are told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/keys.h"

enum { ORDERS = 12 };

static const struct capf_key_wish p256 = {CAPF_KEY_EC, 256};

static uv_loop_t loop;
static struct keys *keys;
static struct keys_order orders[ORDERS];
static EVP_PKEY *made[ORDERS];
static unsigned told;

static void on_made(struct keys_order *order, EVP_PKEY *key)
{
	made[order - orders] = key;
	told++;
}

static void set(unsigned shared)
{
	uv_loop_init(&loop);
	keys = keys_new(&loop, shared);
	told = 0;
	for (unsigned i = 0; i < ORDERS; i++) {
		orders[i] = (struct keys_order){.on_made = on_made};
		made[i] = NULL;
	}
}

static int clear(void **state)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < ORDERS; i++)
		EVP_PKEY_free(made[i]);
	keys_free(keys);
	return uv_loop_close(&loop);
}

/* The i-th phone asks, with its number as its turn. */
static void ask(unsigned i, const struct capf_key_wish *wish)
{
	made[i] = keys_ask(keys, wish, i, &orders[i]);
}

static void every_kind_is_made_as_wished(void **state)
{
	static const struct capf_key_wish wishes[] = {{CAPF_KEY_RSA, 512},
		{CAPF_KEY_RSA, 1024}, {CAPF_KEY_RSA, 2048}, {CAPF_KEY_EC, 256},
		{CAPF_KEY_EC, 384}, {CAPF_KEY_EC, 521}};
	enum { N = sizeof(wishes) / sizeof(*wishes) };
	set(0);
	for (unsigned i = 0; i < N; i++)
		ask(i, &wishes[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(told, N);
	for (unsigned i = 0; i < N; i++) {
		assert_non_null(made[i]);
		for (unsigned j = 0; j < N; j++)
			assert_int_equal(
				keys_fits(made[i], &wishes[j]), i == j);
	}
}

static void each_phone_has_its_own(void **state)
{
	set(0);
	for (unsigned i = 0; i < ORDERS; i++)
		made[i] = keys_ask(keys, &p256, 0, &orders[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < ORDERS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(EVP_PKEY_eq(made[i], made[j]), 1);
}

static void shared_ones_are_as_many_as_said(void **state)
{
	set(3);
	for (unsigned i = 0; i < ORDERS; i++)
		ask(i, &p256);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < ORDERS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_int_equal(made[i] == made[j], i % 3 == j % 3);
}

static void a_shared_one_that_is_there_comes_at_once(void **state)
{
	static const struct capf_key_wish p384 = {CAPF_KEY_EC, 384};
	set(1);
	ask(0, &p256);
	assert_null(made[0]);
	uv_run(&loop, UV_RUN_DEFAULT);
	ask(1, &p256);
	assert_ptr_equal(made[1], made[0]);
	ask(2, &p384); /* of another kind there is none yet */
	assert_null(made[2]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(keys_fits(made[2], &p384));
}

static void nobody_is_told_who_has_forgotten(void **state)
{
	for (unsigned shared = 0; shared <= 1; shared++) {
		set(shared);
		for (unsigned i = 0; i < ORDERS; i++)
			ask(i, &p256);
		for (unsigned i = 0; i < ORDERS; i++)
			if (i != 5)
				keys_forget(&orders[i]);
		keys_forget(&orders[3]); /* once more */
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(told, 1);
		assert_non_null(made[5]);
		if (shared == 0)
			assert_int_equal(clear(NULL), 0);
	}
}

static void what_cannot_be_made_is_told(void **state)
{
	static const struct capf_key_wish none = {CAPF_KEY_RSA, 16};
	set(1);
	ask(0, &none);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(told, 1);
	assert_null(made[0]);
	ask(0, &none); /* and is tried again */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(told, 2);
}

int main(void)
{
#define FACT(f) cmocka_unit_test_teardown(f, clear)
	const struct CMUnitTest tests[] = {
		FACT(every_kind_is_made_as_wished),
		FACT(each_phone_has_its_own),
		FACT(shared_ones_are_as_many_as_said),
		FACT(a_shared_one_that_is_there_comes_at_once),
		FACT(nobody_is_told_who_has_forgotten),
		FACT(what_cannot_be_made_is_told),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
