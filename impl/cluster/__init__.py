"""Clusters of real processes, what goes wrong with them, and records of what their clients saw."""
