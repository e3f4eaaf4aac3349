/* SPDX-License-Identifier: MIT */
#include "envelope.h"

void envelope_begin(struct json_out *out, const char *type)
{
	json_out_begin_object(out);
	json_out_key(out, "type");
	json_out_text(out, type);
	json_out_key(out, "payload");
}

void envelope_end(struct json_out *out)
{
	json_out_end_object(out);
}

struct message *envelope_error(const char *error, const char *details)
{
	struct json_out out;

	json_out_init(&out, 0);
	envelope_begin(&out, "ERROR");
	json_out_begin_object(&out);
	json_out_key(&out, "error");
	json_out_text(&out, error);
	if (details) {
		json_out_key(&out, "details");
		json_out_text(&out, details);
	}
	json_out_end_object(&out);
	envelope_end(&out);
	struct message *message = message_of_json(&out);
	json_out_fini(&out);
	return message;
}
