"""How wrong a history is: the consistency models that are weaker than linearizability."""

from scrutator.checker.linear.weaker.models import Finding, Model
from scrutator.checker.linear.weaker.ranking import decide, holding, strongest

__all__ = ["Finding", "Model", "decide", "holding", "strongest"]
