/* SPDX-License-Identifier: MIT */
/*
 * Bodies of the inline functions that <astshm/writer.h> declares and documents.
 */
#ifndef ASTSHM_WRITER_INLINE_H
#define ASTSHM_WRITER_INLINE_H

#ifdef __cplusplus
extern "C" {
#endif

ASTSHM_API int astshm_writer_open_abi(struct astshm_writer **writer, const char *name,
				      const struct astshm_writer_options *options,
				      uint32_t abi, struct astshm_error *error);
ASTSHM_API void astshm_increment_named(struct astshm_writer *writer, const char *name,
				       uint64_t amount, const struct astshm_tag *tags,
				       size_t tag_count);
ASTSHM_API void astshm_decrement_named(struct astshm_writer *writer, const char *name,
				       uint64_t amount, const struct astshm_tag *tags,
				       size_t tag_count);
ASTSHM_API void astshm_set_named(struct astshm_writer *writer, const char *name, double value,
				 const struct astshm_tag *tags, size_t tag_count);
ASTSHM_API void astshm_add_named(struct astshm_writer *writer, const char *name, double amount,
				 const struct astshm_tag *tags, size_t tag_count);
ASTSHM_API void astshm_time_named(struct astshm_writer *writer, const char *name, int64_t ns,
				  const struct astshm_tag *tags, size_t tag_count);
ASTSHM_API void astshm_observe_named(struct astshm_writer *writer, const char *name,
				     int64_t value, const struct astshm_tag *tags,
				     size_t tag_count);
ASTSHM_API void astshm_counter_sub_checked(struct astshm_counter counter, uint64_t amount);

static inline int astshm_writer_open(struct astshm_writer **writer, const char *name,
				     const struct astshm_writer_options *options,
				     struct astshm_error *error)
{
	return astshm_writer_open_abi(writer, name, options, ASTSHM_ABI, error);
}

/* Relaxed: a switch, it orders nothing (writer/gate.c clears the rows). */
static inline bool astshm_writer_recording(const struct astshm_writer *writer)
{
	return writer && __atomic_load_n((const uint32_t *)(const void *)writer,
					 __ATOMIC_RELAXED) != 0;
}

#ifdef ASTSHM_NO_RECORDING
#define ASTSHM_RECORD(statement) do { } while (0)
#else
#define ASTSHM_RECORD(statement) do { statement } while (0)
#endif

static inline void astshm_counter_add(struct astshm_counter counter, uint64_t amount)
{
	(void)counter;
	(void)amount;
	ASTSHM_RECORD(
		uint64_t *cell = astshm_row_entry(counter.writer, counter.index);
		if (ASTSHM_LIKELY(cell != NULL))
			astshm_cell_add(cell, amount);
		else if (astshm_worth_a_call(counter.writer))
			astshm_counter_add_cold(counter.index, counter.writer, amount);
	);
}

static inline void astshm_counter_sub(struct astshm_counter counter, uint64_t amount)
{
	(void)counter;
	(void)amount;
	ASTSHM_RECORD(astshm_counter_sub_checked(counter, amount););
}

static inline void astshm_gauge_set(struct astshm_gauge gauge, double value)
{
	(void)gauge;
	(void)value;
	ASTSHM_RECORD(
		struct astshm_gauge_block *block = (struct astshm_gauge_block *)(void *)
			astshm_row_entry(gauge.writer, gauge.index);
		if (ASTSHM_LIKELY(block != NULL))
			astshm_gauge_store(block, value);
		else if (astshm_worth_a_call(gauge.writer))
			astshm_gauge_set_cold(gauge.index, gauge.writer, value);
	);
}

/* Adds to a gauge's current value; returns the new one. */
static inline double astshm_gauge_fetch_add(uint64_t *current, double amount)
{
	/* Relaxed: only the read-modify-write itself must be one step. */
	uint64_t old = __atomic_load_n(current, __ATOMIC_RELAXED);
	double sum;
	do {
		sum = astshm_bits_double(old) + amount;
	} while (!__atomic_compare_exchange_n(current, &old, astshm_double_bits(sum), true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return sum;
}

static inline void astshm_gauge_add(struct astshm_gauge gauge, double amount)
{
	(void)gauge;
	(void)amount;
	ASTSHM_RECORD(
		struct astshm_gauge_block *block = (struct astshm_gauge_block *)(void *)
			astshm_row_entry(gauge.writer, gauge.index);
		if (ASTSHM_LIKELY(block != NULL))
			astshm_gauge_sample(block, astshm_gauge_fetch_add(
							   astshm_gauge_current(block), amount));
		else if (astshm_worth_a_call(gauge.writer))
			astshm_gauge_add_cold(gauge.index, gauge.writer, amount);
	);
}

static inline void astshm_timing_record(struct astshm_timing timing, int64_t ns)
{
	(void)timing;
	(void)ns;
	ASTSHM_RECORD(
		struct astshm_histogram_block *block = (struct astshm_histogram_block *)(void *)
			astshm_row_entry(timing.writer, timing.index);
		if (ASTSHM_LIKELY(block != NULL))
			astshm_histogram_record(block, astshm_timing_table, ns);
		else if (astshm_worth_a_call(timing.writer))
			astshm_timing_record_cold(timing.index, timing.writer, ns);
	);
}

static inline void astshm_distribution_record(struct astshm_distribution distribution,
					      int64_t value)
{
	(void)distribution;
	(void)value;
	ASTSHM_RECORD(
		struct astshm_histogram_block *block = (struct astshm_histogram_block *)(void *)
			astshm_row_entry(distribution.writer, distribution.index);
		if (ASTSHM_LIKELY(block != NULL))
			astshm_histogram_record(block, astshm_distribution_table, value);
		else if (astshm_worth_a_call(distribution.writer))
			astshm_distribution_record_cold(distribution.index, distribution.writer,
							value);
	);
}

static inline struct astshm_timer astshm_timer_start(void)
{
	struct astshm_timer timer = { 0 };
	ASTSHM_RECORD(timer.start = astshm_clock_now(););
	return timer;
}

static inline int64_t astshm_timer_elapsed_ns(struct astshm_timer timer)
{
	(void)timer;
#ifdef ASTSHM_NO_RECORDING
	return 0;
#else
	return astshm_clock_elapsed_ns(timer.start, astshm_clock_now());
#endif
}

static inline int64_t astshm_timer_stop(struct astshm_timing timing, struct astshm_timer timer)
{
	int64_t ns = astshm_timer_elapsed_ns(timer);
	astshm_timing_record(timing, ns);
	return ns;
}

#define ASTSHM_BY_NAME(writer, call) \
	ASTSHM_RECORD(if (ASTSHM_LIKELY(astshm_writer_recording(writer))) (call);)

static inline void astshm_increment(struct astshm_writer *writer, const char *name,
				    uint64_t amount, const struct astshm_tag *tags,
				    size_t tag_count)
{
	(void)writer; (void)name; (void)amount; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_increment_named(writer, name, amount, tags, tag_count));
}

static inline void astshm_decrement(struct astshm_writer *writer, const char *name,
				    uint64_t amount, const struct astshm_tag *tags,
				    size_t tag_count)
{
	(void)writer; (void)name; (void)amount; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_decrement_named(writer, name, amount, tags, tag_count));
}

static inline void astshm_set(struct astshm_writer *writer, const char *name, double value,
			      const struct astshm_tag *tags, size_t tag_count)
{
	(void)writer; (void)name; (void)value; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_set_named(writer, name, value, tags, tag_count));
}

static inline void astshm_add(struct astshm_writer *writer, const char *name, double amount,
			      const struct astshm_tag *tags, size_t tag_count)
{
	(void)writer; (void)name; (void)amount; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_add_named(writer, name, amount, tags, tag_count));
}

static inline void astshm_time(struct astshm_writer *writer, const char *name, int64_t ns,
			       const struct astshm_tag *tags, size_t tag_count)
{
	(void)writer; (void)name; (void)ns; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_time_named(writer, name, ns, tags, tag_count));
}

static inline void astshm_observe(struct astshm_writer *writer, const char *name, int64_t value,
				  const struct astshm_tag *tags, size_t tag_count)
{
	(void)writer; (void)name; (void)value; (void)tags; (void)tag_count;
	ASTSHM_BY_NAME(writer, astshm_observe_named(writer, name, value, tags, tag_count));
}

/* --- scopes -------------------------------------------------------- */

#define ASTSHM_JOIN_(a, b) a##b
#define ASTSHM_JOIN(a, b) ASTSHM_JOIN_(a, b)

struct astshm_scope {
	struct astshm_timing timing;
	struct astshm_timer timer;
};

static inline void astshm_scope_end(struct astshm_scope *scope)
{
	astshm_timer_stop(scope->timing, scope->timer);
}

#define ASTSHM_TIME_SCOPE(timing)                                               \
	__attribute__((cleanup(astshm_scope_end), unused))                      \
	struct astshm_scope ASTSHM_JOIN(astshm_scope_, __COUNTER__) =              \
		{ (timing), astshm_timer_start() }

#define ASTSHM_NO_TAGS NULL, 0

#ifndef __cplusplus
struct astshm_named_scope {
	struct astshm_writer *writer;
	const char *name;
	const struct astshm_tag *tags;
	size_t tag_count;
	struct astshm_timer timer;
};

static inline void astshm_named_scope_end(struct astshm_named_scope *scope)
{
	astshm_time(scope->writer, scope->name, astshm_timer_elapsed_ns(scope->timer),
		    scope->tags, scope->tag_count);
}

/* The tags must live to the end of the block. */
#define ASTSHM_TIME_SCOPE_NAMED(writer, name, ...)                              \
	__attribute__((cleanup(astshm_named_scope_end), unused))                \
	struct astshm_named_scope ASTSHM_JOIN(astshm_scope_, __COUNTER__) =        \
		{ (writer), (name), __VA_ARGS__, astshm_timer_start() }
#endif

#ifdef __cplusplus
}

typedef std::initializer_list<struct astshm_tag> astshm_tag_list;

static inline void astshm_increment(struct astshm_writer *writer, const char *name,
				    uint64_t amount = 1, astshm_tag_list tags = {})
{
	astshm_increment(writer, name, amount, tags.begin(), tags.size());
}
static inline void astshm_decrement(struct astshm_writer *writer, const char *name,
				    uint64_t amount = 1, astshm_tag_list tags = {})
{
	astshm_decrement(writer, name, amount, tags.begin(), tags.size());
}
static inline void astshm_set(struct astshm_writer *writer, const char *name, double value,
			      astshm_tag_list tags = {})
{
	astshm_set(writer, name, value, tags.begin(), tags.size());
}
static inline void astshm_add(struct astshm_writer *writer, const char *name, double amount,
			      astshm_tag_list tags = {})
{
	astshm_add(writer, name, amount, tags.begin(), tags.size());
}
static inline void astshm_time(struct astshm_writer *writer, const char *name, int64_t ns,
			       astshm_tag_list tags = {})
{
	astshm_time(writer, name, ns, tags.begin(), tags.size());
}
static inline void astshm_observe(struct astshm_writer *writer, const char *name, int64_t value,
				  astshm_tag_list tags = {})
{
	astshm_observe(writer, name, value, tags.begin(), tags.size());
}
static inline int astshm_get_counter(struct astshm_writer *writer, const char *name,
				     astshm_tag_list tags, int64_t *value)
{
	return astshm_get_counter(writer, name, tags.begin(), tags.size(), value);
}
static inline int astshm_get_gauge(struct astshm_writer *writer, const char *name,
				   astshm_tag_list tags, struct astshm_gauge_value *value)
{
	return astshm_get_gauge(writer, name, tags.begin(), tags.size(), value);
}
static inline int astshm_get_timing(struct astshm_writer *writer, const char *name,
				    astshm_tag_list tags, struct astshm_statistics *value)
{
	return astshm_get_timing(writer, name, tags.begin(), tags.size(), value);
}
static inline int astshm_get_distribution(struct astshm_writer *writer, const char *name,
					  astshm_tag_list tags, struct astshm_statistics *value)
{
	return astshm_get_distribution(writer, name, tags.begin(), tags.size(), value);
}
static inline int astshm_remove(struct astshm_writer *writer, enum astshm_kind kind,
				const char *name, astshm_tag_list tags)
{
	return astshm_remove(writer, kind, name, tags.begin(), tags.size());
}

/* Keeps the tags, not the strings behind them, to the end of the block. */
class astshm_named_scope {
public:
	astshm_named_scope(struct astshm_writer *writer, const char *name, astshm_tag_list tags)
		: astshm_named_scope(writer, name, tags.begin(), tags.size())
	{
	}
	astshm_named_scope(struct astshm_writer *writer, const char *name,
			   const struct astshm_tag *tags, size_t tag_count)
		: writer_(writer), name_(name), tag_count_(tag_count),
		  timer_(astshm_timer_start())
	{
		for (size_t i = 0; i < tag_count && i < ASTSHM_TAGS_MAX; i++)
			tags_[i] = tags[i];
	}
	~astshm_named_scope()
	{
		astshm_time(writer_, name_, astshm_timer_elapsed_ns(timer_), tags_, tag_count_);
	}
	astshm_named_scope(const astshm_named_scope &) = delete;
	astshm_named_scope &operator=(const astshm_named_scope &) = delete;

private:
	struct astshm_writer *writer_;
	const char *name_;
	struct astshm_tag tags_[ASTSHM_TAGS_MAX];
	size_t tag_count_;
	struct astshm_timer timer_;
};

/* ASTSHM_TIME_SCOPE_NAMED(writer, name, {{"k", "v"}}); or ASTSHM_NO_TAGS. */
#define ASTSHM_TIME_SCOPE_NAMED(writer, name, ...)                              \
	astshm_named_scope ASTSHM_JOIN(astshm_scope_, __COUNTER__)((writer), (name), __VA_ARGS__)
#else
/* A list of tags and its length, as two arguments. */
#define ASTSHM_TAGS(...)                                                        \
	(const struct astshm_tag[]){ __VA_ARGS__ },                             \
		sizeof((const struct astshm_tag[]){ __VA_ARGS__ }) / sizeof(struct astshm_tag)
#endif

#endif
