/* SPDX-License-Identifier: MIT */
/* Addresses to listen on, IPv4 or IPv6. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage storage;
	socklen_t length;
};

#define ADDRESS_TEXT_MAX 64u

/* The address of HOST:PORT, IPv4 if it has one. 0, or an error of getaddrinfo(3). */
int address_resolve(const char *host, uint16_t port, struct address *address);
bool address_is_loopback(const struct address *address);
/* "127.0.0.1:9002" or "[::1]:9002". */
void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* The 16 bytes of an IPv6 address, or of an IPv4 address mapped into one. */
void address_bytes(const struct sockaddr_storage *storage, uint8_t bytes[16]);
uint16_t address_port(const struct sockaddr_storage *storage);

#endif
