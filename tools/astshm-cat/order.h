/* SPDX-License-Identifier: MIT */
#ifndef CAT_ORDER_H
#define CAT_ORDER_H

#include <stdint.h>

#include <astshm/reader.h>

#include "field.h"

/*
 * --sort and --top: the series of each kind in the order of `sort`; with top >
 * 0 the first `top` of each kind alone, without the kinds that do not have the
 * field. Replaces *snapshot, which stays on failure.
 */
int order_snapshot(struct astshm_snapshot **snapshot, const struct sort_field *sort,
		   uint64_t top, struct astshm_error *error);

#endif
