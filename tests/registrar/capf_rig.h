/* SPDX-License-Identifier: Apache-2.0 */
/* A store of CAPF's records in a folder of its own, for facts about it. */
#ifndef TESTS_REGISTRAR_CAPF_RIG_H
#define TESTS_REGISTRAR_CAPF_RIG_H

#include "registrar/store/capf_store.h"

/* The store at hand, its folder and file. */
extern struct capf_store *rig_store;
extern char rig_folder[64], rig_database[80];
/* Of the last call that was given it. */
extern struct diag rig_why;

/* Before and behind each fact, and behind all. */
int rig_set_up(void **state);
int rig_tear_down(void **state);
int rig_end(void **state);

/* Fails the fact with rig_why unless error is 0. */
void rig_good(int error);
void rig_open(void);
void rig_close(void);
void rig_reopen(void);
void rig_begin(void);
void rig_commit(void);
/* SQL by another program, with the store closed. */
void rig_change(const char *sql);

/* An operation with something in each field; an LSC's line by its number. */
struct capf_operation rig_operation(const char *device);
struct capf_issued rig_issued(unsigned number, const char *device);
extern const uint8_t rig_der[3];
int rig_add(struct capf_issued i);

#endif
