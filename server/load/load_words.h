/* SPDX-License-Identifier: MIT */
/* The names of elements that a tree is made from. */
#ifndef SERVER_LOAD_WORDS_H
#define SERVER_LOAD_WORDS_H

#include <stdint.h>

/* Devices, in the order in which a track's devices stand, with their device_type. */
#define LOAD_DEVICES(X)                                                     \
	X(INSTRUMENT_GROUP, "InstrumentGroupDevice", "instrument")          \
	X(PLUGIN, "PluginDevice", "plugin")                                 \
	X(AU_PLUGIN, "AuPluginDevice", "au_plugin")                         \
	X(VST3_PLUGIN, "Vst3PluginDevice", "vst3_plugin")                   \
	X(AUDIO_EFFECT_GROUP, "AudioEffectGroupDevice", "audio_effect_group") \
	X(MIDI_EFFECT_GROUP, "MidiEffectGroupDevice", "midi_effect_group")  \
	X(COMPRESSOR, "Compressor2", "audio_effect")                        \
	X(EQ8, "Eq8", "audio_effect")                                       \
	X(REVERB, "Reverb", "audio_effect")                                 \
	X(DELAY, "Delay", "audio_effect")                                   \
	X(CHORUS, "Chorus", "audio_effect")                                 \
	X(SATURATOR, "Saturator", "audio_effect")                           \
	X(ARPEGGIATOR, "MidiArpeggiator", "midi_effect")                    \
	X(NOTE_LENGTH, "MidiNoteLength", "midi_effect")                     \
	X(MIDI_SCALE, "MidiScale", "midi_effect")                           \
	X(MIDI_CHORD, "MidiChord", "midi_effect")

#define LOAD_WORDS(X)                                        \
	X(TRACKS, "Tracks")                                  \
	X(RETURN_TRACK, "ReturnTrack")                       \
	X(MASTER_TRACK, "MasterTrack")                       \
	X(MAIN_TRACK, "MainTrack")                           \
	X(SCENES, "Scenes")                                  \
	X(SCENE, "Scene")                                    \
	X(FILE_REF, "FileRef")                               \
	X(NAME, "Name")                                      \
	X(EFFECTIVE_NAME, "EffectiveName")                   \
	X(USER_NAME, "UserName")                             \
	X(COLOR, "Color")                                    \
	X(DEVICE_CHAIN, "DeviceChain")                       \
	X(MIXER, "Mixer")                                    \
	X(ON, "On")                                          \
	X(MANUAL, "Manual")                                  \
	X(PLUGIN_DESC, "PluginDesc")                         \
	X(VST_PLUGIN_INFO, "VstPluginInfo")                  \
	X(AU_PLUGIN_INFO, "AuPluginInfo")                    \
	X(PLUG_NAME, "PlugName")                             \
	X(VENDOR_NAME, "VendorName")                         \
	X(MANUFACTURER, "Manufacturer")                      \
	X(FLOAT_PARAMETER, "PluginFloatParameter")           \
	X(ENUM_PARAMETER, "PluginEnumParameter")             \
	X(TEMPO, "Tempo")                                    \
	X(IS_TEMPO_ENABLED, "IsTempoEnabled")                \
	X(TIME_SIGNATURE_ID, "TimeSignatureId")              \
	X(IS_TIME_SIGNATURE_ENABLED, "IsTimeSignatureEnabled") \
	X(ANNOTATION, "Annotation")                          \
	X(CLIP_SLOT_LIST, "ClipSlotList")                    \
	X(CLIP_SLOT, "ClipSlot")                             \
	X(HAS_STOP, "HasStop")                               \
	X(VALUE, "Value")                                    \
	X(MIDI_CLIP, "MidiClip")                             \
	X(AUDIO_CLIP, "AudioClip")                           \
	X(CURRENT_START, "CurrentStart")                     \
	X(CURRENT_END, "CurrentEnd")                         \
	X(LOOP, "Loop")                                      \
	X(LOOP_START, "LoopStart")                           \
	X(LOOP_END, "LoopEnd")                               \
	X(LOOP_ON, "LoopOn")                                 \
	X(NOTES, "Notes")                                    \
	X(KEY_TRACKS, "KeyTracks")                           \
	X(KEY_TRACK, "KeyTrack")                             \
	X(MIDI_NOTE_EVENT, "MidiNoteEvent")                  \
	X(SAMPLE_REF, "SampleRef")                           \
	X(IS_WARPED, "IsWarped")                             \
	X(WARP_MODE, "WarpMode")                             \
	X(VOLUME, "Volume")                                  \
	X(PAN, "Pan")                                        \
	X(SENDS, "Sends")                                    \
	X(TRACK_SEND_HOLDER, "TrackSendHolder")              \
	X(SPEAKER, "Speaker")                                \
	X(CROSSFADER, "Crossfader")                          \
	X(TRACK_MUTE, "TrackMute")                           \
	X(SOLO, "Solo")                                      \
	X(HASH, "Hash")                                      \
	X(ORIGINAL_FILE_NAME, "OriginalFileName")            \
	X(PATH, "Path")                                      \
	X(RELATIVE_PATH, "RelativePath")

enum load_word {
	WORD_OTHER,
#define LOAD_DEVICE_WORD(symbol, name, type) WORD_##symbol,
	LOAD_DEVICES(LOAD_DEVICE_WORD)
#undef LOAD_DEVICE_WORD
	WORD_DEVICES_END,
#define LOAD_WORD(symbol, name) WORD_##symbol,
	LOAD_WORDS(LOAD_WORD)
#undef LOAD_WORD
	WORDS,
};
#define WORD_DEVICES WORD_INSTRUMENT_GROUP

/* Open addressing; twice as many places as words, and more. */
#define LOAD_WORD_PLACES 512u

struct load_words {
	uint8_t places[LOAD_WORD_PLACES];
};

void load_words_init(struct load_words *words);
enum load_word load_words_find(const struct load_words *words, const char *name);
const char *load_word_name(enum load_word word);
/* Of a device's word. */
const char *load_word_device_type(enum load_word word);

#endif
