/* SPDX-License-Identifier: MIT */
/* A file's XML, decompressed as it is read. */
#ifndef SERVER_LOAD_SOURCE_H
#define SERVER_LOAD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <zlib.h>

#define LOAD_SOURCE_BYTES 65536u

struct load_source {
	int fd;
	bool gzip;
	bool member_open;  /* inside a gzip member */
	z_stream inflater;
	unsigned char input[LOAD_SOURCE_BYTES];
	size_t input_next;
	size_t input_end;
	char reason[160];  /* after a negative result */
};

/* Opens the file and looks at its first bytes. 0 or a negative errno value. */
int load_source_open(struct load_source *source, const char *path);
void load_source_close(struct load_source *source);
/* Fills `out` as far as there is something. 0: the end; negative: see load_file. */
ssize_t load_source_read(struct load_source *source, void *out, size_t room);

#endif
