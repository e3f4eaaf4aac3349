/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <expat.h>

#include "load.h"
#include "load_build.h"
#include "load_source.h"

/*
 * A token that is not complete is scanned again with each piece of input: one of
 * a gigabyte would take hours. Attributes of real sets have less than 1 MB.
 */
#define TOKEN_BYTES (8u << 20)

struct loader {
	XML_Parser parser;
	struct load_source source;
	struct load_words words;
	struct load_skeleton part; /* of the outermost element that makes nodes, while open */
	struct load_build build;
	struct load_options limits;
	uint64_t document_bytes; /* so far */
	uint32_t depth;
	uint32_t part_depth;     /* of that element; 0: none is open */
	uint8_t open_words[LOAD_DEPTH + 1];
	uint32_t open_elements[LOAD_DEPTH + 1]; /* in the part; NO_ELEMENT: not kept */
	int result;
	const char *path;
	char *error;
};

/* --- failures --------------------------------------------------------- */

static int fail(struct loader *loader, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first one stays. */
static int fail(struct loader *loader, int result, const char *format, ...)
{
	va_list arguments;

	if (loader->result < 0)
		return loader->result;
	va_start(arguments, format);
	vsnprintf(loader->error, LOAD_ERROR_MAX, format, arguments);
	va_end(arguments);
	loader->result = result;
	return result;
}

static int fail_at_line(struct loader *loader, int result, const char *reason)
{
	return fail(loader, result, "%s: line %lu: %s", loader->path,
		    (unsigned long)XML_GetCurrentLineNumber(loader->parser), reason);
}

/* Out of a handler: expat then makes no more events of its own. */
static void stop(struct loader *loader, int result, const char *reason)
{
	fail_at_line(loader, result, reason);
	XML_StopParser(loader->parser, XML_FALSE);
}

static const char *limit_reason(int result)
{
	if (result == -EFBIG)
		return "more tracks, devices, clip slots or notes than a set can have";
	return result == -ECANCELED ? "loading was given up" : strerror(-result);
}

/* --- elements --------------------------------------------------------- */

static enum load_role role_of(enum load_word word, enum load_word parent)
{
	if (parent == WORD_TRACKS)
		return ROLE_TRACK;
	return word == WORD_SCENE && parent == WORD_SCENES ? ROLE_SCENE : ROLE_NONE;
}

static bool makes_nodes(enum load_word word, enum load_role role)
{
	return role != ROLE_NONE || word == WORD_MASTER_TRACK || word == WORD_MAIN_TRACK ||
	       word == WORD_FILE_REF;
}

static const char *label_attribute(enum load_word word)
{
	if (word == WORD_FILE_REF)
		return "Type";
	return word == WORD_FLOAT_PARAMETER || word == WORD_ENUM_PARAMETER ? "Id" : NULL;
}

static int take_attributes(struct loader *loader, struct load_element *element,
			   const XML_Char **attributes)
{
	const char *label = label_attribute((enum load_word)element->word);
	int result = 0;

	for (; result == 0 && attributes[0]; attributes += 2) {
		if (strcmp(attributes[0], "Value") == 0)
			result = load_skeleton_add_text(&loader->part, attributes[1],
							&element->value);
		else if (label && strcmp(attributes[0], label) == 0)
			result = load_skeleton_add_text(&loader->part, attributes[1],
							&element->label);
	}
	return result;
}

static void keep(struct loader *loader, enum load_word word, enum load_role role,
		 const XML_Char **attributes)
{
	struct load_element element = { .depth = (uint16_t)loader->depth,
					.word = (uint8_t)word,
					.role = (uint8_t)role };
	int result = take_attributes(loader, &element, attributes);

	loader->open_elements[loader->depth] = (uint32_t)loader->part.count;
	if (result == 0)
		result = load_skeleton_add(&loader->part, &element);
	if (result < 0)
		stop(loader, result, limit_reason(result));
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct loader *loader = context;
	char reason[64];

	if (loader->result < 0)
		return;
	if (loader->depth >= loader->limits.depth) {
		snprintf(reason, sizeof reason, "elements nested deeper than %u",
			 loader->limits.depth);
		stop(loader, -EFBIG, reason);
		return;
	}
	enum load_word parent = (enum load_word)loader->open_words[loader->depth];
	enum load_word word = load_words_find(&loader->words, name);
	enum load_role role = role_of(word, parent);
	loader->depth++;
	loader->open_words[loader->depth] = (uint8_t)word;
	loader->open_elements[loader->depth] = NO_ELEMENT;
	if (loader->part_depth == 0 && makes_nodes(word, role)) {
		loader->part_depth = loader->depth;
		load_skeleton_clear(&loader->part);
	}
	if (loader->part_depth > 0 && (word != WORD_OTHER || role != ROLE_NONE))
		keep(loader, word, role, attributes);
}

static void on_end(void *context, const XML_Char *name)
{
	struct loader *loader = context;

	(void)name;
	if (loader->result < 0)
		return;
	uint32_t element = loader->open_elements[loader->depth];
	if (element != NO_ELEMENT)
		loader->part.elements[element].end = (uint32_t)loader->part.count;
	if (loader->depth-- != loader->part_depth)
		return;
	loader->part_depth = 0;
	load_build_part(&loader->build, &loader->part);
	if (loader->build.result < 0)
		stop(loader, loader->build.result, limit_reason(loader->build.result));
}

/* Live writes none, and all that entities can do to us begins with one. */
static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(context, -EBADMSG, "a document type declaration, which no Live Set has");
}

/* --- the document ----------------------------------------------------- */

static int check_size(struct loader *loader, size_t got)
{
	loader->document_bytes += got;
	if (loader->document_bytes <= loader->limits.document_bytes)
		return 0;
	return fail(loader, -EFBIG, "%s: more than %" PRIu64 " bytes of XML", loader->path,
		    loader->limits.document_bytes);
}

/* The current event is the token that is not complete. */
static int check_token(struct loader *loader)
{
	XML_Index index = XML_GetCurrentByteIndex(loader->parser);

	if (index < 0 || loader->document_bytes - (uint64_t)index <= TOKEN_BYTES)
		return 0;
	return fail_at_line(loader, -EFBIG, "a tag or comment of more than 8 MiB");
}

static int check_stop(struct loader *loader)
{
	const struct load_options *limits = &loader->limits;

	if (!limits->stop || !limits->stop(limits->context))
		return 0;
	return fail(loader, -ECANCELED, "%s: loading was given up", loader->path);
}

/* *more: false at the end. */
static int feed(struct loader *loader, bool *more)
{
	void *room = XML_GetBuffer(loader->parser, LOAD_SOURCE_BYTES);

	if (!room)
		return fail(loader, -ENOMEM, "%s: %s", loader->path, strerror(ENOMEM));
	ssize_t got = load_source_read(&loader->source, room, LOAD_SOURCE_BYTES);
	if (got < 0)
		return fail(loader, (int)got, "%s: %s", loader->path, loader->source.reason);
	*more = got > 0;
	int result = check_size(loader, (size_t)got);
	if (result < 0)
		return result;
	if (XML_ParseBuffer(loader->parser, (int)got, got == 0) == XML_STATUS_OK)
		return check_token(loader);
	enum XML_Error code = XML_GetErrorCode(loader->parser);
	return fail_at_line(loader, code == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG,
			    XML_ErrorString(code));
}

static int parse(struct loader *loader)
{
	bool more = true;
	int result = 0;

	loader->parser = XML_ParserCreate(NULL);
	if (!loader->parser)
		return fail(loader, -ENOMEM, "%s: %s", loader->path, strerror(ENOMEM));
	XML_SetUserData(loader->parser, loader);
	XML_SetElementHandler(loader->parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(loader->parser, on_doctype);
	while (result == 0 && more) {
		result = check_stop(loader);
		if (result == 0)
			result = feed(loader, &more);
	}
	XML_ParserFree(loader->parser);
	return result;
}

static int finish(struct loader *loader, struct node **root)
{
	int result = load_build_finish(&loader->build, root);

	if (result < 0)
		fail(loader, result, "%s: %s", loader->path, limit_reason(result));
	return result;
}

static int read_document(struct loader *loader, struct node **root)
{
	int result = load_source_open(&loader->source, loader->path);

	if (result < 0)
		return fail(loader, result, "%s: %s", loader->path, loader->source.reason);
	load_words_init(&loader->words);
	load_build_init(&loader->build, &loader->limits);
	result = parse(loader);
	if (result == 0)
		result = finish(loader, root);
	load_build_fini(&loader->build);
	load_skeleton_fini(&loader->part);
	load_source_close(&loader->source);
	return result;
}

/* --- the file --------------------------------------------------------- */

static int check_path(struct loader *loader)
{
	const char *slash = strrchr(loader->path, '/');
	const char *name = slash ? slash + 1 : loader->path;
	const char *suffix = strrchr(name, '.');
	struct stat status;

	if (stat(loader->path, &status) < 0) {
		int error = errno;

		if (error == ENOENT)
			return fail(loader, -ENOENT, "File not found: %s", loader->path);
		return fail(loader, -error, "%s: %s", loader->path, strerror(error));
	}
	if (!suffix || suffix == name)
		suffix = "";
	if (strcmp(suffix, ".als") != 0 && strcmp(suffix, ".xml") != 0)
		return fail(loader, -EINVAL, "Unsupported file type: %s (%s)", suffix,
			    loader->path);
	return 0;
}

static void take_limits(struct loader *loader, const struct load_options *options)
{
	struct load_options *limits = &loader->limits;

	if (options)
		*limits = *options;
	if (limits->document_bytes == 0)
		limits->document_bytes = LOAD_DOCUMENT_BYTES;
	if (limits->depth == 0 || limits->depth > LOAD_DEPTH)
		limits->depth = LOAD_DEPTH;
	if (limits->items == 0)
		limits->items = LOAD_ITEMS;
}

int load_root(struct node **root, const char *path, const struct load_options *options,
	      char error[LOAD_ERROR_MAX])
{
	struct loader *loader = calloc(1, sizeof *loader); /* 70 KB: too much for a stack */

	if (!loader) {
		snprintf(error, LOAD_ERROR_MAX, "%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	loader->path = path;
	loader->error = error;
	take_limits(loader, options);
	int result = check_path(loader);
	if (result == 0)
		result = read_document(loader, root);
	free(loader);
	return result;
}
