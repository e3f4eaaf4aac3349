/* SPDX-License-Identifier: MIT */
/*
 * astshm-ls: lists the segments of this machine; removes dead ones.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "listing.h"
#include "message.h"
#include "signals.h"

struct options {
	bool json;
	bool prune;
	char **names; /* NULL-terminated; none: all segments */
};

static void print_help(void)
{
	printf("Usage: astshm-ls [OPTIONS] [SEGMENT...]\n"
	       "List the shared-memory segments of this machine that hold metrics.\n\n"
	       "      --json      print a JSON document\n"
	       "      --prune     remove segments whose writer is dead or closed them\n"
	       "      --help      print this and exit\n"
	       "      --version   print the version and exit\n\n"
	       "Exit status: 0 done (also if there is none), 1 other error, 2 usage, 3 no such\n"
	       "segment, 4 no permission to remove one. See astshm-ls(1).\n");
}

/* False: *status is how to exit. */
static bool parse(struct options *options, int argc, char **argv, enum exit_status *status)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },	{ "prune", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },	{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (letter) {
		case 'j':
			options->json = true;
			break;
		case 'p':
			options->prune = true;
			break;
		case 'h':
			print_help();
			*status = finish_stdout();
			return false;
		case 'v':
			printf("astshm-ls %s\n", ASTSHM_VERSION);
			*status = finish_stdout();
			return false;
		default:
			message("unknown or misused option %s; see astshm-ls --help",
				argv[optind - 1]);
			*status = EXIT_USAGE;
			return false;
		}
	}
	options->names = argv + optind;
	return true;
}

static const struct astshm_listing *find(const struct listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->count; i++) {
		const struct astshm_listing *item = &listing->items[i];

		if (strcmp(item->name, name) == 0 || strcmp(item->path, name) == 0)
			return item;
	}
	return NULL;
}

/* Adds the SEGMENT to *chosen: one of `all` here, or a file wherever it lies. */
static enum exit_status choose_one(const char *name, const struct listing *all,
				   struct listing *chosen)
{
	const struct astshm_listing *item = find(all, name);
	struct astshm_listing elsewhere;

	if (find(chosen, name))
		return EXIT_OK;
	if (!item && strchr(name, '/') && astshm_list_path(name, &elsewhere, NULL) == 0)
		item = &elsewhere;
	if (!item) {
		message("%s: no such segment", name);
		return EXIT_NO_SEGMENT;
	}
	if (listing_add(chosen, item) < 0) {
		message("out of memory");
		return EXIT_OTHER;
	}
	return EXIT_OK;
}

/* Every SEGMENT of the command line has to be there. */
static enum exit_status choose(const struct options *options, const struct listing *all,
			       struct listing *chosen)
{
	enum exit_status status = EXIT_OK;

	for (char **name = options->names; *name; name++) {
		enum exit_status one = choose_one(*name, all, chosen);

		status = one != EXIT_OK ? one : status;
	}
	return status;
}

/* Length of the valid UTF-8 sequence at `at`, 0 if there is none (RFC 3629). */
static int utf8_length(const unsigned char *at)
{
	unsigned char low = 0x80, high = 0xbf;
	int length = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
		   : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
		   : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;

	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < length; i++) {
		if (at[i] < low || at[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

/* File names may hold any bytes; what is no UTF-8 becomes U+FFFD. */
static void print_json_string(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	putchar('"');
	while (*at) {
		int length = utf8_length(at);

		if (length == 0)
			printf("\\ufffd");
		else if (*at < 0x20 || *at == 0x7f)
			printf("\\u%04x", *at);
		else if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else
			printf("%.*s", length, (const char *)at);
		at += length ? length : 1;
	}
	putchar('"');
}

static void print_seconds(const char *key, uint64_t ns)
{
	printf(",\"%s\":%" PRIu64 ".%09" PRIu64, key, ns / 1000000000, ns % 1000000000);
}

static void print_json_item(const struct astshm_listing *item)
{
	printf("{\"name\":");
	print_json_string(item->name);
	printf(",\"path\":");
	print_json_string(item->path);
	if (item->error) {
		printf(",\"state\":null,\"error\":");
		print_json_string(listing_reason(item));
		putchar('}');
		return;
	}
	printf(",\"state\":\"%s\",\"pid\":%" PRIu32 ",\"generation\":\"%016" PRIx64 "\"",
	       listing_state(item), item->pid, item->generation);
	print_seconds("age_seconds", item->age_ns);
	if (item->heartbeat_age_ns == UINT64_MAX)
		printf(",\"heartbeat_age_seconds\":null");
	else
		print_seconds("heartbeat_age_seconds", item->heartbeat_age_ns);
	printf(",\"bytes\":%" PRIu64 ",\"series\":%" PRIu64 ",\"threads\":%" PRIu64 "}",
	       item->bytes, item->series, item->threads);
}

static void print_json(const struct listing *listing, const char *what)
{
	printf("{\"schema\":\"astshm.list/1\",\"%s\":[", what);
	for (size_t i = 0; i < listing->count; i++) {
		if (i > 0)
			putchar(',');
		print_json_item(&listing->items[i]);
	}
	printf("]}\n");
}

static bool is_prunable(const struct astshm_listing *item)
{
	return item->error == 0 &&
	       (item->state == ASTSHM_STATE_DEAD || item->state == ASTSHM_STATE_CLOSED);
}

static enum exit_status refuse(const struct astshm_listing *item)
{
	if (item->error) {
		message("%s: not removed: %s", item->name, listing_reason(item));
		return message_status(item->error);
	}
	message("%s: not removed: its writer (pid %" PRIu32 ") is alive", item->name, item->pid);
	return EXIT_OTHER;
}

/* 1: it is gone now, by us. A new writer that took the name meanwhile, and
 * another prune that was faster, are no errors. */
static int prune_one(const struct astshm_listing *item, enum exit_status *status)
{
	struct astshm_error error = { 0 };
	int result = astshm_prune(item->path, &error);

	if (result == 0)
		return 1;
	if (result == -EBUSY || result == -EAGAIN || result == -ENOENT)
		return 0;
	message("%s: not removed: %s", item->name, error.text[0] ? error.text : strerror(-result));
	*status = message_status(result);
	return 0;
}

/* Without names a living writer's segment is left in silence; what nobody can
 * ever read again is not ours to remove, but worth a word. */
static void leave(const struct astshm_listing *item)
{
	if (item->error == -EBADMSG)
		message("corrupt, remove by hand: %s", item->path);
}

/* Moves what was removed to the front of *listing, and returns how many. */
static size_t prune(const struct options *options, struct listing *listing,
		    enum exit_status *status)
{
	size_t removed = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct astshm_listing item = listing->items[i];

		if (!is_prunable(&item)) {
			if (options->names[0])
				*status = refuse(&item);
			else
				leave(&item);
			continue;
		}
		if (!prune_one(&item, status))
			continue;
		memmove(&listing->items[removed + 1], &listing->items[removed],
			(i - removed) * sizeof(item));
		listing->items[removed++] = item;
	}
	return removed;
}

static void print_removed(const struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		const struct astshm_listing *item = &listing->items[i];

		printf("removed ");
		print_safe(stdout, item->name);
		printf(" (pid %" PRIu32 ", %s)\n", item->pid, listing_state(item));
	}
}

static void print(const struct options *options, const struct listing *part)
{
	if (options->json)
		print_json(part, options->prune ? "removed" : "segments");
	else if (options->prune)
		print_removed(part);
	else
		listing_print(part, stdout);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct listing all = LISTING_INIT, chosen = LISTING_INIT, part;
	struct astshm_error error = { 0 };
	enum exit_status status = EXIT_OK, end;

	message_program("astshm-ls");
	signals_install();
	if (!parse(&options, argc, argv, &status))
		return status;
	if (listing_load(&all, &error) < 0) {
		message("%s", error.text);
		return EXIT_OTHER;
	}
	if (options.names[0])
		status = choose(&options, &all, &chosen);
	/* A view of the one or the other, which still own their items. */
	part = options.names[0] ? chosen : all;
	if (options.prune)
		part.count = prune(&options, &part, &status);
	print(&options, &part);
	end = finish_stdout();
	listing_free(&chosen);
	listing_free(&all);
	return end != EXIT_OK ? end : status;
}
