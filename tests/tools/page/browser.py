# SPDX-License-Identifier: MIT
"""A real Chromium, driven by playwright-core in a node of its own (browser.mjs)."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import PATIENCE, Failed, Skip, check, equal, wait_until

HERE = pathlib.Path(__file__).resolve().parent
DEAD = "the server responded with a status of 503"


class Browser:
    """One Chromium for all cases; each opens a page of its own, without a memory."""

    def __init__(self, npm):
        node, chromium = shutil.which("node"), shutil.which("chromium")
        if not node or not chromium:
            raise Skip("needs node and chromium")
        if not (npm / "node_modules/playwright-core").is_dir():
            raise Skip("needs the npm packages of tests/npm (./check installs them)")
        self.home = tempfile.TemporaryDirectory(prefix="astshm-browser-")
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [node, HERE / "browser.mjs", npm, chromium], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env={**os.environ, "HOME": self.home.name, "XDG_CONFIG_HOME": self.home.name})
        self.version = self.answer()

    def last_words(self):
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"the browser has gone: {self.last_words()}")
        told = json.loads(line)
        if "error" in told:
            raise Failed(told["error"])
        return told["value"]

    def __getattr__(self, method):
        def call(*arguments):
            try:
                self.process.stdin.write(json.dumps([method, *arguments]) + "\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass  # the answer says why
            return self.answer()
        return call

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.home.cleanup()


class Page:
    """The page of an exporter."""

    def __init__(self, browser, exporter, path="/", **options):
        self.browser = browser
        self.origin = exporter.scheme + exporter.address
        self.status = browser.open(self.origin + path, options)

    def js(self, expression):
        return self.browser.evaluate(expression)

    def until(self, expression, what=None):
        """Polls in the page, whose policy forbids the library's own way, eval."""
        wait_until(lambda: self.js(f"Boolean({expression})"), what or expression)

    def text(self, selector):
        return self.js(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''").strip()

    def badge(self):
        return self.text("#badge")

    def wait_for_badge(self, *words):
        wait_until(lambda: self.badge() in words, f"{words} at the badge, not {self.badge()}")

    def wait_for_values(self):
        self.until("document.querySelector('#table tbody tr')", "the first values")

    def cells(self):
        """{series' key: {column: text}} of the table; one may be called __proto__."""
        return dict(self.js("""[...document.querySelectorAll(
            "#table tbody tr:not(.gap)")].map((row) => [
            [...row.querySelector("button").children].map((part) => part.textContent).join(" "),
            Object.fromEntries([...row.cells].map((cell) => [cell.className.replace("c-", ""),
                cell.textContent]))])"""))

    def open_series(self, name):
        self.browser.click(f".series-button:has-text('{name}')")

    def keys(self):
        return list(self.cells())

    def tile(self, section):
        """{row: [texts]} of a tile."""
        return self.js(f"""Object.fromEntries([...document.querySelectorAll(
            "#section-{section} tbody tr")].map((row) => [row.cells[0].textContent,
            [...row.cells].slice(1).map((cell) => cell.textContent)]))""")

    def fetched(self, name):
        """What the page itself was told last; the browser's words for it come a little later."""
        wait_until(lambda: self.browser.seen()["bodies"].get(name), name)
        return json.loads(self.browser.seen()["bodies"][name])

    def value(self, name):
        """What the table has for it, None without such a series."""
        return self.cells().get(name, {}).get("value")

    def requests(self):
        return self.browser.seen()["requests"]

    def check_quiet(self, allowed=()):
        """Nothing to complain about, and nothing asked of anybody else."""
        seen = self.browser.seen()
        complaints = [text for text in seen["complaints"]
                      if not any(word in text for word in allowed)]
        equal(complaints, [], "console")
        equal(self.js("violations"), [], "violations of the policy")
        foreign = [url for url in seen["requests"]
                   if not url.startswith(self.origin + "/") and not url.startswith("data:")]
        equal(foreign, [], "requests to another origin")
        check(seen["requests"], "no request at all")
