"""Lets the tests of recording import the fakes beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
