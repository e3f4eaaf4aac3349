/* SPDX-License-Identifier: MIT */
/*
 * astshm-alert: tells when a server's metrics pass thresholds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "once.h"
#include "options.h"
#include "segment.h"
#include "signals.h"
#include "watch.h"

/* "/dev/shm/astshm.NAME" is called NAME, also by whoever installed rules for it. */
static const char *short_name(const char *segment)
{
	const char *slash = strrchr(segment, '/'), *file = slash ? slash + 1 : segment;

	return slash && strncmp(file, "astshm.", 7) == 0 ? file + 7 : file;
}

static int choose_segment(const struct options *options, char **segment)
{
	struct astshm_error error = { 0 };
	int result;

	if (options->segment) {
		*segment = strdup(options->segment);
		return *segment ? 0 : -ENOMEM;
	}
	result = segment_find_only(segment, &error);
	if (result == -ENOENT)
		message("no segment of this machine has a living writer; name the one to watch, "
			"which may still have to come");
	else if (result == -ENOTUNIQ)
		segment_report_choice();
	else if (result < 0)
		segment_report(NULL, result, &error);
	return result;
}

static bool add_rules(struct options *options, const char *segment)
{
	struct rules *rules = &options->rules;
	int result = 0;

	if (rules->count == 0)
		result = rules_add_default(rules, short_name(segment));
	if (result == -ENOENT || rules->count == 0) {
		message("no rule: none is installed for %s, give some with -r or --rules",
			short_name(segment));
		return false;
	}
	return result == 0 && rules_add_server(rules) == 0;
}

static int check(const struct options *options)
{
	printf("%zu rule%s\n", options->rules.count, options->rules.count == 1 ? "" : "s");
	return finish_stdout() == EXIT_OK ? PLUGIN_OK : PLUGIN_UNKNOWN;
}

static int run(struct options *options)
{
	char *segment = NULL;
	int status = PLUGIN_UNKNOWN;

	if (options->check && options->rules.count > 0)
		return check(options);
	if (choose_segment(options, &segment) == 0 && add_rules(options, segment)) {
		if (options->check)
			status = check(options);
		else
			status = options->once ? once(options, segment) : watch(options, segment);
	}
	free(segment);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	message_program("astshm-alert");
	signals_install();
	if (!options_parse(&options, argc, argv, &status))
		return status;
	status = run(&options);
	options_free(&options);
	return status;
}
