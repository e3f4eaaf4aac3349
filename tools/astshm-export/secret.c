/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES_MAX (1u << 20)

static int fail(struct astshm_error *error, int code, const char *path, const char *why)
{
	snprintf(error->text, sizeof(error->text), "%.150s: %s", path, why);
	error->code = code;
	return code;
}

/* Until the end; what a pipe gives comes in pieces. */
static int read_all(int fd, char *text, size_t *length)
{
	*length = 0;
	for (;;) {
		ssize_t got = read(fd, text + *length, SECRET_BYTES_MAX + 1 - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		*length += (size_t)got;
		if (*length > SECRET_BYTES_MAX)
			return -EFBIG;
		if (got == 0)
			return 0;
	}
}

int secret_load(const char *path, bool private, char **text, struct astshm_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;
	struct stat status;
	size_t length;

	if (fd < 0)
		return fail(error, -errno, path, strerror(errno));
	*text = malloc(SECRET_BYTES_MAX + 2);
	result = *text ? 0 : -ENOMEM;
	if (result == 0 && fstat(fd, &status) != 0)
		result = -errno;
	if (result == 0 && private && (status.st_mode & S_IRWXO) != 0) {
		close(fd);
		secret_free(text);
		return fail(error, -EACCES, path, "holds secrets, but everybody may read it");
	}
	if (result == 0)
		result = read_all(fd, *text, &length);
	close(fd);
	if (result == 0) {
		(*text)[length] = '\0';
		return 0;
	}
	secret_free(text);
	return fail(error, result, path, strerror(-result));
}

void secret_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

bool secret_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned char differs = a_length != b_length;

	for (size_t i = 0; i < b_length; i++)
		differs |= (unsigned char)((a_length ? a[i % a_length] : 0) ^ b[i]);
	return !differs;
}
