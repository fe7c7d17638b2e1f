/* SPDX-License-Identifier: Apache-2.0 */
/* What time and an admin do to ticket keys and kept sessions. */
#include "registrar/tls/resumption.h"

#include <errno.h>
#include <string.h>

#include "registrar/log.h"

/* Is any key of one view in the other? */
static bool share_a_key(
	const struct ticket_keys_view *a, const struct ticket_keys_view *b)
{
	for (size_t i = 0; i < TICKET_KEYS; i++)
		for (size_t k = 0; k < TICKET_KEYS; k++)
			if (strcmp(a->names[i], b->names[k]) == 0)
				return true;
	return false;
}

static int forget_sessions(struct resume *resume, struct diag *d)
{
	resume_revoke(resume);
	if (!resume->cache)
		return 0;
	int error = session_cache_clear(resume->cache);
	if (error < 0)
		return diag_set(d, error, "%s: %s",
			resume->config->session_cache, strerror(-error));
	return 0;
}

/* The file as it is now, which another node may have written. */
static int read_again(struct resume *resume, struct diag *d)
{
	struct ticket_keys_view old = ticket_keys_view(resume->keys);
	int error = ticket_keys_reload(resume->keys, d);
	struct ticket_keys_view new = ticket_keys_view(resume->keys);
	if (error == 0 && !share_a_key(&old, &new))
		error = forget_sessions(resume, d);
	return error;
}

time_t resumption_rotation_due(const struct resume *resume)
{
	return ticket_keys_view(resume->keys).rotated +
	       (time_t)resume->config->ticket_rotate_s;
}

/* Keys of the future are due, too: a clock that was ahead when they were made
 * and is not any more would keep them for as long as it was ahead. */
static bool is_due(const struct resume *resume)
{
	time_t now = time(NULL), due = resumption_rotation_due(resume);
	return now >= due ||
	       now < due - 2 * (time_t)resume->config->ticket_rotate_s;
}

void resumption_tend(struct resume *resume)
{
	struct log_line line;
	struct diag d;
	if (!resume->keys)
		return;
	int error = read_again(resume, &d);
	if (error == 0 && !is_due(resume))
		return;
	if (error == 0)
		error = ticket_keys_rotate(resume->keys, &d);
	log_begin(&line, error ? LOG_EV_TICKET_KEYS_REFUSED
			       : LOG_EV_TICKET_KEYS_ROTATED);
	if (error)
		log_str(&line, "why", d.text);
	log_end(&line);
}

int resumption_may_rotate(struct resume *resume, struct diag *d)
{
	if (resume->keys)
		return 0;
	return diag_set(d, -ENOTSUP,
		"there are no ticket keys: tls.resumption allows no tickets; "
		"set it to \"all\" or \"tickets\" and start dialtoned anew");
}

int resumption_rotate(struct resume *resume, struct diag *d)
{
	int error = resumption_may_rotate(resume, d);
	if (error == 0)
		error = read_again(resume, d);
	return error < 0 ? error : ticket_keys_rotate(resume->keys, d);
}

int resumption_revoke_all(struct resume *resume, struct diag *d)
{
	if (!resume->keys && !resume->cache)
		return diag_set(d, -ENOTSUP,
			"there is nothing to revoke: tls.resumption is "
			"\"off\", no phone resumes");
	int error = resume->keys ? ticket_keys_revoke_all(resume->keys, d) : 0;
	return error < 0 ? error : forget_sessions(resume, d);
}
