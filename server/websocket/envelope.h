/* SPDX-License-Identifier: MIT */
/* {"type":TYPE,"payload":...}, the form of all that clients are sent. */
#ifndef SERVER_ENVELOPE_H
#define SERVER_ENVELOPE_H

#include "json_out.h"
#include "message.h"

/* Up to the payload, which is one value. */
void envelope_begin(struct json_out *out, const char *type);
void envelope_end(struct json_out *out);

/* ERROR {error, details}; `details` NULL: without. NULL: no memory. */
struct message *envelope_error(const char *error, const char *details);

#endif
