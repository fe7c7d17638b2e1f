/* SPDX-License-Identifier: Apache-2.0 */
/* The places of a worker's connections: what a reference leads to. */
#ifndef REGISTRAR_SLOTS_H
#define REGISTRAR_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "registrar/net/conn.h"
#include "registrar/net/flow.h"
#include "registrar/net/limits.h"

/* References are slot number and how often it was used. */
struct slot {
	struct conn *conn;
	struct flow *flow;     /* one of the two, or free */
	struct limits *limits; /* that count it */
	uint32_t used;
	uint32_t next_free;
};

/* Zeroed: none is taken. One thread's. */
struct slots {
	struct slot *all;
	size_t n;
	uint32_t free; /* 0: none */
};

/* A free one gets what is in `holds`, and its reference. */
struct conn_ref slots_take(
	struct slots *s, uint32_t worker, const struct slot *holds);
/* NULL: that reference is old. */
struct slot *slots_find(struct slots *s, struct conn_ref ref);
/* It is free again. */
void slots_give(struct slots *s, struct conn_ref ref);
void slots_deinit(struct slots *s);

#endif
