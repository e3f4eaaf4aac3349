/* SPDX-License-Identifier: MIT */
#ifndef READERS_HEAD_H
#define READERS_HEAD_H

#include <astshm/reader.h>

/*
 * As astshm_reader_snapshot, without any series, which are not looked at: what is known
 * of the writer, its times among it.
 */
int reader_head(struct astshm_reader *reader, struct astshm_snapshot **head,
		struct astshm_error *error);

#endif
