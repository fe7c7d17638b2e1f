/* SPDX-License-Identifier: Apache-2.0 */
/* One frozen snapshot, judged with by many threads at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/certs/made.h"
#include "tests/trust/scenes.h"

enum { THREADS = 4, ROUNDS = 20 };

static struct scenes scenes;

static int begin(void **state)
{
	scenes_init(&scenes);
	return 0;
}

static int end(void **state)
{
	scenes_deinit(&scenes);
	return 0;
}

struct work {
	X509 *leaf[SCENES_MAX]; /* copies: a connection has its own */
	STACK_OF(X509) * untrusted[SCENES_MAX];
	size_t wrong;
};

/* Takes and drops references of its own as connections do. */
static void *judge(void *data)
{
	struct work *work = data;
	for (int round = 0; round < ROUNDS; round++) {
		struct trust_snapshot *s = trust_snapshot_ref(scenes.snapshot);
		for (size_t i = 0; i < scenes.n; i++) {
			struct trust_result r;
			trust_verify(s, work->leaf[i], work->untrusted[i],
				MADE_NOW, &r);
			work->wrong += r.verdict != scenes.scene[i].verdict ||
				       r.kind != scenes.scene[i].kind;
		}
		trust_snapshot_unref(s);
	}
	return NULL;
}

static void copy_scenes(struct work *work)
{
	for (size_t i = 0; i < scenes.n; i++) {
		const struct scene *scene = &scenes.scene[i];
		work->leaf[i] = scene->leaf ? X509_dup(scene->leaf) : NULL;
		work->untrusted[i] =
			scene->untrusted
				? sk_X509_deep_copy(scene->untrusted,
					  (X509 * (*)(const X509 *)) X509_dup,
					  X509_free)
				: NULL;
	}
}

static void threads_come_to_the_same_verdicts(void **state)
{
	static struct work work[THREADS];
	pthread_t thread[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		copy_scenes(&work[i]);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, judge, &work[i]), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(work[i].wrong, 0);
		for (size_t j = 0; j < scenes.n; j++) {
			X509_free(work[i].leaf[j]);
			sk_X509_pop_free(work[i].untrusted[j], X509_free);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_come_to_the_same_verdicts),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("threads", tests, begin, end);
}
