"""What clients see: the Redis protocol, its commands, and what they are told when something goes wrong."""

from scrutator.impl.node.clients.server import ClientServer

__all__ = ["ClientServer"]
