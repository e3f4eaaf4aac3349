/* SPDX-License-Identifier: MIT */
/*
 * The protobuf form of /metrics: a message io.prometheus.client.MetricFamily for
 * each family, each with its length in front.
 */
#ifndef EXPORT_PROTOBUF_H
#define EXPORT_PROTOBUF_H

#include <stdbool.h>

#include <astshm/reader.h>

struct protobuf_style {
	int schema;   /* of native histograms, 0 to NATIVE_SCHEMA_MAX */
	bool classic; /* buckets at fixed bounds too */
};

/*
 * Names and labels are those of the text form, and what that leaves out is left
 * out. A window is not told. Errors: what the sink returned; -ENODATA: a
 * histogram without buckets; -ENOMEM.
 */
int protobuf_encode(const struct astshm_snapshot *snapshot, const struct protobuf_style *style,
		    const struct astshm_sink *sink);

#endif
