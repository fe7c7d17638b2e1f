/* SPDX-License-Identifier: Apache-2.0 */
/* Says once what each list of revoked certificates has come to. */
#include "registrar/crl_watch.h"

#include <string.h>

#include "registrar/log.h"

static void log_list(enum log_event event, const struct trust_crl *crl,
	enum trust_crl_state state, const char *why)
{
	struct log_line line;
	char issued[21], ends[21] = "";
	cert_time_text(crl->this_update, issued);
	if (crl->next_update)
		cert_time_text(crl->next_update, ends);
	log_begin(&line, event);
	log_str(&line, "file", crl->file);
	log_str(&line, "issuer", crl->issuer);
	log_str(&line, "number", crl->number);
	log_str(&line, "issued", issued);
	log_str(&line, "ends", ends);
	log_num(&line, "entries", (int64_t)crl->n);
	log_str(&line, "state", trust_crl_state_name(state));
	log_str(&line, "why", why);
	log_end(&line);
}

static size_t warn(const struct trust_crl *crl, enum trust_crl_state state)
{
	if (state == TRUST_CRL_DUE)
		log_list(LOG_EV_CRL_DUE, crl, state,
			"it ends within a day: fetch the next one from its "
			"CA; it stays in force until that is here");
	if (state == TRUST_CRL_OVERDUE)
		log_list(LOG_EV_CRL_OVERDUE, crl, state,
			"it has ended: fetch the next one from its CA; it "
			"stays in force, and no phone is refused for that");
	if (state == TRUST_CRL_ORPHAN)
		log_list(LOG_EV_CRL_ORPHAN, crl, state,
			"its CA is not here: remove it, or add the CA");
	return state == TRUST_CRL_DUE || state == TRUST_CRL_OVERDUE ||
	       state == TRUST_CRL_ORPHAN;
}

size_t crl_watch_look(
	struct crl_watch *w, const struct trust_snapshot *trust, time_t now)
{
	const struct trust_revocation *r = trust_snapshot_revocation(trust);
	size_t n = trust_revocation_count(r), warned = 0;
	pthread_mutex_lock(&w->lock);
	bool is_new = w->generation != trust_snapshot_generation(trust);
	w->generation = trust_snapshot_generation(trust);
	if (is_new)
		memset(w->told, 0, sizeof(w->told));
	for (size_t i = 0; i < n; i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		enum trust_crl_state state = trust_revocation_state(r, i, now);
		if (is_new)
			log_list(LOG_EV_CRL_LOADED, crl, state, NULL);
		if (state != w->told[i])
			warned += warn(crl, state);
		w->told[i] = state;
	}
	pthread_mutex_unlock(&w->lock);
	return warned;
}
