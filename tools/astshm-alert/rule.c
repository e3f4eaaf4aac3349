/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "rule.h"

bool threshold_holds(const struct threshold *threshold, double value)
{
	if (isnan(value))
		return false;
	switch (threshold->comparison) {
	case COMPARE_GREATER:
		return value > threshold->value;
	case COMPARE_GREATER_EQUAL:
		return value >= threshold->value;
	case COMPARE_LESS:
		return value < threshold->value;
	case COMPARE_LESS_EQUAL:
		return value <= threshold->value;
	case COMPARE_EQUAL:
		return value == threshold->value;
	case COMPARE_NOT_EQUAL:
		return value != threshold->value;
	}
	return false;
}

const char *comparison_text(enum comparison comparison)
{
	static const char *const texts[] = { ">", ">=", "<", "<=", "==", "!=" };

	return texts[comparison];
}

const char *severity_name(enum severity severity)
{
	return severity == SEVERITY_CRITICAL ? "critical" : "warning";
}

void rule_free(struct rule **rule)
{
	if (!*rule)
		return;
	free((*rule)->strings);
	free(*rule);
	*rule = NULL;
}
