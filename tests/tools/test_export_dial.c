/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "dial.h"
#include "signals.h"

/* --- in place of the C library's: a kernel without IPv6, and a name that has it --- */

static struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
static struct sockaddr_in four = { .sin_family = AF_INET };
static struct addrinfo second = {
	.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
	.ai_addr = (struct sockaddr *)&four, .ai_addrlen = sizeof(four),
};
static struct addrinfo first = {
	.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_next = &second,
	.ai_addr = (struct sockaddr *)&six, .ai_addrlen = sizeof(six),
};

int socket(int domain, int type, int protocol)
{
	if (domain == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **found)
{
	(void)node, (void)service, (void)hints;
	*found = &first;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	assert_ptr_equal(found, &first);
}

/* ---------------------------------------------------------------------------------- */

static int listen_on_four(void)
{
	socklen_t length = sizeof(four);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(fd, (struct sockaddr *)&four, length), errno);
	assert_return_code(listen(fd, 1), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&four, &length), errno);
	return fd;
}

static void address_of_a_family_that_the_kernel_lacks_is_passed_over(void **state)
{
	int listener = listen_on_four(), result;
	struct dial dial;

	(void)state;
	dial_init(&dial, "both:1");
	result = dial_run(&dial, monotonic_ns());
	assert_int_not_equal(result, -1);
	assert_int_equal(dial.at ? dial.at->ai_family : AF_INET, AF_INET);
	while (result == 0)
		result = dial_run(&dial, monotonic_ns());
	assert_int_equal(result, 1);
	close(dial.fd);
	dial_fini(&dial);
	close(listener);
}

static void last_reason_is_told_where_no_address_can_be_tried(void **state)
{
	struct dial dial;

	(void)state;
	first.ai_next = NULL;
	dial_init(&dial, "six:1");
	assert_int_equal(dial_run(&dial, monotonic_ns()), -1);
	assert_string_equal(dial.why, strerror(EAFNOSUPPORT));
	assert_int_equal(dial.fd, -1);
	dial_fini(&dial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_of_a_family_that_the_kernel_lacks_is_passed_over),
		cmocka_unit_test(last_reason_is_told_where_no_address_can_be_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
