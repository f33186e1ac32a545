"""Lets the tests of the core import the small cluster beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
