/* SPDX-License-Identifier: MIT */
/* Files, XML or gzip, into trees, and the trees into everything made of them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <zlib.h>

#include "diff.h"
#include "load.h"
#include "load_words.h"
#include "mutate.h"
#include "serialize.h"
#include "target.h"

#define LOAD_MAX 16384u

/* Small, so that each is met, and no input takes long. */
static const struct load_options limits = { .document_bytes = 1u << 20, .depth = 40,
					    .items = 80 };
static uint64_t loaded, failures[2];

/* --- what must hold --------------------------------------------------- */

static void count_failure(int result)
{
	static const int known[] = { -EBADMSG, -EFBIG };
	size_t i = 0;

	while (i < 2 && known[i] != result)
		i++;
	fuzz_expect(i < 2, "a file fails as broken or as too large");
	failures[i]++;
}

static void check_reason(const char *path, const char *error)
{
	fuzz_expect(strncmp(error, path, strlen(path)) == 0, "a failure says which file");
	fuzz_expect(strlen(error) > strlen(path) + 2, "a failure says why");
	fuzz_expect(!strchr(error, '\n'), "a failure is one line");
}

static int check_node(struct node *node, void *context)
{
	const struct tree *tree = context;
	const struct node *found = tree_find(tree, node->id);

	fuzz_expect(node->id[0] != '\0', "a node has an id");
	fuzz_expect(found == node || (node->type == NODE_FILE_REF && found),
		    "a node is found by its id");
	return 0;
}

/* Some other parser reads what we write, and finds the root. */
static void check_json(struct tree *tree)
{
	struct json_out out;

	json_out_init(&out, 0);
	serialize_node(&out, tree, tree_root(tree), SERIALIZE_QUERY);
	fuzz_expect(json_out_result(&out) == 0, "memory");
	json_t *read = json_loadb(out.text, out.length, 0, NULL);
	fuzz_expect(read, "a tree is JSON");
	const char *id = json_string_value(json_object_get(read, "id"));
	fuzz_expect(id && strcmp(id, "project") == 0, "the root is the project");
	json_decref(read);
	json_out_fini(&out);
}

/* The file against itself: scenes and slots keep their ids, nothing differs. */
static void check_reload(struct tree *tree, const char *path)
{
	char error[LOAD_ERROR_MAX];
	struct load_options options = limits;
	struct change_list changes;
	struct tree *again;

	options.previous = tree;
	fuzz_expect(load_file(&again, path, &options, error) == 0, "a file loads twice");
	fuzz_expect(diff_trees(tree, again, &changes) == 0, "memory");
	fuzz_expect(changes.count == 0, "a file equals itself");
	change_list_fini(&changes);
	tree_destroy(&again);
}

/* --- an input --------------------------------------------------------- */

/* The loader wants a path with a suffix, so a descriptor of memory will not do. */
static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	fuzz_expect(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0,
		    "a file in /dev/shm");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64], error[LOAD_ERROR_MAX] = "";
	struct tree *tree;

	snprintf(path, sizeof path, "/dev/shm/astshm-fuzz.%ld.als", (long)getpid());
	write_file(path, bytes, size);
	int result = load_file(&tree, path, &limits, error);
	if (result < 0) {
		count_failure(result);
		check_reason(path, error);
	} else {
		loaded++;
		node_walk(tree_root(tree), check_node, tree);
		check_json(tree);
		check_reload(tree, path);
		tree_destroy(&tree);
	}
	unlink(path);
	return 0;
}

/* --- seeds ------------------------------------------------------------ */

#define NAME "<Name><EffectiveName Value=\"a\"/><UserName Value=\"&#228;\"/></Name>"
#define MIXER "<Mixer><Sends><TrackSendHolder><Send><Manual Value=\"0.5\"/></Send>" \
	"<On Value=\"true\"/></TrackSendHolder></Sends>" \
	"<Speaker><Crossfader Value=\"2\"/></Speaker>" \
	"<Volume><Manual Value=\"1e-3\"/></Volume><Pan><Manual Value=\"-1\"/></Pan></Mixer>"
#define MIDI "<MidiClip><CurrentStart Value=\"0\"/><CurrentEnd Value=\"4\"/><Loop>" \
	"<LoopStart Value=\"0\"/><LoopEnd Value=\"4\"/><LoopOn Value=\"true\"/></Loop><Notes>" \
	"<KeyTracks><KeyTrack><Notes><MidiNoteEvent/><MidiNoteEvent/></Notes></KeyTrack>" \
	"</KeyTracks></Notes></MidiClip>"
#define REF "<FileRef Type=\"2\"><Path Value=\"/a.wav\"/><Name Value=\"a\"/>" \
	"<Hash Value=\"0123456789\"/></FileRef>"
#define AUDIO "<AudioClip><Color Value=\"3\"/><SampleRef>" REF "</SampleRef>" \
	"<IsWarped Value=\"true\"/><WarpMode Value=\"4\"/></AudioClip>"
#define SLOT(clip) "<ClipSlot><ClipSlot><Value>" clip "</Value></ClipSlot>" \
	"<HasStop Value=\"true\"/></ClipSlot>"
#define PLUGIN "<PluginDevice><On><Manual Value=\"false\"/></On><PluginDesc><VstPluginInfo>" \
	"<PlugName Value=\"p\"/><VendorName Value=\"v\"/></VstPluginInfo></PluginDesc>" \
	"<PluginFloatParameter Id=\"3\"><Manual Value=\"0.25\"/></PluginFloatParameter>" \
	"<PluginEnumParameter Id=\"4\"><Manual Value=\"1\"/></PluginEnumParameter></PluginDevice>"
#define RACK "<InstrumentGroupDevice><Branches>" NAME "<DeviceChain><Devices><Eq8/>" PLUGIN \
	"</Devices></DeviceChain></Branches></InstrumentGroupDevice>"
#define SCENE "<Scene><Name Value=\"s\"/><Tempo Value=\"120\"/>" \
	"<Annotation Value=\"&lt;\"/></Scene>"
#define TRACK "<MidiTrack>" NAME "<Color Value=\"5\"/><DeviceChain>" MIXER "<ClipSlotList>" \
	SLOT(MIDI) SLOT(AUDIO) SLOT("") "</ClipSlotList><DeviceChain><Devices>" RACK "<Reverb/>" \
	"</Devices></DeviceChain></DeviceChain></MidiTrack>\n"
#define SET(tracks, master, scenes, more) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<Ableton><LiveSet>\n<Tracks>" tracks "</Tracks>" master "<Scenes>" scenes "</Scenes>" \
	more "</LiveSet></Ableton>\n"

static bool seed(size_t index, struct fuzz_input *input)
{
	static const char *const seeds[] = {
		SET(TRACK, "<MainTrack>" NAME "</MainTrack>", SCENE SCENE, REF),
		SET(TRACK "<ReturnTrack/>", "<MasterTrack/>", SCENE, REF REF),
		SET("", "", SCENE SCENE SCENE, ""),
		SET(TRACK TRACK "<t/><t/>", "", SCENE SCENE SCENE SCENE, REF "<X>" REF "</X>"),
		SET("<GroupTrack>" NAME "<DeviceChain>" MIXER "<Devices>" RACK RACK
		    "</Devices></DeviceChain></GroupTrack>", "", "", "<!-- c --><![CDATA[<d>]]>"),
		"<a/>",
	};

	if (index >= sizeof seeds / sizeof seeds[0])
		return false;
	input->size = strlen(seeds[index]);
	fuzz_expect(input->size <= LOAD_MAX, "room for a seed");
	memcpy(input->bytes, seeds[index], input->size);
	return true;
}

static const char *word(size_t index)
{
	static const char *const words[] = {
		"<", ">", "/>", "</", "=\"", "&#x10FFFF;", "&amp;", "<!--", "-->", "<![CDATA[",
		"]]>", "<?", "?>", "<!DOCTYPE a [", "<!ENTITY b \"c\">", "]>", " Value=\"",
		" Id=\"", " Type=\"", "nan", "inf", "9223372036854775808", "1e400", "-0",
		"\xef\xbb\xbf", "\x1f\x8b",
	};
	size_t count = sizeof words / sizeof words[0];

	if (index < count)
		return words[index];
	index += 1 - count; /* word 0 is none, and neither is the end of the devices */
	index += index >= WORD_DEVICES_END;
	return index < WORDS ? load_word_name((enum load_word)index) : NULL;
}

/* --- valid changes ---------------------------------------------------- */

/* Where the next element begins, from `at` on and round again; false: there is none. */
static bool next_element(const struct fuzz_input *input, size_t *at)
{
	for (size_t i = 0; i + 1 < input->size; i++) {
		size_t place = (*at + i) % (input->size - 1);

		if (input->bytes[place] == '<' && input->bytes[place + 1] >= 'A') {
			*at = place;
			return true;
		}
	}
	return false;
}

/* Its length, to the end of its end tag; 0: that is missing. */
static size_t element_length(const struct fuzz_input *input, size_t at)
{
	const uint8_t *bytes = input->bytes;
	size_t depth = 0;

	for (size_t i = at; i + 1 < input->size; i++) {
		if (bytes[i] == '<' && bytes[i + 1] >= 'A')
			depth++;
		else if ((bytes[i] == '/' && bytes[i + 1] == '>') ||
			 (bytes[i] == '<' && bytes[i + 1] == '/'))
			depth--;
		if (bytes[i + 1] == '>' && depth == 0)
			return i + 2 - at;
	}
	return 0;
}

static void set_value(struct fuzz_input *input, size_t from, struct fuzz_random *random)
{
	static const char *const values[] = { "", "true", "false", "0", "-1", "5", "1e308", "nan",
					      "inf", "0x10", "99999999999999999999", " 7 ",
					      "&lt;", "\xc3\xbc", "1.5", "deadbeefdeadbeef" };
	const char *value = values[fuzz_random_below(random, sizeof values / sizeof values[0])];
	uint8_t *begin = memmem(input->bytes + from, input->size - from, "Value=\"", 7);
	uint8_t *end = begin ? memchr(begin + 7, '"', (size_t)(input->bytes + input->size -
							       begin - 7)) : NULL;

	if (!end)
		return;
	fuzz_remove(input, (size_t)(begin + 7 - input->bytes), (size_t)(end - begin - 7));
	fuzz_insert(input, (size_t)(begin + 7 - input->bytes), value, strlen(value));
}

/* Elements go, are doubled, get another place or another value. */
static void reshape(struct fuzz_input *input, struct fuzz_random *random)
{
	static uint8_t piece[LOAD_MAX];
	size_t at = fuzz_random_below(random, input->size);
	size_t length = next_element(input, &at) ? element_length(input, at) : 0;
	size_t what = fuzz_random_below(random, 4);

	memcpy(piece, input->bytes + at, length);
	if (what == 0) {
		set_value(input, at, random);
		return;
	}
	if (what < 3)
		fuzz_remove(input, at, length);
	at = fuzz_random_below(random, input->size);
	if (what > 1 && next_element(input, &at))
		fuzz_insert(input, at, piece, length);
}

/* As far as there is room: what is cut off is a truncated file. */
static void pack(struct fuzz_input *input)
{
	static uint8_t plain[LOAD_MAX];
	z_stream stream = { .next_in = plain, .avail_in = (uInt)input->size,
			    .next_out = input->bytes, .avail_out = LOAD_MAX };

	memcpy(plain, input->bytes, input->size);
	fuzz_expect(deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0) == Z_OK, "memory");
	deflate(&stream, Z_FINISH);
	deflateEnd(&stream);
	input->size = LOAD_MAX - stream.avail_out;
}

static bool report(void)
{
	printf("loaded %llu, refused as broken %llu, as too large %llu\n",
	       (unsigned long long)loaded, (unsigned long long)failures[0],
	       (unsigned long long)failures[1]);
	return loaded > 0 && failures[0] > 0 && failures[1] > 0;
}

const struct fuzz_target fuzz_target = { .seed = seed, .word = word, .reshape = reshape,
					 .pack = pack, .report = report, .size_max = LOAD_MAX };
