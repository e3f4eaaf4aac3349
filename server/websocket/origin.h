/* SPDX-License-Identifier: MIT */
/*
 * Which web pages may connect. A browser lets any page open a WebSocket to any
 * host, this machine's loopback included, and tells by the Origin header which
 * page asks; what it tells is all there is between a stranger's page and the
 * user's project.
 */
#ifndef SERVER_ORIGIN_H
#define SERVER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `origin` as the browser sent it. True for http(s) pages of localhost, 127.0.0.0/8
 * or [::1], any port, and for those that equal one of `allowed`.
 */
bool origin_allowed(const char *origin, char *const *allowed, size_t allowed_count);

#endif
