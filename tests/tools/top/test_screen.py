#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-top in a pseudo-terminal: what is seen, what keys do, what it survives."""
import contextlib
import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
try:
    import terminal
except ImportError as missing:
    print(f"needs {missing.name} (python3-pyte)")
    sys.exit(77)
import harness
from harness import case, check, equal

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
COLORS = {str(first + number) for first in (30, 40, 90, 100) for number in range(8)}


@contextlib.contextmanager
def watching(t, segment, *options, **more):
    screen = terminal.Terminal([t.tools.top, *options, segment], folder=t.folder, **more)
    try:
        yield screen
        screen.end()
    finally:
        screen.close()


def quit_with(screen, *keys):
    """It ends well and leaves the terminal as it was."""
    screen.press(*keys)
    equal(screen.wait(), 0, "exit status")
    check(screen.modes_are_restored(), "terminal modes differ")
    check(b"runtime error" not in screen.bytes, screen.text)


def used_colors(data):
    return {part for codes in SGR.findall(data) for part in codes.decode().split(";")} & COLORS


def head(screen):
    return next((at for at, line in enumerate(screen.lines) if line.startswith("NAME")), None)


def table(screen):
    """The lines of the table."""
    at = head(screen)
    return [] if at is None else [line for line in screen.lines[at + 1:-1] if line.strip()]


def names(screen):
    return [line.split()[0] for line in table(screen)]


def words(screen):
    """Of lines that may be wrapped anywhere."""
    return " ".join(screen.text.split())


def cells(screen, label):
    """now, window, lifetime of a line of the dashboard."""
    return screen.line(label).split(label, 1)[-1].split()[:3]


def chosen(screen):
    """The line that is shown in reverse, without its trend."""
    for at, line in enumerate(screen.lines[1:-1], 1):
        if at != head(screen) and screen.screen.buffer[at][0].reverse:
            return line
    return ""


def is_by_type(line):
    """errors.event_processing.by_type[event_type=/live/track/mute], in 27 columns."""
    return line.startswith("errors.eve\u2026live/track/mute] ")


# --- the dashboard -------------------------------------------------------------


@case
def dashboard_shows_what_was_recorded(t):
    server = t.fixture()
    with watching(t, server.name) as screen:
        screen.until_seen("Event Processing", "UDP Listener:", "WebSocket:", "Cache:", "Errors:")
        equal(cells(screen, "Processed")[2], "990")
        for label, exact in (("Latency p50", 50), ("Latency p95", 95), ("Latency p99", 99)):
            shown = float(cells(screen, label)[2].removesuffix("ms"))
            check(abs(shown / exact - 1) < 0.02, label, shown)
        equal(cells(screen, "Received")[2], "990")
        equal(cells(screen, "Dropped")[2], "14")
        equal(cells(screen, "Loss rate")[2], "1.00%", "(14 - 4 late) of 1000")
        equal(cells(screen, "Clients")[0], "3")
        equal(cells(screen, "Broadcasts")[2], "980")
        check("87.3%" in screen.line("Hit rate"), screen.text)
        errors = screen.line("Errors:")
        equal(errors.split()[3], "3")
        check("event_processing 2" in errors and "parse 1" in errors, errors)
        check("by_type" not in errors, errors)
        check(f"pid {server.pid}" in screen.lines[0] and "live" in screen.lines[0], screen.text)
        quit_with(screen, "q")


@case
def dashboard_follows_what_happens(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1") as screen:
        screen.until(lambda s: cells(s, "Processed")[2:] == ["990"], "990 events")
        server.ask("add events.processed 10")
        server.ask("add errors.parse 4")
        screen.until(lambda s: cells(s, "Processed")[2:] == ["1000"], "1000 events")
        screen.until_seen("parse 5")
        server.ask("reset")
        server.ask("add events.processed 7")
        screen.until(lambda s: cells(s, "Processed")[2:] == ["7"], "7 events after the reset")
        quit_with(screen, "q")


@case
def window_tells_a_spike_that_the_lifetime_hides(t):
    server = t.fixture()
    server.ask("time event.processing.duration 1000000 1000000")
    server.begin("work 4000")  # 400 ms each, 40,000 in all
    with watching(t, server.name, "--window", "1s", "-i", "0.1") as screen:
        screen.until(lambda s: cells(s, "Latency p95")[1:2] == ["400ms"], "a window of these")
        lifetime = cells(screen, "Latency p95")[2]
        check(lifetime in ("1.00ms", "1.01ms"), "lifetime", lifetime)
        quit_with(screen, "q")


@case
def program_without_these_metrics_has_a_table_alone(t):
    server = t.fixture()
    server.ask("reset")  # hides all series until they are touched again
    server.ask("add jobs.done 5")
    with watching(t, server.name) as screen:
        screen.until_seen("jobs.done")
        check("Event Processing" not in screen.text, screen.text)
        screen.press("\t", "\t")
        screen.until_seen("Event Processing: -", "Cache: -")
        quit_with(screen, "q")


# --- the table -----------------------------------------------------------------


@case
def table_is_sorted_by_the_column_that_keys_choose(t):
    server = t.fixture()
    with watching(t, server.name, rows=40) as screen:
        screen.until(lambda s: len(names(s)) > 10, "the table")
        screen.press("n")
        screen.until(lambda s: s.lines[head(s)].startswith("NAME\u25b4"), "sorted by name")
        equal(names(screen), sorted(names(screen)))
        screen.press("s")
        screen.until_seen("VALUE\u25be")
        values = [float(line.split()[1]) for line in table(screen)]
        equal(values, sorted(values, reverse=True))
        screen.press("r")
        screen.until_seen("VALUE\u25b4")
        values = [float(line.split()[1]) for line in table(screen)]
        equal(values, sorted(values))
        screen.press("r", "s", "s", "s", "s", "s")
        screen.until_seen("P95\u25be")
        equal(names(screen)[:2], ["message.size", "event.processing.duration"],
              "the only ones with a p95, bytes and a tenth of a second")
        quit_with(screen, "q")


@case
def filter_shows_matching_series_while_it_is_typed(t):
    server = t.fixture()
    with watching(t, server.name) as screen:
        screen.until(lambda s: len(names(s)) > 5, "the table")
        screen.press("/", *"UDP.packet")
        screen.until(lambda s: len(names(s)) == 3, "three series")
        screen.press("escape")
        screen.until(lambda s: len(names(s)) > 5, "all series again")
        screen.press("/", *"udp.*ed", "enter")
        screen.until(lambda s: sorted(names(s)) == ["udp.packet.dropped", "udp.packet.received"],
                     "two series")
        screen.until_seen("2 of 13 series")
        screen.press("escape")
        screen.until(lambda s: len(names(s)) > 5, "all series again")
        screen.press("t", "t")
        screen.until(lambda s: sorted(names(s)) == ["cache.hit_rate", "websocket.clients"],
                     "gauges")
        quit_with(screen, "q")


@case
def chosen_series_stays_chosen_when_the_order_changes(t):
    server = t.fixture()
    with watching(t, server.name, rows=40) as screen:
        screen.until(lambda s: len(names(s)) > 10, "the table")
        screen.press("n")
        screen.until(lambda s: chosen(s).startswith("cache.hit_rate"), "the first")
        screen.press("down", "down")
        screen.until(lambda s: is_by_type(chosen(s)), "the third")
        screen.press("r")
        screen.until(lambda s: names(s)[-1] == "cache.hit_rate", "the other order")
        check(is_by_type(chosen(screen)), chosen(screen))
        screen.press("home")
        screen.until(lambda s: chosen(s).startswith("websocket.clients"), "home")
        screen.press("end")
        screen.until(lambda s: chosen(s).startswith("cache.hit_rate"), "end")
        quit_with(screen, "q")


@case
def long_table_scrolls(t):
    server = t.fixture()
    server.ask("many 300")
    with watching(t, server.name) as screen:
        screen.press("n", "/", *"many.", "enter")
        screen.until(lambda s: names(s)[:1] == ["many.0000"], "the first page")
        shown = len(names(screen))
        screen.press("page down")
        screen.until(lambda s: chosen(s).startswith(f"many.{shown - 1:04}"), "a page further")
        screen.press("end")
        screen.until(lambda s: names(s)[-1:] == ["many.0299"], "the end")
        equal(len(names(screen)), shown)
        screen.press("up")
        screen.until(lambda s: chosen(s).startswith("many.0298"), "one up")
        quit_with(screen, "q")


@case
def trend_comes_from_the_history(t):
    server = t.fixture()
    server.ask("work 12")
    with watching(t, server.name, "-i", "60") as screen:
        # At the first look, long before the second.
        screen.until(lambda s: "\u2588" in s.line("events.processed "), "bars")
        quit_with(screen, "q")
    with watching(t, server.name, "--ascii") as screen:
        screen.until(lambda s: "#" in s.line("events.processed "), "bars of ASCII")
        quit_with(screen, "q")


@case
def pause_keeps_the_screen_and_units_change_it(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1", columns=120) as screen:
        screen.until(lambda s: cells(s, "Processed")[2:] == ["990"], "990 events")
        screen.press("p")
        screen.until_seen("PAUSED")
        server.ask("add events.processed 10")
        screen.press("u")
        screen.until_seen("units ms")
        equal(cells(screen, "Processed")[2], "990", "while paused")
        check(re.fullmatch(r"9\d\.\d{3}", cells(screen, "Latency p95")[2]), screen.text)
        screen.press("u")
        screen.until_seen("units base")
        check(re.fullmatch(r"9\d{7}", cells(screen, "Latency p95")[2]), screen.text)
        screen.press("u", "p")
        screen.until(lambda s: cells(s, "Processed")[2:] == ["1000"], "1000 events")
        quit_with(screen, "q")


@case
def interval_and_window_step(t):
    server = t.fixture()
    with watching(t, server.name, columns=120) as screen:  # room for a late heartbeat as well
        screen.until_seen("every 1s  window 60s")
        screen.press("+", "w")
        screen.until_seen("every 2s  window 5m00s")
        screen.press("-", "-", "W", "W")
        screen.until_seen("every 0.5s  window 30s")
        quit_with(screen, "q")


# --- detail and help -----------------------------------------------------------


@case
def detail_shows_all_of_one_series(t):
    server = t.fixture()
    with watching(t, server.name, rows=60) as screen:
        screen.until(lambda s: len(names(s)) > 5, "the table")
        screen.press("/", *"message", "enter", "enter")
        screen.until_seen("distribution in bytes", "Size of messages.", "Histogram of the",
                          "Threads of the lifetime")
        equal(screen.line("samples").split()[3], "10")
        equal(screen.line("mean").split()[3], "550B")
        equal(screen.line("max").split()[3], "1000B")
        thread = screen.line(" fixture ").split()
        equal((thread[1], thread[4]), (str(server.pid), "10"), "thread")
        bars = [line.split() for line in screen.lines if line.startswith("<=")]
        equal(sum(int(bar[2]) for bar in bars), 10, "samples in the histogram")
        check(any("\u2588" in bar[-1] for bar in bars), bars)
        screen.press("l")
        screen.until_seen("Histogram of the lifetime")
        screen.press("escape")
        screen.until(lambda s: head(s) is not None, "the table again")
        quit_with(screen, "q")


@case
def detail_shows_tags_and_scrolls(t):
    server = t.fixture()
    with watching(t, server.name) as screen:
        screen.press("n", "/", *"processed.by", "enter")
        screen.until(lambda s: len(names(s)) == 1, "one series")
        screen.press("enter")
        screen.until_seen("event_type = /live/track/mute", "counter", "600")
        screen.press("escape", "escape", "/", *"event.processing.dur", "enter")
        screen.until(lambda s: len(names(s)) == 1, "one series")
        screen.press("enter")
        screen.until_seen("timing in seconds", "Histogram of the")
        check("Threads" not in screen.text, "does not fit anyway")
        screen.press("end")
        screen.until_seen("Threads of the lifetime", "fixture")
        screen.press("home")
        screen.until_seen("timing in seconds")
        quit_with(screen, "q", "q")


@case
def help_names_the_keys(t):
    server = t.fixture()
    with watching(t, server.name, rows=30) as screen:
        screen.until_seen("Event Processing")
        screen.press("?")
        screen.until_seen("quit", "filter", "pause", "sort by", "units", "window", "TREND shows")
        screen.press("x")
        screen.until_seen("Event Processing")
        quit_with(screen, "q")


# --- what becomes of the writer --------------------------------------------------


@case
def death_and_restart_of_the_server_are_told(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1") as screen:
        screen.until_seen("live")
        server.kill()
        screen.until(lambda s: re.search(rf"The writer \(pid {server.pid}\) is dead,.* last values",
                                         words(s)), "a notice")
        equal(cells(screen, "Processed")[2], "990", "the last values stay")
        again = t.fixture(name=server.name)
        screen.until_seen(f"pid {again.pid} took over from pid {server.pid}")
        check("live" in screen.lines[0] and str(again.pid) in screen.lines[0], screen.text)
        again.ask("add events.processed 5")
        screen.until(lambda s: cells(s, "Processed")[2:] == ["995"], "values of the new one")
        quit_with(screen, "q")


@case
def closed_segment_and_a_vanished_one_keep_their_values(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1") as screen:
        screen.until_seen("live")
        server.close()
        screen.until(lambda s: "these are its last values." in words(s), "a notice")
        check(not server.path.exists(), "the segment is gone")
        equal(cells(screen, "Processed")[2], "990", "the last values stay")
        again = t.fixture(name=server.name)
        screen.until_seen(f"pid {again.pid}", "live")
        quit_with(screen, "q")


@case
def truncated_segment_is_an_error_and_not_a_crash(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1") as screen:
        screen.until_seen("live")
        os.truncate(server.path, 8192)
        screen.until_seen("; these values are")
        equal(cells(screen, "Processed")[2], "990", "the last values stay")
        server.kill()
        server.path.unlink()
        again = t.fixture(name=server.name)
        screen.until(lambda s: str(again.pid) in s.lines[0], "the new writer")
        quit_with(screen, "q")


# --- terminals -------------------------------------------------------------------


@case
def every_size_is_filled_and_none_too_small(t):
    server = t.fixture()
    with watching(t, server.name) as screen:
        screen.until_seen("UDP Listener:")
        for columns, rows in ((60, 15), (200, 50), (40, 10), (20, 5), (8, 3), (1, 1), (80, 24)):
            screen.resize(columns, rows)
            if columns >= 60:
                screen.until(lambda s: s.lines[-1].endswith("13 of 13 series") and names(s),
                             f"{columns}x{rows}")
            else:
                screen.press("down")
                screen.until(lambda s: True, "whatever fits")
            equal(screen.process.poll(), None, f"{columns}x{rows}")
        screen.until_seen("UDP Listener:")
        for line in screen.screen.display:
            equal(len(line), 80)
        quit_with(screen, "q")


@case
def small_window_has_the_figures_in_brief(t):
    server = t.fixture()
    with watching(t, server.name, columns=60, rows=15) as screen:
        screen.until_seen("events ", "p95 ", "loss 1.00%", "errors 3", "clients 3", "cache 87.3%")
        quit_with(screen, "q")
    with watching(t, server.name, columns=200, rows=50) as screen:
        screen.until_seen("AVG/s", "MIN", "P50", "P95", "P99", "MAX", "TREND")
        quit_with(screen, "q")


@case
def colors_are_used_where_they_are_wanted(t):
    server = t.fixture()
    for wanted, more in ((True, {}), (False, {"env": {"NO_COLOR": "1"}}),
                         (False, {"term": "vt100"}), (False, {"options": ["--no-color"]})):
        options = more.pop("options", [])
        with watching(t, server.name, *options, **more) as screen:
            screen.until_seen("Event Processing")
            quit_with(screen, "q")
            equal(bool(used_colors(screen.bytes)), wanted, f"colours with {options} {more}")
            check(SGR.search(screen.bytes), "nothing is even in reverse")


@case
def locale_without_utf8_gets_ascii(t):
    server = t.fixture()
    server.ask("work 12")
    server.ask("hostile")
    with watching(t, server.name, env={"LC_ALL": "C"}, rows=40) as screen:
        screen.until_seen("hostile.??")
        screen.press("/", *"event.processing.d", "enter", "enter")
        screen.until_seen("Histogram of the", "#")
        quit_with(screen, "q", "q")
        check(all(byte < 0x80 for byte in screen.bytes), "bytes that are not ASCII")


@case
def names_of_strangers_do_nothing_to_the_terminal(t):
    server = t.fixture()
    server.ask("hostile")
    with watching(t, server.name, rows=40, columns=220) as screen:
        screen.press("n", "/", *"hostile", "enter")
        screen.until(lambda s: len(names(s)) == 5, "five series")
        for bad in (b"\x1b[31mz", b"\x1b]0;", b"\x07", "\u202e".encode(), "\u009b".encode()):
            check(bad not in screen.bytes, "sent:", bad)
        shown = "hostile.escape[k=a\ufffd\\[31m\ufffd\\]0;title\ufffd\ufffd\ufffd41mz]"
        check(shown in screen.text, screen.text)
        screen.press("end", "home", "enter")
        screen.until_seen("tags")
        check(b"\x1b]0;" not in screen.bytes and "\u009b".encode() not in screen.bytes, "detail")
        quit_with(screen, "q", "q")


@case
def wide_characters_keep_the_columns(t):
    server = t.fixture()
    server.ask("hostile")
    with watching(t, server.name, rows=40) as screen:
        screen.press("n", "/", *"hostile", "enter")
        screen.until(lambda s: len(names(s)) == 5, "five series")
        at = head(screen)
        end = screen.screen.display[at].index("VALUE") + len("VALUE")
        seen = set()
        for row in range(at + 1, at + 6):
            # By the terminal's own columns: a wide character fills two.
            columns = [screen.screen.buffer[row][x].data for x in range(80)]
            seen.add("".join(columns[end - 5:end]).strip())
        equal(seen, {"1", "77", "78", "79"}, "values in their column")
        quit_with(screen, "q")


@case
def dumb_terminal_gets_lines_of_text(t):
    server = t.fixture()
    with watching(t, server.name, "-i", "0.1", term="dumb", rows=100) as screen:
        screen.until(lambda s: s.text.count("Health Dashboard") >= 2, "two dashboards")
        check(b"\x1b" not in screen.bytes, "escapes")
        screen.process.send_signal(signal.SIGINT)
        equal(screen.wait(), 0, "exit status")


@case
def unknown_terminal_is_an_error(t):
    server = t.fixture()
    with watching(t, server.name, term="no-such-terminal") as screen:
        equal(screen.wait(), 1, "exit status")
        check("--once" in screen.text, screen.text)


@case
def every_signal_leaves_the_terminal_as_it_was(t):
    server = t.fixture()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with watching(t, server.name) as screen:
            screen.until_seen("Event Processing")
            check(not screen.modes_are_restored(), "modes did not change at all")
            screen.process.send_signal(number)
            equal(screen.wait(), 0, f"exit status after {number}")
            check(screen.modes_are_restored(), "terminal modes after", number)
            check(b"\x1b[?25h" in screen.bytes.rsplit(b"\x1b[?25l", 1)[-1],
                  "the cursor stays hidden after", number)
    with watching(t, server.name) as screen:
        screen.until_seen("Event Processing")
        quit_with(screen, "\x03")  # the terminal makes it SIGINT


@case
def second_signal_ends_it_with_the_terminal_in_order(t):
    server = t.fixture()
    with watching(t, server.name) as screen:
        screen.until_seen("Event Processing")
        # Stopped, it takes both in one: the first asks for the end, the second is at once.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            screen.process.send_signal(number)
        status = screen.wait()
        check(status in (-signal.SIGTERM, -signal.SIGINT), "exit status", status)
        check(screen.modes_are_restored(), "terminal modes")
        check(b"\x1b[?25h" in screen.bytes.rsplit(b"\x1b[?25l", 1)[-1], "the cursor")


if __name__ == "__main__":
    harness.main()
