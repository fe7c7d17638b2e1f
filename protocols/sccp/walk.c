/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of a registering phone, and its judgement of the answers. */
#include "protocols/sccp/walk.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocols/sccp/ids.h"
#include "protocols/sccp/softkeys.h"

enum {
	PIPELINED = 15, /* the first version of phones that do not wait */
	DIALS = 4,	/* the 7912 asks for four, backwards */
};

/* How often a stage asks, and with which number. */
enum range {
	BARE,	  /* once, without a body */
	FIRST,	  /* once, for index 1 */
	PER_LINE, /* 1 to the number of lines */
	PER_DIAL, /* 4 to 1 */
	HOW_MANY, /* once, with the number of lines */
};

enum patience { GO_ON, WAIT_FOR_ALL };

/* In order. An answer of 0: none comes. since..until: negotiated versions. */
static const struct stage {
	uint32_t ask;
	uint32_t answer;
	enum range range;
	enum patience patience; /* before asking */
	uint8_t since;
	uint8_t until;
} stages[] = {
	{SCCP_ID_BUTTON_TEMPLATE_REQ, SCCP_ID_BUTTON_TEMPLATE, BARE,
		WAIT_FOR_ALL, 0, UINT8_MAX},
	{SCCP_ID_SOFT_KEY_TEMPLATE_REQ, SCCP_ID_SOFT_KEY_TEMPLATE, BARE,
		WAIT_FOR_ALL, 0, UINT8_MAX},
	{SCCP_ID_SOFT_KEY_SET_REQ, SCCP_ID_SOFT_KEY_SET, BARE, WAIT_FOR_ALL, 0,
		UINT8_MAX},
	{SCCP_ID_CONFIG_STAT_REQ, SCCP_ID_CONFIG_STAT, BARE, GO_ON, 15,
		UINT8_MAX},
	{SCCP_ID_LINE_STAT_REQ, SCCP_ID_LINE_STAT, PER_LINE, GO_ON, 0,
		UINT8_MAX},
	{SCCP_ID_FORWARD_STAT_REQ, SCCP_ID_FORWARD_STAT, PER_LINE, GO_ON, 8,
		UINT8_MAX},
	{SCCP_ID_FEATURE_STAT_REQ, SCCP_ID_FEATURE_STAT, FIRST, GO_ON, 0,
		UINT8_MAX},
	{SCCP_ID_SPEED_DIAL_STAT_REQ, SCCP_ID_SPEED_DIAL_STAT, PER_DIAL, GO_ON,
		0, UINT8_MAX},
	{SCCP_ID_SERVICE_URL_STAT_REQ, SCCP_ID_SERVICE_URL_STAT, FIRST, GO_ON,
		15, UINT8_MAX},
	/* The 8945 (20 and up) does not say how many lines it could have. */
	{SCCP_ID_AVAILABLE_LINES, 0, HOW_MANY, WAIT_FOR_ALL, 0, 19},
	{SCCP_ID_TIME_DATE_REQ, SCCP_ID_DEFINE_TIME_DATE, BARE, WAIT_FOR_ALL, 0,
		UINT8_MAX},
};

enum { N_STAGES = sizeof(stages) / sizeof(*stages) };

void sccp_walk_init(struct sccp_walk *w, const char *device, uint8_t version)
{
	*w = (struct sccp_walk){.device = device, .version = version};
}

static unsigned steps_of(const struct sccp_walk *w, const struct stage *s)
{
	if (w->version < s->since || w->version > s->until)
		return 0;
	if (s->range == PER_LINE)
		return w->n_lines;
	return s->range == PER_DIAL ? DIALS : 1;
}

static uint32_t index_of(const struct sccp_walk *w, const struct stage *s)
{
	switch (s->range) {
	case BARE:
		return 0;
	case FIRST:
		return 1;
	case PER_LINE:
		return w->step + 1;
	case PER_DIAL:
		return DIALS - w->step;
	case HOW_MANY:
		return w->n_lines;
	}
	return 0;
}

bool sccp_walk_next(struct sccp_walk *w, struct sccp_message *m)
{
	while (w->stage < N_STAGES &&
		w->step >= steps_of(w, &stages[w->stage])) {
		w->stage++;
		w->step = 0;
	}
	if (w->stage == N_STAGES || w->n_open == SCCP_WALK_OPEN_MAX)
		return false;
	const struct stage *s = &stages[w->stage];
	bool waits = w->version < PIPELINED || s->patience == WAIT_FOR_ALL;
	if (waits && w->n_open)
		return false;
	sccp_message_init(m, s->ask);
	m->u.value = index_of(w, s);
	if (s->answer)
		w->open[w->n_open++] = (struct sccp_wish){
			.ask = s->ask,
			.answer = sccp_message_form(s->answer, w->version),
			.index = s->range == HOW_MANY ? 0 : m->u.value,
		};
	w->step++;
	return true;
}

bool sccp_walk_done(const struct sccp_walk *w)
{
	return w->n_open == 0 && w->stage + 1 >= N_STAGES &&
	       (w->stage == N_STAGES || w->step > 0);
}

/* ---- judging answers: NULL, or what is wrong ---- */

static const char *judge_buttons(
	struct sccp_walk *w, const struct sccp_buttons *b)
{
	if (b->count > SCCP_LINES_MAX || b->total != b->count || b->offset)
		return "counts do not add up";
	w->n_lines = 0;
	for (unsigned i = 0; i < b->count; i++) {
		if (b->slots[i].type != SCCP_BUTTON_LINE)
			continue;
		if (b->slots[i].instance != ++w->n_lines)
			return "line buttons out of order";
	}
	return w->n_lines ? NULL : "no line button";
}

static const char *judge_keys(struct sccp_walk *w, const struct sccp_keys *k)
{
	if (k->count == 0 || k->count > SCCP_KEYS_MAX || k->total != k->count)
		return "counts do not add up";
	w->n_keys = k->count;
	for (unsigned i = 0; i < k->count; i++) {
		if (!k->keys[i].label[0] || !k->keys[i].event)
			return "a key without label or event";
		w->key_events[i] = k->keys[i].event;
	}
	return NULL;
}

static const char *judge_set(
	const struct sccp_walk *w, const struct sccp_set *set)
{
	for (unsigned i = 0; i < SCCP_SET_KEYS; i++) {
		unsigned at = set->position[i];
		if (at > w->n_keys)
			return "a key behind the end of the template";
		if (at && set->info[i] != SCCP_KEY_INFO + w->key_events[at - 1])
			return "info index and event disagree";
		if (!at && set->info[i])
			return "an info index without a key";
	}
	return NULL;
}

static const char *judge_sets(
	const struct sccp_walk *w, const struct sccp_sets *s)
{
	const char *wrong = NULL;
	if (s->count == 0 || s->count > SCCP_SETS_MAX || s->total != s->count)
		return "counts do not add up";
	for (unsigned i = 0; i < s->count && !wrong; i++)
		wrong = judge_set(w, &s->sets[i]);
	return wrong;
}

static const char *judge_config(
	const struct sccp_walk *w, const struct sccp_config_stat *c)
{
	if (strcasecmp(c->sid.name, w->device) != 0)
		return "another device's name";
	return c->lines == w->n_lines ? NULL : "another number of lines";
}

static const char *judge_time(const struct sccp_time_date *t)
{
	bool date = t->year >= 1970 && t->month >= 1 && t->month <= 12 &&
		    t->day >= 1 && t->day <= 31 && t->weekday <= 6;
	bool time = t->hour <= 23 && t->minute <= 59 && t->second <= 60 &&
		    t->ms <= 999;
	return date && time ? NULL : "no such time";
}

static const char *judge_line(const struct sccp_line_stat *l)
{
	return l->number[0] ? NULL : "no directory number";
}

static const char *judge(struct sccp_walk *w, const struct sccp_message *m)
{
	switch (m->id) {
	case SCCP_ID_BUTTON_TEMPLATE:
		return judge_buttons(w, &m->u.buttons);
	case SCCP_ID_SOFT_KEY_TEMPLATE:
		return judge_keys(w, &m->u.keys);
	case SCCP_ID_SOFT_KEY_SET:
		return judge_sets(w, &m->u.sets);
	case SCCP_ID_CONFIG_STAT:
		return judge_config(w, &m->u.config);
	case SCCP_ID_LINE_STAT:
	case SCCP_ID_LINE_STAT_V2:
		return judge_line(&m->u.line);
	case SCCP_ID_DEFINE_TIME_DATE:
		return judge_time(&m->u.time);
	default:
		return NULL;
	}
}

/* The number by which an answer says what it is about. */
static uint32_t subject(const struct sccp_message *m)
{
	switch (m->id) {
	case SCCP_ID_LINE_STAT:
	case SCCP_ID_LINE_STAT_V2:
		return m->u.line.line;
	case SCCP_ID_FORWARD_STAT:
		return m->u.forward.line;
	case SCCP_ID_SPEED_DIAL_STAT:
		return m->u.dial.index;
	case SCCP_ID_FEATURE_STAT:
	case SCCP_ID_FEATURE_STAT_V2:
		return m->u.feature.index;
	case SCCP_ID_SERVICE_URL_STAT:
	case SCCP_ID_SERVICE_URL_STAT_V2:
		return m->u.service.index;
	default:
		return 0;
	}
}

bool sccp_walk_answer(struct sccp_walk *w, const struct sccp_message *m,
	char why[SCCP_WALK_TEXT])
{
	uint32_t about = subject(m);
	unsigned i = 0;
	while (i < w->n_open &&
		(w->open[i].answer != m->id || w->open[i].index != about))
		i++;
	if (i == w->n_open) {
		snprintf(why, SCCP_WALK_TEXT, "%s %u: nobody asked for it",
			sccp_id_name(m->id), about);
		return false;
	}
	memmove(&w->open[i], &w->open[i + 1],
		(w->n_open - i - 1) * sizeof(*w->open));
	w->n_open--;
	const char *wrong = judge(w, m);
	if (wrong)
		snprintf(why, SCCP_WALK_TEXT, "%s %u: %s", sccp_id_name(m->id),
			about, wrong);
	return !wrong;
}
