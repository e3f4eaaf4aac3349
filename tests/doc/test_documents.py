#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links lead somewhere, quoted files are what they claim, README stays short."""
import re

import cases
import documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.M)
README_LINES = 150


def anchors(path):
    """Heading anchors as forges make them: lower case, punctuation out, '-' for blanks."""
    texts = HEADING.findall(documents.prose(path))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


def broken_links(path):
    for link in LINK.findall(documents.prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists():
            yield link
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield link


def test_every_relative_link_leads_to_a_file_and_heading():
    broken = [(documents.name(path), link)
              for path in documents.all_documents() for link in broken_links(path)]
    assert not broken, broken


def test_quoted_example_is_the_file():
    quoted = 0
    for path in documents.all_documents():
        for line, _, info, text in documents.blocks(path):
            if not info.startswith("examples/"):
                continue
            quoted += 1
            file = (documents.ROOT / info).read_text(encoding="utf-8")
            assert text == file, f"{documents.name(path)}:{line} differs from {info}"
    assert quoted > 0, "README quotes no example"


def test_readme_is_short():
    lines = len((documents.ROOT / "README.md").read_text(encoding="utf-8").splitlines())
    assert lines < README_LINES, f"README.md has {lines} lines"


def test_every_document_is_reached_from_the_readme():
    reached, waiting = set(), [documents.ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        for link in LINK.findall(documents.prose(path)):
            target = (path.parent / link.partition("#")[0]).resolve()
            if target.is_file():
                waiting.append(target)
    lost = [documents.name(path) for path in set(documents.all_documents()) - reached]
    assert not lost, f"no link leads to {lost}"


cases.main(globals())
