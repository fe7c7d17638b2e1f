/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without an end, which wait for news without a thread of theirs. */
#include "registrar/http/stream.h"

#include <assert.h>
#include <stdlib.h>

#include "registrar/memory.h"

enum { BLOCK = 4096 };

struct stream {
	struct streams *all;
	struct MHD_Connection *client;
	struct plane_source source;
	bool waits; /* suspended: nothing but a resume touches it */
	struct stream *next, **at;
};

void streams_init(struct streams *all)
{
	*all = (struct streams){0};
	pthread_mutex_init(&all->lock, NULL);
}

void streams_deinit(struct streams *all)
{
	pthread_mutex_destroy(&all->lock);
}

/* Suspended under the lock, so that no wake comes in between. */
static ssize_t on_read(void *self, uint64_t at, char *to, size_t n)
{
	struct stream *s = self;
	pthread_mutex_lock(&s->all->lock);
	ssize_t got =
		s->all->ending ? -1 : s->source.read(s->source.self, to, n);
	if (got == 0) {
		s->waits = true;
		MHD_suspend_connection(s->client);
	}
	pthread_mutex_unlock(&s->all->lock);
	return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void on_free(void *self)
{
	struct stream *s = self;
	pthread_mutex_lock(&s->all->lock);
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	pthread_mutex_unlock(&s->all->lock);
	s->source.close(s->source.self);
	free(s);
}

struct MHD_Response *streams_add(struct streams *all,
	struct MHD_Connection *client, const struct plane_source *source)
{
	struct stream *s = memory_zero(sizeof(*s));
	s->all = all;
	s->client = client;
	s->source = *source;
	pthread_mutex_lock(&all->lock);
	s->next = all->first;
	s->at = &all->first;
	if (s->next)
		s->next->at = &s->next;
	all->first = s;
	pthread_mutex_unlock(&all->lock);
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, on_read, s, on_free);
	if (!response)
		on_free(s);
	return response;
}

/* Resumed without the lock: libmicrohttpd takes one of its own, under which
 * it may call us. Who is suspended does not go away meanwhile. */
void streams_wake(struct streams *all, bool end)
{
	struct MHD_Connection *waiting[PLANE_SOURCES_MAX];
	size_t n = 0;
	pthread_mutex_lock(&all->lock);
	all->ending |= end;
	for (struct stream *s = all->first; s; s = s->next) {
		if (!s->waits)
			continue;
		assert(n < PLANE_SOURCES_MAX);
		s->waits = false;
		waiting[n++] = s->client;
	}
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < n; i++)
		MHD_resume_connection(waiting[i]);
}
