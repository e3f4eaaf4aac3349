#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/tally.py counts what really happened."""
import contextlib
import io
import json
import os
import sys
import tempfile

import cases
import documents

sys.path.insert(0, str(documents.ROOT / "tests"))
import tally


def run(result, stdout="", stderr="", status=0):
    return {"name": "a", "result": result, "returncode": status,
            "stdout": stdout, "stderr": stderr}


def counted(*tests):
    """(passed, failed, skipped), exit status and output for a log of these tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "testlog.json")
        with open(path, "w", encoding="utf-8") as log:
            log.writelines(json.dumps(test) + "\n" for test in tests)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = tally.main([f"gcc={path}"])
        count = tally.read_build("gcc", path).count
    return (count.passed, count.failed, count.skipped), status, printed.getvalue()


def test_cmocka_summaries_add_up():
    test = run("OK", "[       OK ] x\n", "[  PASSED  ] 3 test(s).\n[  PASSED  ] 2 test(s).\n")
    assert counted(test)[:2] == ((5, 0, 0), 0)


def test_cmocka_failures_count_as_listed():
    text = ("[  PASSED  ] 3 test(s).\n[  FAILED  ] 2 test(s), listed below:\n"
            "[  FAILED  ] first\n[  FAILED  ] second\n")
    assert counted(run("FAIL", "", text, 2))[:2] == ((3, 2, 0), 1)


def test_summary_is_found_after_output_without_newline():
    assert counted(run("OK", "no newline", "[  PASSED  ] 4 test(s).\n"))[0] == (4, 0, 0)


def test_lines_of_scripts_count():
    assert counted(run("OK", "ok one\nok two\nokay\n"))[0] == (2, 0, 0)
    assert counted(run("FAIL", "ok one\nnot ok two\n", "", 1))[0] == (1, 1, 0)


def test_silent_program_is_one_case():
    assert counted(run("OK"))[0] == (1, 0, 0)
    assert counted(run("FAIL", status=1))[0] == (0, 1, 0)


def test_crash_after_passes_is_a_failure():
    test = run("FAIL", "[       OK ] x\n", "[  PASSED  ] 3 test(s).\n", -11)
    assert counted(test)[:2] == ((3, 1, 0), 1)


def test_timeout_is_a_failure():
    assert counted(run("TIMEOUT", status=-15))[:2] == ((0, 1, 0), 1)


def test_skip_counts_only_as_skipped():
    test = run("SKIP", "no tmpfs here\n", "", 77)
    count, status, printed = counted(run("OK"), test)
    assert (count, status) == ((1, 0, 1), 0)
    assert "no tmpfs here" in printed
    assert printed.splitlines()[-1] == "1 passed, 0 failed, 1 skipped"


def test_failure_hidden_by_status_zero_is_seen():
    assert counted(run("OK", "not ok liar\n"))[:2] == ((0, 1, 0), 1)


def test_missing_log_is_a_failed_build():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = tally.main(["gcc=/nonexistent/testlog.json"])
    assert status == 1
    assert printed.getvalue().splitlines()[-1] == "0 passed, 1 failed"


def test_no_test_at_all_fails():
    assert counted()[:2] == ((0, 1, 0), 1)


def test_output_of_failures_is_shown():
    assert "the reason" in counted(run("FAIL", "the reason\n", "", 1))[2]


def test_failed_cases_are_named_at_the_end_and_passed_ones_nowhere():
    script = run("FAIL", "ok calm\nnot ok stormy: the reason\nmore of it\n", "", 1)
    unit = run("FAIL", "[ RUN      ] quiet\n[       OK ] quiet\n", "[  PASSED  ] 1 test(s).\n"
               "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] high\n", 1)
    lines = counted(script, unit)[2].splitlines()
    assert lines.index("    more of it") < lines.index("  stormy: the reason")
    assert lines[-6:-3] == ["  stormy: the reason", "FAILED gcc: a: FAIL, status 1", "  high"]
    assert not any("calm" in line or "quiet" in line for line in lines), lines


cases.main(globals())
