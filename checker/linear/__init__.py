"""Whether a recorded history of operations is that of a sequential object."""
