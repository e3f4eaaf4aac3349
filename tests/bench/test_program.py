#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""astshm-bench as a program: its document, the comparison, the exit statuses, the plots.

usage: test_program.py ASTSHM_BENCH PLOT
"""
import json
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "doc"))
import cases  # noqa: E402

BENCH, PLOT = sys.argv[1:3]


def bench(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True)


def document(subcommand):
    result = bench(subcommand, "--quick", "--rounds", "2", "--json", "-")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def saved(content):
    file = tempfile.NamedTemporaryFile("w", suffix=".json")
    json.dump(content, file)
    file.flush()
    return file


def scaled(content, factor):
    """What an earlier run would have said that was so many times as slow, and sure of it."""
    for row in content["rows"]:
        if row["more_is_better"]:
            row["median"] /= factor
        else:
            row["median"] *= factor
        row["deviation"] = 0
    return content


def test_document_says_where_its_figures_come_from():
    content = document("memory")
    assert content["schema"] == "astshm.bench/1"
    assert content["subcommand"] == "memory" and content["quick"] is True
    assert content["machine"]["cores"] >= 1 and content["machine"]["compiler"]
    assert content["rows"] and all(row["unit"] and row["runs"] >= 1 for row in content["rows"])


def test_every_row_is_told_from_the_others():
    for subcommand in ("record", "threads", "registry"):
        rows = document(subcommand)["rows"]
        keys = {(row["name"], row["variant"], row["x"], row["unit"]) for row in rows}
        assert len(keys) == len(rows), subcommand


def test_compare_marks_what_became_larger():
    with saved(scaled(document("memory"), 0.5)) as old:
        result = bench("memory", "--quick", "--compare", old.name)
    assert result.returncode == 3, (result.returncode, result.stderr)
    assert "SLOWER empty segment" in result.stdout, result.stdout
    assert "faster" not in result.stdout, result.stdout


def test_compare_is_content_with_less():
    with saved(scaled(document("memory"), 2)) as old:
        result = bench("memory", "--quick", "--compare", old.name)
    assert result.returncode == 0, (result.returncode, result.stderr)
    assert "faster empty segment" in result.stdout and "SLOWER" not in result.stdout


def test_compare_says_nothing_within_the_noise():
    content = scaled(document("memory"), 0.5)
    for row in content["rows"]:
        row["deviation"] = row["median"]
    with saved(content) as old:
        result = bench("memory", "--quick", "--compare", old.name)
    assert result.returncode == 0 and "SLOWER" not in result.stdout, result.stdout


def test_figures_of_another_subcommand_are_refused():
    with saved(document("memory")) as old:
        result = bench("record", "--quick", "--compare", old.name)
    assert result.returncode == 1 and "record" in result.stderr, result.stderr


def test_usage_errors_exit_2():
    for arguments in ([], ["nothing"], ["record", "threads"], ["record", "--rounds", "0"],
                      ["record", "--what"]):
        assert bench(*arguments).returncode == 2, arguments


def test_no_segment_is_left():
    before = set(Path("/dev/shm").glob("astshm.bench.*"))
    process = subprocess.Popen([BENCH, "record", "--quick"], stdout=subprocess.DEVNULL)
    assert process.wait() == 0
    mine = set(Path("/dev/shm").glob(f"astshm.bench.{process.pid}.*"))
    assert not mine - before, mine


def test_plots_are_svg():
    if not (shutil.which("gnuplot") and shutil.which("jq")):
        print("# not drawn: gnuplot or jq is missing")
        return
    with saved(document("threads")) as figures, tempfile.TemporaryDirectory() as folder:
        subprocess.run([PLOT, "-o", folder, figures.name], check=True, stdout=subprocess.DEVNULL)
        drawn = sorted(Path(folder).glob("*.svg"))
        assert {path.name for path in drawn} == {
            "threads-quantile-ns.svg", "threads-threads-M-s.svg", "threads-threads-ns-CPU.svg"}
        for path in drawn:
            root = xml.etree.ElementTree.parse(path).getroot()
            assert root.tag.endswith("svg")
            assert "counter add" in path.read_text(encoding="utf-8"), path.name


cases.main(globals())
