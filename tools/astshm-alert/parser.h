/* SPDX-License-Identifier: MIT */
#ifndef ALERT_PARSER_H
#define ALERT_PARSER_H

#include "rule.h"

/*
 * One rule: [LABEL:] CONDITION [CLAUSE...] (astshm-alert(1) has the grammar). *rule
 * stays NULL if the text holds none, only blanks or a comment. -EINVAL: error->text
 * says what is wrong at byte error->position; -ENOMEM.
 */
int parser_parse(struct rule **rule, const char *text, size_t length,
		 struct astshm_error *error);

#endif
