/* SPDX-License-Identifier: MIT */
/* Registration by handle, and what is said of families. */
#include <errno.h>

#include "family.h"
#include "fork.h"
#include "registry.h"
#include "touch.h"

static struct writer_wish wish_of(const struct astshm_metric *metric)
{
	return (struct writer_wish){ metric->unit, metric->help, metric->flags, metric->merge,
				     true };
}

/* What is invalid counts like what had no room. */
static int refuse(struct astshm_writer *writer, int result)
{
	pthread_mutex_lock(&writer->lock);
	if (writer->generation && !writer->foreign)
		writer_count_dropped(&writer->header->dropped_registrations);
	pthread_mutex_unlock(&writer->lock);
	return result;
}

/* The index of the series, 0 where there is nothing to record into. */
static int register_series(struct astshm_writer *writer, enum astshm_kind kind,
			   const struct astshm_metric *metric, uint32_t *index, uint32_t *number,
			   struct astshm_error *error)
{
	struct writer_series *series;
	struct writer_key key;

	*index = *number = 0;
	if (writer_is_disabled(writer))
		return 0;
	const struct writer_wish wish = wish_of(metric);
	int result = writer_key_build(&key, kind, metric->name, metric->tags, metric->tag_count,
				      error);
	if (result == 0)
		result = writer_family_check(metric->unit, metric->help, error);
	if (result < 0)
		return refuse(writer, result);
	rcu_section_enter();
	result = writer_registry_get(writer, &key, &wish, &series, error);
	if (result == 0) {
		*index = series->index;
		*number = writer->number;
	}
	rcu_section_leave();
	return result;
}

int astshm_counter_register(struct astshm_writer *writer, const struct astshm_metric *metric,
			    struct astshm_counter *handle, struct astshm_error *error)
{
	return register_series(writer, ASTSHM_KIND_COUNTER, metric, &handle->index,
			       &handle->writer, error);
}

int astshm_gauge_register(struct astshm_writer *writer, const struct astshm_metric *metric,
			  struct astshm_gauge *handle, struct astshm_error *error)
{
	return register_series(writer, ASTSHM_KIND_GAUGE, metric, &handle->index, &handle->writer,
			       error);
}

int astshm_timing_register(struct astshm_writer *writer, const struct astshm_metric *metric,
			   struct astshm_timing *handle, struct astshm_error *error)
{
	return register_series(writer, ASTSHM_KIND_TIMING, metric, &handle->index,
			       &handle->writer, error);
}

int astshm_distribution_register(struct astshm_writer *writer, const struct astshm_metric *metric,
				 struct astshm_distribution *handle, struct astshm_error *error)
{
	return register_series(writer, ASTSHM_KIND_DISTRIBUTION, metric, &handle->index,
			       &handle->writer, error);
}

/* Finds or makes a family and calls change(), all under the lock. */
static int change_family(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
			 int (*change)(struct astshm_writer *writer, struct writer_family *family,
				       void *context, struct astshm_error *error),
			 void *context, struct astshm_error *error)
{
	struct writer_family *family;
	struct writer_key key;
	uint32_t length;

	if (writer_is_disabled(writer))
		return 0;
	int result = writer_key_build(&key, kind, name, NULL, 0, error);
	if (result == 0)
		result = writer_key_check(&key, error);
	if (result < 0)
		return result;
	pthread_mutex_lock(&writer->lock);
	if (writer->generation == 0 || writer->foreign || writer_process_forked())
		result = shm_fail(error, -ENOENT, "the writer is closed or forked");
	if (result == 0)
		result = writer_family_get(writer, (uint32_t)kind,
					   writer_key_name(key.bytes, &length), key.bytes[1],
					   &family);
	if (result == 0)
		result = change(writer, family, context, error);
	pthread_mutex_unlock(&writer->lock);
	return result;
}

struct description {
	const char *unit, *help;
};

static int describe(struct astshm_writer *writer, struct writer_family *family, void *context,
		    struct astshm_error *error)
{
	const struct description *description = context;

	return writer_family_describe(writer, family, description->unit, description->help, error);
}

int astshm_describe(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
		    const char *unit, const char *help, struct astshm_error *error)
{
	struct description description = { unit, help };

	return change_family(writer, kind, name, describe, &description, error);
}

static int limit(struct astshm_writer *writer, struct writer_family *family, void *context,
		 struct astshm_error *error)
{
	const uint32_t *most = context;

	(void)writer;
	(void)error;
	__atomic_store_n(&family->tag_set_limit, *most, __ATOMIC_RELAXED);
	return 0;
}

int astshm_limit_tag_sets(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
			  uint32_t most, struct astshm_error *error)
{
	return change_family(writer, kind, name, limit, &most, error);
}
