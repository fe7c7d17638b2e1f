/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.json, as openapi.py puts it into the program. */
#ifndef REGISTRAR_STATUS_OPENAPI_H
#define REGISTRAR_STATUS_OPENAPI_H

extern const char openapi_json[]; /* a string */

#endif
