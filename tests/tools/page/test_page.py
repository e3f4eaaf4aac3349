#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page of astshm-export in a real Chromium.

Called as the tests beside it, and with --export-plain EXE (astshm-export without
uPlot), --npm FOLDER (tests/npm) and --shots FOLDER for screenshots.
"""
import atexit
import base64
import json
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # noqa: E402
from browser import DEAD, Browser, Page  # noqa: E402
from exporter import Exporter  # noqa: E402
from harness import Skip, case, check, equal, wait_until  # noqa: E402

# Of a connection that is not made, and of one whose request was under way.
GONE = "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"
# The fixture beats only as it is asked for something.
ALIVE = "live", "silent"
DEMO_SET = pathlib.Path(__file__).resolve().parents[3] / "examples/demo-set.xml"
started = []


def browser(t):
    if not started:
        try:
            started.append(Browser(t.tools.npm))
            atexit.register(started[0].close)
        except Skip as skip:
            started.append(skip)
    if isinstance(started[0], Skip):
        raise started[0]
    return started[0]


def open_page(t, *segments, path="/", exporter=None, **options):
    page = Page(browser(t), exporter or Exporter(t, *segments), path, **options)
    equal(page.status, 200)
    return page


def shot(t, page, name, full=False):
    t.tools.shots.mkdir(parents=True, exist_ok=True)
    page.browser.shot(str(t.tools.shots / f"{name}.png"), full)


ROWS = "document.querySelectorAll('#table tbody tr:not(.gap)')"
FOCUSED = "document.activeElement.closest('#table tbody tr')"


def focused_row(page):
    """Its number as it is told to who does not see it, and its name."""
    return page.js(f"[Number({FOCUSED}?.getAttribute('aria-rowindex')), "
                   f"{FOCUSED}?.querySelector('.metric').textContent]")


# --- values --------------------------------------------------------------------------


def exact(value, family, kind):
    """As the page shows values to the last digit."""
    if value is None:
        return "–"
    if kind == "timing" or (kind == "counter" and family["unit"] == "seconds"):
        return f"{round(value * 1e9)} ns"
    return str(int(value)) if float(value).is_integer() else f"{value:.10g}"


def family_of(document, name, kind):
    first = document["families"][name]
    return next(each for each in [first, *first.get("also", [])] if each["kind"] == kind)


def wanted_cells(document):
    for kind, group in (("counter", "counters"), ("gauge", "gauges"), ("timing", "timings"),
                        ("distribution", "distributions")):
        for key, series in document["metrics"][group].items():
            family = family_of(document, series.get("name", key), kind)
            window = document["window"][group][key]
            parts = [series.get("name", key)] + [f"{k}={v}" for k, v in
                                                 series.get("tags", {}).items()]
            cells = {}
            if kind == "counter":
                cells["value"] = exact(series["value"], family, kind)
            elif kind == "gauge":
                cells["value"] = exact(series["current"], family, kind)
            else:
                cells["value"] = str(series["count"])
                if window["count"]:
                    cells.update({name: exact(window[name], family, kind)
                                  for name in ("min", "p50", "p95", "p99", "max")})
            yield " ".join(parts), cells


@case
def values_are_those_of_the_snapshot(t):
    server = t.fixture(history=True)
    server.ask("more")
    server.ask("odd")
    page = open_page(t, server.name)
    page.wait_for_values()
    page.browser.select("#units", "base")
    page.until("[...document.querySelectorAll('.c-max')].some((cell) => cell.textContent)")
    shown, document = page.cells(), page.fetched("snapshot.json")
    wanted = dict(wanted_cells(document))
    equal(set(shown), set(wanted), "series")
    for key, cells in wanted.items():
        for column, text in cells.items():
            equal(shown[key][column], text, f"{column} of {key}")
    # The server is quiet: the same values by another way.
    theirs = t.cat("-f", "json", server.name).json()["metrics"]
    equal(shown["events.received"]["value"],
          str(theirs["counters"]["events.received"]["value"]))
    equal(shown["request.duration"]["value"], str(theirs["timings"]["request.duration"]["count"]))
    page.check_quiet()


@case
def the_dashboard_is_that_of_the_summary(t):
    server = t.fixture(history=True)
    page = open_page(t, server.name)
    page.wait_for_values()
    page.until("document.querySelector('#section-latency tbody')", "the latency")
    summary = t.cat("-f", "summary", server.name).json()
    equal(page.tile("events")["Processed"][2], str(summary["event_processing"]["total_processed"]))
    udp = page.tile("udp")
    equal(udp["Received"][2], str(summary["udp_listener"]["packets_received"]))
    equal(udp["Dropped"][2], str(summary["udp_listener"]["packets_dropped"]))
    equal(udp["Loss rate"][2], "0.98 %")
    websocket = page.tile("websocket")
    equal(websocket["Clients"][0], str(summary["websocket"]["clients_connected"]))
    equal(websocket["Broadcasts"][2], str(summary["websocket"]["broadcasts_sent"]))
    equal(page.tile("cache")["Hit rate"][0], f"{summary['cache']['hit_rate_percent']:.1f} %")
    equal(page.tile("errors")["Total"][2], str(sum(summary["errors"].values())))
    page.browser.select("#units", "milli")
    wanted = summary["event_processing"]["latency_ms"]
    page.until("document.querySelector('#section-latency tbody').textContent.includes(' ms')")
    equal({row: cells[2] for row, cells in page.tile("latency").items()},
          {name: f"{wanted[name]:.3f} ms" for name in ("p50", "p95", "p99")})
    equal(page.tile("server")["Process"], [str(server.pid)])
    page.check_quiet()


@case
def what_a_segment_lacks_is_left_out(t):
    server = t.fixture()
    page = open_page(t, server.name)
    page.wait_for_values()
    equal(page.js("document.querySelector('#section-cache').hidden"), False)
    bare = t.fixture("-bare", keep="bare")
    page = open_page(t, bare.name)
    page.wait_for_values()
    equal(page.js("[...document.querySelectorAll('#dashboard > section')].map((s) => s.id)"),
          ["section-server"])
    page.check_quiet()


@case
def names_of_strangers_are_only_text(t):
    server = t.fixture(history=True)
    server.ask("odd")
    page = open_page(t, server.name)
    page.wait_for_values()
    check('odd.tag k=a,b=c[d]\\"\n\x1b[31m' in page.keys(), page.keys())
    check("odd.ä" in page.keys(), page.keys())
    # Words of JavaScript's own.
    for word in "odd", "odd":
        server.ask(word)
    wait_until(lambda: page.value("__proto__") == "3", "the third time")
    equal(page.value("constructor"), "2")
    for name in "__proto__", "constructor":
        page.open_series(name)
        check(name in page.text("#detail-title"), page.text("#detail-title"))
        page.until("document.querySelector('#detail .plot').getAttribute('aria-label')"
                   ".includes('last')", f"a chart of {name}")
        page.browser.press("Escape")
    page.open_series("odd.tag")
    equal(page.js("document.querySelector('#detail dd:last-child').textContent.length > 0"), True)
    page.check_quiet()


# --- time ----------------------------------------------------------------------------


@case
def updates_arrive(t):
    server = t.fixture(history=True)
    page = open_page(t, server.name)
    page.wait_for_values()
    shape = "document.querySelector('#section-events .plot').getAttribute('aria-label')"
    before = page.js(shape)
    server.ask("more")
    wait_until(lambda: page.value("events.received") == "1050", "1050 events")
    server.ask("fast")
    wait_until(lambda: page.tile("events")["Processed"][2] == "1990", "1990 processed")
    wait_until(lambda: page.js(shape) != before, "another chart")
    wait_until(lambda: page.tile("events")["Processed"][0] == "0.00/s", "rest")
    page.check_quiet()


@case
def a_server_under_traffic_is_shown(t):
    if not t.tools.server:
        raise Skip("built without ast-server")
    name = t.name()
    server = t.background([t.tools.server, "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0",
                           "--metrics", name, "--metrics-history", "1x60", DEMO_SET],
                          stderr=(t.folder / "log").open("w"))
    wait_until(lambda: "ready, udp" in (t.folder / "log").read_text(), "the server")
    address = (t.folder / "log").read_text().split("ready, udp ")[1].split(",")[0]
    page = open_page(t, name)
    page.wait_for_badge(*ALIVE)
    for count in (600, 1200):
        t.run(t.tools.osc_send, address, "600", "--mix")
        wait_until(lambda: page.tile("udp")["Received"][2] == str(count), f"{count} packets")
    page.until("document.querySelector('#heatmap-text').textContent.includes('percentile')",
               "the heatmap")
    # The thread that applies them is another than the one that received them.
    wait_until(lambda: page.fetched("snapshot.json")["metrics"]["counters"]["events.received"]
               ["value"] == 1200, "1200 events")
    check("packet" not in page.text("#banner"), page.text("#banner"))
    shot(t, page, "ast-server", full=True)
    page.check_quiet()
    server.kill()
    page.wait_for_badge("dead")
    page.check_quiet([DEAD])


@case
def a_killed_server_is_dead_and_lives_again(t):
    server = t.fixture(history=True)
    page = open_page(t, server.name)
    page.wait_for_values()
    page.wait_for_badge(*ALIVE)
    check("dead" not in page.text("#banner"), page.text("#banner"))
    server.ask("more")
    server.kill()
    page.wait_for_badge("dead")
    banner = page.text("#banner")
    check(f"process {server.pid}" in banner and "is dead" in banner and "Last heard of" in banner
          and " ago" in banner, banner)
    # What it had counted last, after the look before.
    equal(page.value("events.received"), "1050")
    check("dead" in page.text("#status"), page.text("#status"))
    check("-" not in page.text("#section-events thead"), page.text("#section-events thead"))
    check(page.js("document.title").startswith(f"{server.name} dead"), "title")
    shot(t, page, "dead")
    again = t.fixture(name=server.name, history=True)
    page.wait_for_badge(*ALIVE)
    wait_until(lambda: page.value("events.received") == "1000", "the new values")
    equal(page.tile("server")["Process"], [str(again.pid)])
    check("dead" not in page.text("#banner"), page.text("#banner"))
    dead = [url for url in page.requests() if "last=1" in url]
    check(dead, page.requests())
    page.check_quiet([DEAD])


@case
def a_server_that_does_not_beat_is_silent(t):
    server = t.fixture(history=True)
    server.beat_ago(90)
    page = open_page(t, server.name)
    page.wait_for_badge("silent")
    # As long as it said that it would be, and where nobody beats.
    server.beat_ago(90, period=60)
    page.wait_for_badge("live")
    equal(page.text("#banner"), "")
    server.beat_ago(200, period=60)
    page.wait_for_badge("silent")
    server.beat_ago(200, period=0)
    page.wait_for_badge("live")
    server.beat_ago(90)
    page.wait_for_badge("silent")
    check("The server lives, but was last heard of" in page.text("#banner"),
          page.text("#banner"))
    # One beat a time, of which the page has to be told within three seconds.
    wait_until(lambda: server.ask("more") or
               page.js("[badge.textContent, banner.textContent]") == ["live", ""], "it lives")
    page.check_quiet()


@case
def a_server_that_died_before_is_shown_as_it_was(t):
    server = t.fixture(history=True)
    server.ask("more")
    server.kill()
    page = open_page(t, server.name)
    page.wait_for_values()
    page.wait_for_badge("dead")
    equal(page.value("events.received"), "1050")
    check("last values" in page.text("#banner"), page.text("#banner"))
    page.check_quiet([DEAD])


@case
def a_server_that_is_not_there_yet_is_waited_for(t):
    name = t.name()
    page = open_page(t, name)
    page.wait_for_badge("missing")
    t.fixture(name=name, history=True)
    page.wait_for_badge(*ALIVE)
    page.wait_for_values()
    page.check_quiet([DEAD])


@case
def without_an_exporter_the_last_values_stay(t):
    server = t.fixture(history=True)
    exporter = Exporter(t, server.name)
    page = open_page(t, exporter=exporter)
    page.wait_for_values()
    exporter.stop()
    page.wait_for_badge("no answer")
    check("does not answer" in page.text("#banner"), page.text("#banner"))
    equal(page.value("events.received"), "1000")
    server.ask("more")
    Exporter(t, server.name, listen=exporter.address)
    page.wait_for_badge(*ALIVE)
    wait_until(lambda: page.value("events.received") == "1050", "the new values")
    check("answer" not in page.text("#banner"), page.text("#banner"))
    page.check_quiet(GONE)


def is_data(url):
    return urllib.parse.urlsplit(url).path.endswith(".json")


def count_requests(page, seconds):
    """How many a page makes in that time of its own clock, where each ends in no time."""
    before = len([url for url in page.requests() if is_data(url)])
    for _ in range(seconds):
        page.browser.advance(1000)
        wait_until(lambda: page.browser.seen()["pending"] == 0, "the answers")
    return len([url for url in page.requests() if is_data(url)]) - before


def is_quiet(page):
    """Nothing is under way, and what came of it has asked for nothing more."""
    return page.browser.seen()["pending"] == 0 and count_requests(page, 3) == 0


@case
def nobody_is_asked_while_nobody_looks(t):
    page = open_page(t, t.fixture(history=True).name, clock=True)
    wait_until(lambda: page.browser.advance(100) or page.keys(), "the first values")
    wait_until(lambda: count_requests(page, 1) > 0, "a look")
    page.js("""Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))""")
    wait_until(lambda: is_quiet(page), "quiet")  # what was under way comes first
    equal(count_requests(page, 60), 0, "requests while hidden")
    page.js("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: count_requests(page, 1) > 0, "another look")
    page.browser.press("p")
    wait_until(lambda: is_quiet(page), "quiet")
    equal(count_requests(page, 60), 0, "requests while paused")
    page.browser.press("p")
    wait_until(lambda: count_requests(page, 1) > 0, "a look after the pause")
    page.check_quiet()


@case
def who_does_not_answer_is_asked_less_often(t):
    exporter = Exporter(t, t.fixture(history=True).name)
    page = open_page(t, exporter=exporter, clock=True)
    wait_until(lambda: page.browser.advance(100) or page.keys(), "the first values")
    exporter.stop()
    wait_until(lambda: page.browser.advance(1000) or page.badge() == "no answer", "no answer")
    asked = count_requests(page, 120)
    check(3 <= asked <= 20, asked, "requests in two minutes")
    page.check_quiet(GONE)


# --- hands and eyes -------------------------------------------------------------------


@case
def series_are_searched_and_sorted(t):
    page = open_page(t, t.fixture(history=True).name)
    page.wait_for_values()
    everything = page.keys()
    equal(everything, sorted(everything, key=lambda key: key.split(" ")[0]))
    page.browser.press("/")
    equal(page.js("document.activeElement.id"), "search")
    page.browser.type("SCENE")
    found = page.keys()
    check(found and all("/live/scene/added" in key for key in found), found)
    equal(page.text("#series-count"), f"{len(found)} of {len(everything)} series")
    page.browser.press("Escape")
    equal(page.keys(), everything)
    page.browser.press("/")
    page.browser.type("events.*")
    check(page.keys() and all(key.startswith("events.") for key in page.keys()), page.keys())
    page.browser.press("Escape")
    head = "[...document.querySelectorAll('#table thead th')].find((th) => " \
        "th.textContent === 'Value')"
    page.js(f"{head}.querySelector('button').click()")
    equal(page.js(f"{head}.getAttribute('aria-sort')"), "descending")
    document = page.fetched("snapshot.json")["metrics"]
    most = max(document["counters"].values(), key=lambda counter: counter["value"])["value"]
    equal(page.cells()[page.keys()[0]]["value"], str(most) if most < 1e7 else None)
    page.js(f"{head}.querySelector('button').click()")
    equal(page.js(f"{head}.getAttribute('aria-sort')"), "ascending")
    equal(page.js("document.querySelector('#table thead th').getAttribute('aria-sort')"), "none")
    page.browser.click("#kinds button:nth-child(1)")
    equal([key for key in page.keys() if key.startswith("events.received")], [])
    page.check_quiet()


@case
def everything_is_done_with_keys(t):
    server = t.fixture(history=True)
    server.ask("more")
    page = open_page(t, server.name)
    page.wait_for_values()
    page.until("!document.querySelector('#heatmap').hidden", "the heatmap")
    keys, focused = page.keys(), "document.activeElement.closest('tr')?.rowIndex ?? 0"
    page.browser.press("/")
    page.browser.press("ArrowDown")
    equal(page.js(focused), 1)
    for key, row in (("ArrowDown", 2), ("ArrowDown", 3), ("ArrowUp", 2), ("End", len(keys)),
                     ("PageUp", len(keys) - 10), ("Home", 1), ("ArrowUp", 1), ("PageDown", 11)):
        page.browser.press(key)
        equal(page.js(focused), row, key)
    page.browser.press("Enter")
    equal(page.js("document.querySelector('#detail').open"), True)
    equal(page.text("#detail-title").split("[")[0], keys[10].split(" ")[0])
    page.browser.press("Escape")
    equal(page.js("document.querySelector('#detail').open"), False)
    equal(page.js(focused), 11, "the focus after the detail")
    page.browser.press("?")
    equal(page.js("document.querySelector('#help').open"), True)
    page.browser.press("w")
    page.browser.press("Escape")
    equal(page.js("document.querySelector('#window').value"), "60", "a key in a dialog")
    for key, selector, value in (("w", "#window", "300"), ("u", "#units", "milli")):
        page.browser.press(key)
        equal(page.js(f"document.querySelector('{selector}').value"), value, key)
    page.js("document.querySelector('#keys-on').click()")
    page.browser.press("w")
    equal(page.js("document.querySelector('#window').value"), "300", "keys are off")
    reached = set()
    page.js("document.activeElement.blur()")
    for _ in range(60):
        page.browser.press("Tab")
        reached.add(page.js("document.activeElement.id || document.activeElement.className"))
    for wanted in ("skip", "window", "range", "units", "pause", "theme", "help-open", "search",
                   "heatmap-series", "heatmap", "series-button", "table-scroll"):
        check(wanted in reached, wanted, "is not reached by Tab:", reached)
    page.check_quiet()


@case
def the_keyboard_stays_where_a_series_was_removed(t):
    server = t.fixture(history=True)
    page = open_page(t, server.name)
    page.wait_for_values()
    names = page.keys()
    at = names.index("work.done")
    page.browser.press("/")
    page.browser.press("ArrowDown")
    page.browser.press("End")
    page.browser.press("ArrowUp")
    equal(focused_row(page), [at + 2, "work.done"])
    server.ask("remove")
    wait_until(lambda: "work.done" not in page.keys(), "it is gone")
    equal(focused_row(page), [at + 2, names[at + 1]])
    page.check_quiet()


@case
def a_detail_tells_all_of_a_series(t):
    server = t.fixture(history=True)
    server.ask("more")
    page = open_page(t, server.name)
    page.wait_for_values()
    page.open_series("request.duration")
    page.until("document.querySelector('#detail .bars')", "the histogram")
    rows = page.js("""Object.fromEntries([...document.querySelectorAll("#detail .figures tbody tr")]
        .map((row) => [row.cells[0].textContent, row.cells[3].textContent]))""")
    life = page.fetched("snapshot.json")["metrics"]["timings"]["request.duration"]
    equal(rows["Samples"], str(life["count"]))
    equal(rows["Max"], "400 ms")
    bars = "[...document.querySelectorAll('#detail .bars td:nth-child(2)')].reduce(" \
        "(sum, cell) => sum + Number(cell.textContent), 0)"
    server.ask("slow")
    page.browser.click("#detail input[value=life]")
    wait_until(lambda: page.js(bars) == life["count"] + 200, "all samples in the bars")
    check("400 ms" in page.js("document.querySelector('#detail .plot').getAttribute('aria-label')"),
          "the chart's text")
    shot(t, page, "detail")
    page.browser.press("Escape")
    page.open_series("message.size")
    page.until("document.querySelector('#detail dl').textContent.includes('Size of messages.')")
    page.check_quiet()


@case
def a_heatmap_shows_the_last_hour(t):
    server = t.fixture(history=True)
    server.ask("fast")
    server.ask("slow")
    page = open_page(t, server.name)
    page.wait_for_values()
    page.until("!document.querySelector('#heatmap').hidden", "the heatmap")
    page.browser.select("#heatmap-series", "timing request.duration")
    wait_until(lambda: page.text("#heatmap-text").startswith("1200 samples"), "1200 samples")
    pixels = page.js("""(() => { const canvas = document.querySelector(".heatmap");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size })()""")
    check(pixels > 3, pixels, "colours")
    page.js("document.querySelector('.heatmap').focus()")
    page.browser.press("End")
    told = page.text("#heatmap-readout")
    check("200 samples, p95 250 ms" in told or "200 samples, p95 251 ms" in told, told)
    page.browser.press("ArrowLeft")
    check("1000 samples" in page.text("#heatmap-readout"), page.text("#heatmap-readout"))
    page.check_quiet()


@case
def several_segments_are_chosen_from(t):
    one, two = t.fixture("-one", history=True), t.fixture("-two", history=True)
    two.ask("more")
    page = open_page(t, one.name, two.name)
    page.wait_for_values()
    equal(page.value("events.received"), "1000")
    page.browser.select("#chooser", two.name)
    wait_until(lambda: page.value("events.received") == "1050", "the other")
    check(page.js("location.hash").endswith(two.name), "no address of its own")
    page.browser.reload()
    page.wait_for_values()
    equal(page.value("events.received"), "1050", "after a reload")
    two.kill()
    page.wait_for_badge("dead")
    wait_until(lambda: "(dead)" in page.text("#chooser"), "the dead one in the list")
    shot(t, page, "several")
    page.browser.select("#chooser", one.name)
    page.wait_for_badge(*ALIVE)
    wait_until(lambda: page.value("events.received") == "1000", "the first")
    equal(page.js("document.querySelector('#documents a').getAttribute('href')"),
          f"segments/{urllib.parse.quote(one.name)}/metrics")
    page.check_quiet([DEAD])


def brightness(page, expression="document.body"):
    numbers = page.js(f"getComputedStyle({expression}).backgroundColor.match(/[\\d.]+/g)")
    return sum(float(number) for number in numbers[:3])


@case
def it_is_light_and_dark(t):
    page = open_page(t, t.fixture(history=True).name, colorScheme="light")
    page.wait_for_values()
    light = brightness(page)
    shot(t, page, "light", full=True)
    page.browser.media({"colorScheme": "dark"})
    dark = brightness(page)
    check(dark < 200 < 600 < light, dark, light)
    shot(t, page, "dark", full=True)
    page.browser.press("t")
    equal(brightness(page), light, "light by choice")
    page.browser.reload()
    page.wait_for_values()
    equal(brightness(page), light, "the choice is remembered")
    page.browser.press("t")
    equal(brightness(page), dark, "dark by choice")
    page.check_quiet()


@case
def it_fits_from_phone_to_wall(t):
    server = t.fixture(history=True)
    server.ask("odd")
    page = open_page(t, server.name)
    page.wait_for_values()
    for width, height in ((360, 740), (600, 900), (1000, 800), (1920, 1080), (3840, 2160)):
        page.browser.resize(width, height)
        page.until("document.querySelector('.uplot, .plain svg')", "a chart")
        equal(page.js("document.documentElement.scrollWidth"), width, f"scrolls at {width}")
        small = page.js("""[...document.querySelectorAll("main td, main th, main p, main button")]
            .filter((node) => node.checkVisibility() && node.textContent &&
                parseFloat(getComputedStyle(node).fontSize) < 11).length""")
        equal(small, 0, "texts too small to read")
        if width in (360, 1920, 3840):
            shot(t, page, f"width-{width}", full=width == 360)
    page.check_quiet()


@case
def nothing_moves(t):
    page = open_page(t, t.fixture().name, reducedMotion="no-preference")
    page.wait_for_badge(*ALIVE)
    equal(page.js("document.getAnimations().length"), 0)
    page.check_quiet()


@case
def axe_finds_nothing(t):
    if not (t.tools.npm / "node_modules/axe-core").is_dir():
        raise Skip("needs axe-core")
    server = t.fixture(history=True)
    server.ask("more")
    page = open_page(t, server.name, bypassCSP=True)
    page.wait_for_values()
    page.until("!document.querySelector('#heatmap').hidden", "the heatmap")
    for scheme in ("light", "dark"):
        page.browser.media({"colorScheme": scheme, "reducedMotion": "reduce"})
        equal(page.browser.axe(), [], scheme)
    page.open_series("request.duration")
    page.until("document.querySelector('#detail .bars')", "the histogram")
    equal(page.browser.axe(), [], "detail")
    page.browser.press("Escape")
    page.browser.press("?")
    equal(page.browser.axe(), [], "help")
    page.browser.press("Escape")
    server.kill()
    page.wait_for_badge("dead")
    equal(page.browser.axe(), [], "dead")


# --- forms of it ------------------------------------------------------------------------


@case
def without_uplot_charts_are_plain(t):
    server = t.fixture(history=True)
    server.ask("more")
    t.tools.export, kept = t.tools.export_plain, t.tools.export
    try:
        page = open_page(t, server.name)
        page.wait_for_values()
        page.until("document.querySelector('#section-events .plot path')?.getAttribute('d')",
                   "a line")
        equal(page.js("document.querySelectorAll('.uplot').length"), 0)
        check("Events since" in page.js(
            "document.querySelector('#section-events .plot').getAttribute('aria-label')"), "text")
        shot(t, page, "plain")
        page.check_quiet()
    finally:
        t.tools.export = kept


@case
def with_uplot_charts_have_axes(t):
    if not t.tools.uplot:
        raise Skip("built without uPlot")
    page = open_page(t, t.fixture(history=True).name)
    page.wait_for_values()
    page.until("document.querySelector('#section-events .uplot canvas')", "a chart")
    equal(page.js("document.querySelectorAll('.plain').length"), 0)
    page.check_quiet()


@case
def a_server_without_a_history_is_watched(t):
    server = t.fixture()
    page = open_page(t, server.name)
    page.wait_for_values()
    server.ask("more")
    wait_until(lambda: page.value("events.received") == "1050", "1050 events")
    page.until("document.querySelector('#section-events .plot').getAttribute('aria-label')"
               ".includes('last')", "a chart of what was seen")
    equal(page.js("document.querySelector('#heatmap').hidden"), True)
    server.ask("reset")  # now its life is no window either
    server.ask("more")
    wait_until(lambda: page.value("events.received") == "50", "the new values")
    page.check_quiet()


@case
def a_browser_asks_for_the_token(t):
    path = t.folder / "token"
    path.write_text("sesame\n")
    path.chmod(0o600)
    exporter = Exporter(t, "--token-file", path, t.fixture(history=True).name)
    exporter.get("/", status=401)
    page = open_page(t, exporter=exporter,
                     httpCredentials={"username": "token", "password": "sesame"})
    page.wait_for_values()
    page.check_quiet(["status of 401"])


@case
def charts_go_on_when_the_clock_is_set_back(t):
    server = t.fixture(history=True)
    server.ask("fast")
    page = open_page(t, server.name)
    page.wait_for_values()
    chart = "#section-events figcaption b"
    page.until(f"document.querySelector('{chart}').textContent")
    last = page.text(chart)
    page.browser.setBack(3600)
    server.ask("fast")
    wait_until(lambda: page.text(chart) not in (last, "–"), f"another rate than {last}")
    page.check_quiet()


@case
def an_address_that_is_no_text_is_that_of_no_segment(t):
    one, two = t.fixture("-one", history=True), t.fixture("-two", history=True)
    page = open_page(t, one.name, two.name, path="/#/%zz")
    page.wait_for_values()
    page.wait_for_badge(*ALIVE)
    equal(page.js("document.querySelector('#chooser').value"), one.name)
    page.check_quiet()


def open_many(t):
    server = t.fixture(history=True)
    for word in "many", "fast", "fast":
        server.ask(word)
    page = open_page(t, server.name)
    page.wait_for_values()
    page.until("parseInt(document.querySelector('#series-count').textContent) > 1100")
    page.until("!document.querySelector('#heatmap').hidden", "all that is above")
    names = sorted(name for group in page.fetched("snapshot.json")["metrics"].values()
                   for name in group)
    return server, page, names


@case
def of_many_series_those_in_view_are_there(t):
    server, page, names = open_many(t)
    check(10 < len(page.keys()) < 100, len(page.keys()), "rows of", len(names))
    equal(page.js("document.querySelector('#table').getAttribute('aria-rowcount')"),
          str(len(names) + 1))
    seen = page.js(f"""(async () => {{
        const scroller = document.querySelector("#table-scroll"), seen = {{}};
        const name = (row) => row.querySelector(".metric").textContent;
        for (let y = 0; y < scroller.scrollHeight; y += scroller.clientHeight / 2) {{
            scroller.scrollTop = y;
            for (let frame = 0; frame < 2; frame++)
                await new Promise((resolve) => requestAnimationFrame(resolve));
            const {{ top, bottom }} = scroller.getBoundingClientRect();
            for (const row of {ROWS}) {{
                const place = row.getBoundingClientRect();
                if (place.bottom > top && place.top < bottom)
                    seen[row.getAttribute("aria-rowindex")] = name(row);
            }}
        }}
        return seen;
    }})()""")
    equal(seen, {str(i + 2): name.split("[")[0] for i, name in enumerate(names)}, "all rows")
    check(len(page.keys()) < 100, len(page.keys()), "rows in the end")
    page.until(f"[...{ROWS}].some((row) => row.querySelector('.spark'))", "trends at the end")
    page.check_quiet()


@case
def the_last_of_many_series_is_reached_with_keys(t):
    server, page, names = open_many(t)
    last = len(names) + 1
    page.browser.press("/")
    page.browser.press("ArrowDown")
    for key, row in (("End", last), ("ArrowUp", last - 1), ("PageUp", last - 11), ("Home", 2),
                     ("PageDown", 12), ("End", last)):
        page.browser.press(key)
        equal(focused_row(page), [row, names[row - 2].split("[")[0]], key)
        top, row_top, row_bottom, bottom = page.js(f"""(() => {{
            const row = {FOCUSED}.getBoundingClientRect();
            const view = document.querySelector("#table-scroll").getBoundingClientRect();
            return [view.top, row.top, row.bottom, Math.min(view.bottom, innerHeight)];
        }})()""")
        check(top <= row_top and row_bottom <= bottom + 1, f"{key} does not bring into view:",
              row_top, "to", row_bottom, "of", top, "to", bottom)
    # It stays there, whatever becomes of the rows around it.
    page.js("document.querySelector('#table-scroll').scrollTop = 0")
    page.until("document.querySelector('#table tr[aria-rowindex=\"5\"]')")
    equal(focused_row(page), [last, names[-1]], "after scrolling")
    page.browser.press("ArrowUp")
    equal(focused_row(page), [last - 1, names[-2]], "from there")
    server.ask("odd")
    page.until(f"document.querySelector('#table').getAttribute('aria-rowcount') > {last}")
    equal(focused_row(page)[1], names[-2], "after others came")
    page.check_quiet()


@case
def many_series_are_searched_and_sorted(t):
    server, page, names = open_many(t)
    page.js("document.querySelector('#table th.c-value button').click()")
    equal(page.cells()[page.keys()[0]]["value"], "10000", "the most")
    page.js("document.querySelector('#table th.c-value button').click()")
    page.browser.press("/")
    page.browser.type("counter.777")
    equal(page.keys(), ["many.counter.777"])
    equal(page.text("#series-count"), f"1 of {len(names)} series")
    page.browser.press("ArrowDown")
    equal(focused_row(page), [2, "many.counter.777"])
    page.check_quiet()


@case
def a_table_of_many_series_is_for_everybody(t):
    if not (t.tools.npm / "node_modules/axe-core").is_dir():
        raise Skip("needs axe-core")
    server = t.fixture(history=True)
    server.ask("many")
    page = open_page(t, server.name, bypassCSP=True)
    page.wait_for_values()
    page.until("document.querySelector('#table tbody tr.gap')", "a gap")
    page.browser.media({"reducedMotion": "reduce"})
    equal(page.browser.axe(), [])


if __name__ == "__main__":
    harness.main()
