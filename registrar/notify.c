/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager is told and gives, by libsystemd. */
#include "registrar/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <systemd/sd-daemon.h>

enum { DROP_US = 5000000 }; /* that it may take the manager */

_Static_assert(NOTIFY_FIRST == SD_LISTEN_FDS_START, "as systemd numbers them");

void notify_say(const char *lines)
{
	sd_notify(0, lines);
}

void notify_reloading(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

uint64_t notify_watchdog_ms(void)
{
	uint64_t us;
	return sd_watchdog_enabled(0, &us) > 0 ? us / 1000 : 0;
}

size_t notify_sockets(char ***names)
{
	*names = NULL;
	int n = sd_listen_fds_with_names(0, names);
	return n < 0 ? 0 : (size_t)n;
}

/* A socket that listens is no sign of anything: it is not to be polled. */
void notify_keep(const char *name, int fd)
{
	char lines[128];
	snprintf(lines, sizeof(lines), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	sd_pid_notify_with_fds(0, 0, lines, &fd, 1);
}

void notify_drop(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	sd_notify_barrier(0, DROP_US);
}
