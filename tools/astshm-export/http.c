/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "compress.h"
#include "duration.h"
#include "signals.h"

#define REQUEST_BYTES_MAX 16384u /* request line and headers, and what we add */
#define IDLE_SECONDS 30u
#define COMPRESS_FROM_BYTES 512 /* less fits into one packet anyway */
#define SECOND_NS 1000000000

struct http {
	struct MHD_Daemon *daemon;
	struct segments *segments;
	const struct access_rules *access;
	const struct http_options *options;
	int64_t credit_ns; /* what requests may still cost now; one costs 1 s / rate */
	int64_t credited_ns;
};

/* --- limits ---------------------------------------------------------------------- */

/* A second's worth of requests at most is saved up. */
static bool may_ask(struct http *http)
{
	int64_t now = monotonic_ns(), cost = SECOND_NS / http->options->rate;

	http->credit_ns += now - http->credited_ns;
	http->credited_ns = now;
	if (http->credit_ns > SECOND_NS)
		http->credit_ns = SECOND_NS;
	if (http->credit_ns < cost)
		return false;
	http->credit_ns -= cost;
	return true;
}

/* --- requests ---------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static const char *argument(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static bool is_on(struct MHD_Connection *connection, const char *name)
{
	const char *text = argument(connection, name);

	return text && strcmp(text, "0") != 0;
}

struct query {
	struct metric_choice *metrics;
	unsigned seen;     /* a bit for each of once_names */
	const char *wrong; /* NULL: nothing so far */
};

/* Of two of a name, one would be left out in silence, and so would a slip of the pen. */
static enum MHD_Result read_argument(void *context, enum MHD_ValueKind kind, const char *name,
				     const char *text)
{
	static const char *const once_names[] = { "window", "buckets", "last" };
	struct query *query = context;
	unsigned i = 0, count = sizeof(once_names) / sizeof(once_names[0]);

	(void)kind;
	while (i < count && strcmp(name, once_names[i]) != 0)
		i++;
	if (i == count && strcmp(name, "metric") != 0)
		query->wrong = "behind ? there can be window=, metric=, buckets= and last= alone";
	else if (!text)
		query->wrong = "behind ? each name needs = and a value";
	else if (i < count && query->seen & 1u << i)
		query->wrong = "behind ? all but metric= can stand once";
	else if (i < count)
		query->seen |= 1u << i;
	else if (!metrics_add(query->metrics, text))
		query->wrong = "there are too many metric=";
	return query->wrong ? MHD_NO : MHD_YES;
}

/* False: the answer says what is wrong with it. */
static bool read_query(struct MHD_Connection *connection, struct request *request,
		       struct answer *answer)
{
	const char *window = argument(connection, "window");
	struct query query = { .metrics = &request->metrics };

	request->buckets = is_on(connection, "buckets");
	request->last = is_on(connection, "last");
	/* What tells of a window has no native form. */
	if (window && request->exposition == EXPOSITION_PROTOBUF)
		request->exposition = EXPOSITION_TEXT;
	if (window && !(duration_parse(window, &request->window_ns) && request->window_ns > 0)) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST,
			      "window is no time above zero such as 2, 0.5, 60s, 5m or 1h");
		return false;
	}
	/* What stands behind the page's own paths, or none of ours, means nothing. */
	if (request->document != DOCUMENT_PAGE && request->document != DOCUMENT_NONE)
		MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, read_argument,
					  &query);
	if (query.wrong)
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "%s", query.wrong);
	return !query.wrong;
}

/* --- who asks ------------------------------------------------------------------------ */

static enum MHD_Result count_host(void *context, enum MHD_ValueKind kind, const char *name,
				  const char *text)
{
	unsigned *count = context;

	(void)kind;
	(void)text;
	*count += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
	return MHD_YES;
}

/*
 * Is the server called as it may be? No browser leaves the name out, so that clients of
 * HTTP/1.0 may; where there are two, nobody knows which one the browser meant.
 */
static bool is_called_right(const struct http *http, struct MHD_Connection *connection,
			    const char *version, struct answer *answer)
{
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);
	unsigned count = 0;

	if (http->options->hosts.any)
		return true;
	MHD_get_connection_values(connection, MHD_HEADER_KIND, count_host, &count);
	if (count == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
		return true;
	if (count != 1 || !host)
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "one header Host is needed");
	else if (!host_allowed(&http->options->hosts, host))
		answer_refuse(answer, MHD_HTTP_MISDIRECTED_REQUEST,
			      "this is no server of that name: ask for its address, or start it "
			      "with --allow-host NAME; see astshm-export(1)");
	else
		return true;
	return false;
}

static void answer_request(struct http *http, struct MHD_Connection *connection, const char *path,
			   const char *version, struct answer *answer)
{
	struct request request = {
		.exposition = negotiate_exposition(header(connection, MHD_HTTP_HEADER_ACCEPT)),
		.style = &http->options->style,
		.feeds = http->options->feeds,
	};

	if (!may_ask(http)) {
		answer_refuse(answer, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests a second");
		return;
	}
	if (!is_called_right(http, connection, version, answer))
		return;
	if (!access_granted(http->access, header(connection, MHD_HTTP_HEADER_AUTHORIZATION))) {
		answer_refuse(answer, MHD_HTTP_UNAUTHORIZED, "who asks?");
		return;
	}
	answer_route(&request, path);
	if (read_query(connection, &request, answer))
		answer_make(http->segments, &request, answer);
}

/* --- responses ----------------------------------------------------------------------- */

/* The page takes nothing from elsewhere, and nobody shows it in a frame. */
static const char page_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	"require-trusted-types-for 'script'; trusted-types 'none'";

/* Kept, but asked for each time: the program may be another one by then. */
static void add_page_headers(struct MHD_Response *response, const struct page_file *file,
			     bool packed)
{
	char etag[80];

	snprintf(etag, sizeof(etag), "\"%s%s\"", file->hash, packed ? "-gzip" : "");
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	MHD_add_response_header(response, "Content-Security-Policy", page_policy);
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
}

/* Browsers know what to do with the latter alone. */
static void add_challenges(struct MHD_Response *response, const struct access_rules *access)
{
	if (access->tokens)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
					"Bearer realm=\"astshm\"");
	MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
				"Basic realm=\"astshm\", charset=\"UTF-8\"");
}

static void add_headers(struct MHD_Response *response, const struct http *http,
			const struct answer *answer, bool packed)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	if (answer->file)
		add_page_headers(response, answer->file, packed);
	else
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (packed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (answer->status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		add_challenges(response, http->access);
}

/* Who has the file already gets its headers alone. */
static void leave_out_known(struct MHD_Connection *connection, struct answer *answer)
{
	if (answer->file &&
	    page_is_known(answer->file, header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH))) {
		answer->status = MHD_HTTP_NOT_MODIFIED;
		answer->body.count = 0;
	}
}

/* Takes the body over. */
static enum MHD_Result send_answer(const struct http *http, struct MHD_Connection *connection,
				   struct answer *answer)
{
	bool packed = answer->body.count >= COMPRESS_FROM_BYTES &&
		      negotiate_gzip(header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING)) &&
		      compress_gzip(&answer->body) == 0;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.count, answer->body.bytes, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		buffer_free(&answer->body);
		return MHD_NO;
	}
	add_headers(response, http, answer, packed);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/*
 * Called once when the headers are there and once more when the whole request is;
 * `state` tells the two apart.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **state)
{
	static char headers_seen;
	struct http *http = context;
	struct answer answer = { 0 };
	bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
		     strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

	(void)upload;
	if (reads && !*state) {
		*state = &headers_seen;
		return MHD_YES;
	}
	if (*upload_bytes > 0)
		return MHD_NO; /* GET with a body: nobody of good will sends one */
	if (reads)
		answer_request(http, connection, path, version, &answer);
	else
		answer_refuse(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
	leave_out_known(connection, &answer);
	return send_answer(http, connection, &answer);
}

/* --- the daemon -------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
	const struct http_options *options = http->options;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->tls_certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->tls_key },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_EPOLL;

	if (options->tls_certificate)
		flags |= MHD_USE_TLS;
	else
		tls[0] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, http,
				MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, options->connections,
				MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES_MAX,
				MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

int http_start(struct http **http, int fd, struct segments *segments,
	       const struct access_rules *access, const struct http_options *options)
{
	struct http *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->segments = segments;
	made->access = access;
	made->options = options;
	made->credit_ns = SECOND_NS;
	made->credited_ns = monotonic_ns();
	made->daemon = start_daemon(made, fd);
	if (!made->daemon) {
		free(made);
		return options->tls_certificate ? -EINVAL : -ENOMEM;
	}
	*http = made;
	return 0;
}

void http_stop(struct http **http)
{
	if (!*http)
		return;
	MHD_stop_daemon((*http)->daemon);
	free(*http);
	*http = NULL;
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int64_t http_timeout_ns(const struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(http->daemon, &ms) == MHD_YES ? (int64_t)ms * 1000000 : -1;
}

static unsigned connections(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

/*
 * With the most connections there may be, the library listens no longer, and finds
 * out only as it begins that one has gone, which the run before ended with.
 */
void http_run(struct http *http)
{
	unsigned before;

	do {
		before = connections(http);
		MHD_run(http->daemon);
	} while (connections(http) < before);
}
