#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the table of the page's files (page.h), so that they are in the program.

    embed.py [--uplot FOLDER] OUTPUT FILE...

FOLDER is uPlot as npm leaves it. Its script becomes the module uplot.js, and its
style sheet goes behind ours; without it uplot.js says that there is none. The
licence goes with it: the program has a copy of it then.
"""
import argparse
import hashlib
import pathlib

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def commented(text):
    return "/*\n" + text.strip() + "\n*/\n"


def uplot_module(folder):
    if not folder:
        return "export default null;\n"
    script = (folder / "dist/uPlot.iife.min.js").read_text(encoding="utf-8")
    licence = (folder / "LICENSE").read_text(encoding="utf-8")
    return commented(licence) + script.rstrip() + "\nexport default uPlot;\n"


def uplot_style(folder):
    return (folder / "dist/uPlot.min.css").read_text(encoding="utf-8") if folder else ""


def page_files(paths, uplot):
    files = {path.name: path.read_text(encoding="utf-8") for path in paths}
    files["page.css"] += uplot_style(uplot)
    files["uplot.js"] = uplot_module(uplot)
    return {name: text.encode() for name, text in sorted(files.items())}


ESCAPES = {ord(c): "\\" + c for c in '"\\?'} | {ord("\n"): "\\n", ord("\t"): "\\t"}


def escaped(byte):
    """A question mark too: three of them might be another character to C."""
    return ESCAPES.get(byte, chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")


def literal(content):
    """Compilers and lint read texts in a fraction of the time that they take for numbers."""
    rows = (content[start:start + 64] for start in range(0, len(content), 64))
    return "\n".join('\t"' + "".join(map(escaped, row)) + '"' for row in rows)


def table(files):
    yield '#include "page.h"\n'
    yield '#pragma GCC diagnostic ignored "-Woverlength-strings"\n'
    for number, content in enumerate(files.values()):
        yield f"static const char file_{number}[] =\n{literal(content)};\n"
    yield "const struct page_file page_files[] = {"
    for number, (name, content) in enumerate(files.items()):
        kind = TYPES[pathlib.PurePath(name).suffix]
        digest = hashlib.sha256(content).hexdigest()[:32]
        yield f'\t{{ "{name}", "{kind}", "{digest}", file_{number}, sizeof(file_{number}) - 1 }},'
    yield f"}};\nconst size_t page_file_count = {len(files)};"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--uplot", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    files = page_files(options.files, options.uplot)
    options.output.write_text("\n".join(table(files)) + "\n", encoding="ascii")


main()
