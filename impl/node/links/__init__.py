"""What nodes say to each other: messages as bytes, a connection each way, TLS where it is asked for."""

from scrutator.impl.node.links.links import Links, LinkStatus

__all__ = ["LinkStatus", "Links"]
