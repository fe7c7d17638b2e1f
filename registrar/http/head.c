/* SPDX-License-Identifier: Apache-2.0 */
/* A request by its headers: is it for us, and does it end where we think? */
#include "registrar/http/head.h"

#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "registrar/http/host.h"
#include "registrar/text.h"

enum { SHOWN_MAX = 64 /* bytes of a Host that is none */ };

struct head {
	const char *ours; /* hosts that were configured; NULL: any is ours */
	struct sockaddr_storage local;
	const char *strange; /* the first that is none of ours */
	int hosts, ends;     /* headers that say where the body ends */
};

static enum MHD_Result take_header(void *self, enum MHD_ValueKind kind,
	const char *name, const char *value)
{
	struct head *h = self;
	bool is_host = strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
	h->hosts += is_host;
	h->ends += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
		   strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	if (is_host && h->ours && !h->strange &&
		!host_is_ours(value ? value : "", &h->local, h->ours))
		h->strange = value ? value : "";
	return MHD_YES;
}

static void refuse_host(const char *host, struct plane_answer *a)
{
	char detail[512], shown[SHOWN_MAX];
	text_copy(shown, sizeof(shown), host);
	snprintf(detail, sizeof(detail),
		"\"Host: %s\" is no name of ours: ask localhost or the address "
		"that this listens at, or put the name into status.hosts of "
		"the configuration and start dialtoned anew",
		shown);
	plane_problem(a, PROBLEM_HOST, detail);
}

bool head_is_plain(struct MHD_Connection *client, const char *hosts,
	struct plane_answer *a)
{
	struct head h = {.ours = hosts};
	socklen_t n = sizeof(h.local);
	getsockname(MHD_get_connection_info(
			    client, MHD_CONNECTION_INFO_CONNECTION_FD)
			    ->connect_fd,
		(struct sockaddr *)&h.local, &n);
	MHD_get_connection_values(client, MHD_HEADER_KIND, take_header, &h);
	if (h.strange)
		refuse_host(h.strange, a);
	else if (h.hosts > 1 || h.ends > 1)
		plane_problem(a, PROBLEM_AMBIGUOUS,
			"Host, and Content-Length or Transfer-Encoding, may "
			"be there once");
	a->closes = a->json;
	return !a->json;
}
