/* SPDX-License-Identifier: Apache-2.0 */
/* The page at `/`: one HTML file, and what a browser may do with it. */
#include "registrar/status/page.h"

#include "registrar/memory.h"
#include "registrar/status/page_data.h"

void status_page_answer(struct plane_answer *out)
{
	out->text = memory_dup(page_data_html);
	out->type = "text/html; charset=utf-8";
	out->policy = page_data_policy;
}
