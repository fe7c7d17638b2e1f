/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the inventory: who is in it, what was seen, who comes in. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/admin/device_draft.h"
#include "registrar/device_rules.h"
#include "registrar/inventory.h"
#include "registrar/memory.h"

enum { DAY_S = 86400 };

static char top[] = "/tmp/dialtone-inventory-XXXXXX";
static char folder[64];
static struct config *config;
static int64_t now;

static int set_up(void **state)
{
	static int n;
	struct diag d;
	if (n == 0)
		assert_non_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%s/%d", top, n++);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(config_load(NULL, top, &config, &d), 0);
	now = time(NULL);
	return 0;
}

static int tear_down(void **state)
{
	config_free(config);
	config = NULL;
	return 0;
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int end(void **state)
{
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct inventory *open_inventory(void)
{
	struct diag d = {.text = ""};
	struct inventory *inv = inventory_new(config);
	if (inventory_open(inv, folder, &d) < 0)
		fail_msg("%s", d.text);
	return inv;
}

static int put(struct inventory *inv, const char *name, enum inventory_how how)
{
	struct diag d;
	const struct device device = {.name = name,
		.description = "",
		.model = "",
		.profile = "encrypted",
		.digest_user = "",
		.softkeys = ""};
	return inventory_put(inv, &device, how, &d);
}

static bool has(struct inventory *inv, const char *name)
{
	struct device *d = inventory_find(inv, name);
	device_unref(d);
	return d;
}

/* ---- changes ---- */

static void changes_last(void **state)
{
	struct diag d;
	struct inventory *inv = open_inventory();
	assert_int_equal(put(inv, "SEP1", INVENTORY_SET), -ENOENT);
	assert_int_equal(put(inv, "SEP1", INVENTORY_ADD), 0);
	assert_int_equal(put(inv, "sep1", INVENTORY_ADD), -EEXIST);
	assert_int_equal(put(inv, "SEP2", INVENTORY_PUT), 0);
	assert_int_equal(put(inv, "SEP 3", INVENTORY_PUT), -EINVAL);
	assert_int_equal(inventory_remove(inv, "sep2", &d), 0);
	assert_int_equal(inventory_remove(inv, "SEP2", &d), -ENOENT);
	inventory_free(inv);
	inv = open_inventory();
	assert_int_equal(inventory_count(inv), 1);
	assert_true(has(inv, "SEP1"));
	inventory_free(inv);
}

static void without_a_store_nothing_changes(void **state)
{
	struct inventory *inv = inventory_new(config);
	assert_int_equal(put(inv, "SEP1", INVENTORY_ADD), -ENOTSUP);
	assert_int_equal(inventory_count(inv), 0);
	inventory_free(inv);
}

static void note_removed(void *self, const char *name)
{
	strcat(strcat(self, name), " ");
}

static void who_is_removed_is_told(void **state)
{
	char told[64] = "";
	struct diag d;
	struct inventory_import import = {.replace = true, .dry_run = true};
	struct inventory *inv = open_inventory();
	inventory_on_removed(inv, note_removed, told);
	put(inv, "SEP1", INVENTORY_ADD);
	put(inv, "SEP2", INVENTORY_ADD);
	put(inv, "SEP3", INVENTORY_ADD);
	assert_int_equal(inventory_remove(inv, "SEP2", &d), 0);
	assert_int_equal(inventory_remove(inv, "SEP2", &d), -ENOENT);
	struct device *stays = inventory_find(inv, "SEP3");
	assert_int_equal(inventory_import(inv, &stays, 1, &import, &d), 0);
	assert_string_equal(told, "SEP2 ");
	import.dry_run = false;
	assert_int_equal(inventory_import(inv, &stays, 1, &import, &d), 0);
	assert_string_equal(told, "SEP2 SEP1 ");
	device_unref(stays);
	inventory_free(inv);
}

/* Names come in any order, and the table grows as they come. */
static void many_are_found_and_listed(void **state)
{
	enum { MANY = 3000 };
	char name[32];
	size_t n;
	struct diag d;
	struct device **devices = memory_zero(MANY * sizeof(struct device *));
	struct inventory_import import = {0};
	struct inventory *inv = open_inventory();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "SEP%05d", i * 7919 % MANY);
		devices[i] = device_new(
			&(struct device){.name = name, .profile = "encrypted"});
	}
	assert_int_equal(inventory_import(inv, devices, MANY, &import, &d), 0);
	assert_int_equal(import.added, MANY);
	inventory_list_free(devices, MANY);
	struct device **list = inventory_list(inv, &n);
	assert_int_equal(n, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "SEP%05d", i);
		assert_string_equal(list[i]->name, name);
		assert_true(has(inv, name));
	}
	inventory_list_free(list, n);
	inventory_free(inv);
}

static void put_line(
	struct inventory *inv, const char *name, const char *number)
{
	struct device_line line = {number, "", ""};
	struct diag d = {.text = ""};
	const struct device device = {.name = name,
		.description = "",
		.model = "",
		.profile = "encrypted",
		.digest_user = "",
		.softkeys = "",
		.lines = &line,
		.n_lines = number != NULL};
	assert_int_equal(inventory_put(inv, &device, INVENTORY_PUT, &d), 0);
}

static bool has_line(struct inventory *inv, const char *number)
{
	return inventory_has_line(inv, number, strlen(number));
}

static void it_knows_which_numbers_somebody_has(void **state)
{
	char number[24];
	struct diag d = {.text = ""};
	struct inventory *inv = open_inventory();
	assert_false(has_line(inv, "1001"));
	put_line(inv, "SEP1", "1001");
	put_line(inv, "SEP2", "1001");
	assert_true(has_line(inv, "1001"));
	assert_false(has_line(inv, "100"));
	assert_false(has_line(inv, "10011"));
	put_line(inv, "SEP1", "1002");
	assert_true(has_line(inv, "1001"));
	assert_int_equal(inventory_remove(inv, "SEP2", &d), 0);
	assert_false(has_line(inv, "1001"));
	put_line(inv, "SEP1", NULL);
	assert_false(has_line(inv, "1002"));
	for (int i = 0; i < 300; i++) {
		snprintf(number, sizeof(number), "SEP%d", i);
		put_line(inv, number, number);
	}
	for (int i = 0; i < 300; i++) {
		snprintf(number, sizeof(number), "SEP%d", i);
		assert_true(has_line(inv, number));
	}
	inventory_free(inv);
}

/* ---- what was seen ---- */

static struct peer_cert *certificate(const char *name, uint8_t mark)
{
	struct cert_identity id = {.not_after = now + 100 * DAY_S,
		.times_ok = true,
		.issuer_cn = "CAPF-1",
		.serial = "0a0b",
		.model = "CP-8861"};
	snprintf(id.device, sizeof(id.device), "%s", name);
	id.sha256_raw[0] = mark;
	return peer_cert_new(&id, "");
}

static struct peer over_tls(struct peer_cert *cert, enum cert_kind kind)
{
	static char file[] = "CAPF-1.pem";
	static const struct trust_anchor anchor = {
		.file = file, .id = {.sha256_raw = {7}}};
	return (struct peer){
		.protocol = CONFIG_SIP,
		.tls = true,
		.verified = true,
		.kind = kind,
		.cipher = "ECDHE-RSA-AES256-GCM-SHA384",
		.anchor = &anchor,
		.cert = cert,
	};
}

static void sightings_are_kept_and_last(void **state)
{
	struct device_seen seen;
	struct peer_cert *cert = certificate("SEP1", 1);
	struct peer peer = over_tls(cert, CERT_KIND_LSC);
	struct inventory *inv = open_inventory();
	put(inv, "SEP1", INVENTORY_ADD);
	assert_false(inventory_sighting(inv, "SEP1", &seen));
	inventory_seen(inv, "SEP2", &peer, now); /* nobody's */
	inventory_seen(inv, "SEP1", &peer, now);
	for (int i = 0; i < 2; i++) {
		assert_true(inventory_sighting(inv, "sep1", &seen));
		assert_int_equal(seen.registered, now);
		assert_int_equal(seen.kind, CERT_KIND_LSC);
		assert_string_equal(seen.issuer, "CAPF-1");
		assert_string_equal(seen.anchor, "CAPF-1.pem");
		assert_int_equal(seen.anchor_sha256[0], 7);
		assert_string_equal(seen.serial, "0a0b");
		assert_int_equal(seen.sha256[0], 1);
		assert_string_equal(device_seen_lsc(&seen, now), "installed");
		assert_string_equal(
			device_seen_lsc(&seen, now + 101 * DAY_S), "expired");
		inventory_free(inv); /* writes it */
		inv = open_inventory();
	}
	/* Its CA was renewed: the same certificate hangs on another anchor. */
	char file[] = "CAPF-2.pem";
	const struct trust_anchor renewed = {
		.file = file, .id = {.sha256_raw = {8}}};
	peer.anchor = &renewed;
	inventory_seen(inv, "SEP1", &peer, now);
	assert_true(inventory_sighting(inv, "SEP1", &seen));
	assert_string_equal(seen.anchor, "CAPF-2.pem");
	assert_int_equal(seen.anchor_sha256[0], 8);
	/* A MIC says that there is no LSC; no certificate says nothing. */
	struct peer_cert *mic = certificate("SEP1", 2);
	peer = over_tls(mic, CERT_KIND_MIC);
	inventory_seen(inv, "SEP1", &peer, now + 1);
	peer = (struct peer){.protocol = CONFIG_SIP};
	inventory_seen(inv, "SEP1", &peer, now + 2);
	assert_true(inventory_sighting(inv, "SEP1", &seen));
	assert_int_equal(seen.registered, now + 2);
	assert_string_equal(device_seen_lsc(&seen, now), "none");
	peer_cert_unref(cert);
	peer_cert_unref(mic);
	inventory_free(inv);
}

static void a_sighting_goes_with_its_device(void **state)
{
	struct diag d;
	struct device_seen seen;
	struct peer peer = {.protocol = CONFIG_SIP};
	struct inventory *inv = open_inventory();
	put(inv, "SEP1", INVENTORY_ADD);
	inventory_seen(inv, "SEP1", &peer, now);
	assert_int_equal(inventory_remove(inv, "SEP1", &d), 0);
	put(inv, "SEP1", INVENTORY_ADD);
	assert_false(inventory_sighting(inv, "SEP1", &seen));
	inventory_free(inv);
	inv = open_inventory();
	assert_false(inventory_sighting(inv, "SEP1", &seen));
	inventory_free(inv);
}

/* ---- strangers ---- */

static void open_window(struct inventory *inv, int64_t until, bool plain)
{
	struct diag d = {.text = ""};
	const struct store_window window = {until, plain};
	if (inventory_set_window(inv, &window, now, &d) < 0)
		fail_msg("%s", d.text);
}

/* Comes again until it is no longer put off. */
static void comes_in(
	struct inventory *inv, const char *name, const struct peer *peer)
{
	while (!has(inv, name)) {
		assert_int_equal(inventory_auto_register(inv, name, peer, now),
			INVENTORY_AUTO_PENDING);
		usleep(1000); /* as a phone, only more often */
	}
}

static void strangers_are_added_while_it_is_open(void **state)
{
	struct peer_cert *cert = certificate("SEP1", 1);
	struct peer lsc = over_tls(cert, CERT_KIND_LSC);
	struct peer mic = over_tls(cert, CERT_KIND_MIC);
	struct peer null = lsc, plain = {.protocol = CONFIG_SCCP};
	null.cipher = "NULL-SHA";
	struct inventory *inv = open_inventory();
	assert_int_equal(inventory_auto_register(inv, "SEP1", &lsc, now),
		INVENTORY_AUTO_CLOSED);
	open_window(inv, now + 100, false);
	comes_in(inv, "SEP1", &lsc);
	comes_in(inv, "SEP2", &mic);
	comes_in(inv, "SEP3", &null);
	assert_int_equal(inventory_auto_register(inv, "SEP4", &plain, now),
		INVENTORY_AUTO_CLOSED);
	open_window(inv, now + 100, true);
	comes_in(inv, "SEP4", &plain);
	assert_int_equal(inventory_auto_register(inv, "SEP5", &lsc, now + 100),
		INVENTORY_AUTO_CLOSED);
	open_window(inv, 0, false);
	assert_int_equal(inventory_auto_register(inv, "SEP5", &lsc, now),
		INVENTORY_AUTO_CLOSED);
	inventory_free(inv);
	inv = open_inventory();
	static const struct {
		const char *name, *profile, *model;
		enum device_protocol protocol;
		bool mic;
	} rows[] = {
		{"SEP1", "encrypted", "CP-8861", DEVICE_SIP, false},
		{"SEP2", "encrypted", "CP-8861", DEVICE_SIP, true},
		{"SEP3", "authenticated", "CP-8861", DEVICE_SIP, false},
		{"SEP4", "non-secure", "", DEVICE_SCCP, false},
	};
	assert_int_equal(inventory_count(inv), 4);
	for (size_t i = 0; i < 4; i++) {
		struct device *d = inventory_find(inv, rows[i].name);
		assert_non_null(d);
		assert_string_equal(d->profile, rows[i].profile);
		assert_string_equal(d->model, rows[i].model);
		assert_int_equal(d->protocol, rows[i].protocol);
		assert_int_equal(d->mic, rows[i].mic);
		device_unref(d);
	}
	peer_cert_unref(cert);
	inventory_free(inv);
}

static void who_is_not_verified_is_no_stranger_to_add(void **state)
{
	struct peer_cert *cert = certificate("SEP1", 1);
	struct peer peer = over_tls(cert, CERT_KIND_UNKNOWN);
	peer.verified = false;
	struct inventory *inv = open_inventory();
	open_window(inv, now + 100, true);
	assert_int_equal(inventory_auto_register(inv, "SEP1", &peer, now),
		INVENTORY_AUTO_CLOSED);
	peer_cert_unref(cert);
	inventory_free(inv);
}

static void a_window_is_at_most_a_week(void **state)
{
	struct diag d;
	struct inventory *inv = open_inventory();
	struct store_window window = {now, false};
	assert_int_equal(inventory_set_window(inv, &window, now, &d), -ERANGE);
	window.until = now + 7 * DAY_S + 1;
	assert_int_equal(inventory_set_window(inv, &window, now, &d), -ERANGE);
	window.until = now + 7 * DAY_S;
	assert_int_equal(inventory_set_window(inv, &window, now, &d), 0);
	inventory_free(inv);
	inv = open_inventory();
	assert_int_equal(inventory_window(inv, now).until, window.until);
	assert_int_equal(inventory_window(inv, window.until).until, 0);
	/* A clock that goes back opens nothing for longer. */
	assert_int_equal(inventory_window(inv, now - DAY_S).until, 0);
	inventory_free(inv);
}

static void too_many_at_once_are_put_off(void **state)
{
	char name[16];
	struct peer peer = {.protocol = CONFIG_SIP};
	config->devices_max = 3;
	struct inventory *inv = open_inventory();
	open_window(inv, now + 100, true);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "SEP%d", i);
		comes_in(inv, name, &peer);
	}
	/* Judged before it was added: it is no stranger that finds no room. */
	assert_int_equal(inventory_auto_register(inv, "SEP2", &peer, now),
		INVENTORY_AUTO_PENDING);
	assert_int_equal(inventory_auto_register(inv, "SEP9", &peer, now),
		INVENTORY_AUTO_FULL);
	inventory_free(inv);
}

/* No file may grow: a disk that is full, for this process alone. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void who_is_not_on_the_disk_is_not_in_memory(void **state)
{
	struct peer peer = {.protocol = CONFIG_SIP};
	struct inventory *inv = open_inventory();
	open_window(inv, now + 100, true);
	limit_files(100);
	assert_int_equal(put(inv, "SEP2", INVENTORY_ADD), -EIO);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
			inventory_auto_register(inv, "SEP1", &peer, now),
			INVENTORY_AUTO_PENDING);
		usleep(1000);
		assert_false(has(inv, "SEP1"));
	}
	limit_files(RLIM_INFINITY);
	comes_in(inv, "SEP1", &peer);
	assert_false(has(inv, "SEP2"));
	inventory_free(inv);
}

/* ---- threads ---- */

struct crowd {
	struct inventory *inv;
	int stop;
};

static void *look(void *self)
{
	struct crowd *c = self;
	struct peer_cert *certs[] = {
		certificate("SEP1", 1), certificate("SEP1", 2)};
	for (int i = 0; !__atomic_load_n(&c->stop, __ATOMIC_RELAXED); i++) {
		struct peer peer = over_tls(certs[i % 2], CERT_KIND_LSC);
		struct device_seen seen;
		struct device *d = inventory_find(c->inv, "SEP1");
		inventory_seen(c->inv, "SEP1", &peer, now + i);
		inventory_sighting(c->inv, "SEP1", &seen);
		inventory_auto_register(c->inv, "SEP7", &peer, now);
		device_unref(d);
	}
	peer_cert_unref(certs[0]);
	peer_cert_unref(certs[1]);
	return NULL;
}

static void phones_and_admins_do_not_meet(void **state)
{
	pthread_t threads[3];
	struct device_draft draft;
	struct diag d;
	struct crowd crowd = {.inv = open_inventory()};
	open_window(crowd.inv, now + 100, true);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, look, &crowd);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(put(crowd.inv, "SEP1", INVENTORY_PUT), 0);
		put(crowd.inv, "SEP2", INVENTORY_PUT);
		struct device *held = inventory_find(crowd.inv, "SEP1");
		device_draft_init(&draft, held);
		assert_string_equal(draft.device.name, "SEP1");
		device_unref(held);
		assert_int_equal(inventory_remove(crowd.inv, "SEP1", &d), 0);
	}
	__atomic_store_n(&crowd.stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	inventory_free(crowd.inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		FACT(it_knows_which_numbers_somebody_has),
		FACT(changes_last),
		FACT(without_a_store_nothing_changes),
		FACT(who_is_removed_is_told),
		FACT(many_are_found_and_listed),
		FACT(sightings_are_kept_and_last),
		FACT(a_sighting_goes_with_its_device),
		FACT(strangers_are_added_while_it_is_open),
		FACT(who_is_not_verified_is_no_stranger_to_add),
		FACT(a_window_is_at_most_a_week),
		FACT(too_many_at_once_are_put_off),
		FACT(who_is_not_on_the_disk_is_not_in_memory),
		FACT(phones_and_admins_do_not_meet),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inventory", tests, NULL, end);
}
