/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

static const struct addrinfo *preferred(const struct addrinfo *list)
{
	for (const struct addrinfo *one = list; one; one = one->ai_next) {
		if (one->ai_family == AF_INET)
			return one;
	}
	return list;
}

int address_resolve(const char *host, uint16_t port, struct address *address)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM,
				  .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char service[8];

	snprintf(service, sizeof service, "%u", (unsigned)port);
	int result = getaddrinfo(host, service, &hints, &list);
	if (result != 0)
		return result;
	const struct addrinfo *chosen = preferred(list);
	memset(address, 0, sizeof *address);
	memcpy(&address->storage, chosen->ai_addr, chosen->ai_addrlen);
	address->length = chosen->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

void address_bytes(const struct sockaddr_storage *storage, uint8_t bytes[16])
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (storage->ss_family == AF_INET6) {
		memcpy(&in6, storage, sizeof in6);
		memcpy(bytes, &in6.sin6_addr, 16);
		return;
	}
	memcpy(&in, storage, sizeof in);
	memset(bytes, 0, 10);
	memset(bytes + 10, 0xff, 2);
	memcpy(bytes + 12, &in.sin_addr, 4);
}

uint16_t address_port(const struct sockaddr_storage *storage)
{
	struct sockaddr_in in;

	/* Both families keep the port in the same place (RFC 3493, 3.4). */
	memcpy(&in, storage, sizeof in);
	return ntohs(in.sin_port);
}

bool address_is_loopback(const struct address *address)
{
	struct in6_addr in6;

	address_bytes(&address->storage, in6.s6_addr);
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		return in6.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6);
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
	uint8_t bytes[16];
	char host[INET6_ADDRSTRLEN] = "?";
	bool six = address->storage.ss_family == AF_INET6;

	address_bytes(&address->storage, bytes);
	inet_ntop(six ? AF_INET6 : AF_INET, six ? bytes : bytes + 12, host, sizeof host);
	snprintf(text, ADDRESS_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", host,
		 (unsigned)address_port(&address->storage));
}
