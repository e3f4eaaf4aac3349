/* SPDX-License-Identifier: MIT */
/*
 * astshm-cat: prints the metrics of a shared-memory segment.
 */
#include <locale.h>

#include "file.h"
#include "history.h"
#include "options.h"
#include "post_mortem.h"
#include "signals.h"
#include "source.h"
#include "watch.h"

static enum exit_status load_since(const struct options *options, struct astshm_snapshot **since)
{
	struct astshm_error error = { 0 };
	struct skipped skipped = { 0 };
	int result = options->since ? file_load(options->since, options->merge, since, &skipped,
						&error) : 0;

	file_tell_skipped(options->since, &skipped);
	return result < 0 ? report(result, &error) : EXIT_OK;
}

static enum exit_status print(struct sources *sources, const struct options *options,
			      const struct astshm_snapshot *since)
{
	if (options->history)
		return history_print(&sources->items[0], options);
	if (options->post_mortem)
		return post_mortem_print(&sources->items[0], options);
	return watch(sources, options, since);
}

int main(int argc, char **argv)
{
	struct options options;
	struct sources sources = { 0 };
	struct astshm_snapshot *since = NULL;
	enum exit_status status;

	message_program("astshm-cat");
	/* Patterns count characters, whatever the environment says; numbers
	 * keep to the C locale. */
	setlocale(LC_CTYPE, "C.UTF-8");
	signals_install();
	if (!options_parse(&options, argc, argv, &status))
		return status;
	status = load_since(&options, &since);
	if (status == EXIT_OK)
		status = sources_open(&sources, &options);
	if (status == EXIT_OK)
		status = print(&sources, &options, since);
	sources_close(&sources);
	astshm_snapshot_free(&since);
	options_free(&options);
	return status;
}
