"""Log lines that others can cause: the first at once, then one now and then."""

from __future__ import annotations

import io
import json

from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely


def test_rarely_says_how_much_it_left_out() -> None:
    file, now_s = io.StringIO(), [0.0]
    rarely = Rarely(Log("a", file), 10.0, lambda: now_s[0])
    for now_s[0] in (0.0, 1.0, 9.9, 10.0, 11.0, 25.0):
        rarely("refused", why=now_s[0])
        rarely("refused", "b", why=now_s[0])
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["why"], line.get("left_out")) for line in lines if "peer" not in line] == [(0.0, None), (10.0, 2), (25.0, 1)]
    assert len(lines) == 6
