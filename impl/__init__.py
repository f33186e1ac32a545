"""What runs: protocol cores without input or output, and what surrounds them."""
