/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about requests that wait for an offline CA, and their folder. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/capf/csr.h"
#include "registrar/capf/offline.h"
#include "registrar/memory.h"
#include "tests/registrar/office.h"

enum { PATIENCE_MS = 60000, POLL_MS = 10 };

static const char sep1[] = "SEP000000000001", sep2[] = "SEP000000000002";
static const struct trust_anchor_policy site_lsc[] = {
	{.name = "site.pem", .kind = CERT_KIND_LSC}};

static struct diag d;
static X509 *site_ca; /* key rsa2048 1 */
static char *site;
static struct trust_snapshot *site_trust;
static struct capf_offline *offline;
static char folder[120];

static struct trust_snapshot *trust(void *self, enum trust_store store)
{
	return trust_snapshot_ref(site_trust);
}
static const struct capf_believers by = {trust, NULL};

static int begin(void **state)
{
	struct trust_policy policy = trust_policy_default;
	policy.anchors = site_lsc;
	policy.n_anchors = 1;
	site_ca = made_ca("Site CA", 1);
	site = made_folder();
	made_pem(site, "site.pem", site_ca);
	const struct trust_load load = {
		.dir = site, .policy = &policy, .explicit_order = true};
	return trust_snapshot_load(&load, &site_trust, &d);
}

static int end(void **state)
{
	trust_snapshot_unref(site_trust);
	made_folder_end(site);
	X509_free(site_ca);
	return office_end(state);
}

static int tear_down(void **state)
{
	capf_offline_close(offline);
	offline = NULL;
	return office_tear_down(state);
}

/* ---- an office with a folder ---- */

static void open_folder(void)
{
	if (capf_offline_open(office.config, office.desk, &by, &offline, &d) <
		0)
		fail_msg("%s", d.text);
}

static void open_office(void)
{
	snprintf(folder, sizeof(folder), "%s/offline", office.folder);
	free(office.config->capf_offline_folder);
	office.config->capf_offline_folder = memory_dup(folder);
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	office_start();
	open_folder();
}

/* Its key, made_key("p256", which), waits for the CA. */
static void phone_makes_a_key(const char *device, int which)
{
	office_add(device, "ec");
	office_order(device, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, device, 3, NULL);
	office_key(v, made_key("p256", which));
	office_leave(v, NULL);
	office_settle();
	assert_string_equal(office_state(device), "pending ca-waiting");
	capf_offline_tend(offline);
}

/* The one request of that device; the caller deinits. */
static struct capf_csr_list request_of(const char *device)
{
	struct capf_csr_list list;
	if (capf_csr_read(office.desk, office.config, device, &list, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(list.n, 1);
	return list;
}

/* FOLDER/NAME-KEYID.ending of that device's request, and whether it is there */
static bool is_there(const char *device, const char *ending)
{
	struct capf_csr_list list = request_of(device);
	char *path =
		memory_format("%s/%s%s", folder, list.item[0].name, ending);
	bool there = access(path, F_OK) == 0;
	free(path);
	capf_csr_list_deinit(&list);
	return there;
}

#define WAIT_UNTIL(condition)                                     \
	do {                                                      \
		for (int ms_ = 0; !(condition); ms_ += POLL_MS) { \
			assert_true(ms_ < PATIENCE_MS);           \
			poll(NULL, 0, POLL_MS);                   \
		}                                                 \
	} while (0)

static bool lies(const char *name)
{
	char *path = memory_format("%s/%s", folder, name);
	bool there = access(path, F_OK) == 0;
	free(path);
	return there;
}

static X509 *sign(const char *device, int which)
{
	const struct cert_attribute subject[] = {{"CN", device}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"},
		{"keyUsage", "critical,digitalSignature,keyAgreement"},
		{NULL, NULL}};
	time_t now = time(NULL);
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("p256", which),
		.issuer = site_ca,
		.issuer_key = made_key("rsa2048", 1),
		.not_before = MADE_NOW - 3600,
		.not_after = now > MADE_NOW ? now + 86400 : 0});
}

static void drop(const char *name, const char *device, int which)
{
	char *hidden = memory_format("signed/.%s", name);
	char *from = memory_format("%s/%s", folder, hidden);
	char *to = memory_format("%s/signed/%s", folder, name);
	X509 *cert = sign(device, which);
	made_pem(folder, hidden, cert);
	assert_int_equal(rename(from, to), 0);
	X509_free(cert);
	free(hidden);
	free(from);
	free(to);
}

/* ---- facts ---- */

static void a_request_has_what_people_need(void **state)
{
	open_office();
	phone_makes_a_key(sep1, 1);
	struct capf_csr_list list = request_of(sep1);
	const struct capf_csr *c = &list.item[0];
	assert_string_equal(c->device, sep1);
	assert_memory_equal(c->name, "SEP000000000001-", 16);
	assert_int_equal(strlen(c->name), 32);
	assert_true(c->ec && !c->answered);
	assert_non_null(strstr(c->request, "BEGIN CERTIFICATE REQUEST"));
	assert_non_null(strstr(c->key, "BEGIN PUBLIC KEY"));
	assert_string_equal(c->fault, "");
	char *extensions = capf_offline_extensions(c);
	assert_non_null(strstr(extensions, "keyAgreement"));
	assert_non_null(strstr(extensions, "URI:SEP000000000001"));
	free(extensions);
	capf_csr_list_deinit(&list);
}

static void who_has_no_request_is_named(void **state)
{
	struct capf_csr_list list;
	open_office();
	d.text[0] = '\0';
	assert_int_equal(
		capf_csr_read(office.desk, office.config, sep1, &list, &d),
		-ENOENT);
	assert_non_null(strstr(d.text, sep1));
	assert_int_equal(
		capf_csr_read(office.desk, office.config, NULL, &list, &d), 0);
	assert_int_equal(list.n, 0);
	capf_csr_list_deinit(&list);
}

static void a_mark_is_of_its_key_alone(void **state)
{
	static const uint8_t none[8] = {0};
	size_t marked;
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	office_start();
	phone_makes_a_key(sep1, 1);
	struct capf_csr_list list = request_of(sep1);
	struct capf_csr_mark marks[] = {{sep1, none, 8}, {sep2, none, 8}};
	assert_int_equal(
		capf_csr_exported(office.desk, marks, 2, &marked, &d), 0);
	assert_int_equal(marked, 0);
	marks[0].key_sha256 = list.item[0].key_sha256;
	assert_int_equal(
		capf_csr_exported(office.desk, marks, 2, &marked, &d), 0);
	assert_int_equal(marked, 1);
	assert_int_equal(list.item[0].exported_at, 0);
	capf_csr_list_deinit(&list);
	list = request_of(sep1);
	assert_true(list.item[0].exported_at > 0);
	capf_csr_list_deinit(&list);
}

static void files_come_and_go_with_their_request(void **state)
{
	open_office();
	made_file(folder, "SEP000000000009-0123456789abcdef.csr", "x", 1);
	made_file(folder, "mine.csr", "x", 1);
	phone_makes_a_key(sep1, 1);
	WAIT_UNTIL(is_there(sep1, ".csr"));
	assert_true(is_there(sep1, ".pub.pem") && is_there(sep1, ".ext"));
	WAIT_UNTIL(!lies("SEP000000000009-0123456789abcdef.csr"));
	drop("a.pem", sep1, 1);
	WAIT_UNTIL(lies("done/a.pem"));
	WAIT_UNTIL(!is_there(sep1, ".csr"));
	WAIT_UNTIL(!is_there(sep1, ".ext") && !is_there(sep1, ".pub.pem"));
	assert_true(lies("mine.csr") && lies("README.txt"));
	struct capf_csr_list list = request_of(sep1);
	assert_true(list.item[0].answered);
	capf_csr_list_deinit(&list);
	struct capf_visit *v = office_visit();
	struct capf_answer a = office_auth(v, sep1, 3, NULL);
	assert_string_equal(office_text(&a), "STORE");
	office_leave(v, NULL);
}

static void the_same_file_again_does_no_harm(void **state)
{
	open_office();
	phone_makes_a_key(sep1, 1);
	drop("a.pem", sep1, 1);
	WAIT_UNTIL(lies("done/a.pem"));
	char *from = memory_format("%s/done/a.pem", folder);
	char *to = memory_format("%s/signed/b.pem", folder);
	assert_int_equal(rename(from, to), 0);
	WAIT_UNTIL(lies("done/b.pem"));
	free(from);
	free(to);
	assert_string_equal(office_ledger(sep1), "stale");
}

static void while_nothing_is_issued_files_stay(void **state)
{
	open_office();
	phone_makes_a_key(sep1, 1);
	drop("a.pem", sep1, 1);
	WAIT_UNTIL(lies("done/a.pem"));
	phone_makes_a_key(sep2, 2);
	/* Before the newest line of the ledger: the clock is wrong. */
	office.now -= 100 * 86400;
	drop("b.pem", sep2, 2);
	WAIT_UNTIL(*capf_desk_state(office.desk).halted);
	capf_offline_close(offline); /* after the look */
	offline = NULL;
	assert_true(lies("signed/b.pem") && !lies("refused/b.pem"));
	office.now += 100 * 86400;
	capf_desk_tend(office.desk);
	open_folder();
	WAIT_UNTIL(lies("done/b.pem"));
}

/* Its name and ".why" would be longer than a name may be. */
static void a_file_of_a_long_name_is_put_away(void **state)
{
	char name[241], there[320];
	open_office();
	phone_makes_a_key(sep1, 1);
	memset(name, 'n', 240);
	name[240] = '\0';
	drop(name, sep1, 2); /* a key that nobody waits with */
	snprintf(there, sizeof(there), "signed/%s", name);
	WAIT_UNTIL(!lies(there));
	snprintf(there, sizeof(there), "refused/%.180s~0c441b63", name);
	assert_true(lies(there));
	strcat(there, ".why");
	assert_true(lies(there));
	drop(name, sep1, 1);
	snprintf(there, sizeof(there), "done/%.180s~0c441b63", name);
	WAIT_UNTIL(lies(there));
	snprintf(there, sizeof(there), "refused/%.180s~0c441b63.why", name);
	assert_false(lies(there));
}

static void no_folder_is_no_fault(void **state)
{
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	office_start();
	open_folder();
	assert_null(offline);
	office.config->capf_issuer = CONFIG_ISSUER_OWN;
	free(office.config->capf_offline_folder);
	office.config->capf_offline_folder = memory_dup("/nowhere/at/all");
	open_folder();
	assert_null(offline);
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	assert_int_equal(capf_offline_open(
				 office.config, office.desk, &by, &offline, &d),
		-ENOENT);
	capf_offline_tend(NULL);
}

static void a_link_instead_of_a_folder_is_refused(void **state)
{
	open_office();
	capf_offline_close(offline);
	offline = NULL;
	char *path = memory_format("%s/done", folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(capf_offline_open(
				 office.config, office.desk, &by, &offline, &d),
		-ENOTDIR);
	assert_non_null(strstr(d.text, "no folder"));
	free(path);
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, office_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(a_request_has_what_people_need),
		FACT(who_has_no_request_is_named),
		FACT(a_mark_is_of_its_key_alone),
		FACT(files_come_and_go_with_their_request),
		FACT(the_same_file_again_does_no_harm),
		FACT(while_nothing_is_issued_files_stay),
		FACT(a_file_of_a_long_name_is_put_away),
		FACT(no_folder_is_no_fault),
		FACT(a_link_instead_of_a_folder_is_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf_offline", tests, begin, end);
}
