/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "diff.h"
#include "load.h"
#include "query.h"

static char folder[64], path[100], error[LOAD_ERROR_MAX];

static const char sample[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<Ableton><LiveSet><Tracks>\n"
	"<MidiTrack><Name><EffectiveName Value=\"Bass &amp; Co\"/></Name><Color Value=\"5\"/>\n"
	"<DeviceChain><Mixer><Sends><TrackSendHolder><Send><Manual Value=\"0.5\"/></Send>\n"
	"</TrackSendHolder></Sends><Volume><Manual Value=\"0.8\"/></Volume></Mixer>\n"
	"<ClipSlotList><ClipSlot><ClipSlot><Value><MidiClip><CurrentEnd Value=\"4\"/>\n"
	"<Notes><KeyTracks><KeyTrack><Notes><MidiNoteEvent/><MidiNoteEvent/></Notes></KeyTrack>\n"
	"</KeyTracks></Notes></MidiClip></Value></ClipSlot></ClipSlot></ClipSlotList>\n"
	"<DeviceChain><Devices><Eq8><UserName Value=\"EQ\"/></Eq8><PluginDevice><PluginDesc>\n"
	"<VstPluginInfo><PlugName Value=\"P\"/></VstPluginInfo></PluginDesc><ParameterList>\n"
	"<PluginFloatParameter Id=\"3\"><Manual Value=\"0.25\"/></PluginFloatParameter>\n"
	"</ParameterList></PluginDevice></Devices></DeviceChain></DeviceChain></MidiTrack>\n"
	"<ReturnTrack/></Tracks><MasterTrack/>\n"
	"<Scenes><Scene><Name Value=\"one\"/></Scene><Scene/></Scenes>\n"
	"<X><FileRef Type=\"T\"><Path Value=\"/a\"/><Hash Value=\"0123456789\"/></FileRef></X>\n"
	"</LiveSet></Ableton>\n";

/* --- files ------------------------------------------------------------ */

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/test-load.%ld.XXXXXX", (long)getpid());
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* Returns the length of the member. */
static size_t pack(unsigned char *packed, size_t room, const void *bytes, size_t length)
{
	z_stream stream = { .next_in = (unsigned char *)(uintptr_t)bytes,
			    .avail_in = (uInt)length, .next_out = packed,
			    .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&stream), Z_OK);
	return room - stream.avail_out;
}

static struct tree *load(const struct load_options *options)
{
	struct tree *tree = NULL;

	if (load_file(&tree, path, options, error) < 0)
		fail_msg("%s", error);
	return tree;
}

static void expect_failure(int result, const struct load_options *options, const char *reason)
{
	struct tree *old = (struct tree *)(uintptr_t)64, *tree = old;

	error[0] = '\0';
	assert_int_equal(load_file(&tree, path, options, error), result);
	assert_ptr_equal(tree, old); /* a tree that is there stays */
	if (!strstr(error, reason) || !strstr(error, path) || strchr(error, '\n'))
		fail_msg("'%s' lacks '%s' or the path", error, reason);
}

static void expect_refused(const char *document, int result, const char *reason)
{
	write_file("refused.als", document, strlen(document));
	expect_failure(result, NULL, reason);
}

/* --- what loads ------------------------------------------------------- */

static void expect_sample(void)
{
	struct tree *tree = load(NULL);

	assert_string_equal(node_text(tree_track(tree, 0), "name"), "Bass & Co");
	assert_int_equal(node_integer(tree_find(tree, "clip_0_0"), "note_count", -1), 2);
	assert_string_equal(node_text(tree_device(tree_track(tree, 0), 0), "name"), "PluginDevice");
	assert_string_equal(node_text(tree_device(tree_track(tree, 0), 1), "name"), "EQ");
	assert_string_equal(node_text(tree_track(tree, 1), "type"), "return");
	assert_string_equal(node_text(tree_track(tree, 2), "name"), "Master");
	assert_non_null(tree_find(tree, "fileref_01234567"));
	assert_int_equal(tree_of_type(tree, NODE_CLIP_SLOT)->count, 2);
	tree_destroy(&tree);
}

static void gzip_and_plain_xml_load_under_either_suffix(void **state)
{
	unsigned char packed[4096];
	size_t length = pack(packed, sizeof packed, sample, sizeof sample - 1);

	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *name = i % 2 ? "set.als" : "set.xml";

		if (i < 2)
			write_file(name, sample, sizeof sample - 1);
		else
			write_file(name, packed, length);
		expect_sample();
		unlink(path);
	}
}

static void members_and_padding_of_gzip_are_read_on(void **state)
{
	unsigned char packed[8192] = { 0 };
	size_t length = pack(packed, 4096, sample, 700);

	(void)state;
	length += pack(packed + length, 4096, sample + 700, sizeof sample - 1 - 700);
	write_file("set.als", packed, length + 100);
	expect_sample();
	packed[length + 99] = 'x';
	write_file("set.als", packed, length + 100);
	expect_failure(-EBADMSG, NULL, "garbage after the gzip data");
}

/* --- what does not ---------------------------------------------------- */

static void paths_that_are_no_set_are_refused(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/none.als", folder);
	expect_failure(-ENOENT, NULL, "File not found: ");
	write_file("set.txt", sample, sizeof sample - 1);
	expect_failure(-EINVAL, NULL, "Unsupported file type: .txt");
	unlink(path);
	write_file("set.ALS", sample, sizeof sample - 1);
	expect_failure(-EINVAL, NULL, "Unsupported file type: .ALS");
	unlink(path);
	write_file(".als", sample, sizeof sample - 1);
	expect_failure(-EINVAL, NULL, "Unsupported file type");
	unlink(path);
	snprintf(path, sizeof path, "%s/folder.als", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_failure(-EISDIR, NULL, "not a regular file");
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/pipe.als", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_failure(-EISDIR, NULL, "not a regular file");
}

static void broken_xml_is_refused_with_its_line(void **state)
{
	(void)state;
	expect_refused("", -EBADMSG, "line 1: no element found");
	expect_refused("garbage", -EBADMSG, "line 1: ");
	expect_refused("<a>\n\n</b>", -EBADMSG, "line 3: mismatched tag");
	expect_refused("<a>\n<b>", -EBADMSG, "line 2: no element found");
	expect_refused("<a>\n<b Value=\"\xff\"/></a>", -EBADMSG, "line 2: ");
	expect_refused("<a>\n&nothing;</a>", -EBADMSG, "line 2: undefined entity");
	expect_refused("<a Value='1' Value='2'/>", -EBADMSG, "line 1: duplicate attribute");
}

static void document_types_and_their_entities_are_refused(void **state)
{
	(void)state;
	expect_refused("<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">\n"
		       "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><l>&b;</l>", -EBADMSG,
		       "line 2: a document type declaration");
	expect_refused("<!DOCTYPE l SYSTEM \"/etc/passwd\"><l/>", -EBADMSG, "line 1: ");
}

static void every_truncation_of_gzip_is_refused(void **state)
{
	unsigned char packed[4096];
	size_t length = pack(packed, sizeof packed, sample, sizeof sample - 1);

	(void)state;
	for (size_t cut = 2; cut < length; cut++) {
		write_file("cut.als", packed, cut);
		expect_failure(-EBADMSG, NULL, "truncated gzip data");
	}
	packed[length - 6] ^= 1;
	write_file("cut.als", packed, length);
	expect_failure(-EBADMSG, NULL, "corrupt gzip data: incorrect data check");
}

static void depth_size_and_number_are_limited(void **state)
{
	struct load_options depth = { .depth = 15 }, shallow = { .depth = 14 };
	struct load_options bytes = { .document_bytes = sizeof sample - 2 };
	struct load_options items = { .items = 15 }, few = { .items = 14 };
	struct tree *tree;

	(void)state;
	write_file("set.xml", sample, sizeof sample - 1);
	expect_failure(-EFBIG, &bytes, "bytes of XML");
	bytes.document_bytes++;
	tree = load(&bytes);
	tree_destroy(&tree);
	tree = load(&depth);
	tree_destroy(&tree);
	expect_failure(-EFBIG, &shallow, "line 7: elements nested deeper than 14");
	/* 13 nodes, a send and a parameter. */
	tree = load(&items);
	tree_destroy(&tree);
	expect_failure(-EFBIG, &few, "more tracks, devices, clip slots or notes");
}

static void many_scenes_times_many_tracks_are_too_many(void **state)
{
	FILE *file;

	(void)state;
	write_file("wide.xml", "", 0);
	file = fopen(path, "wb");
	assert_non_null(file);
	fputs("<a><Tracks>", file);
	for (int i = 0; i < 20000; i++)
		fputs("<t/>", file);
	fputs("</Tracks><Scenes>", file);
	for (int i = 0; i < 20000; i++)
		fputs("<Scene/>", file);
	fputs("</Scenes></a>", file);
	assert_int_equal(fclose(file), 0);
	struct load_options options = { .items = 100000 };
	expect_failure(-EFBIG, &options, "more tracks");
}

static void endless_tag_is_given_up(void **state)
{
	size_t length = 24u << 20;
	char *document = malloc(length);

	(void)state;
	assert_non_null(document);
	memset(document, 'a', length);
	memcpy(document, "<a>\n<b Value=\"", 14);
	write_file("endless.xml", document, length);
	free(document);
	expect_failure(-EFBIG, NULL, "line 2: a tag or comment");
}

/* Whatever comes out, it comes out clean: for the sanitizers. */
static void mutated_documents_do_no_harm(void **state)
{
	static const char *const words[] = { "Tracks", "Scene", "ClipSlot", "FileRef", "Manual",
					     "DeviceChain", "<", "/>", "\"", "Value" };
	unsigned char packed[4096], bytes[sizeof sample];
	unsigned random = 7, loaded = 0;

	(void)state;
	size_t packed_length = pack(packed, sizeof packed, sample, sizeof sample - 1);
	for (int round = 0; round < 2000; round++) {
		struct tree *tree;

		memcpy(bytes, sample, sizeof sample);
		for (int change = 0; change <= round % 3; change++) {
			random = random * 1103515245u + 12345u;
			size_t at = (random >> 8) % (sizeof sample - 24);
			const char *word = words[(random >> 4) % 10];

			if (round % 4 == 0)
				packed[at % packed_length] ^= (unsigned char)(1u << (random % 8));
			else if (round % 4 == 1)
				bytes[at] ^= (unsigned char)(1u << ((random >> 3) % 8));
			else
				memcpy(bytes + at, word, strlen(word));
		}
		if (round % 4 == 0)
			write_file("mutated.als", packed, packed_length);
		else
			write_file("mutated.als", bytes, sizeof sample - 1);
		if (round % 40 == 0)
			pack(packed, sizeof packed, sample, sizeof sample - 1);
		if (load_file(&tree, path, NULL, error) < 0)
			continue;
		char hash[NODE_HASH_TEXT];
		tree_hash(tree, tree_root(tree), hash);
		tree_destroy(&tree);
		loaded++;
	}
	assert_in_range(loaded, 50, 1950); /* both sides were seen */
}

/* True once it was asked more than *context times. */
static bool stop_later(void *context)
{
	int *left = context;

	return (*left)-- <= 0;
}

static void loading_ends_when_it_is_told_to(void **state)
{
	int left = 0;
	struct load_options options = { .stop = stop_later, .context = &left, .items = 1024 };
	struct tree *tree;

	(void)state;
	write_file("set.xml", sample, sizeof sample - 1);
	expect_failure(-ECANCELED, &options, "loading was given up");
	left = 1; /* as the first node is made */
	expect_failure(-ECANCELED, &options, "line 12: loading was given up");
	left = 3; /* that, and once more at the end of the file */
	tree = load(&options);
	tree_destroy(&tree);
	assert_int_equal(left, 0);
}

/* --- in two steps ------------------------------------------------------ */

static void *load_twice(void *context)
{
	struct node **roots = context;

	for (int i = 0; i < 2; i++) {
		if (load_root(&roots[i], path, NULL, error) < 0)
			roots[i] = NULL;
	}
	return NULL;
}

static void rename_track(struct tree *tree, int number)
{
	char name[16], hash[NODE_HASH_TEXT];

	snprintf(name, sizeof name, "name %d", number);
	assert_int_equal(tree_set(tree, tree_track(tree, 0), "name", value_text(name)), 0);
	tree_hash(tree, tree_root(tree), hash);
}

/* For ThreadSanitizer: the first step shares nothing with the tree's owner. */
static void another_thread_reads_the_file_while_the_tree_changes(void **state)
{
	struct node *roots[2];
	struct change_list changes;
	struct tree *tree, *loaded;
	pthread_t reader;

	(void)state;
	write_file("set.xml", sample, sizeof sample - 1);
	tree = load(NULL);
	assert_int_equal(pthread_create(&reader, NULL, load_twice, roots), 0);
	for (int i = 0; i < 1000; i++)
		rename_track(tree, i);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_non_null(roots[0]);
	assert_non_null(roots[1]);
	node_destroy(roots[1]); /* a root that enters no tree */
	assert_int_equal(load_finish(&loaded, roots[0], tree), 0);
	assert_int_equal(diff_trees(tree, loaded, &changes), 0);
	assert_int_equal(changes.count, 1);
	assert_string_equal(node_text(changes.items[0].before, "name"), "name 999");
	assert_string_equal(node_text(changes.items[0].after, "name"), "Bass & Co");
	change_list_fini(&changes);
	tree_destroy(&tree);
	tree_destroy(&loaded);
}

static int expect_blank(struct node *node, void *context)
{
	(void)context;
	assert_int_equal(node->id[0] == '\0',
			 node->type == NODE_SCENE || node->type == NODE_CLIP_SLOT);
	return 0;
}

static void ids_are_given_in_the_second_step(void **state)
{
	struct tree *first, *second;
	struct node *root;

	(void)state;
	write_file("set.xml", sample, sizeof sample - 1);
	assert_int_equal(load_root(&root, path, NULL, error), 0);
	node_walk(root, expect_blank, NULL);
	assert_int_equal(load_finish(&first, root, NULL), 0);
	assert_int_equal(load_root(&root, path, NULL, error), 0);
	assert_int_equal(load_finish(&second, root, first), 0);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(tree_scene(first, i)->id, tree_scene(second, i)->id);
		assert_string_equal(tree_slot(tree_track(first, 0), i)->id,
				    tree_slot(tree_track(second, 0), i)->id);
	}
	tree_destroy(&first);
	tree_destroy(&second);
}

/* --- what changed ----------------------------------------------------- */

/* The sample with `from` replaced by `to`, compared with the sample. */
static size_t diff_replaced(const char *from, const char *to, struct change *first)
{
	char document[2 * sizeof sample];
	const char *place = strstr(sample, from);
	struct change_list changes;
	struct tree *tree, *loaded;

	assert_non_null(place);
	write_file("set.xml", sample, sizeof sample - 1);
	tree = load(NULL);
	int length = snprintf(document, sizeof document, "%.*s%s%s", (int)(place - sample), sample,
			      to, place + strlen(from));
	write_file("set.xml", document, (size_t)length);
	assert_int_equal(diff_with_file(tree, path, &loaded, &changes, error), 0);
	size_t count = changes.count;
	if (count > 0) {
		*first = changes.items[0];
		const struct node *node = first->after ? first->after : first->before;
		strcpy(error, node->id); /* outlives the trees */
	}
	change_list_fini(&changes);
	tree_destroy(&tree);
	tree_destroy(&loaded);
	return count;
}

static void equal_file_has_no_changes(void **state)
{
	struct change first;

	(void)state;
	assert_int_equal(diff_replaced("Bass", "Bass", &first), 0);
}

static void each_edit_is_one_change(void **state)
{
	struct change first;

	(void)state;
	assert_int_equal(diff_replaced("Bass", "Lead", &first), 1);
	assert_int_equal(first.kind, CHANGE_MODIFIED);
	assert_string_equal(error, "track_0");
	assert_int_equal(diff_replaced("<Scene/>", "<Scene/><Scene/>", &first), 2);
	assert_int_equal(first.kind, CHANGE_ADDED); /* the track's slot, then the scene */
	assert_int_equal(strncmp(error, "clip_slot_", 10), 0);
	assert_int_equal(diff_replaced("Value=\"one\"", "Value=\"two\"", &first), 1);
	assert_int_equal(strncmp(error, "scene_", 6), 0);
	assert_int_equal(diff_replaced("<Value><MidiClip>", "<Value><Color Value=\"3\"/><MidiClip>",
				       &first), 0);
	assert_int_equal(diff_replaced("<MidiNoteEvent/>", "", &first), 1);
	assert_string_equal(error, "clip_0_0");
	assert_int_equal(diff_replaced("<ClipSlot><Value>",
				       "<ClipSlot><Color Value=\"3\"/><Value>", &first), 1);
	assert_int_equal(strncmp(error, "clip_slot_", 10), 0);
	assert_int_equal(diff_replaced("<Eq8><UserName Value=\"EQ\"/></Eq8>", "<Eq9/>", &first),
			 1);
	assert_int_equal(first.kind, CHANGE_REMOVED);
	assert_string_equal(error, "device_0_1");
}

static void diff_needs_a_tree_and_a_file(void **state)
{
	struct change_list changes;
	struct tree *tree, *loaded;

	(void)state;
	write_file("set.xml", sample, sizeof sample - 1);
	assert_int_equal(diff_with_file(NULL, path, &loaded, &changes, error), -ENODATA);
	assert_string_equal(error, "No project loaded");
	tree = load(NULL);
	assert_int_equal(diff_with_file(tree, "/none.als", &loaded, &changes, error), -ENOENT);
	tree_destroy(&tree);
}

#define load_test(function) cmocka_unit_test_teardown(function, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		load_test(gzip_and_plain_xml_load_under_either_suffix),
		load_test(members_and_padding_of_gzip_are_read_on),
		load_test(paths_that_are_no_set_are_refused),
		load_test(broken_xml_is_refused_with_its_line),
		load_test(document_types_and_their_entities_are_refused),
		load_test(every_truncation_of_gzip_is_refused),
		load_test(depth_size_and_number_are_limited),
		load_test(many_scenes_times_many_tracks_are_too_many),
		load_test(endless_tag_is_given_up),
		load_test(mutated_documents_do_no_harm),
		load_test(loading_ends_when_it_is_told_to),
		load_test(another_thread_reads_the_file_while_the_tree_changes),
		load_test(ids_are_given_in_the_second_step),
		load_test(equal_file_has_no_changes),
		load_test(each_edit_is_one_change),
		load_test(diff_needs_a_tree_and_a_file),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
