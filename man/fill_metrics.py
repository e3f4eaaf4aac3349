#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: fill_metrics.py TABLE PAGE.in PAGE

Puts the lists of server/metrics_table.h where the page says @METRICS@ and
@TAGGED_METRICS@.
"""
import re
import sys
from pathlib import Path

ROW = re.compile(r'X\((\w+), (\w+), "([^"]+)", "[^"]*",\s*"([^"]+)"\)')


def rows(table, macro):
    text = table.split("#define " + macro + "(X)")[1].split("\n\n")[0]
    return ROW.findall(text.replace("\\\n", " "))


def item(name, remark, text):
    return f".It {name} Pq {remark}\n{text}.\n"


def listed(items):
    return ".Bl -tag -width Ds\n" + "".join(items) + ".El"


def tag_names(field):
    """version_revision of the table are two tags; event_type is one."""
    return ["version", "revision"] if field == "version_revision" else [field]


def main(table_path, page_path, out_path):
    table = Path(table_path).read_text(encoding="utf-8")
    single = [item(name, kind, text) for kind, _, name, text in rows(table, "SERVER_METRICS")]
    several = [item(name, f"{kind} by {' and '.join(tag_names(tags))}", text)
               for kind, tags, name, text in rows(table, "SERVER_TAGGED_METRICS")]
    page = Path(page_path).read_text(encoding="utf-8")
    page = page.replace("@METRICS@", listed(single)).replace("@TAGGED_METRICS@", listed(several))
    Path(out_path).write_text(page, encoding="utf-8")


main(*sys.argv[1:])
