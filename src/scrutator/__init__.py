"""Scrutator scrutinises consensus: protocols, histories, quorums and implementations.

``scrutator.model`` says what a system is, ``scrutator.checker`` decides, and
``scrutator.impl`` runs.  This file holds the version and imports nothing, so that
importing any part costs that part alone.
"""

__version__ = "0.1.0"
