/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the blocks that OpenSSL frees and takes again. */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/crypto.h>

#include "registrar/tls/pool.h"

static bool started;

__attribute__((constructor(200))) static void set_up(void)
{
	started = pool_start();
}

static void need_the_pool(void)
{
	if (!started)
		skip(); /* a sanitizer sees to the blocks */
}

/* Some mallocs, as jemalloc, have blocks of eight bytes. */
static bool small;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
size_t malloc_usable_size(void *p)
{
	static size_t (*real)(void *p);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "malloc_usable_size");
	return small ? 8 : real(p);
}

static void a_block_that_is_too_small_is_not_kept(void **state)
{
	enum { N = 500, LEAST = 24 };
	static void *blocks[N];
	need_the_pool();
	for (size_t i = 0; i < N; i++)
		blocks[i] = OPENSSL_malloc(8);
	struct mallinfo2 before = mallinfo2();
	small = true;
	for (size_t i = 0; i < N; i++)
		OPENSSL_free(blocks[i]);
	small = false;
	assert_true(before.uordblks - mallinfo2().uordblks >
		    (size_t)(N - 20) * LEAST);
}

/* Whatever size is asked for, the block is that big and nobody else's. */
static void blocks_are_big_enough_and_apart(void **state)
{
	enum { N = 2000, ROUNDS = 4 };
	static unsigned char *blocks[N];
	need_the_pool();
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < N; i++) {
			size_t size = 1 + i * (13 + (size_t)round) % 21000;
			blocks[i] = OPENSSL_malloc(size);
			assert_non_null(blocks[i]);
			memset(blocks[i], (int)(i % 251), size);
		}
		for (size_t i = 0; i < N; i++) {
			size_t size = 1 + i * (13 + (size_t)round) % 21000;
			assert_int_equal(blocks[i][0], i % 251);
			assert_int_equal(blocks[i][size - 1], i % 251);
			OPENSSL_free(blocks[i]);
		}
	}
}

static void a_freed_block_is_the_next_of_its_size(void **state)
{
	need_the_pool();
	void *a = OPENSSL_malloc(5000), *b = OPENSSL_malloc(5000);
	OPENSSL_free(a);
	OPENSSL_free(b);
	assert_ptr_equal(OPENSSL_malloc(5000), b);
	assert_ptr_equal(OPENSSL_malloc(4999), a);
	OPENSSL_free(a);
	OPENSSL_free(b);
}

/* However many sizes came before, and however many blocks of one. */
static void what_is_kept_has_a_limit(void **state)
{
	enum { N = 20000, SIZE = 200 };
	static void *blocks[N];
	need_the_pool();
	for (size_t i = 0; i < N; i++)
		blocks[i] = OPENSSL_malloc(SIZE);
	struct mallinfo2 before = mallinfo2();
	for (size_t i = 0; i < N; i++)
		OPENSSL_free(blocks[i]);
	assert_true(before.uordblks - mallinfo2().uordblks >
		    (size_t)N * SIZE - 32 * 1024);
}

static void *take_and_free(void *size)
{
	OPENSSL_free(OPENSSL_malloc(*(size_t *)size));
	return NULL;
}

static void a_thread_that_ends_leaves_nothing(void **state)
{
	pthread_t thread;
	size_t size = 3000;
	need_the_pool();
	take_and_free(&size); /* what is made once is made */
	struct mallinfo2 before = mallinfo2();
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
			pthread_create(&thread, NULL, take_and_free, &size), 0);
		pthread_join(thread, NULL);
	}
	assert_true(mallinfo2().uordblks < before.uordblks + 20 * size);
}

static void a_block_may_grow(void **state)
{
	need_the_pool();
	unsigned char *p = OPENSSL_zalloc(40);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(p[i], 0);
	memset(p, 7, 40);
	p = OPENSSL_realloc(p, 30000);
	assert_int_equal(p[39], 7);
	OPENSSL_free(p);
	OPENSSL_free(NULL);
}

static void a_block_freed_twice_ends_the_process(void **state)
{
	int status = 0;
	need_the_pool();
	pid_t child = fork();
	if (child == 0) {
		void *p = OPENSSL_malloc(100), *q = OPENSSL_malloc(100);
		signal(SIGABRT, SIG_DFL);
		OPENSSL_free(p);
		OPENSSL_free(q);
		OPENSSL_free(p);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_freed_block_is_the_next_of_its_size),
		cmocka_unit_test(what_is_kept_has_a_limit),
		cmocka_unit_test(a_block_that_is_too_small_is_not_kept),
		cmocka_unit_test(a_thread_that_ends_leaves_nothing),
		cmocka_unit_test(a_block_may_grow),
		cmocka_unit_test(a_block_freed_twice_ends_the_process),
		/* Last: the pool is full of all sizes then. */
		cmocka_unit_test(blocks_are_big_enough_and_apart),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
