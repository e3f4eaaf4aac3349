/* SPDX-License-Identifier: MIT */
/*
 * Where clients knock: a TCP address or a Unix socket, HOST:PORT or unix:PATH.
 */
#ifndef EXPORT_DOOR_H
#define EXPORT_DOOR_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include <astshm/types.h>

#define DOOR_HOST_BYTES 256
#define DOOR_TEXT_BYTES 300
#define DOOR_PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

struct door {
	int fd;         /* listens; -1: closed */
	char *path;     /* of a Unix socket, removed when it is closed; or NULL */
	dev_t device;   /* these two tell it from another one of that path */
	ino_t inode;
	char text[DOOR_TEXT_BYTES]; /* 127.0.0.1:9464, [::1]:9464, unix:/run/x */
};

/*
 * Listens at `address`. Addresses that other machines reach need `allow_remote`.
 * A socket that nobody listens at any more is replaced, nothing else is. -EINVAL:
 * no address; -EPERM: reaches other machines; else as bind(2); *error has words.
 */
int door_open(struct door *door, const char *address, bool allow_remote,
	      struct astshm_error *error);
void door_close(struct door *door);

/*
 * HOST:PORT: the host without brackets, and where the port is, a number or a service
 * that is known here. False: is none.
 */
bool door_split(const char *address, char host[DOOR_HOST_BYTES], const char **port);

#endif
