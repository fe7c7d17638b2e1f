/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone was promised: making it, and finding its buttons. */
#include "protocols/sccp/promise.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/devices.h"
#include "protocols/sccp/ids.h"

enum {
	VERSION_MIN = 3,
	TYPE_ATA186 = 12,
	TYPE_ATA188 = 13,
	SERVER_NAME_MAX = 47,
	SPCP = 8,	 /* what the SPA phones speak at most */
	BLF_BUTTON = 15, /* the first version that has it */
};

/* The status line that says "Your current options" in the user's language. */
static const char your_options[] = "\x80\x13";

uint8_t sccp_promise_version(
	const struct sccp_register *reg, uint8_t version_max)
{
	static const uint8_t spoken[] = {
		22, 21, 20, 19, 18, 17, 16, 15, 11, 10, 9, 8, 7, 6, 5};
	bool is_ata = reg->device_type == TYPE_ATA186 ||
		      reg->device_type == TYPE_ATA188;
	/* These offer 33 and speak 3. */
	if (is_ata && reg->version > spoken[0])
		return VERSION_MIN;
	if (sccp_device_type_is_spcp(reg->device_type) && version_max > SPCP)
		version_max = SPCP;
	for (size_t i = 0; i < sizeof(spoken); i++)
		if (spoken[i] <= reg->version && spoken[i] <= version_max)
			return spoken[i];
	return VERSION_MIN;
}

enum sccp_charset sccp_promise_charset(const struct sccp_register *reg)
{
	return reg->features[1] & SCCP_FEATURE_UTF8 ? SCCP_UTF8 : SCCP_LATIN1;
}

static size_t prompt_max(uint8_t version)
{
	uint32_t form = sccp_message_form(SCCP_ID_DISPLAY_PROMPT, version);
	return form == SCCP_ID_DISPLAY_PROMPT ? SCCP_PROMPT_MAX
					      : SCCP_PROMPT_V2_MAX;
}

/* ---- the texts of a promise ---- */

static const char *behind(const char *text)
{
	return text + strlen(text) + 1;
}

const char *sccp_promise_prompt(const struct sccp_promise *promise)
{
	return promise->texts;
}

const char *sccp_promise_server_name(const struct sccp_promise *promise)
{
	return behind(promise->texts);
}

static enum sccp_space space_of(enum sccp_button_type type)
{
	switch (type) {
	case SCCP_BUTTON_LINE:
		return SCCP_SPACE_LINES;
	case SCCP_BUTTON_SERVICE:
		return SCCP_SPACE_SERVICES;
	case SCCP_BUTTON_SPEED_DIAL:
	case SCCP_BUTTON_BLF:
	case SCCP_BUTTON_FEATURE:
	case SCCP_BUTTON_UNDEFINED:
		break;
	}
	return SCCP_SPACE_DIALS;
}

struct sccp_promise_walk sccp_promise_buttons(
	const struct sccp_promise *promise)
{
	return (struct sccp_promise_walk){
		.at = behind(sccp_promise_server_name(promise)),
		.left = promise->n_buttons,
	};
}

bool sccp_promise_next(
	struct sccp_promise_walk *walk, struct sccp_promise_button *button)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	button->type = (enum sccp_button_type)(uint8_t)walk->at[0];
	button->instance = ++walk->used[space_of(button->type)];
	button->target = walk->at + 1;
	button->label = behind(button->target);
	walk->at = behind(button->label);
	return true;
}

bool sccp_promise_find(const struct sccp_promise *promise,
	enum sccp_space space, uint32_t instance,
	struct sccp_promise_button *button)
{
	struct sccp_promise_walk walk = sccp_promise_buttons(promise);
	while (sccp_promise_next(&walk, button))
		if (space_of(button->type) == space &&
			button->instance == instance)
			return true;
	return false;
}

uint32_t sccp_promise_count(
	const struct sccp_promise *promise, enum sccp_button_type type)
{
	struct sccp_promise_walk walk = sccp_promise_buttons(promise);
	struct sccp_promise_button button;
	uint32_t n = 0;
	while (sccp_promise_next(&walk, &button))
		n += button.type == type;
	return n;
}

/* ---- making one ---- */

/* Writes a text as the phone reads it; answers where the next one goes. */
static char *put_text(
	char *dst, size_t max, const char *text, enum sccp_charset set)
{
	sccp_text(dst, max, text, set);
	return dst + strlen(dst) + 1;
}

static size_t target_max(const struct sccp_grant_button *button)
{
	return button->type == SCCP_BUTTON_SERVICE ? SCCP_URL_MAX
						   : SCCP_NUMBER_MAX;
}

/* Older phones have no lamp there, and can dial all the same. */
static enum sccp_button_type known_type(
	enum sccp_button_type type, uint8_t version)
{
	return type == SCCP_BUTTON_BLF && version < BLF_BUTTON
		       ? SCCP_BUTTON_SPEED_DIAL
		       : type;
}

static size_t put_texts(struct sccp_promise *p, const struct sccp_grant *grant,
	enum sccp_charset set)
{
	char *end = put_text(p->texts, prompt_max(p->version),
		grant->prompt ? grant->prompt : your_options, set);
	end = put_text(end, SERVER_NAME_MAX, grant->server_name, set);
	for (size_t i = 0; i < p->n_buttons; i++) {
		const struct sccp_grant_button *button = &grant->buttons[i];
		*end++ = (char)known_type(button->type, p->version);
		end = put_text(end, target_max(button), button->target, set);
		end = put_text(end, SCCP_LABEL_MAX, button->label, set);
	}
	return (size_t)(end - p->texts);
}

static size_t most_texts(const struct sccp_grant *grant, size_t n_buttons)
{
	size_t most = SCCP_PROMPT_V2_MAX + 1 + SERVER_NAME_MAX + 1;
	for (size_t i = 0; i < n_buttons; i++)
		most += 1 + target_max(&grant->buttons[i]) + 1 +
			SCCP_LABEL_MAX + 1;
	return most;
}

struct sccp_promise *sccp_promise_new(const struct sccp_register *reg,
	const struct sccp_grant *grant, uint8_t version_max)
{
	size_t n_buttons = grant->n_buttons < SCCP_BUTTONS_MAX
				   ? grant->n_buttons
				   : SCCP_BUTTONS_MAX;
	struct sccp_promise *p =
		malloc(sizeof(*p) + most_texts(grant, n_buttons));
	if (!p)
		abort(); /* law 2 */
	enum sccp_charset set = sccp_promise_charset(reg);
	*p = (struct sccp_promise){
		.instance = reg->instance,
		.device_type = reg->device_type,
		.keepalive_s = grant->keepalive_s,
		.secondary_keepalive_s = grant->secondary_keepalive_s,
		.server_ipv4 = grant->server_ipv4,
		.softkeys = grant->softkeys,
		.server_port = grant->server_port,
		.version = sccp_promise_version(reg, version_max),
		.n_buttons = (uint8_t)n_buttons,
	};
	memcpy(p->device, reg->device, sizeof(p->device));
	sccp_text(p->date_template, sizeof(p->date_template) - 1,
		grant->date_template, set);
	size_t used = put_texts(p, grant, set);
	/* It is kept as long as the phone stays: no byte too many. */
	struct sccp_promise *exact = realloc(p, sizeof(*p) + used);
	if (exact)
		return exact;
	return p;
}

void sccp_promise_free(struct sccp_promise *promise)
{
	free(promise);
}
