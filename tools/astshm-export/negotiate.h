/* SPDX-License-Identifier: MIT */
/*
 * What a client takes, as its headers Accept and Accept-Encoding say (RFC 9110,
 * sections 12.4.2, 12.5.1 and 12.5.3).
 */
#ifndef EXPORT_NEGOTIATE_H
#define EXPORT_NEGOTIATE_H

#include <stdbool.h>

enum exposition { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS, EXPOSITION_PROTOBUF, EXPOSITIONS };

/*
 * The form of /metrics that the header likes best; of equal ones the first that it
 * names. The text form for a header that is absent (NULL), unreadable, or likes none.
 */
enum exposition negotiate_exposition(const char *accept);

/* What goes into Content-Type. */
const char *negotiate_type(enum exposition exposition);

/* Is gzip wanted? Not where it is not named, or has q=0. */
bool negotiate_gzip(const char *accept_encoding);

#endif
