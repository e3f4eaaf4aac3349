/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "connection.h"
#include "origin.h"

#define RESPONSE_MAX 512u
#define HEADER_MAX 512u

struct refusal {
	const char *status;
	const char *headers;
	const char *text;
};

static const struct refusal not_websocket = {
	"426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
	"This is a WebSocket server.\n",
};
static const struct refusal bad_request = { "400 Bad Request", "", "Not a WebSocket handshake.\n" };
static const struct refusal bad_origin = { "403 Forbidden", "", "Origin not allowed.\n" };
static const struct refusal too_many = { "503 Service Unavailable", "Retry-After: 5\r\n",
					 "Too many clients.\n" };

static size_t format(const struct refusal *refusal, char response[RESPONSE_MAX])
{
	int length = snprintf(response, RESPONSE_MAX,
			      "HTTP/1.1 %s\r\nConnection: close\r\n%s"
			      "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
			      refusal->status, refusal->headers, strlen(refusal->text),
			      refusal->text);

	return (size_t)length;
}

static void refuse(struct lws *wsi, const struct refusal *refusal)
{
	unsigned char buffer[LWS_PRE + RESPONSE_MAX];
	size_t length = format(refusal, (char *)buffer + LWS_PRE);

	/* The connection is closed next, whether it was written or not. */
	if (lws_write(wsi, buffer + LWS_PRE, length, LWS_WRITE_HTTP_HEADERS) < 0)
		return;
}

void upgrade_explain(struct lws *wsi)
{
	refuse(wsi, &not_websocket);
}

void upgrade_refuse_socket(int fd)
{
	char response[RESPONSE_MAX], request[4096];
	size_t length = format(&too_many, response);

	/* A courtesy, whether it works or not. Unread bytes would make the close a reset. */
	(void)recv(fd, request, sizeof request, MSG_DONTWAIT);
	(void)send(fd, response, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/* The header, cut short never: longer ones equal nothing that we look for. */
static bool copy_header(struct lws *wsi, enum lws_token_indexes token, char text[HEADER_MAX])
{
	return lws_hdr_copy(wsi, text, HEADER_MAX, token) >= 0;
}

/* No Origin: not a browser, and whoever is not one can claim any. */
static bool has_good_origin(struct connection *connection, struct lws *wsi)
{
	struct websocket *websocket = connection->websocket;
	char origin[HEADER_MAX];

	if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
		return true;
	if (!copy_header(wsi, WSI_TOKEN_ORIGIN, origin))
		strcpy(origin, "(too long)");
	if (origin_allowed(origin, websocket->origins, websocket->options.origin_count))
		return true;
	log_limited(&websocket->refusals, LOG_WARNING,
		    "websocket: refused a page of origin '%s' (see --ws-origin)", origin);
	return false;
}

static bool has_room(struct websocket *websocket)
{
	if (websocket->client_count < websocket->options.clients)
		return true;
	log_limited(&websocket->refusals, LOG_WARNING,
		    "websocket: refused a client, %zu are connected", websocket->client_count);
	return false;
}

static bool is_handshake(struct lws *wsi)
{
	char version[HEADER_MAX];

	return lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 &&
	       lws_hdr_total_length(wsi, WSI_TOKEN_HOST) > 0 &&
	       lws_hdr_total_length(wsi, WSI_TOKEN_KEY) > 0 &&
	       copy_header(wsi, WSI_TOKEN_VERSION, version) && strcmp(version, "13") == 0;
}

/*
 * libwebsockets closes the connection of a client that asks for subprotocols of
 * which none is the name of one of ours. We have none, and any client is welcome:
 * so the first it asks for becomes our name, for this request.
 */
static void adopt_subprotocol(struct websocket *websocket, struct lws *wsi)
{
	char asked[HEADER_MAX];

	strcpy(websocket->subprotocol, "ast");
	if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) == 0 ||
	    !copy_header(wsi, WSI_TOKEN_PROTOCOL, asked))
		return;
	const char *first = asked + strspn(asked, " \t,");
	size_t length = strcspn(first, " \t,");
	if (length == 0 || length >= SUBPROTOCOL_MAX)
		return;
	memcpy(websocket->subprotocol, first, length);
	websocket->subprotocol[length] = '\0';
}

static const struct refusal *judge(struct connection *connection, const char *protocol)
{
	/* libwebsockets would speak HTTP/2 as well. */
	if (strcasecmp(protocol, "websocket") != 0)
		return &not_websocket;
	if (!is_handshake(connection->wsi))
		return &bad_request;
	if (!has_good_origin(connection, connection->wsi))
		return &bad_origin;
	return has_room(connection->websocket) ? NULL : &too_many;
}

int upgrade_confirm(struct connection *connection, const char *protocol)
{
	const struct refusal *refusal = judge(connection, protocol);

	if (refusal) {
		refuse(connection->wsi, refusal);
		return -1;
	}
	adopt_subprotocol(connection->websocket, connection->wsi);
	return 0;
}
