/* SPDX-License-Identifier: MIT */
/*
 * The HTTP server: one thread, the program's own. Requests that cannot be
 * answered at once do not exist, so clients wait for each other by a few
 * milliseconds at most.
 */
#ifndef EXPORT_HTTP_H
#define EXPORT_HTTP_H

#include <stdint.h>

#include "access.h"
#include "answer.h"
#include "feeds.h"
#include "host.h"
#include "segments.h"

struct http_options {
	const char *tls_certificate; /* PEM texts; NULL: no TLS */
	const char *tls_key;
	unsigned connections;        /* most at a time; more have to wait */
	unsigned rate;               /* most requests a second, and as many at once */
	struct protobuf_style style;
	struct host_rules hosts;     /* what the server may be called */
	const struct feeds *feeds;   /* /metrics tells of them; NULL: there are none */
};

struct http;

/*
 * Serves at the listening socket `fd`, which http_stop() closes. `segments`,
 * `access` and `options` must outlive it. -ENOMEM; -EINVAL: certificate or key are
 * not what they should be.
 */
int http_start(struct http **http, int fd, struct segments *segments,
	       const struct access_rules *access, const struct http_options *options);
void http_stop(struct http **http);

/* Readable when http_run() has something to do. */
int http_fd(const struct http *http);
/* The most time that may pass before http_run() is called again; -1: any. */
int64_t http_timeout_ns(const struct http *http);
/* Does what can be done without waiting. */
void http_run(struct http *http);

#endif
