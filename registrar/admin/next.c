/* SPDX-License-Identifier: Apache-2.0 */
/* What to type after an order was refused. */
#include "registrar/admin/next.h"

#include <string.h>

/* How the path begins; the first that fits counts. */
static const struct row {
	const char *begins;
	const char *help; /* when what was asked breaks a rule */
	const char *look; /* when it is not so now */
} rows[] = {
	{"/v1/devices", "dialtone help device", "dialtone device list"},
	{"/v1/profiles", "dialtone help profile", "dialtone profile list"},
	{"/v1/auto-registration", "dialtone help auto-registration",
		"dialtone auto-registration show"},
	{"/v1/phones", "dialtone help phone", "dialtone phones"},
	{"/v1/trust", "dialtone help trust", "dialtone trust status"},
	{"/v1/admission", "dialtone help trust check", "dialtone trust list"},
	{"/v1/ticket-keys", "dialtone help ticket-keys",
		"dialtone ticket-keys show"},
	{"/v1/capf/rollover", "dialtone help rollover",
		"dialtone rollover status"},
	{"/v1/capf/requests", "dialtone help capf csr",
		"dialtone capf csr list"},
	{"/v1/capf/certificates", "dialtone help capf csr",
		"dialtone capf csr list"},
	{"/v1/capf/ledger", "dialtone help capf ledger",
		"dialtone capf ledger"},
	{"/v1/capf/audit", "dialtone help capf audit", "dialtone capf status"},
	{"/v1/capf", "dialtone help capf", "dialtone capf list"},
	{"", "dialtone help", "dialtone status"},
};

void next_name(const struct plane_request *request, struct plane_answer *out)
{
	const struct row *r = rows;
	while (strncmp(r->begins, request->path, strlen(r->begins)) != 0)
		r++;
	plane_next(out,
		out->status == 404 || out->status == 409 ? r->look : r->help);
}
