"""What a node must not forget, on disk: `Store`, and the errors after which a node must stop."""

from scrutator.impl.node.store.database import Store
from scrutator.impl.node.store.errors import CorruptStore, RefusedStore, StoreFailed, StoreFull
from scrutator.impl.node.store.read import Loaded
from scrutator.impl.node.store.snapshot_file import Prepared

__all__ = ["CorruptStore", "Loaded", "Prepared", "RefusedStore", "Store", "StoreFailed", "StoreFull"]
