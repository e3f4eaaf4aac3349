/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scale.h"

#define NS_PER_S 1e9 /* divided by, as thresholds are: what is equal stays equal */

bool scale_is_time(const struct astshm_family *family)
{
	return family->kind == ASTSHM_KIND_TIMING ||
	       (family->kind == ASTSHM_KIND_COUNTER && strcmp(family->unit, "seconds") == 0);
}

double scale_number(const struct astshm_family *family, double number)
{
	return scale_is_time(family) ? number / NS_PER_S : number;
}
