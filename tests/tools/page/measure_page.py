#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long the page of astshm-export keeps a browser from answering its user, with many
series that all change once a second: doc/export.md has the command.

No test: it asserts no time. Long tasks are the browser's own (of more than 50 ms).
"""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # noqa: E402
from browser import Page  # noqa: E402
from exporter import Exporter  # noqa: E402
from harness import case  # noqa: E402
from test_page import browser  # noqa: E402

COUNTS = 120, 5000, 20000
HEAD = "document.querySelector('#table thead th.c-{} button').click()"
WATCH = """window.tasks = []; new PerformanceObserver((list) => window.tasks.push(
    ...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask", buffered: true })"""


def keep_busy(server, count, over):
    while not over.wait(1):
        server.ask(f"wide {count}")


def measure(page, what, seconds, *actions):
    for action in actions:
        action()
    time.sleep(seconds)
    tasks = page.js("window.tasks.splice(0)")
    heap = page.js("performance.memory.usedJSHeapSize") >> 20
    print(f"    {what:28} {len(tasks):3} long tasks, longest {max(tasks, default=0):5.0f} ms, "
          f"together {sum(tasks):6.0f} ms; heap {heap} MiB", flush=True)


def walk(t, count):
    server, over = t.fixture(f"-{count}", keep="wide"), threading.Event()
    server.ask(f"wide {count}")
    busy = threading.Thread(target=keep_busy, args=(server, count, over))
    busy.start()
    try:
        time.sleep(20)  # a history
        page = Page(browser(t), Exporter(t, server.name))
        page.js(WATCH)
        page.wait_for_values()
        page.until(f"parseInt(document.querySelector('#series-count').textContent) > {count}")
        press, keys = page.browser.press, page.browser.type
        print(f"{count} series", flush=True)
        measure(page, "open", 5)
        measure(page, "rest for 20 s", 20)
        if page.js("Boolean(document.querySelector('#more')?.hidden === false)"):
            measure(page, "show all", 10, lambda: page.browser.click("#more"))
        measure(page, "last row and back", 3, lambda: page.browser.press("/"),
                lambda: press("ArrowDown"), lambda: press("End"), lambda: press("Home"))
        for column in "value", "rate", "name":
            measure(page, f"sort by {column}", 2, lambda: page.js(HEAD.format(column)))
        measure(page, "search", 2, lambda: press("/"), lambda: keys("WIDE.00*7"))
        measure(page, "drop the search", 2, lambda: press("Escape"))
        measure(page, "detail", 3,
                lambda: page.browser.click("#table tbody tr:nth-child(3) button"),
                lambda: press("Escape"))
        print(f"    {page.js('document.querySelectorAll(`*`).length')} elements", flush=True)
    finally:
        over.set()
        busy.join()
        server.close()


@case
def many_series(t):
    for count in COUNTS:
        walk(t, count)


if __name__ == "__main__":
    harness.cases[:] = [many_series]
    harness.main()
