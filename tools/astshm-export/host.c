/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#define NAME_BYTES_MAX 253 /* of a name in the DNS */

static bool is_letter_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

bool host_is_name(const char *text)
{
	size_t length = strlen(text);

	if (strcmp(text, "*") == 0)
		return true;
	for (size_t i = 0; i < length; i++) {
		if (!is_letter_of_name(text[i]))
			return false;
	}
	return length > 0 && length <= NAME_BYTES_MAX && text[0] != '.';
}

bool host_add(struct host_rules *rules, const char *name)
{
	if (rules->count == HOST_NAMES_MAX)
		return false;
	rules->any = rules->any || strcmp(name, "*") == 0;
	rules->names[rules->count++] = name;
	return true;
}

/* Nothing, or a colon and digits, of which a browser leaves out the usual ones. */
static bool is_port(const char *text)
{
	return *text == '\0' ||
	       (*text == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

/* [ADDRESS] with or without a zone, which is the client's own affair. */
static bool is_address_of_six(const char *host)
{
	size_t inside = strcspn(host + 1, "]%"), whole = strcspn(host, "]");
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (inside >= sizeof(text) || host[whole] != ']' || !is_port(host + whole + 1))
		return false;
	memcpy(text, host + 1, inside);
	text[inside] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* The root's dot may be written or not. */
static size_t length_of_name(const char *text)
{
	size_t length = strcspn(text, ":");

	return length > 1 && text[length - 1] == '.' ? length - 1 : length;
}

static bool is_same(const char *name, const char *host)
{
	size_t length = length_of_name(name);

	return length == length_of_name(host) && strncasecmp(name, host, length) == 0;
}

bool host_allowed(const struct host_rules *rules, const char *host)
{
	char text[INET_ADDRSTRLEN];
	size_t length = strcspn(host, ":");
	struct in_addr address;

	if (rules->any)
		return true;
	if (host[0] == '[')
		return is_address_of_six(host);
	if (length == 0 || !is_port(host + length))
		return false;
	if (length < sizeof(text)) {
		memcpy(text, host, length);
		text[length] = '\0';
		if (inet_pton(AF_INET, text, &address) == 1)
			return true;
	}
	for (size_t i = 0; i < rules->count; i++) {
		if (is_same(rules->names[i], host))
			return true;
	}
	return is_same("localhost", host);
}
