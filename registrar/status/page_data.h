/* SPDX-License-Identifier: Apache-2.0 */
/* What page_data.py makes of page.html when we are built. */
#ifndef REGISTRAR_STATUS_PAGE_DATA_H
#define REGISTRAR_STATUS_PAGE_DATA_H

extern const char page_data_html[];   /* a string */
extern const char page_data_policy[]; /* Content-Security-Policy */

#endif
