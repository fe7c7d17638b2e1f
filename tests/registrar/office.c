/* SPDX-License-Identifier: Apache-2.0 */
/* A desk with all it needs, and phones that come to it. */
#include "tests/registrar/office.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { VISITS = 512, PATIENCE_S = 60, TEXTS = 8, TEXT_MAX = 8192 };

struct office office;
static char top[] = "/tmp/dialtone-desk-XXXXXX";
static char callmanager[100], capf[100];
static struct trust_snapshot *trust[TRUST_STORES]; /* with lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;

static struct capf_visit *visits[VISITS]; /* that have not left; with lock */

static struct diag d;

static void good(int error)
{
	if (error < 0)
		fail_msg("%d: %s", error, d.text);
}

/* ---- the world ---- */

static struct trust_snapshot *get_trust(void *self, enum trust_store store)
{
	pthread_mutex_lock(&lock);
	struct trust_snapshot *s =
		office.no_trust ? NULL : trust_snapshot_ref(trust[store]);
	pthread_mutex_unlock(&lock);
	return s;
}

static void wake(void *self, struct conn_ref ref)
{
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&woken);
	pthread_mutex_unlock(&lock);
}

static int reset(void *self, const char *device)
{
	if (office.meanwhile)
		office.meanwhile();
	if (__atomic_load_n(&office.nobody_there, __ATOMIC_RELAXED))
		return -ENOENT;
	__atomic_add_fetch(&office.resets, 1, __ATOMIC_RELAXED);
	return 0;
}

static int64_t get_now(void *self)
{
	return __atomic_load_n(&office.now, __ATOMIC_RELAXED);
}

static void read_trust(void)
{
	static const struct trust_anchor_policy outside = {
		.name = "outside.pem", .kind = CERT_KIND_LSC};
	const struct trust_policy policy = {
		.auth_level = 2, .anchors = &outside, .n_anchors = 1};
	pthread_mutex_lock(&lock);
	for (int i = 0; i < TRUST_STORES; i++) {
		const struct trust_load load = {
			.dir = i == STORE_CAPF ? capf : callmanager,
			.policy = &policy,
			.explicit_order = true};
		trust_snapshot_unref(trust[i]);
		good(trust_snapshot_load(&load, &trust[i], &d));
	}
	pthread_mutex_unlock(&lock);
}

void office_believe(X509 *ca)
{
	made_pem(capf, "outside.pem", ca);
	made_pem(callmanager, "outside.pem", ca);
	read_trust();
}

void office_trust(void)
{
	struct capf_roots *roots = capf_authority_roots(office.authority);
	good(capf_authority_publish(office.authority, &roots->signing, &d));
	capf_roots_unref(roots);
	read_trust();
}

void office_distrust(void)
{
	struct capf_roots *roots = capf_authority_roots(office.authority);
	good(capf_authority_withdraw(office.authority, &roots->signing, &d));
	made_pem(callmanager, "other.pem", office.mic_ca); /* not empty */
	capf_roots_unref(roots);
	read_trust();
}

void office_enrol_by(const char *file, X509 *ca)
{
	made_pem(capf, file, ca);
	read_trust();
}

void office_start(void)
{
	const struct capf_desk_world world = {
		.config = office.config,
		.inventory = office.inventory,
		.authority = office.authority,
		.trust = get_trust,
		.wake = wake,
		.reset = reset,
		.now = get_now,
	};
	good(capf_desk_open(&world, office.folder, &office.desk, &d));
}

void office_restart(void)
{
	capf_desk_close(office.desk);
	office_start();
}

/* ---- set up ---- */

static void set(char **at, const char *text)
{
	free(*at);
	*at = strdup(text);
}

static void make_profile(void)
{
	struct security_profile p = security_predefined[2];
	snprintf(p.name, sizeof(p.name), "ec");
	p.key_order = 1;
	p.ec_bits = 256;
	good(inventory_put_profile(office.inventory, &p, INVENTORY_PUT, &d));
}

int office_set_up(void **state)
{
	static int n;
	if (n == 0) {
		assert_non_null(mkdtemp(top));
		office.mic_ca = made_ca("Cisco Manufacturing CA", 9);
	}
	snprintf(office.folder, sizeof(office.folder), "%s/%d", top, n++);
	snprintf(callmanager, sizeof(callmanager), "%s/cm", office.folder);
	snprintf(capf, sizeof(capf), "%s/ct", office.folder);
	assert_int_equal(mkdir(office.folder, 0700), 0);
	assert_int_equal(mkdir(callmanager, 0755), 0);
	assert_int_equal(mkdir(capf, 0755), 0);
	office.now = MADE_NOW;
	office.resets = 0;
	office.nobody_there = false;
	office.meanwhile = NULL;
	office.no_trust = false;
	good(config_load(NULL, office.folder, &office.config, &d));
	set(&office.config->state_folder, office.folder);
	set(&office.config->trust_folder, callmanager);
	set(&office.config->trust_capf, capf);
	office.config->capf_root_key = 3; /* p256: made at once */
	good(capf_authority_open(
		office.config, MADE_NOW - 86400, &office.authority, &d));
	made_pem(capf, "mic.pem", office.mic_ca);
	read_trust();
	office.inventory = inventory_new(office.config);
	good(inventory_open(office.inventory, office.folder, &d));
	make_profile();
	return 0;
}

int office_tear_down(void **state)
{
	for (size_t i = 0; i < VISITS; i++) /* a fact that failed leaves some */
		if (visits[i])
			office_leave(visits[i], "phone-gone");
	capf_desk_close(office.desk);
	office.desk = NULL;
	inventory_free(office.inventory);
	capf_authority_close(office.authority);
	config_free(office.config);
	for (int i = 0; i < TRUST_STORES; i++) {
		trust_snapshot_unref(trust[i]);
		trust[i] = NULL;
	}
	return 0;
}

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

int office_end(void **state)
{
	X509_free(office.mic_ca);
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

void office_add(const char *name, const char *profile)
{
	const struct device device = {
		.name = name, .profile = profile, .mic = true};
	struct device *whole = device_new(&device);
	good(inventory_put(office.inventory, whole, INVENTORY_PUT, &d));
	device_unref(whole);
}

/* ---- what is recorded ---- */

/* One of a few, so that several can be had at once. */
static char *text_room(void)
{
	static char texts[TEXTS][TEXT_MAX];
	static int n;
	char *text = texts[n++ % TEXTS];
	text[0] = '\0';
	return text;
}

static void append(char *text, const char *word)
{
	size_t n = strlen(text);
	snprintf(text + n, TEXT_MAX - n, "%s%s", n ? " " : "", word);
}

const char *office_order(
	const char *device, enum capf_kind kind, enum capf_mode mode)
{
	const struct capf_order order = {
		.kind = kind, .mode = mode, .origin = "admin", .replace = true};
	struct capf_ordered result;
	good(capf_desk_order(office.desk, &order, &device, 1, &result, &d));
	assert_int_equal(result.error, 0);
	char *text = text_room();
	append(text, result.string);
	return text;
}

struct capf_operation office_operation(const char *device)
{
	struct capf_operation o = {.kind = CAPF_NONE};
	int error = capf_store_operation(
		capf_desk_look(office.desk), device, &o, &d);
	capf_desk_looked(office.desk);
	good(error == -ENOENT ? 0 : error);
	return o;
}

const char *office_state(const char *device)
{
	struct capf_operation o = office_operation(device);
	char *text = text_room();
	append(text, capf_state_name(o.state));
	append(text, capf_why_name(o.why));
	return text;
}

static bool add_event(void *self, const struct capf_audit *link)
{
	append(self, link->event);
	return true;
}

const char *office_chain(void)
{
	char *text = text_room();
	struct capf_store *store = capf_desk_look(office.desk);
	int error = capf_store_audit_read(store, 0, add_event, text, &d);
	if (error == 0)
		error = capf_store_audit_check(store, &d);
	capf_desk_looked(office.desk);
	good(error);
	return text;
}

static bool add_state(void *self, const struct capf_issued *i)
{
	append(self, capf_issued_name(i->state));
	return true;
}

const char *office_ledger(const char *device)
{
	char *text = text_room();
	const struct capf_issued_which which = {.device = device};
	int error = capf_store_ledger(
		capf_desk_look(office.desk), &which, add_state, text, &d);
	capf_desk_looked(office.desk);
	good(error);
	return text;
}

/* ---- phones ---- */

/* Puts the visit where `before` is. */
static void note_visit(struct capf_visit *before, struct capf_visit *v)
{
	size_t i = 0;
	pthread_mutex_lock(&lock);
	while (i < VISITS && visits[i] != before)
		i++;
	if (i == VISITS)
		fail();
	else
		visits[i] = v;
	pthread_mutex_unlock(&lock);
}

struct capf_visit *office_visit(void)
{
	const struct peer peer = {
		.address = "192.0.2.7", .port = 40000, .ref = {0, 1}};
	struct capf_visit *v = capf_visit_new(office.desk, &peer);
	note_visit(NULL, v);
	return v;
}

void office_wait(bool (*there)(void *self), void *self)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&lock);
	bool good;
	while (!(good = there(self)) &&
		pthread_cond_timedwait(&woken, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
	assert_true(good);
}

struct waiting {
	struct capf_visit *v;
	struct capf_answer answer;
};

static bool is_answered(void *self)
{
	struct waiting *w = self;
	return capf_visit_answer(w->v, &w->answer);
}

struct capf_answer office_answer(struct capf_visit *v)
{
	struct waiting w = {.v = v};
	office_wait(is_answered, &w);
	return w.answer;
}

struct capf_answer office_tell(
	struct capf_visit *v, const struct capf_server_event *event)
{
	capf_visit_tell(v, event);
	return office_answer(v);
}

struct capf_answer office_auth(struct capf_visit *v, const char *device,
	unsigned version, const char *password)
{
	return office_tell(v, &(struct capf_server_event){
				      .type = CAPF_SERVER_AUTH,
				      .device = device,
				      .version = version,
				      .password = password,
				      .reason = 1,
			      });
}

struct capf_answer office_key(struct capf_visit *v, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	assert_true(n > 0);
	struct capf_answer a =
		office_tell(v, &(struct capf_server_event){
				       .type = CAPF_SERVER_KEY,
				       .public_key = {der, (size_t)n},
				       .reason = -1,
			       });
	OPENSSL_free(der);
	return a;
}

struct capf_answer office_reason(
	struct capf_visit *v, enum capf_server_event_type type, int reason)
{
	return office_tell(
		v, &(struct capf_server_event){.type = type, .reason = reason});
}

void office_leave(struct capf_visit *v, const char *rule)
{
	note_visit(v, NULL);
	capf_visit_leave(v, rule, rule ? "as the test says" : NULL);
}

void office_settle(void)
{
	time_t until = time(NULL) + PATIENCE_S;
	while (capf_desk_state(office.desk).visits ||
		capf_desk_state(office.desk).waiting) {
		/* Each look is a turn of its own behind the thread's. */
		capf_desk_look(office.desk);
		capf_desk_looked(office.desk);
		assert_true(time(NULL) < until);
	}
}

const char *office_text(const struct capf_answer *a)
{
	char *text = text_room();
	switch (a->what) {
	case CAPF_ANSWER_GENERATE:
		snprintf(text, TEXT_MAX, "GENERATE %s-%u",
			a->wish.type == CAPF_KEY_EC ? "EC" : "RSA",
			a->wish.bits);
		break;
	case CAPF_ANSWER_STORE:
		assert_true(a->n > 0);
		append(text, "STORE");
		break;
	case CAPF_ANSWER_ERASE:
		append(text, "ERASE");
		break;
	case CAPF_ANSWER_FETCH:
		snprintf(text, TEXT_MAX, "FETCH %u", a->type);
		break;
	case CAPF_ANSWER_END:
		snprintf(text, TEXT_MAX, "END %d %s", (int)a->reason,
			capf_why_name(a->why));
		break;
	}
	return text;
}

const char *office_install(const char *device, int key)
{
	struct capf_visit *v = office_visit();
	office_order(device, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_answer a = office_auth(v, device, 3, NULL);
	assert_int_equal(a.what, CAPF_ANSWER_GENERATE);
	a = office_key(v, made_key("p256", key));
	assert_int_equal(a.what, CAPF_ANSWER_STORE);
	struct capf_operation o = office_operation(device);
	a = office_reason(v, CAPF_SERVER_STORED, 1);
	assert_string_equal(office_text(&a), "END 1 none");
	office_leave(v, NULL);
	char *text = text_room();
	append(text, o.serial);
	return text;
}
