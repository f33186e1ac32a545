"""Refinement: whether every behaviour of one model, seen through a mapping, is a behaviour of another."""
