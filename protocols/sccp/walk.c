/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of a registering phone, and its judgement of the answers. */
#include "protocols/sccp/walk.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocols/sccp/ids.h"
#include "protocols/sccp/softkeys.h"

enum { DIALS = 4 /* the 7912 asks for four, backwards */ };

/* How often a stage asks, and with which number. */
enum range {
	BARE,	     /* once, without a body */
	FIRST,	     /* once, for index 1 */
	PER_LINE,    /* 1 to the number of lines */
	FOUR_DIALS,  /* 4 to 1 */
	PER_DIAL,    /* for each button that dials */
	PER_FEATURE, /* for each with a state */
	PER_SERVICE, /* for each with a URL */
	HOW_MANY,    /* once, with the number of lines */
};

enum patience { GO_ON, WAIT_FOR_ALL };

/* An answer of 0: none comes. */
struct stage {
	uint32_t ask;
	uint32_t answer;
	enum range range;
	enum patience patience; /* before asking */
};

static const struct stage buttons = {SCCP_ID_BUTTON_TEMPLATE_REQ,
				  SCCP_ID_BUTTON_TEMPLATE, BARE, WAIT_FOR_ALL},
			  keys = {SCCP_ID_SOFT_KEY_TEMPLATE_REQ,
				  SCCP_ID_SOFT_KEY_TEMPLATE, BARE,
				  WAIT_FOR_ALL},
			  sets = {SCCP_ID_SOFT_KEY_SET_REQ,
				  SCCP_ID_SOFT_KEY_SET, BARE, WAIT_FOR_ALL},
			  configuration = {SCCP_ID_CONFIG_STAT_REQ,
				  SCCP_ID_CONFIG_STAT, BARE, GO_ON},
			  lines = {SCCP_ID_LINE_STAT_REQ, SCCP_ID_LINE_STAT,
				  PER_LINE, GO_ON},
			  forwards = {SCCP_ID_FORWARD_STAT_REQ,
				  SCCP_ID_FORWARD_STAT, PER_LINE, GO_ON},
			  first_feature = {SCCP_ID_FEATURE_STAT_REQ,
				  SCCP_ID_FEATURE_STAT, FIRST, GO_ON},
			  four_dials = {SCCP_ID_SPEED_DIAL_STAT_REQ,
				  SCCP_ID_SPEED_DIAL_STAT, FOUR_DIALS, GO_ON},
			  dials = {SCCP_ID_SPEED_DIAL_STAT_REQ,
				  SCCP_ID_SPEED_DIAL_STAT, PER_DIAL, GO_ON},
			  features = {SCCP_ID_FEATURE_STAT_REQ,
				  SCCP_ID_FEATURE_STAT, PER_FEATURE, GO_ON},
			  services = {SCCP_ID_SERVICE_URL_STAT_REQ,
				  SCCP_ID_SERVICE_URL_STAT, PER_SERVICE, GO_ON},
			  how_many = {SCCP_ID_AVAILABLE_LINES, 0, HOW_MANY,
				  WAIT_FOR_ALL},
			  clock_time = {SCCP_ID_TIME_DATE_REQ,
				  SCCP_ID_DEFINE_TIME_DATE, BARE, WAIT_FOR_ALL};

enum { STAGES_MAX = 12 };

/* Specs: sccp 4. The last stage of each is what tells a server that the phone
 * is done. */
static const struct order {
	bool waits; /* one thing at a time */
	const struct stage *stages[STAGES_MAX];
} orders[SCCP_ORDERS] = {
	[SCCP_ORDER_7912] = {true,
		{&buttons, &keys, &sets, &lines, &first_feature, &four_dials,
			&how_many, &clock_time}},
	[SCCP_ORDER_7960] = {true,
		{&buttons, &keys, &sets, &lines, &forwards, &first_feature,
			&four_dials, &how_many, &clock_time}},
	[SCCP_ORDER_JAVA] = {false,
		{&buttons, &keys, &sets, &configuration, &lines, &forwards,
			&dials, &features, &services, &how_many, &clock_time}},
	/* It does not say how many lines it could have. */
	[SCCP_ORDER_8945] = {false,
		{&buttons, &keys, &sets, &forwards, &configuration, &lines,
			&dials, &features, &services, &clock_time}},
	[SCCP_ORDER_SPA] = {true, {&buttons, &keys, &sets, &lines, &forwards,
					  &dials, &clock_time, &how_many}},
};

void sccp_walk_init(struct sccp_walk *w, const char *device, uint8_t version,
	enum sccp_walk_order order)
{
	*w = (struct sccp_walk){
		.device = device, .version = version, .order = order};
}

static bool is_in(enum range range, uint8_t type)
{
	switch (type) {
	case SCCP_BUTTON_SPEED_DIAL:
		return range == PER_DIAL;
	case SCCP_BUTTON_BLF:
		return range == PER_DIAL || range == PER_FEATURE;
	case SCCP_BUTTON_FEATURE:
		return range == PER_FEATURE;
	case SCCP_BUTTON_SERVICE:
		return range == PER_SERVICE;
	default:
		return false;
	}
}

/* The instance of the n-th button in a range, from 0; 0: there is none. */
static uint8_t nth(const struct sccp_walk *w, enum range range, unsigned n)
{
	for (unsigned i = 0; i < w->buttons.count; i++)
		if (is_in(range, w->buttons.slots[i].type) && n-- == 0)
			return w->buttons.slots[i].instance;
	return 0;
}

/* Is there one more to ask for? Which one? */
static bool step_of(
	const struct sccp_walk *w, const struct stage *s, uint32_t *index)
{
	switch (s->range) {
	case BARE:
		*index = 0;
		return w->step < 1;
	case FIRST:
		*index = 1;
		return w->step < 1;
	case PER_LINE:
		*index = w->step + 1;
		return w->step < w->n_lines;
	case FOUR_DIALS:
		*index = DIALS - w->step;
		return w->step < DIALS;
	case PER_DIAL:
	case PER_FEATURE:
	case PER_SERVICE:
		*index = nth(w, s->range, w->step);
		return *index > 0;
	case HOW_MANY:
		*index = w->n_lines;
		return w->step < 1;
	}
	return false;
}

/* The stage that has something to ask, and what; NULL: all was asked. */
static const struct stage *next_stage(struct sccp_walk *w, uint32_t *index)
{
	const struct order *order = &orders[w->order];
	const struct stage *s;
	while ((s = order->stages[w->stage]) && !step_of(w, s, index)) {
		w->stage++;
		w->step = 0;
	}
	return s;
}

bool sccp_walk_next(struct sccp_walk *w, struct sccp_message *m)
{
	uint32_t index;
	const struct stage *s = next_stage(w, &index);
	if (!s || w->n_open == SCCP_WALK_OPEN_MAX)
		return false;
	bool waits = orders[w->order].waits || s->patience == WAIT_FOR_ALL;
	if (waits && w->n_open)
		return false;
	sccp_message_init(m, s->ask);
	m->u.value = index;
	if (s->answer)
		w->open[w->n_open++] = (struct sccp_wish){
			.ask = s->ask,
			.answer = sccp_message_form(s->answer, w->version),
			.index = index,
		};
	w->step++;
	return true;
}

bool sccp_walk_done(const struct sccp_walk *w)
{
	struct sccp_walk ahead = *w;
	uint32_t index;
	return w->n_open == 0 && !next_stage(&ahead, &index);
}

/* ---- judging answers: NULL, or what is wrong ---- */

static const char *judge_buttons(
	struct sccp_walk *w, const struct sccp_buttons *b)
{
	unsigned dials_n = 0, services_n = 0;
	if (b->count > SCCP_BUTTONS_MAX || b->total != b->count || b->offset)
		return "counts do not add up";
	w->buttons = *b;
	w->n_lines = 0;
	for (unsigned i = 0; i < b->count; i++) {
		uint8_t type = b->slots[i].type;
		uint8_t instance = b->slots[i].instance;
		if (type == SCCP_BUTTON_LINE && instance != ++w->n_lines)
			return "line buttons out of order";
		if ((is_in(PER_DIAL, type) || is_in(PER_FEATURE, type)) &&
			instance != ++dials_n)
			return "dial buttons out of order";
		if (is_in(PER_SERVICE, type) && instance != ++services_n)
			return "service buttons out of order";
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

/* The type of the button that an index means; UNDEFINED: there is none. */
static uint8_t type_of(
	const struct sccp_walk *w, enum range range, uint32_t index)
{
	for (unsigned i = 0; i < w->buttons.count; i++)
		if (is_in(range, w->buttons.slots[i].type) &&
			w->buttons.slots[i].instance == index)
			return w->buttons.slots[i].type;
	return SCCP_BUTTON_UNDEFINED;
}

static const char *judge_dial(
	const struct sccp_walk *w, const struct sccp_speed_dial *d)
{
	bool there = type_of(w, PER_DIAL, d->index) != SCCP_BUTTON_UNDEFINED;
	return there && !d->number[0] ? "a speed dial without a number" : NULL;
}

static const char *judge_feature(
	const struct sccp_walk *w, const struct sccp_feature_stat *f)
{
	uint8_t type = type_of(w, PER_FEATURE, f->index);
	bool there = type != SCCP_BUTTON_UNDEFINED;
	return there && f->type != type ? "another type of button" : NULL;
}

static const char *judge_service(
	const struct sccp_walk *w, const struct sccp_service *s)
{
	bool there = type_of(w, PER_SERVICE, s->index) != SCCP_BUTTON_UNDEFINED;
	return there && !s->url[0] ? "a service without a URL" : NULL;
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
	case SCCP_ID_SPEED_DIAL_STAT:
		return judge_dial(w, &m->u.dial);
	case SCCP_ID_FEATURE_STAT:
	case SCCP_ID_FEATURE_STAT_V2:
		return judge_feature(w, &m->u.feature);
	case SCCP_ID_SERVICE_URL_STAT:
	case SCCP_ID_SERVICE_URL_STAT_V2:
		return judge_service(w, &m->u.service);
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
