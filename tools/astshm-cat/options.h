/* SPDX-License-Identifier: MIT */
#ifndef CAT_OPTIONS_H
#define CAT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "field.h"
#include "message.h"
#include "select.h"

enum format {
	FORMAT_DEFAULT, /* table on a terminal, else json */
	FORMAT_JSON,
	FORMAT_MSGPACK,
	FORMAT_PROMETHEUS,
	FORMAT_SUMMARY,
	FORMAT_TABLE,
};

/* What the command line asked for. Strings point into argv. */
struct options {
	enum format format;
	bool watch;          /* more than one pass */
	bool period_given;
	int64_t period_ns;   /* between passes */
	uint64_t count;      /* passes; 0: until interrupted */
	bool delta;
	int64_t window_ns;   /* 0: none */
	bool history;        /* every entry of it, the last `count` if that is not 0 */
	bool post_mortem;
	bool buckets;
	bool per_thread;
	bool merge;
	bool require_live;
	bool pretty;
	struct selection selection;
	bool group;
	char **group_keys;
	size_t group_key_count;
	const char *value;   /* KEY[:FIELD] */
	bool sort;           /* by sort_field, which --top alone sets too */
	struct sort_field sort_field;
	uint64_t top;        /* series of each kind; 0: all */
	const char *since;
	int64_t wait_ns;
	const char *output;
	char **arguments;    /* SEGMENTs and FILEs */
	size_t argument_count;
	bool out_of_memory;  /* that, and not wrong usage, ended the parsing */
};

/*
 * Fills *options. True: go on. False: *status is how to exit (--help and
 * --version have printed, or a message says what was wrong).
 */
bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status);
void options_free(struct options *options);

#endif
