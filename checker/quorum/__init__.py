"""The quorum verifier: whether quorums that must meet do, and what a quorum system costs and survives."""
