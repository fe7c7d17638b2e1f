/* SPDX-License-Identifier: Apache-2.0 */
/* The page at `/`: one HTML file, and what a browser may do with it. */
#ifndef REGISTRAR_STATUS_PAGE_H
#define REGISTRAR_STATUS_PAGE_H

#include "registrar/http/plane.h"

/* Answers page.html, with a policy that lets its own script and style run
 * (by their SHA-256), lets it ask this origin, and nothing else. */
void status_page_answer(struct plane_answer *out);

#endif
