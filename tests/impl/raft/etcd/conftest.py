"""Lets the tests import the readers beside them, and the small cluster one folder up."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
