/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_DURATION_H
#define TOOLS_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SECONDS as every option takes them: "2", "0.5", ".5", "60s", "250ms", "5m",
 * "1h"; digits finer than a nanosecond are cut off. False: not of this form,
 * or more than 2^63 - 1 nanoseconds. Does not depend on the locale.
 */
bool duration_parse(const char *text, int64_t *ns);

#endif
