/* SPDX-License-Identifier: Apache-2.0 */
/* What was last seen of a device: kept for each one, so it is small. */
#ifndef REGISTRAR_DEVICE_SEEN_H
#define REGISTRAR_DEVICE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/identity.h"

struct device_seen {
	int64_t registered; /* unix seconds; 0: never */
	/* The last certificate; kind UNKNOWN: none yet. */
	int64_t not_after;
	const char *issuer; /* its CN; kept by whoever keeps the structure */
	const char *anchor; /* file name of the anchor that vouched */
	uint8_t anchor_sha256[32]; /* zero: an older version wrote it */
	uint8_t sha256[32];
	char serial[CERT_SERIAL_MAX + 1];
	uint8_t kind; /* enum cert_kind */
};

/* What it says of the device's LSC at that moment: "installed", "expired",
 * "none" (it showed its MIC, which a phone with an LSC does not), "unknown". */
const char *device_seen_lsc(const struct device_seen *seen, int64_t now);

#endif
