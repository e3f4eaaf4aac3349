/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "origin.h"

/* What follows "http://" or "https://"; NULL: something else does. */
static const char *after_scheme(const char *origin)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		if (strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0)
			return origin + strlen(schemes[i]);
	}
	return NULL;
}

/* Nothing, or ":" and digits. */
static bool is_port(const char *text)
{
	if (*text == '\0')
		return true;
	size_t digits = strspn(text + 1, "0123456789");
	return *text == ':' && digits > 0 && digits <= 5 && text[1 + digits] == '\0';
}

static bool is_loopback_host(const char *host, size_t length)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if (length == strlen("localhost") && strncasecmp(host, "localhost", length) == 0)
		return true;
	if (length == strlen("[::1]") && strncmp(host, "[::1]", length) == 0)
		return true;
	if (length >= sizeof text)
		return false;
	memcpy(text, host, length);
	text[length] = '\0';
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_loopback(const char *origin)
{
	const char *host = after_scheme(origin);

	if (!host)
		return false;
	size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (length > strlen(host))
		return false;
	return is_loopback_host(host, length) && is_port(host + length);
}

bool origin_allowed(const char *origin, char *const *allowed, size_t allowed_count)
{
	for (size_t i = 0; i < allowed_count; i++) {
		if (strcmp(origin, allowed[i]) == 0)
			return true;
	}
	return is_loopback(origin);
}
