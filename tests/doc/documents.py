# SPDX-License-Identifier: MIT
"""The tree's Markdown documents and what is inside them."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\S*)[ \t]*(.*?)[ \t]*$")


def all_documents():
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("doc/*.md")])


def name(path):
    return str(path.relative_to(ROOT))


def blocks(path):
    """Yields (line number, language, rest of the info string, text) of code blocks."""
    language = rest = None
    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if language is None and fence:
            language, rest, start, lines = fence[1], fence[2], number, []
        elif language is not None and line.strip() == "```":
            yield start, language, rest, "".join(text + "\n" for text in lines)
            language = None
        elif language is not None:
            lines.append(line)
    assert language is None, f"{name(path)}: a code block is not closed"


def prose(path):
    """The document without its code blocks."""
    inside, kept = False, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
