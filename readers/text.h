/* SPDX-License-Identifier: MIT */
/*
 * Strings of strangers on their way out: JSON, Prometheus and terminals each
 * have their own escapes. Bytes that are not UTF-8 become U+FFFD everywhere,
 * so that every document is valid UTF-8 whatever a segment held.
 */
#ifndef READERS_TEXT_H
#define READERS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sink.h"

/* Bytes of the valid UTF-8 sequence at `text`, 1 to 4; 0 if there is none. */
size_t text_sequence(const char *text, size_t left);
bool text_is_valid(const char *text, size_t count);

/* Told at a glance: most texts are. */
bool text_is_ascii(const char *text, size_t count);

/* With U+FFFD for what is not UTF-8: its length, and the text itself. */
size_t text_clean_length(const char *text, size_t count);
void text_put_clean(struct sink *sink, const char *text, size_t count);

/* In quotes, escaped. */
void text_put_json(struct sink *sink, const char *text, size_t count);

/* A label's value (escapes: \\ \" \n) and a HELP text (\\ \n). */
void text_put_label(struct sink *sink, const char *text, size_t count);
void text_put_help(struct sink *sink, const char *text, size_t count);

/* For terminals: control characters become U+FFFD (no stranger's escapes). */
void text_put_terminal(struct sink *sink, const char *text, size_t count);
/* How many columns text_put_terminal() fills. */
size_t text_columns(const char *text, size_t count);
/* Bytes of the longest beginning that fills at most `columns`, and where the
 * longest end that does begins. */
size_t text_prefix(const char *text, size_t count, size_t columns);
size_t text_suffix(const char *text, size_t count, size_t columns);

/* 2026-11-22T10:30:00.123456789Z, TEXT_TIMESTAMP_BYTES without a NUL. */
#define TEXT_TIMESTAMP_BYTES 30
void text_timestamp(char text[TEXT_TIMESTAMP_BYTES], uint64_t realtime_ns);
/* The time that text_timestamp() wrote; false: it is none, or before 1970. */
bool text_parse_timestamp(const char *text, size_t count, uint64_t *realtime_ns);

#endif
