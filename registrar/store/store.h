/* SPDX-License-Identifier: Apache-2.0 */
/* Where the inventory lasts. An engine implements this; SQLite does. */
#ifndef REGISTRAR_STORE_STORE_H
#define REGISTRAR_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/device.h"
#include "registrar/device_seen.h"

/* Strangers are taken into the inventory until then. */
struct store_window {
	int64_t until; /* unix seconds; 0: closed */
	bool plain;    /* also those that come without TLS */
};

/* One device's sighting, as it is written behind. */
struct store_sighting {
	char name[CERT_DEVICE_MAX + 1];
	struct device_seen seen;
};

/* Part of a change: of the member that `what` names. */
struct store_change {
	enum store_what {
		STORE_PUT_DEVICE, /* new, or in place of the one of its name */
		STORE_REMOVE_DEVICE,
		STORE_PUT_PROFILE,
		STORE_REMOVE_PROFILE,
		STORE_PUT_SIGHTING,
		STORE_PUT_WINDOW,
	} what;
	union {
		const struct device *device;
		const struct security_profile *profile;
		const char *name;
		const struct store_sighting *sighting;
		const struct store_window *window;
	};
};

/* What a store holds is told to these, devices before their sightings. Each
 * answers 0, or -errno with d: then it is not what a store may hold. */
struct store_reader {
	void *self;
	int (*device)(void *self, const struct device *from, struct diag *d);
	int (*profile)(void *self, const struct security_profile *profile,
		struct diag *d);
	int (*sighting)(void *self, const struct store_sighting *sighting,
		struct diag *d);
	int (*window)(
		void *self, const struct store_window *window, struct diag *d);
};

/*
 * Opens what is kept in the state folder, or begins it if it never was.
 * What cannot be read whole is refused: -errno, d names it and the cure. One
 * thread at a time may call these.
 */
struct store;
int store_open(const char *folder, struct store **out, struct diag *d);
void store_close(struct store *s);

int store_load(
	struct store *s, const struct store_reader *reader, struct diag *d);

/* Makes all of the changes last, or none: -ENOSPC, -EIO and d. They are on
 * the disk when it answers. */
int store_write(struct store *s, const struct store_change *changes, size_t n,
	struct diag *d);

#endif
