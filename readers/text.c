/* SPDX-License-Identifier: MIT */
#include "text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Lowest second byte after E0, F0 (overlong) and highest after ED, F4. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

size_t text_sequence(const char *text, size_t left)
{
	unsigned char first = left ? (unsigned char)text[0] : 0xff;
	if (first < 0x80)
		return 1;
	size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || left < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	}
	return second_byte_fits(first, (unsigned char)text[1]) ? length : 0;
}

bool text_is_valid(const char *text, size_t count)
{
	while (count) {
		size_t length = text_sequence(text, count);
		if (!length)
			return false;
		text += length;
		count -= length;
	}
	return true;
}

/* --- eight bytes at a time -------------------------------------------- */

#define BYTES(byte) (0x0101010101010101ull * (byte))
#define HIGH_BITS BYTES(0x80u)

static uint64_t load_word(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return word;
}

/* A high bit for some byte of `word` that is zero, if there is one (and only
 * if: false ones come only above a true one). */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - BYTES(1u)) & ~word & HIGH_BITS;
}

/* How many bytes from the start on are ASCII, rounded down to eights. */
static size_t ascii_run(const char *text, size_t count)
{
	size_t i = 0;
	while (count - i >= 8 && !(load_word(text + i) & HIGH_BITS))
		i += 8;
	return i;
}

/* The same for printable ASCII without quotes and backslashes. */
static size_t plain_run(const char *text, size_t count)
{
	size_t i = 0;
	for (; count - i >= 8; i += 8) {
		uint64_t word = load_word(text + i);
		uint64_t control = (word - BYTES(' ')) & ~word & HIGH_BITS;
		if ((word & HIGH_BITS) | control | zero_bytes(word ^ BYTES('"')) |
		    zero_bytes(word ^ BYTES('\\')) | zero_bytes(word ^ BYTES(0x7fu)))
			break;
	}
	return i;
}

bool text_is_ascii(const char *text, size_t count)
{
	uint64_t all = 0;
	if (count >= 8) {
		for (size_t i = 0; i < count - 8; i += 8)
			all |= load_word(text + i);
		return ((all | load_word(text + count - 8)) & HIGH_BITS) == 0;
	}
	for (size_t i = 0; i < count; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

size_t text_clean_length(const char *text, size_t count)
{
	size_t total = ascii_run(text, count);
	text += total;
	count -= total;
	while (count) {
		if ((unsigned char)*text < 0x80) {
			total++;
			text++;
			count--;
			continue;
		}
		size_t length = text_sequence(text, count);
		total += length ? length : sizeof REPLACEMENT - 1;
		text += length ? length : 1;
		count -= length ? length : 1;
	}
	return total;
}

/*
 * Writes one escape for the character at `text` of `length` bytes (0: not
 * UTF-8) and returns true, or returns false: it goes out as it is.
 */
typedef bool (*escape_function)(struct sink *sink, unsigned char first, size_t length,
				const char *text);

static void put_escaped(struct sink *sink, const char *text, size_t count,
			escape_function escape)
{
	size_t plain = 0, i = plain_run(text, count);
	while (i < count) {
		unsigned char first = (unsigned char)text[i];
		/* Letters, digits and most signs need no second look. */
		if (first >= ' ' && first < 0x7f && first != '"' && first != '\\') {
			i++;
			continue;
		}
		size_t length = text_sequence(text + i, count - i);
		size_t step = length ? length : 1;
		sink_put(sink, text + plain, i - plain);
		plain = i;
		if (!length)
			sink_put(sink, REPLACEMENT, sizeof REPLACEMENT - 1);
		if (!length || escape(sink, first, length, text + i))
			plain = i + step;
		i += step;
	}
	sink_put(sink, text + plain, count - plain);
}

static bool escape_nothing(struct sink *sink, unsigned char first, size_t length,
			   const char *text)
{
	(void)sink, (void)first, (void)length, (void)text;
	return false;
}

static bool escape_json(struct sink *sink, unsigned char first, size_t length, const char *text)
{
	static const char letters[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};
	static const char hex[] = "0123456789abcdef";
	(void)length, (void)text;
	if (first >= ' ' && first != '"' && first != '\\')
		return false;
	sink_put_char(sink, '\\');
	if (first >= ' ') {
		sink_put_char(sink, (char)first);
	} else if (letters[first]) {
		sink_put_char(sink, letters[first]);
	} else {
		char code[5] = { 'u', '0', '0', hex[first >> 4], hex[first & 15] };
		sink_put(sink, code, sizeof code);
	}
	return true;
}

static bool escape_help(struct sink *sink, unsigned char first, size_t length, const char *text)
{
	(void)length, (void)text;
	if (first != '\n' && first != '\\')
		return false;
	sink_put_text(sink, first == '\n' ? "\\n" : "\\\\");
	return true;
}

static bool escape_label(struct sink *sink, unsigned char first, size_t length, const char *text)
{
	if (first != '"')
		return escape_help(sink, first, length, text);
	sink_put_text(sink, "\\\"");
	return true;
}

/* C0, DEL and C1 (U+0080 to U+009F). */
static bool is_control(unsigned char first, size_t length, const char *text)
{
	return first < ' ' || first == 0x7f ||
	       (length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static bool escape_terminal(struct sink *sink, unsigned char first, size_t length,
			    const char *text)
{
	if (!is_control(first, length, text))
		return false;
	sink_put(sink, REPLACEMENT, sizeof REPLACEMENT - 1);
	return true;
}

void text_put_clean(struct sink *sink, const char *text, size_t count)
{
	put_escaped(sink, text, count, escape_nothing);
}

void text_put_json(struct sink *sink, const char *text, size_t count)
{
	sink_put_char(sink, '"');
	put_escaped(sink, text, count, escape_json);
	sink_put_char(sink, '"');
}

void text_put_label(struct sink *sink, const char *text, size_t count)
{
	put_escaped(sink, text, count, escape_label);
}

void text_put_help(struct sink *sink, const char *text, size_t count)
{
	put_escaped(sink, text, count, escape_help);
}

void text_put_terminal(struct sink *sink, const char *text, size_t count)
{
	put_escaped(sink, text, count, escape_terminal);
}

static uint32_t code_point(const char *text, size_t length)
{
	static const unsigned char lead_mask[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)text[0] & lead_mask[length];
	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

struct code_range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct code_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

/*
 * wcwidth() depends on the locale, so these are our own: the blocks of Unicode
 * 15 that are combining or East Asian wide, as whole ranges.
 */
static unsigned code_columns(uint32_t code)
{
	static const struct code_range none[] = {
		{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a },
		{ 0x64b, 0x65f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
		{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
	};
	static const struct code_range wide[] = {
		{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97f },
		{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
		{ 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
	};
	if (code < 0x300)
		return 1;
	if (in_ranges(code, none, sizeof none / sizeof none[0]))
		return 0;
	return in_ranges(code, wide, sizeof wide / sizeof wide[0]) ? 2 : 1;
}

/* Columns of the character at `text`; *step its bytes. */
static unsigned columns_at(const char *text, size_t left, size_t *step)
{
	size_t length = text_sequence(text, left);
	*step = length ? length : 1;
	return length ? code_columns(code_point(text, length)) : 1;
}

size_t text_columns(const char *text, size_t count)
{
	size_t columns = 0, step;
	for (size_t i = 0; i < count; i += step)
		columns += columns_at(text + i, count - i, &step);
	return columns;
}

size_t text_prefix(const char *text, size_t count, size_t columns)
{
	size_t i = 0, used = 0, step;
	while (i < count) {
		used += columns_at(text + i, count - i, &step);
		if (used > columns)
			break;
		i += step;
	}
	return i;
}

size_t text_suffix(const char *text, size_t count, size_t columns)
{
	size_t i = 0, left = text_columns(text, count), step;
	while (i < count && left > columns) {
		left -= columns_at(text + i, count - i, &step);
		i += step;
	}
	return i;
}

/* Days since 1970 to year, month, day (H. Hinnant, chrono-compatible date algorithms). */
static void civil_date(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468; /* since 0000-03-01 */
	uint64_t era = shifted / 146097;
	uint64_t of_era = shifted % 146097;
	uint64_t year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t shifted_month = (5 * of_year + 2) / 153;
	*day = (unsigned)(of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

static char *put_field(char *p, uint64_t value, unsigned width, char after)
{
	for (unsigned i = width; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	p[width] = after;
	return p + width + 1;
}

void text_timestamp(char text[TEXT_TIMESTAMP_BYTES], uint64_t realtime_ns)
{
	uint64_t seconds = realtime_ns / 1000000000u, of_day = seconds % 86400;
	unsigned year, month, day;
	civil_date(seconds / 86400, &year, &month, &day);
	char *p = put_field(text, year, 4, '-');
	p = put_field(p, month, 2, '-');
	p = put_field(p, day, 2, 'T');
	p = put_field(p, of_day / 3600, 2, ':');
	p = put_field(p, of_day / 60 % 60, 2, ':');
	p = put_field(p, of_day % 60, 2, '.');
	put_field(p, realtime_ns % 1000000000u, 9, 'Z');
}

/* The other way round. */
static uint64_t civil_days(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t shifted_year = year - (month <= 2), shifted_month = (month + 9) % 12;
	uint64_t era = shifted_year / 400, year_of_era = shifted_year % 400;
	uint64_t of_year = (153 * shifted_month + 2) / 5 + day - 1;
	uint64_t of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
	return era * 146097 + of_era - 719468;
}

/* Digits, and what stands behind them; 0: something else, which `bad` notes. */
static uint64_t get_field(const char **p, unsigned width, char after, bool *bad)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < width; i++, (*p)++) {
		*bad |= **p < '0' || **p > '9';
		value = value * 10 + (uint64_t)(**p - '0');
	}
	*bad |= *(*p)++ != after;
	return *bad ? 0 : value;
}

bool text_parse_timestamp(const char *text, size_t count, uint64_t *realtime_ns)
{
	static const uint64_t last_year = 2554; /* where 2^64 nanoseconds end */
	bool bad = count != TEXT_TIMESTAMP_BYTES;
	if (bad)
		return false;
	uint64_t year = get_field(&text, 4, '-', &bad);
	uint64_t month = get_field(&text, 2, '-', &bad);
	uint64_t day = get_field(&text, 2, 'T', &bad);
	uint64_t seconds = get_field(&text, 2, ':', &bad) * 3600;
	seconds += get_field(&text, 2, ':', &bad) * 60;
	seconds += get_field(&text, 2, '.', &bad);
	uint64_t ns = get_field(&text, 9, 'Z', &bad);
	if (bad || year < 1970 || year >= last_year || month < 1 || month > 12 || day < 1 ||
	    day > 31 || seconds > 86400)
		return false;
	*realtime_ns = (civil_days(year, month, day) * 86400 + seconds) * 1000000000u + ns;
	return true;
}
