/* SPDX-License-Identifier: MIT */
#include "negotiate.h"

#include <string.h>
#include <strings.h>

/* A piece of a header, without blanks around it. */
struct word {
	const char *at;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct word trim(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	return (struct word){ at, (size_t)(end - at) };
}

/* The piece of `rest` up to `separator` outside quotes; `rest` becomes what follows. */
static struct word cut(struct word *rest, char separator)
{
	const char *end = rest->at + rest->length, *at = rest->at;
	bool quoted = false;

	for (; at < end && (quoted || *at != separator); at++)
		quoted ^= *at == '"';
	struct word word = trim(rest->at, at);
	at += at < end;
	*rest = (struct word){ at, (size_t)(end - at) };
	return word;
}

static bool equals(struct word word, const char *text)
{
	return word.length == strlen(text) && strncasecmp(word.at, text, word.length) == 0;
}

/* "0.75" as 750. What is no such number counts as 0. */
static int quality(struct word text)
{
	int value = 0, scale = 1000;

	for (size_t i = 0; i < text.length && i < 5; i++) {
		char c = text.at[i];

		if (i == 1 ? c != '.' : c < '0' || c > '9')
			return 0;
		if (i != 1) {
			value += (c - '0') * scale;
			scale /= 10;
		}
	}
	return text.length == 0 || value > 1000 ? 0 : value;
}

/* An element of the list: what it names, and what it says of it. */
struct range {
	struct word name;
	struct word version, proto, encoding;
	int quality; /* thousandths */
};

static struct range read_range(struct word element)
{
	struct range range = { .quality = 1000 };

	range.name = cut(&element, ';');
	while (element.length > 0) {
		struct word value = cut(&element, ';');
		struct word key = cut(&value, '=');

		value = trim(value.at, value.at + value.length);
		if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"')
			value = (struct word){ value.at + 1, value.length - 2 };
		if (equals(key, "q"))
			range.quality = quality(value);
		else if (equals(key, "version"))
			range.version = value;
		else if (equals(key, "proto"))
			range.proto = value;
		else if (equals(key, "encoding"))
			range.encoding = value;
	}
	return range;
}

/* OpenMetrics 0.0.1 is what Prometheus asked for before there was a 1.0.0. */
static bool takes_openmetrics(const struct range *range)
{
	return equals(range->name, "application/openmetrics-text") &&
	       (range->version.length == 0 || equals(range->version, "1.0.0") ||
		equals(range->version, "0.0.1"));
}

static bool takes_protobuf(const struct range *range)
{
	return equals(range->name, "application/vnd.google.protobuf") &&
	       equals(range->proto, "io.prometheus.client.MetricFamily") &&
	       equals(range->encoding, "delimited");
}

static bool takes_text(const struct range *range)
{
	if (equals(range->name, "*/*") || equals(range->name, "text/*"))
		return true;
	return equals(range->name, "text/plain") &&
	       (range->version.length == 0 || equals(range->version, "0.0.4"));
}

enum exposition negotiate_exposition(const char *accept)
{
	static bool (*const takes[EXPOSITIONS])(const struct range *) = {
		[EXPOSITION_TEXT] = takes_text,
		[EXPOSITION_OPENMETRICS] = takes_openmetrics,
		[EXPOSITION_PROTOBUF] = takes_protobuf,
	};
	struct word rest = { accept, accept ? strlen(accept) : 0 };
	enum exposition best = EXPOSITION_TEXT;
	int best_quality = 0;

	while (rest.length > 0) {
		struct range range = read_range(cut(&rest, ','));

		for (int i = 0; i < EXPOSITIONS; i++) {
			if (range.quality > best_quality && takes[i](&range)) {
				best = (enum exposition)i;
				best_quality = range.quality;
			}
		}
	}
	return best;
}

const char *negotiate_type(enum exposition exposition)
{
	static const char *const types[EXPOSITIONS] = {
		[EXPOSITION_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
		[EXPOSITION_OPENMETRICS] =
			"application/openmetrics-text; version=1.0.0; charset=utf-8",
		[EXPOSITION_PROTOBUF] = "application/vnd.google.protobuf; "
					"proto=io.prometheus.client.MetricFamily; "
					"encoding=delimited",
	};

	return types[exposition];
}

bool negotiate_gzip(const char *accept_encoding)
{
	struct word rest = { accept_encoding, accept_encoding ? strlen(accept_encoding) : 0 };

	while (rest.length > 0) {
		struct range range = read_range(cut(&rest, ','));

		if (equals(range.name, "gzip") || equals(range.name, "x-gzip"))
			return range.quality > 0;
	}
	return false;
}
