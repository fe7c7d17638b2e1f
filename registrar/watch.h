/* SPDX-License-Identifier: Apache-2.0 */
/* Watches folders on a thread of its own, and says when to look at them. */
#ifndef REGISTRAR_WATCH_H
#define REGISTRAR_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every step of a folder's path is watched, symbolic links on the way
 * included: the folder may be replaced, renamed away and come back, be missing
 * for a while, and a link may be turned to another. What happens is gathered
 * until there was quiet for a moment (200 ms, at most 2 s): one look then.
 *
 * The look is called on the watch's thread, and may be slow: nothing else
 * waits for it. `asked`: watch_ask() wants it. It answers whether all was
 * well; if not, it is called again, even if nothing happens, first soon, then
 * at intervals that double up to about a minute.
 */
typedef bool (*watch_fn)(void *self, bool asked);

struct watch;

/* Watches from here on; the first look comes once it was started. */
struct watch *watch_new(
	const char *const *folders, size_t n, watch_fn look, void *self);
/* Starts the thread. What happened meanwhile is looked at. */
void watch_start(struct watch *w);
/* A look at once; from any thread. */
void watch_ask(struct watch *w);
/* As if something had happened; from any thread. */
void watch_nudge(struct watch *w);
/* Waits for a look that is under way. */
void watch_free(struct watch *w);

/* Why this folder's changes are not told to us; "": they are. Thread-safe. */
void watch_fault(struct watch *w, const char *folder, char *why, size_t n);

#endif
