"""Which files `scrutator lin` reads: folders, patterns, links, and the same file named twice."""

from __future__ import annotations

import os

import pytest

from scrutator.checker.commands.lin_files import STDIN_PATH, files_of
from scrutator.checker.commands.shared import UsageError

LOG = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("runs/b.log", "runs/a.log", "runs/deep/er/c.log", "runs/.git/d.log", "runs/.e.log", "one/a.log", "[f].log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(LOG)
    for name in ("runs/readme", "runs/deep/empty", "lone/readme", "two/x", "two/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if "empty" in name else "hello\n")
    (tmp_path / "none").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("names", "paths", "skipped"),
    [
        (["runs/b.log", "runs/a.log"], ["runs/b.log", "runs/a.log"], []),
        (["runs"], ["runs/a.log", "runs/b.log", "runs/deep/er/c.log"], ["runs/readme", "runs/deep/empty"]),
        (["runs/"], ["runs/a.log", "runs/b.log", "runs/deep/er/c.log"], ["runs/readme", "runs/deep/empty"]),
        (["runs/*.log"], ["runs/a.log", "runs/b.log"], []),
        (["runs/*"], ["runs/a.log", "runs/b.log", "runs/deep/er/c.log"], ["runs/deep/empty", "runs/readme"]),
        (["runs/**/c*"], ["runs/deep/er/c.log"], []),
        (["runs/a*", "./runs/a.log", "runs/*.log"], ["runs/a.log", "runs/b.log"], []),
        (["runs/readme", "runs/*"], ["runs/readme", "runs/a.log", "runs/b.log", "runs/deep/er/c.log"], ["runs/deep/empty"]),
        (["[f].log"], ["[f].log"], []),
        (["lone"], ["lone/readme"], []),
        (["two/x"], ["two/x"], []),
        (["-", "-"], [STDIN_PATH], []),
    ],
)
def test_what_is_named(names, paths, skipped):
    found = files_of(names)
    assert (list(found.paths), list(found.skipped)) == (paths, skipped)


def test_links_name_the_same_file(folder):
    os.symlink(folder / "runs" / "a.log", folder / "link.log")
    os.symlink(folder / "runs", folder / "runs" / "deep" / "round")  # not followed
    assert files_of(["link.log", "runs"]).paths == ("link.log", "runs/b.log", "runs/deep/er/c.log")


def test_of_a_recorded_run_the_history_is_read_and_of_a_kept_one_not_its_faults(folder):
    for name in ("all/one/history.jsonl", "all/one/faults.jsonl", "all/one/run.json", "all/one/nodes/n1/log.jsonl", "all/kept.jsonl", "all/kept.faults.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}\n")
    found = files_of(["all"])
    assert (found.paths, found.skipped) == (("all/kept.jsonl", "all/one/history.jsonl"), ())
    assert files_of(["all/one/faults.jsonl"]).paths == ("all/one/faults.jsonl",)  # its reader says what is wrong with it


def test_a_format_that_is_given_is_not_recognised():
    assert files_of(["two"], recognised_only=False).paths == ("two/x", "two/y")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "nothing: there is no such file or folder"),
        ("z*", "z*: no file matches the pattern"),
        ("none", "none: the folder has no files"),
        ("two", "two: none of its 2 files is a history that some reader recognises: two/x, two/y; see --from"),
        ("two/*", "two/*: none of its 2 files"),
        ("", ": there is no such file"),
    ],
)
def test_names_of_nothing(name, message):
    with pytest.raises(UsageError) as caught:
        files_of(["runs", name])
    assert message in str(caught.value)
