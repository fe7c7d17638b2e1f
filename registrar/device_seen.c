/* SPDX-License-Identifier: Apache-2.0 */
/* What was last seen of a device: kept for each one, so it is small. */
#include "registrar/device_seen.h"

const char *device_seen_lsc(const struct device_seen *seen, int64_t now)
{
	if (seen->kind == CERT_KIND_MIC)
		return "none";
	if (seen->kind != CERT_KIND_LSC)
		return "unknown";
	return seen->not_after < now ? "expired" : "installed";
}
