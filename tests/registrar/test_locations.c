/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about locations: who is found under an AOR, alone and among threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/gruu.h"
#include "registrar/locations.h"

enum { NOW_MS = 1000000, THREADS = 4, ROUNDS = 400 };

static const struct moment now = {.mono_ms = NOW_MS};
static const struct sip_binding_limits limits = {120, 60, 0};

/* A connection with bindings. */
struct phone {
	struct sip_bindings bindings;
	struct peer peer;
	struct locations_part part;
	uint32_t cseq;
};

static void come(struct phone *p, const char *device)
{
	*p = (struct phone){.peer = {.port = 5061, .tls = true}};
	strcpy(p->peer.address, "192.0.2.1");
	p->part = (struct locations_part){
		.bindings = &p->bindings, .peer = &p->peer, .device = device};
}

/* Binds, as a service does: under the lock, and then its names. */
static void bind_it(struct locations *l, struct phone *p, const char *aor,
	const char *uri, uint16_t q)
{
	char text[256];
	size_t added;
	snprintf(
		text, sizeof(text), "<%s>;+sip.instance=\"<urn:uuid:1>\"", uri);
	struct sip_contact contact = {
		.text = text,
		.uri = {text + 1, strlen(uri)},
		.instance = {strchr(text, '"'), 14},
		.q = q,
	};
	const struct sip_binding_request request = {.aor = aor,
		.call_id = "c",
		.path = "<sip:p;lr>",
		.cseq = ++p->cseq,
		.n_contacts = 1,
		.contacts = &contact};
	locations_lock(l, &p->part);
	assert_int_equal(sip_bindings_apply(
				 &p->bindings, &request, &limits, &now, &added),
		SIP_BIND_OK);
	locations_unlock(l, &p->part);
}

static void go(struct locations *l, struct phone *p)
{
	locations_set_names(l, &p->part, NULL, 0);
	sip_bindings_deinit(&p->bindings);
}

static void everything_of_a_contact_is_found(void **state)
{
	struct locations *l = locations_new();
	static const char *const aors[] = {"1@h"};
	struct phone p;
	size_t n = 9;
	come(&p, "SEP1");
	assert_null(locations_find(l, "1@h", &now, &n));
	assert_int_equal(n, 0);
	bind_it(l, &p, "1@h", "sip:a@192.0.2.1", 300);
	locations_set_names(l, &p.part, aors, 1);
	struct location *found = locations_find(l, "1@h", &now, &n);
	assert_int_equal(n, 1);
	assert_string_equal(found->uri, "sip:a@192.0.2.1");
	assert_string_equal(found->contact,
		"<sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:1>\"");
	assert_string_equal(found->path, "<sip:p;lr>");
	assert_string_equal(found->instance, "urn:uuid:1");
	assert_string_equal(found->call_id, "c");
	assert_string_equal(found->device, "SEP1");
	assert_string_equal(found->address, "192.0.2.1");
	assert_int_equal(found->port, 5061);
	assert_int_equal(found->q, 300);
	assert_int_equal(found->expires_s, 120);
	assert_true(found->tls);
	locations_list_free(found, n);
	go(l, &p);
	assert_null(locations_find(l, "1@h", &now, &n));
	locations_free(l);
}

static void the_greatest_q_comes_first(void **state)
{
	struct locations *l = locations_new();
	static const char *const aors[] = {"1@h"};
	struct phone a, b;
	size_t n;
	come(&a, "A");
	come(&b, "B");
	bind_it(l, &a, "1@h", "sip:low@a", 100);
	bind_it(l, &a, "1@h", "sip:high@a", 1000);
	bind_it(l, &a, "2@h", "sip:other@a", 1000);
	bind_it(l, &b, "1@h", "sip:mid@b", 500);
	locations_set_names(l, &a.part, aors, 1);
	locations_set_names(l, &b.part, aors, 1);
	struct location *found = locations_find(l, "1@h", &now, &n);
	assert_int_equal(n, 3);
	assert_string_equal(found[0].uri, "sip:high@a");
	assert_string_equal(found[1].uri, "sip:mid@b");
	assert_string_equal(found[2].uri, "sip:low@a");
	assert_ptr_equal(found[1].part, &b.part);
	locations_list_free(found, n);
	go(l, &a);
	go(l, &b);
	locations_free(l);
}

static void what_has_expired_is_not_found(void **state)
{
	struct locations *l = locations_new();
	static const char *const aors[] = {"1@h"};
	struct moment later = {.mono_ms = NOW_MS + 120000};
	struct phone p;
	size_t n;
	come(&p, "SEP1");
	bind_it(l, &p, "1@h", "sip:a@a", 1000);
	locations_set_names(l, &p.part, aors, 1);
	assert_null(locations_find(l, "1@h", &later, &n));
	later.mono_ms--;
	struct location *found = locations_find(l, "1@h", &later, &n);
	assert_int_equal(n, 1);
	locations_list_free(found, n);
	go(l, &p);
	locations_free(l);
}

static void names_change_with_their_part(void **state)
{
	struct locations *l = locations_new();
	static const char *const both[] = {"1@h", "2@h"};
	static const char *const second[] = {"2@h", "2@h"};
	struct phone p;
	size_t n;
	come(&p, "SEP1");
	bind_it(l, &p, "1@h", "sip:a@a", 1000);
	locations_set_names(l, &p.part, both, 2);
	/* A second line has no binding of its own ... */
	assert_null(locations_find(l, "2@h", &now, &n));
	/* ... but is reached where all were registered at once. */
	p.part.every_line = true;
	struct location *found = locations_find(l, "2@h", &now, &n);
	assert_int_equal(n, 1);
	locations_list_free(found, n);
	locations_set_names(l, &p.part, second, 2);
	assert_null(locations_find(l, "1@h", &now, &n));
	found = locations_find(l, "2@h", &now, &n);
	assert_int_equal(n, 1);
	locations_list_free(found, n);
	go(l, &p);
	locations_free(l);
}

static void temporary_gruus_lead_to_one_phone_and_differ(void **state)
{
	struct locations *l = locations_new();
	struct gruu *g = gruu_new(), *other = gruu_new();
	static const char *const aors[] = {"1@h"};
	char first[SIP_GRUU_SIZE], second[SIP_GRUU_SIZE];
	struct gruu_meaning meaning;
	struct phone p;
	size_t n;
	come(&p, "SEP1");
	bind_it(l, &p, "1@h", "sip:a@a", 1000);
	locations_set_names(l, &p.part, aors, 1);
	gruu_make(g, &p.bindings.list[0], first);
	bind_it(l, &p, "1@h", "sip:a@a", 1000);
	gruu_make(g, &p.bindings.list[0], second);
	assert_string_not_equal(first, second);
	assert_true(gruu_read(g, first, &meaning));
	struct location *found =
		locations_find_hash(l, meaning.aor_hash, &now, &n);
	assert_int_equal(n, 1);
	assert_true(gruu_means(&meaning, found));
	found->call_id = "d"; /* a new Call-ID ends all of them */
	assert_false(gruu_means(&meaning, found));
	locations_list_free(found, n);
	/* Another process's key makes another meaning of it. */
	assert_true(gruu_read(other, first, &meaning));
	assert_null(locations_find_hash(l, meaning.aor_hash, &now, &n));
	assert_false(gruu_read(g, "tg.x", &meaning));
	assert_false(gruu_read(g, "4001", &meaning));
	assert_false(gruu_read(g, "tg.!!!!!!!!!!!!!!!!!!!!!!", &meaning));
	go(l, &p);
	gruu_free(g);
	gruu_free(other);
	locations_free(l);
}

static void no_instance_no_temporary_gruu(void **state)
{
	struct gruu *g = gruu_new();
	char user[SIP_GRUU_SIZE] = "x";
	const struct sip_binding binding = {
		.aor = (char *)"1@h", .text = "", .call_id = "c"};
	gruu_make(g, &binding, user);
	assert_string_equal(user, "");
	gruu_free(g);
}

/* ---- threads ---- */

static void *come_and_go(void *self)
{
	struct locations *l = self;
	static const char *const aors[] = {"1@h", "2@h"};
	for (int i = 0; i < ROUNDS; i++) {
		struct phone p;
		come(&p, "SEP1");
		bind_it(l, &p, "1@h", "sip:a@a", 1000);
		locations_set_names(l, &p.part, aors, 2);
		bind_it(l, &p, "2@h", "sip:b@a", 1000);
		locations_set_names(l, &p.part, aors + 1, 1);
		go(l, &p);
	}
	return NULL;
}

static void *look(void *self)
{
	size_t n;
	for (int i = 0; i < ROUNDS; i++) {
		struct location *found =
			locations_find(self, i % 2 ? "1@h" : "2@h", &now, &n);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(found[k].device, "SEP1");
		locations_list_free(found, n);
	}
	return NULL;
}

static void threads_find_whole_contacts_or_none(void **state)
{
	struct locations *l = locations_new();
	pthread_t threads[2 * THREADS];
	for (int i = 0; i < 2 * THREADS; i++)
		pthread_create(
			&threads[i], NULL, i % 2 ? come_and_go : look, l);
	for (int i = 0; i < 2 * THREADS; i++)
		pthread_join(threads[i], NULL);
	locations_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_of_a_contact_is_found),
		cmocka_unit_test(the_greatest_q_comes_first),
		cmocka_unit_test(what_has_expired_is_not_found),
		cmocka_unit_test(names_change_with_their_part),
		cmocka_unit_test(temporary_gruus_lead_to_one_phone_and_differ),
		cmocka_unit_test(no_instance_no_temporary_gruu),
		cmocka_unit_test(threads_find_whole_contacts_or_none),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("locations", tests, NULL, NULL);
}
