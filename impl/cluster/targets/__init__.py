"""Systems under test: adapters that start a cluster, break it, and give clients."""
