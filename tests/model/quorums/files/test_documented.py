"""The examples and tables of docs/quorums.md are those that work."""

from __future__ import annotations

import re
from pathlib import Path

from scrutator.model.quorums import FAMILIES
from scrutator.model.quorums.files import FORMATS
from scrutator.model.quorums.parse import WORDS

DOCS = (Path(__file__).parents[4] / "docs" / "quorums.md").read_text(encoding="utf-8")


def test_the_whole_example(reading) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    system = reading(text, name="example.toml")
    assert str(system.roles["election"]) == "majority(a, b, c, d, w)"
    assert system.roles["commit"].is_quorum({"a", "c"})
    assert [str(rule) for rule in system.rules] == ["election & election", "election & commit", "commit & data"]


def test_messages(refusing) -> None:
    nodes = "[nodes]\na = {}\nb = {}\n"
    text = f"{nodes}c = {{}}\nd = {{}}\ne = {{}}\n[quorums]\nelection = 'majority'\ncommit = 'choose(2, a, f)'"
    regoin = f"{nodes}c = {{ regoin = 'eu' }}\n[quorums]\nquorum = 'a'"
    for wrong, line in ((text, 9), (regoin, 4)):
        assert f"five.toml:{line}: {refusing(wrong, line, name='five.toml')}\n" in DOCS


def test_every_word_family_format_and_option() -> None:
    for word in WORDS:
        assert re.search(rf"`'?{word}\b|\b{word}\(", DOCS), word
    for family in FAMILIES:
        assert f"`{family}" in DOCS, family
    for format_ in FORMATS.values():
        assert f"`{format_.name}`" in DOCS or format_.name == "toml", format_.name
        assert all(f"`{option}`" in DOCS for option in format_.options), format_.name
