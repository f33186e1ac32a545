"""Quorum systems in files."""
