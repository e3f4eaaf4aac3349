/* SPDX-License-Identifier: MIT */
/*
 * What the server says on stderr: one line, one write(2), so that threads do
 * not mix; bytes that a terminal would obey, or that are no UTF-8, are escaped, since
 * texts quote what strangers sent.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Set before threads start; read without synchronisation afterwards. */
void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *level);

void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Whatever the level: the lines that scripts wait for. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A budget of lines for one subject. Zero-initialised; used by one thread. */
struct log_limit {
	uint64_t window_start_ns;
	uint32_t shown;
	uint64_t withheld;
};
#define LOG_LIMIT_LINES 5u
#define LOG_LIMIT_WINDOW_NS UINT64_C(10000000000)

/* log_write, at most LOG_LIMIT_LINES a window; the next line tells how many were withheld. */
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * When a window has ended and no line came that would tell how many were withheld
 * in it, one of its own does: "SUBJECT: N more in S s, not shown". Returns for how
 * many milliseconds that is to come; -1: nothing is withheld.
 */
int log_withheld(struct log_limit *limit, enum log_level level, const char *subject);
/* The same at the end of the thread, which waits for no window. */
void log_withheld_at_end(struct log_limit *limit, enum log_level level, const char *subject);
/* Of a window that is over: false, or *withheld, which counts as told from then on. */
bool log_limit_end(struct log_limit *limit, uint64_t now_ns, uint64_t *withheld);
/* May a line be shown now? *withheld: lines withheld since the last one shown. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ns, uint64_t *withheld);

/* `text` into `out` (always terminated) with control characters and what is no UTF-8 as \xNN. */
void log_escape(char *out, uint64_t out_bytes, const char *text);

#endif
