"""What running the ladder found: models explored, implementations played, and whether they agree.

Law: a claim's expectation decides nothing here; it is compared with what was found.
"""

from __future__ import annotations

from scrutator.checker.ladder.found import ClaimFound, LadderFound, Played, RungFound, headline_of, pictured
from scrutator.checker.ladder.refined import as_result

__all__ = ["ClaimFound", "LadderFound", "Played", "RungFound", "as_result", "headline_of", "pictured"]
