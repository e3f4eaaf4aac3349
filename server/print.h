/* SPDX-License-Identifier: MIT */
/* What ast-server prints of files instead of serving: JSON on standard output. */
#ifndef SERVER_PRINT_H
#define SERVER_PRINT_H

enum print_what {
	PRINT_NOTHING,
	PRINT_INFO, /* get_project_info */
	PRINT_AST,  /* the root node */
	PRINT_DIFF, /* diff_with_file */
};

struct print_options {
	enum print_what what;
	const char *file;
	const char *other; /* PRINT_DIFF: what `file` became */
};

/* An exit status; a failure is logged, and nothing is printed then. */
int print_files(const struct print_options *options);

#endif
