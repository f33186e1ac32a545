"""Monitors: decide histories of one object each in near-linear time, where they are unambiguous."""
