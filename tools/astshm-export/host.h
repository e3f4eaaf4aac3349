/* SPDX-License-Identifier: MIT */
/*
 * By which names clients may call this server. A web page from anywhere can let its
 * own name lead here (DNS rebinding), and the browser then takes it for ours; what
 * the browser still tells is that name, in the header Host.
 */
#ifndef EXPORT_HOST_H
#define EXPORT_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define HOST_NAMES_MAX 64

struct host_rules {
	bool any; /* nothing is looked at: who asks is known by other means */
	const char *names[HOST_NAMES_MAX];
	size_t count;
};

/* Is it a name of a host, or "*", for all of them? */
bool host_is_name(const char *text);

/* False: there is no room for one more. `name` must outlive the rules. */
bool host_add(struct host_rules *rules, const char *name);

/*
 * May a client call the server what the header Host says, with a port or without?
 * Addresses are always right, there being no name that could lead elsewhere, and
 * so is localhost; else it must be one of the names, in any case.
 */
bool host_allowed(const struct host_rules *rules, const char *host);

#endif
