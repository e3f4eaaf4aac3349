/* SPDX-License-Identifier: MIT */
/* Values of elements, as attributes need them. */
#ifndef SERVER_LOAD_READ_H
#define SERVER_LOAD_READ_H

#include "load_skeleton.h"
#include "value.h"

/* Each takes `otherwise` where the element, its Value or the meaning of that is missing. */
struct value load_text(const struct load_skeleton *part, uint32_t element,
		       const char *otherwise);
struct value load_integer(const struct load_skeleton *part, uint32_t element,
			  int64_t otherwise);
struct value load_number(const struct load_skeleton *part, uint32_t element, double otherwise);
bool load_flag(const struct load_skeleton *part, uint32_t element, bool otherwise);
/* null without element, -1 without Value, null if that is no number. */
struct value load_color(const struct load_skeleton *part, uint32_t element);
/* null if `text` is NULL. */
struct value load_text_or_null(const char *text);

#endif
