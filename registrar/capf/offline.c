/* SPDX-License-Identifier: Apache-2.0 */
/* capf.offline_folder: requests for a CA outside, and what it signed. */
#include "registrar/capf/offline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "certs/file.h"
#include "registrar/capf/offline_inside.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* ---- importing ---- */

int capf_offline_may_import(struct capf_desk *desk,
	const struct capf_believers *by, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d)
{
	device[0] = '\0';
	int error = capf_believe(by, cert, time(NULL), d);
	return error ? error : capf_desk_may_import(desk, cert, device, d);
}

int capf_offline_import(struct capf_desk *desk, const struct capf_believers *by,
	X509 *cert, char device[CERT_DEVICE_MAX + 1], struct diag *d)
{
	char warning[256];
	struct log_line line;
	device[0] = '\0';
	int error = capf_believe(by, cert, time(NULL), d);
	if (!error)
		error = capf_desk_import(desk, cert, device, d);
	if (error)
		return error;
	capf_believe_name(cert, warning, sizeof(warning));
	if (*warning) {
		log_begin(&line, LOG_EV_CAPF_CA_NAME);
		log_str(&line, "why", warning);
		log_end(&line);
	}
	return 0;
}

/* ---- looks ---- */

/* Once for each fault, and once when it is over. */
static void tell(struct capf_offline *o, const char *why)
{
	struct log_line line;
	if (strcmp(why, o->fault) == 0)
		return;
	text_copy(o->fault, sizeof(o->fault), why);
	log_begin(&line,
		*why ? LOG_EV_CAPF_OFFLINE_FAILED : LOG_EV_CAPF_OFFLINE_WORKS);
	log_str(&line, "folder", o->folder);
	log_str(&line, "why", why);
	log_end(&line);
}

static bool look(void *self, bool asked)
{
	struct capf_offline *o = self;
	struct diag d = {.text = ""}, e = {.text = ""};
	int taken = capf_offline_take(o, &d);
	int written = capf_offline_export(o, &e);
	/* What somebody still writes is no fault, but looked at again. */
	tell(o, taken && taken != -EAGAIN ? d.text : written ? e.text : "");
	return taken == 0 && written == 0;
}

/* ---- life ---- */

static int make_folder(const char *path, mode_t mode, struct diag *d)
{
	struct stat st;
	if (mkdir(path, mode) == 0) /* and whatever the umask takes away */
		return chmod(path, mode) ? diag_set(d, -errno, "%s: %s", path,
						   strerror(errno))
					 : 0;
	if (errno != EEXIST)
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	if (lstat(path, &st))
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_set(d, -ENOTDIR,
			"%s: is there, and no folder; move it away", path);
	return st.st_mode & S_IWOTH
		       ? diag_set(d, -EPERM,
				 "%s: anybody may write to this folder: see "
				 "what is in it, then chmod o-w",
				 path)
		       : 0;
}

static int make_folders(struct capf_offline *o, struct diag *d)
{
	int error = make_folder(o->folder, 0750, d);
	if (!error)
		error = make_folder(o->signed_in, 0770, d);
	if (!error)
		error = make_folder(o->done, 0750, d);
	if (!error)
		error = make_folder(o->refused, 0750, d);
	if (error)
		return error;
	char *path = memory_format("%s/README.txt", o->folder);
	char *text = capf_offline_readme(o->config);
	error = cert_file_write(path, 0644, text, strlen(text), d);
	free(text);
	free(path);
	return error;
}

static void warn_of_trust(const struct capf_believers *by)
{
	struct log_line line;
	struct diag d;
	if (capf_believe_any(by, &d) == 0)
		return;
	log_begin(&line, LOG_EV_CAPF_CA_UNKNOWN);
	log_str(&line, "why", d.text);
	log_end(&line);
}

int capf_offline_open(const struct config *config, struct capf_desk *desk,
	const struct capf_believers *by, struct capf_offline **out,
	struct diag *d)
{
	*out = NULL;
	if (config->capf_issuer != CONFIG_ISSUER_OFFLINE)
		return 0;
	warn_of_trust(by);
	if (!*config->capf_offline_folder)
		return 0;
	struct capf_offline *o = memory_zero(sizeof(*o));
	o->config = config;
	o->desk = desk;
	o->by = *by;
	o->folder = memory_dup(config->capf_offline_folder);
	o->signed_in = memory_format("%s/signed", o->folder);
	o->done = memory_format("%s/done", o->folder);
	o->refused = memory_format("%s/refused", o->folder);
	int error = make_folders(o, d);
	if (error) {
		capf_offline_close(o);
		return error;
	}
	o->watch = watch_new((const char *const *)&o->signed_in, 1, look, o);
	watch_start(o->watch);
	watch_nudge(o->watch); /* what came while nobody watched */
	*out = o;
	return 0;
}

void capf_offline_close(struct capf_offline *o)
{
	if (!o)
		return;
	if (o->watch)
		watch_free(o->watch);
	free(o->folder);
	free(o->signed_in);
	free(o->done);
	free(o->refused);
	free(o);
}

void capf_offline_tend(struct capf_offline *o)
{
	if (o)
		watch_nudge(o->watch);
}
