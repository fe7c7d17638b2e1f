/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the certificates that are kept: whose, how many, how long. */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/census.h"
#include "tests/certs/made.h"

enum { DAY_S = 86400, MANY = 700 };

static char top[] = "/tmp/dialtone-leaves-XXXXXX";
static char folder[64];
static struct config *config;
static struct inventory *inventory;
static X509 *ca, *leaf, *helper;
static const uint8_t anchor_1[32] = {1}, anchor_2[32] = {2};

static int set_up(void **state)
{
	static int n;
	struct diag d;
	if (n == 0) {
		assert_non_null(mkdtemp(top));
		ca = made_ca("CAPF-00000001", 1);
		helper = made_ca("Some Sub CA", 2);
		leaf = made_leaf("SEP000000000001", ca, 1);
	}
	snprintf(folder, sizeof(folder), "%s/%d", top, n++);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(config_load(NULL, top, &config, &d), 0);
	inventory = inventory_new(config);
	assert_int_equal(inventory_open(inventory, folder, &d), 0);
	return 0;
}

static int tear_down(void **state)
{
	inventory_free(inventory);
	config_free(config);
	return 0;
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int end(void **state)
{
	X509_free(ca);
	X509_free(helper);
	X509_free(leaf);
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct leaves *open_in(const char *where)
{
	struct leaves *l;
	struct diag d = {.text = ""};
	if (leaves_open(where, config, inventory, &l, &d) < 0)
		fail_msg("%s", d.text);
	return l;
}

static void add_device(const char *name)
{
	struct diag d;
	const struct device device = {
		.name = name, .profile = "encrypted", .mic = true};
	struct device *whole = device_new(&device);
	assert_int_equal(inventory_put(inventory, whole, INVENTORY_PUT, &d), 0);
	device_unref(whole);
}

/* A certificate of that device; `mark` tells it from others. */
static struct peer_cert *cert_of(const char *device, uint8_t mark)
{
	struct cert_identity id = {
		.not_after = MADE_NOW + 9 * DAY_S, .times_ok = true};
	snprintf(id.device, sizeof(id.device), "%s", device);
	id.sha256_raw[0] = mark;
	return peer_cert_new(&id, "");
}

static void offer(
	struct leaves *l, const char *device, enum cert_kind kind, uint8_t mark)
{
	struct peer_cert *cert = cert_of(device, mark);
	leaves_offer(l, cert, kind, anchor_1, leaf, NULL);
	peer_cert_unref(cert);
}

/* "SEP1 LSC 7, ..." of all that is kept. */
static const char *kept(struct leaves *l)
{
	static char text[16384];
	struct leaf *page, last = {.kind = CERT_KIND_UNKNOWN};
	size_t n = 0;
	text[0] = '\0';
	while ((page = leaves_after(l, LEAVES_FACTS, &last))) {
		for (struct leaf *at = page; at; at = at->next) {
			n += (size_t)snprintf(text + n, sizeof(text) - n,
				"%s%s %s %d", n ? ", " : "", at->device,
				cert_kind_name(at->kind), at->sha256[0]);
			assert_int_equal(at->n, 0);
			last = *at;
		}
		leaves_free(page);
	}
	return text;
}

static void the_last_of_each_kind_is_kept(void **state)
{
	struct leaves *l = open_in(NULL);
	add_device("SEP1");
	add_device("SEP2");
	offer(l, "SEP2", CERT_KIND_LSC, 1);
	offer(l, "sep1", CERT_KIND_MIC, 2);
	offer(l, "SEP1", CERT_KIND_LSC, 3);
	offer(l, "SEP1", CERT_KIND_LSC, 4);
	assert_string_equal(kept(l), "SEP1 LSC 4, sep1 MIC 2, SEP2 LSC 1");
	leaves_close(l);
}

static void it_is_kept_whole_with_its_helpers(void **state)
{
	struct leaves *l = open_in(NULL);
	struct peer_cert *cert = cert_of("SEP1", 5);
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	add_device("SEP1");
	sk_X509_push(untrusted, leaf); /* as OpenSSL hands it over */
	sk_X509_push(untrusted, helper);
	leaves_offer(l, cert, CERT_KIND_MIC, anchor_2, leaf, untrusted);
	struct leaf *one = leaves_after(l, LEAVES_WHOLE, NULL);
	const unsigned char *at = one->chain;
	X509 *first = d2i_X509(NULL, &at, (long)one->n);
	X509 *second = d2i_X509(NULL, &at, (long)one->n - (at - one->chain));
	assert_ptr_equal(at, one->chain + one->n);
	assert_int_equal(X509_cmp(first, leaf), 0);
	assert_int_equal(X509_cmp(second, helper), 0);
	assert_memory_equal(one->anchor, anchor_2, 32);
	assert_int_equal(one->not_after, MADE_NOW + 9 * DAY_S);
	assert_null(one->next);
	X509_free(first);
	X509_free(second);
	leaves_free(one);
	sk_X509_free(untrusted);
	peer_cert_unref(cert);
	leaves_close(l);
}

static void helpers_that_do_not_fit_are_left_out(void **state)
{
	struct leaves *l = open_in(NULL);
	struct peer_cert *cert = cert_of("SEP1", 5);
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	add_device("SEP1");
	for (int i = 0; i < 40; i++)
		sk_X509_push(untrusted, helper);
	leaves_offer(l, cert, CERT_KIND_MIC, anchor_2, leaf, untrusted);
	struct leaf *one = leaves_after(l, LEAVES_WHOLE, NULL);
	int size = i2d_X509(leaf, NULL), more = i2d_X509(helper, NULL);
	assert_true(one->n <= LEAVES_CHAIN_MAX);
	assert_true(one->n + (size_t)more > LEAVES_CHAIN_MAX);
	assert_int_equal((one->n - (size_t)size) % (size_t)more, 0);
	leaves_free(one);
	sk_X509_free(untrusted);
	peer_cert_unref(cert);
	leaves_close(l);
}

/* Names that are not ours fill nothing, but for an LSC that is let in. */
static void strangers_are_not_kept(void **state)
{
	struct leaves *l = open_in(NULL);
	offer(l, "SEP1", CERT_KIND_LSC, 1);
	offer(l, "SEP1", CERT_KIND_MIC, 1);
	offer(l, "", CERT_KIND_LSC, 1);
	assert_string_equal(kept(l), "");
	config->unknown_devices = CONFIG_UNKNOWN_LSC;
	offer(l, "SEP1", CERT_KIND_LSC, 1);
	offer(l, "SEP1", CERT_KIND_MIC, 1);
	offer(l, "", CERT_KIND_LSC, 1);
	assert_string_equal(kept(l), "SEP1 LSC 1");
	leaves_close(l);
}

/* A stranger that was refused, and is added, is kept when it comes again
 * with what was found good before. */
static void who_is_added_later_is_kept_then(void **state)
{
	struct leaves *l = open_in(NULL);
	struct peer_cert *cert = cert_of("SEP1", 1);
	leaves_offer(l, cert, CERT_KIND_LSC, anchor_1, leaf, NULL);
	assert_int_equal(cert->kept, 0);
	add_device("SEP1");
	leaves_offer(l, cert, CERT_KIND_LSC, anchor_1, leaf, NULL);
	assert_string_equal(kept(l), "SEP1 LSC 1");
	assert_int_not_equal(cert->kept, 0);
	peer_cert_unref(cert);
	leaves_close(l);
}

static void who_is_removed_loses_its_certificates(void **state)
{
	struct leaves *l = open_in(NULL);
	struct peer_cert *cert = cert_of("SEP1", 1);
	add_device("SEP1");
	add_device("SEP2");
	leaves_offer(l, cert, CERT_KIND_LSC, anchor_1, leaf, NULL);
	offer(l, "SEP1", CERT_KIND_MIC, 2);
	offer(l, "SEP2", CERT_KIND_LSC, 3);
	leaves_forget(l, "sep1");
	assert_string_equal(kept(l), "SEP2 LSC 3");
	/* And is kept anew when it is there again. */
	leaves_offer(l, cert, CERT_KIND_LSC, anchor_1, leaf, NULL);
	assert_string_equal(kept(l), "SEP1 LSC 1, SEP2 LSC 3");
	peer_cert_unref(cert);
	leaves_close(l);
}

/* No file may grow: a disk that is full, for this process alone. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void whom_a_full_disk_did_not_forget_is_forgotten_later(void **state)
{
	struct leaves *l = open_in(folder);
	struct diag d;
	add_device("SEP1");
	add_device("SEP2");
	offer(l, "SEP1", CERT_KIND_LSC, 1);
	offer(l, "SEP2", CERT_KIND_LSC, 2);
	assert_string_equal(kept(l), "SEP1 LSC 1, SEP2 LSC 2");
	assert_int_equal(inventory_remove(inventory, "SEP1", &d), 0);
	limit_files(100);
	leaves_forget(l, "SEP1");
	assert_string_equal(kept(l), "SEP1 LSC 1, SEP2 LSC 2");
	assert_true(leaves_fail(l));
	/* Added anew meanwhile: what comes after is not forgotten with it. */
	limit_files(RLIM_INFINITY);
	add_device("SEP1");
	offer(l, "SEP1", CERT_KIND_MIC, 3);
	assert_string_equal(kept(l), "SEP1 MIC 3, SEP2 LSC 2");
	assert_false(leaves_fail(l));
	leaves_close(l);
}

static void a_renewed_ca_changes_the_anchor(void **state)
{
	struct leaves *l = open_in(NULL);
	struct peer_cert *cert = cert_of("SEP1", 1),
			 *again = cert_of("SEP1", 1);
	add_device("SEP1");
	leaves_offer(l, cert, CERT_KIND_LSC, anchor_1, leaf, NULL);
	leaves_offer(l, again, CERT_KIND_LSC, anchor_2, leaf, NULL);
	struct leaf *one = leaves_after(l, LEAVES_FACTS, NULL);
	assert_memory_equal(one->anchor, anchor_2, 32);
	leaves_free(one);
	peer_cert_unref(cert);
	peer_cert_unref(again);
	leaves_close(l);
}

static void they_last_over_a_restart(void **state)
{
	struct diag d;
	struct leaves *l = open_in(folder);
	add_device("SEP1");
	add_device("SEP2");
	offer(l, "SEP1", CERT_KIND_LSC, 1);
	offer(l, "SEP2", CERT_KIND_MIC, 2);
	leaves_close(l); /* what waits is written */
	l = open_in(folder);
	assert_string_equal(kept(l), "SEP1 LSC 1, SEP2 MIC 2");
	assert_int_equal(leaves_count(l).kept, 2);
	leaves_close(l);
	/* Who left the inventory while we were down is forgotten. */
	assert_int_equal(inventory_remove(inventory, "SEP1", &d), 0);
	l = open_in(folder);
	assert_string_equal(kept(l), "SEP2 MIC 2");
	leaves_close(l);
}

static void no_more_than_the_limit_are_kept(void **state)
{
	char name[16];
	config->unknown_devices = CONFIG_UNKNOWN_LSC;
	config->certificates_kept = MANY / 2;
	struct leaves *l = open_in(folder);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		offer(l, name, CERT_KIND_LSC, 1);
		if (i % 100 == 0)
			leaves_free(leaves_after(l, LEAVES_FACTS, NULL));
	}
	const char *text = kept(l);
	assert_non_null(strstr(text, name));   /* the last one, */
	assert_null(strstr(text, "SEP0 LSC")); /* not the first */
	assert_true(leaves_count(l).kept <= MANY / 2);
	assert_true(leaves_count(l).kept > MANY / 4);
	assert_int_equal(leaves_count(l).dropped, 0);
	leaves_close(l);
	/* Without a state folder there are few. */
	l = open_in(NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		offer(l, name, CERT_KIND_LSC, 1);
	}
	assert_non_null(strstr(kept(l), name));
	assert_true(leaves_count(l).kept <= LEAVES_IN_MEMORY_MAX);
	leaves_close(l);
}

/* More than the writer can take is dropped and counted, never waited for, and
 * asked for again. */
static void a_full_queue_drops_and_counts(void **state)
{
	struct leaves *l = open_in(NULL);
	add_device("SEP1");
	struct peer_cert *last = NULL;
	for (int i = 0; i < 20 * LEAVES_QUEUE_MAX; i++) {
		peer_cert_unref(last);
		last = cert_of("SEP1", (uint8_t)i);
		leaves_offer(l, last, CERT_KIND_LSC, anchor_1, leaf, NULL);
		if (leaves_count(l).dropped)
			break;
	}
	assert_int_equal(last->kept == 0, leaves_count(l).dropped != 0);
	kept(l);
	leaves_offer(l, last, CERT_KIND_LSC, anchor_1, leaf, NULL);
	assert_int_not_equal(last->kept, 0);
	peer_cert_unref(last);
	leaves_close(l);
}

/* ---- the census ---- */

static void see(const char *device, enum cert_kind kind, uint8_t mark,
	const struct trust_anchor *anchor)
{
	struct peer_cert *cert = cert_of(device, mark);
	const struct peer peer = {.tls = true,
		.verified = true,
		.kind = kind,
		.anchor = anchor,
		.cert = cert};
	inventory_seen(inventory, device, &peer, MADE_NOW);
	peer_cert_unref(cert);
}

struct walked {
	char text[512];
	size_t n;
};

static bool note(void *self, const struct bearer *b)
{
	struct walked *w = self;
	const struct leaf *last = census_last(b);
	w->n += (size_t)snprintf(w->text + w->n, sizeof(w->text) - w->n,
		"%s%s:%s", w->n ? " " : "", b->name,
		last	       ? cert_kind_name(last->kind)
		: b->seen.kind ? "seen"
			       : "none");
	return true;
}

static void each_device_is_met_once_with_its_last_certificate(void **state)
{
	char file[] = "one.pem";
	const struct trust_anchor one = {
		.file = file, .id = {.sha256_raw = {1}}};
	struct walked w = {.n = 0};
	config->unknown_devices = CONFIG_UNKNOWN_LSC;
	struct leaves *l = open_in(NULL);
	for (char name[] = "SEP1"; name[3] <= '5'; name[3]++)
		add_device(name);
	offer(l, "SEP0", CERT_KIND_LSC, 1); /* let in without an entry */
	offer(l, "SEP1", CERT_KIND_LSC, 1);
	offer(l, "SEP1", CERT_KIND_MIC, 2);
	offer(l, "SEP2", CERT_KIND_LSC, 3);
	offer(l, "SEP2", CERT_KIND_MIC, 4);
	see("SEP2", CERT_KIND_MIC, 4, &one); /* its LSC is gone */
	see("SEP3", CERT_KIND_LSC, 5, &one); /* came by resumption alone */
	offer(l, "SEP5", CERT_KIND_MIC, 6);
	offer(l, "SEP9", CERT_KIND_LSC, 7);
	census_walk(inventory, l, LEAVES_FACTS, note, &w);
	assert_string_equal(w.text, "SEP0:LSC SEP1:LSC SEP2:MIC SEP3:seen "
				    "SEP4:none SEP5:MIC SEP9:LSC");
	struct census *c = census_take(inventory, l, MADE_NOW);
	assert_int_equal(census_depending(c, anchor_1, ""), 6);
	assert_int_equal(census_depending(c, anchor_2, ""), 0);
	assert_int_equal(c->n_months, 1);
	assert_int_equal(c->months[0].month, census_month_of(MADE_NOW));
	assert_int_equal(c->months[0].lsc, 5);
	assert_int_equal(c->months[0].mic, 3);
	assert_int_equal(c->soon, 8);
	assert_int_equal(c->later, 8);
	census_free(c);
	leaves_close(l);
}

static void a_walk_crosses_pages(void **state)
{
	char name[16];
	config->unknown_devices = CONFIG_UNKNOWN_LSC;
	struct leaves *l = open_in(folder);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		offer(l, name, CERT_KIND_LSC, 1);
	}
	struct census *c = census_take(inventory, l, MADE_NOW);
	assert_int_equal(census_depending(c, anchor_1, ""), MANY);
	census_free(c);
	leaves_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		FACT(the_last_of_each_kind_is_kept),
		FACT(it_is_kept_whole_with_its_helpers),
		FACT(helpers_that_do_not_fit_are_left_out),
		FACT(strangers_are_not_kept),
		FACT(who_is_added_later_is_kept_then),
		FACT(who_is_removed_loses_its_certificates),
		FACT(whom_a_full_disk_did_not_forget_is_forgotten_later),
		FACT(a_renewed_ca_changes_the_anchor),
		FACT(they_last_over_a_restart),
		FACT(no_more_than_the_limit_are_kept),
		FACT(a_full_queue_drops_and_counts),
		FACT(each_device_is_met_once_with_its_last_certificate),
		FACT(a_walk_crosses_pages),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("leaves", tests, NULL, end);
}
