/* SPDX-License-Identifier: Apache-2.0 */
/* A desk with all it needs, and phones that come to it. */
#ifndef TESTS_REGISTRAR_OFFICE_H
#define TESTS_REGISTRAR_OFFICE_H

#include "registrar/capf/desk.h"
#include "tests/certs/made.h"

/* The one that is open; tests may look and, before office_start(), change the
 * configuration. */
struct office {
	char folder[80]; /* the state folder */
	struct config *config;
	struct inventory *inventory;
	struct capf_authority *authority;
	struct capf_desk *desk;
	X509 *mic_ca; /* "Cisco Manufacturing CA", key rsa2048 9 */
	bool no_trust;
	int64_t now;		 /* its clock; atomic */
	int resets;		 /* phones that were told to reset; atomic */
	bool nobody_there;	 /* to be reset; atomic */
	void (*meanwhile)(void); /* what happens while a phone is told */
};
extern struct office office;

/* Folders, roots (P-256), CAPF-trust with root and mic_ca, profile "ec" (EC
 * only, P-256). For cmocka. */
int office_set_up(void **state);
int office_tear_down(void **state);
int office_end(void **state);
/* The desk opens; closes and opens again. */
void office_start(void);
void office_restart(void);
/* Both stores believe it, too: as a CA that issues LSCs. */
void office_believe(X509 *ca);
/* Both stores believe our root that signs; or do not any more. */
void office_trust(void);
void office_distrust(void);
/* CAPF-trust has that file, too. */
void office_enrol_by(const char *file, X509 *ca);

void office_add(const char *name, const char *profile);
/* An operation is pending for it; the authentication string, or "". */
const char *office_order(
	const char *device, enum capf_kind kind, enum capf_mode mode);
struct capf_operation office_operation(const char *device);
/* "STATE WHY" of it: "pending none", "done none", "failed late". */
const char *office_state(const char *device);
/* The audit chain's events, "ordered admitted ...". */
const char *office_chain(void);
/* What the ledger has of a device: "stale", "installed stale", "". */
const char *office_ledger(const char *device);

/* ---- phones ---- */

struct capf_visit *office_visit(void);
/* Tells, and waits for the answer: what the desk never gives fails the test. */
struct capf_answer office_tell(
	struct capf_visit *v, const struct capf_server_event *event);
struct capf_answer office_answer(struct capf_visit *v);
struct capf_answer office_auth(struct capf_visit *v, const char *device,
	unsigned version, const char *password);
struct capf_answer office_key(struct capf_visit *v, EVP_PKEY *key);
struct capf_answer office_reason(
	struct capf_visit *v, enum capf_server_event_type type, int reason);
/* Over by itself, or as `rule` says. */
void office_leave(struct capf_visit *v, const char *rule);
/* Waits until `there` says so, which is asked whenever the desk woke somebody.
 */
void office_wait(bool (*there)(void *self), void *self);
/* Waits until the desk has nothing to do any more. */
void office_settle(void);
/* "END 7 late", "GENERATE EC-256", "STORE", "ERASE", "FETCH 0". */
const char *office_text(const struct capf_answer *a);
/* A whole visit for an install by null string, until STORE was answered; the
 * serial number. */
const char *office_install(const char *device, int key);

#endif
