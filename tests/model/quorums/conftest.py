"""Lets the tests of this folder draw the same random expressions as those of the verifier."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "checker" / "quorum"))
