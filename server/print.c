/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "load.h"
#include "log.h"
#include "print.h"
#include "query.h"
#include "serialize.h"

#define INDENT 2u

static int write_diff(struct json_out *out, struct tree *tree, const char *other,
		      char error[LOAD_ERROR_MAX])
{
	struct change_list changes;
	struct tree *loaded;
	int result = diff_with_file(tree, other, &loaded, &changes, error);

	if (result < 0)
		return result;
	json_out_begin_array(out);
	for (size_t i = 0; i < changes.count; i++)
		change_write(out, &changes.items[i]);
	json_out_end_array(out);
	change_list_fini(&changes);
	tree_destroy(&loaded);
	return 0;
}

static int write_document(struct json_out *out, struct tree *tree,
			  const struct print_options *options, char error[LOAD_ERROR_MAX])
{
	int result = 0;

	if (options->what == PRINT_DIFF)
		result = write_diff(out, tree, options->other, error);
	else if (options->what == PRINT_AST)
		serialize_node(out, tree, tree_root(tree), SERIALIZE_QUERY);
	else
		get_project_info(tree, options->file, out);
	if (result == 0 && (result = json_out_result(out)) < 0)
		snprintf(error, LOAD_ERROR_MAX, "%s", strerror(-result));
	return result;
}

static int put_out(const struct json_out *out)
{
	if (fwrite(out->text, 1, out->length, stdout) == out->length && putchar('\n') != EOF &&
	    fflush(stdout) == 0)
		return EXIT_SUCCESS;
	log_write(LOG_ERROR, "standard output: %s", strerror(errno));
	return EXIT_FAILURE;
}

int print_files(const struct print_options *options)
{
	char error[LOAD_ERROR_MAX];
	struct json_out out;
	struct tree *tree;

	if (load_file(&tree, options->file, NULL, error) < 0) {
		log_write(LOG_ERROR, "%s", error);
		return EXIT_FAILURE;
	}
	json_out_init(&out, INDENT);
	int status = EXIT_FAILURE;
	if (write_document(&out, tree, options, error) < 0)
		log_write(LOG_ERROR, "%s", error);
	else
		status = put_out(&out);
	json_out_fini(&out);
	tree_destroy(&tree);
	return status;
}
