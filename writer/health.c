/* SPDX-License-Identifier: MIT */
#include "health.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FIELD_THREADS 20 /* of proc(5), /proc/PID/stat */
#define FIELD_START 22

/* X(field, name, unit, help, tag key, tag value) */
#define HEALTH_COUNTERS(X)                                                                   \
	X(cpu, "process.cpu.seconds", "seconds",                                             \
	  "CPU time of the process, user and system", NULL, NULL)                            \
	X(minor_faults, "process.page_faults", "",                                           \
	  "Page faults of the process, by whether the disk was read", "type", "minor")       \
	X(major_faults, "process.page_faults", "",                                           \
	  "Page faults of the process, by whether the disk was read", "type", "major")       \
	X(voluntary, "process.context_switches", "",                                         \
	  "Context switches of the process, by whether it gave way", "type", "voluntary")    \
	X(involuntary, "process.context_switches", "",                                       \
	  "Context switches of the process, by whether it gave way", "type", "involuntary")  \
	X(dropped, "astshm.dropped", "",                                                     \
	  "Records and registrations without room in the segment", NULL, NULL)

#define HEALTH_GAUGES(X)                                                                     \
	X(resident, "process.resident_memory.bytes", "bytes",                                \
	  "Memory of the process that is in RAM", NULL, NULL)                                \
	X(address_space, "process.virtual_memory.bytes", "bytes",                            \
	  "Address space of the process", NULL, NULL)                                        \
	X(open_fds, "process.open_fds", "",                                                  \
	  "File descriptors that the process has open", NULL, NULL)                          \
	X(max_fds, "process.max_fds", "",                                                    \
	  "File descriptors that the process may have open", NULL, NULL)                     \
	X(threads, "process.threads", "", "Threads of the process", NULL, NULL)              \
	X(start_time, "process.start_time.seconds", "seconds",                               \
	  "When the process started, since 1970", NULL, NULL)                                \
	X(segment_bytes, "astshm.segment.bytes", "bytes",                                    \
	  "Committed bytes of the segment", NULL, NULL)                                      \
	X(counters, "astshm.series", "", HELP_SERIES, "kind", "counter")                     \
	X(gauges, "astshm.series", "", HELP_SERIES, "kind", "gauge")                         \
	X(timings, "astshm.series", "", HELP_SERIES, "kind", "timing")                       \
	X(distributions, "astshm.series", "", HELP_SERIES, "kind", "distribution")           \
	X(slots, "astshm.thread_slots", "", "Thread slots in use", NULL, NULL)
#define HELP_SERIES "Series of the segment, by kind"

/* A counter that follows a total which somebody else keeps. */
struct follower {
	struct astshm_counter counter;
	uint64_t seen;
};

struct writer_health {
#define FIELD(field, ...) struct follower field;
	HEALTH_COUNTERS(FIELD)
#undef FIELD
#define FIELD(field, ...) struct astshm_gauge field;
	HEALTH_GAUGES(FIELD)
#undef FIELD
	struct astshm_timing tick;
	double started; /* CLOCK_REALTIME seconds; 0: not known yet */
	bool registered;
};

static struct astshm_metric describe(const char *name, const char *unit, const char *help,
				     const char *key, const char *value, struct astshm_tag *tag)
{
	*tag = (struct astshm_tag){ key, value };
	return (struct astshm_metric){ .name = name, .unit = unit, .help = help, .tags = tag,
				       .tag_count = key != NULL };
}

/* What cannot be registered is the null handle: harmless to record through. */
static void register_all(struct astshm_writer *writer, struct writer_health *health)
{
	struct astshm_metric metric;
	struct astshm_tag tag;

#define REGISTER(field, name, unit, help, key, value)                                        \
	metric = describe(name, unit, help, key, value, &tag);                               \
	(void)astshm_counter_register(writer, &metric, &health->field.counter, NULL);
	HEALTH_COUNTERS(REGISTER)
#undef REGISTER
#define REGISTER(field, name, unit, help, key, value)                                        \
	metric = describe(name, unit, help, key, value, &tag);                               \
	(void)astshm_gauge_register(writer, &metric, &health->field, NULL);
	HEALTH_GAUGES(REGISTER)
#undef REGISTER
	metric = describe("astshm.tick.duration", "seconds",
			  "Time that the library's housekeeping takes", NULL, NULL, &tag);
	(void)astshm_timing_register(writer, &metric, &health->tick, NULL);
	health->registered = true;
}

static void follow(struct follower *follower, uint64_t total)
{
	/* Also nothing, at first: what counts the lack of room has its own by then. */
	astshm_counter_add(follower->counter, total > follower->seen ? total - follower->seen : 0);
	follower->seen = total;
}

/* --- the process ------------------------------------------------------------- */

/* A whole file of /proc as text; false: it cannot be read. */
static bool read_proc(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, room - 1);
	(void)close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static void record_memory(const struct writer_health *health)
{
	char *resident;
	double page = (double)sysconf(_SC_PAGESIZE);
	char text[256];

	if (!read_proc("/proc/self/statm", text, sizeof text))
		return;
	astshm_gauge_set(health->address_space, (double)strtoull(text, &resident, 10) * page);
	astshm_gauge_set(health->resident, (double)strtoull(resident, NULL, 10) * page);
}

/* The name of a process is the second field, and may hold anything. */
static unsigned long long stat_field(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * Taken once, as other exporters do: the kernel tells the start by a clock that
 * nobody sets, and taken anew it would move with each step of the other one, by
 * which Prometheus would see a restart.
 */
static double start_time(const char *stat)
{
	double boot = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME);

	return boot + (double)stat_field(stat, FIELD_START) / (double)sysconf(_SC_CLK_TCK);
}

static void record_process(struct writer_health *health)
{
	char text[1024];

	if (!read_proc("/proc/self/stat", text, sizeof text))
		return;
	if (health->started == 0)
		health->started = start_time(text);
	astshm_gauge_set(health->threads, (double)stat_field(text, FIELD_THREADS));
	astshm_gauge_set(health->start_time, health->started);
}

static void record_descriptors(const struct writer_health *health)
{
	struct rlimit limit;
	DIR *folder = opendir("/proc/self/fd");
	double count = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		astshm_gauge_set(health->max_fds, (double)limit.rlim_cur);
	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	astshm_gauge_set(health->open_fds, count - 1); /* the folder's own */
}

static void record_usage(struct writer_health *health)
{
	struct timespec cpu;
	struct rusage usage;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
		follow(&health->cpu, (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec);
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	follow(&health->minor_faults, (uint64_t)usage.ru_minflt);
	follow(&health->major_faults, (uint64_t)usage.ru_majflt);
	follow(&health->voluntary, (uint64_t)usage.ru_nvcsw);
	follow(&health->involuntary, (uint64_t)usage.ru_nivcsw);
}

/* --- the segment -------------------------------------------------------------- */

static double load(const uint64_t *word)
{
	/* Relaxed: words for people, in no order to others. */
	return (double)__atomic_load_n(word, __ATOMIC_RELAXED);
}

static double slots_in_use(struct astshm_writer *writer)
{
	uint32_t count = 0;

	pthread_mutex_lock(&writer->lock);
	for (uint32_t i = 1; i < writer->slot_count; i++)
		count += writer->slots[i].owner != NULL;
	pthread_mutex_unlock(&writer->lock);
	return count;
}

static void record_segment(struct astshm_writer *writer, struct writer_health *health)
{
	const struct astshm_segment_header *header = writer->header;

	astshm_gauge_set(health->segment_bytes, load(&header->committed_bytes));
	astshm_gauge_set(health->counters, load(&header->live_series[ASTSHM_KIND_COUNTER - 1]));
	astshm_gauge_set(health->gauges, load(&header->live_series[ASTSHM_KIND_GAUGE - 1]));
	astshm_gauge_set(health->timings, load(&header->live_series[ASTSHM_KIND_TIMING - 1]));
	astshm_gauge_set(health->distributions,
			 load(&header->live_series[ASTSHM_KIND_DISTRIBUTION - 1]));
	astshm_gauge_set(health->slots, slots_in_use(writer));
	follow(&health->dropped,
	       __atomic_load_n(&header->dropped_records, __ATOMIC_RELAXED) +
		       __atomic_load_n(&header->dropped_registrations, __ATOMIC_RELAXED));
}

void writer_health_tick(struct astshm_writer *writer)
{
	if (!(writer->options.flags & ASTSHM_OPEN_HEALTH) || !astshm_writer_recording(writer))
		return;
	if (!writer->health)
		writer->health = calloc(1, sizeof *writer->health);
	if (!writer->health)
		return;
	if (!writer->health->registered)
		register_all(writer, writer->health);
	record_usage(writer->health);
	record_memory(writer->health);
	record_process(writer->health);
	record_descriptors(writer->health);
	record_segment(writer, writer->health);
}

void writer_health_ticked(struct astshm_writer *writer, int64_t ns)
{
	if (writer->health)
		astshm_timing_record(writer->health->tick, ns);
}

void writer_health_restart(struct astshm_writer *writer)
{
	if (!writer->health)
		return;
	writer->health->started = 0;
#define RESTART(field, ...) writer->health->field.seen = 0;
	HEALTH_COUNTERS(RESTART)
#undef RESTART
}

void writer_health_close(struct astshm_writer *writer)
{
	free(writer->health);
	writer->health = NULL;
}
