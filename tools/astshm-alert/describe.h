/* SPDX-License-Identifier: MIT */
/*
 * What came of a rule, in words and as plain numbers.
 */
#ifndef ALERT_DESCRIBE_H
#define ALERT_DESCRIBE_H

#include "evaluate.h"

/* A rule's text, a value, a window and a reason. */
#define DESCRIBE_BYTES (RULE_BYTES_MAX + 512)

/* "event.processing.duration p95 is 123ms over 29.8s, > 100ms" */
void describe(const struct rule *rule, const struct verdict *verdict,
	      char text[DESCRIBE_BYTES]);

/* The value in the threshold's own scale: 0.5 of a % is 50. */
double describe_scaled(const struct rule *rule, double value);

/* Without exponent, at most 9 digits behind the point, none needlessly. */
#define DESCRIBE_NUMBER_BYTES 336
void describe_number(double value, char text[DESCRIBE_NUMBER_BYTES]);

#endif
