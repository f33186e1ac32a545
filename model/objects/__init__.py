"""Sequential objects: register, key-value store, set, queue, lock and others, as plain functions."""
