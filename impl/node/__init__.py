"""A Raft server as a process: a durable store, links to the other nodes, the Redis protocol for clients."""
