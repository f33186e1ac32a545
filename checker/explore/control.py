"""What the kernel and its driver share: word offsets of their blocks, and fixed sizes.

The kernel reads these names as constants of the dialect, the driver as numbers, so that
neither can drift from the other.  Offsets count 64-bit words within a block.
"""

from __future__ import annotations

NONE = (1 << 63) - 1  # no such state, in a word that holds the smallest index found
INITIAL = 1 << 62  # bit of a parent entry: an initial state, whose number is in the other bits
ORDINAL_BITS = 24  # a parent entry is parent << ORDINAL_BITS | ordinal among its successors
PROPERTIES_MAX = 60

# The control block: one, read by all workers.
CTL_ROWS = 0  # address of the batch's first row
CTL_HEAD = 1  # index of the batch's first state
CTL_COUNT = 2  # states in the batch
CTL_PARTS = 3  # parts that the batch is divided into
CTL_CANDIDATES = 4  # address of the candidates of part 0
CTL_KEPT = 5  # address: candidates of each part
CTL_FIRST = 6  # address: index of the first new state of each part
CTL_FRONTIER = 7  # address: where each chunk of rows is
CTL_PARENTS = 8  # address: where each chunk of parent entries is
CTL_EDGES = 9  # address: edges of each part
CTL_FIRST_EDGE = 10  # address: offset of the first edge of each part
CTL_TARGETS = 11  # address: successor indices of the batch
CTL_DEGREES = 12  # address: successors of each state of the batch
CTL_MASKS = 13  # address: predicates of each new state of the batch
CTL_TAIL = 14  # index of the batch's first new state
CTL_WORKERS = 15  # workers that insert
CTL_NEW = 16  # address: per worker, a byte for each candidate: 1 if it is new
CTL_CLAIMED = 32  # parts claimed by workers, in order; on a cache line of its own
CTL_REGIONS = 48  # the table's regions, REGION_WORDS each: cache lines apart, for their owners write them

REGIONS_BITS = 4
REGIONS = 1 << REGIONS_BITS
REGION_BASE, REGION_CAPACITY, REGION_COUNT, REGION_LIMIT, REGION_END = range(5)
REGION_WORDS = 16
CTL_WORDS = CTL_REGIONS + REGIONS * REGION_WORDS

# A worker's block.
ME_CTX = 0  # address of what model functions report to: a fault, then truncations
ME_SUMS = 1  # address of its counts
ME_MINS = 2  # address of the smallest indices it found
ME_RECENT = 3  # address of its fingerprints seen lately
ME_SCRATCH = 4  # address of its two groups of successors
ME_LOW = 5  # the regions it inserts into: from
ME_HIGH = 6  # ... up to, exclusive
ME_PART = 7  # where its insertion stands: part
ME_POSITION = 8  # ... and candidate
ME_NEW = 9  # address: new states of each part, in its regions
ME_FAULT_STATE = 10  # state that a fault arose in, or whose successors were being computed
ME_FAULT_ORDINAL = 11  # which successor, -1 where the fault is the state's own
ME_FAULT_WHAT = 12  # what model functions reported, 0 for no fault
ME_MINE = 13  # address: positions of the candidates of a part that it inserts
ME_WORDS = 16

SUM_OUTSIDE = 0  # new states outside of the constraint
SUM_CANDIDATES = 1  # successors that were not found in the table at once
SUM_ACTIONS = 2  # then, per action, transitions; then, per action, new states

MIN_DEADLOCK = 0  # state
MIN_INVARIANT = 1  # state, per invariant
MIN_PREDICATE = MIN_INVARIANT + PROPERTIES_MAX  # state, per predicate
MIN_STEP = MIN_PREDICATE + PROPERTIES_MAX  # parent entry of a transition, per step invariant
MIN_WORDS = MIN_STEP + PROPERTIES_MAX

RECENT_BITS = 13
RECENT = 1 << RECENT_BITS  # entries of a worker's memory of recent fingerprints
GROUP = 48  # successors between asking for a slot of the table and reading it
PENDING_BYTES = 40
AHEAD = 16  # candidates between asking for a slot and inserting
NOT_EXPANDED = (1 << 32) - 1  # degree of a state whose successors were not computed

# The block of a depth-first search.
DIVE_STACK = 0  # address of the stack: rows, each followed by its state and its depth
DIVE_HEIGHT = 1  # states on the stack
DIVE_ROOM = 2  # states that the stack has room for
DIVE_TAIL = 3  # index of the next new state
DIVE_RESERVED = 4  # states that there is room for in the streams
DIVE_DEPTH_MAX = 5
DIVE_CUT = 6  # states not expanded because they are that deep
DIVE_PENDING = 7  # successors of the current state that are still to be inserted
DIVE_CURRENT = 8  # address of the current state's row, state and depth
DIVE_OUT = 9  # address: its successors
DIVE_CODES = 10  # address: their actions
DIVE_LEVELS = 11  # address: states by depth
DIVE_LEVELS_MAX = 12  # the last depth counted apart
DIVE_REGION = 13  # the region that must grow
DIVE_EXPANDED = 14  # states taken from the stack and expanded or found outside
DIVE_WORDS = 16
DIVE_DONE, DIVE_PAUSED, DIVE_ROOM_NEEDED, DIVE_GROW = range(4)  # why a dive returns

# The block of a worker's random walks.
WALK_ROWS = 0  # address of the initial rows
WALK_INITIAL = 1  # how many
WALK_SEED = 2
WALK_DEPTH_MAX = 3  # steps
WALK_CURRENT = 4  # address of the row that a walk is at
WALK_OUT = 5  # address: its successors
WALK_CODES = 6  # address: their actions
WALK_CTX = 7  # address: what model functions report
WALK_MINS = 8  # address: the smallest walk that found each property, with its length
WALK_SUMS = 9  # address: steps per action
WALK_RECORD = 10  # address of the ordinals taken; 0 to record none
WALK_LENGTH = 11  # steps of the last walk
WALK_START = 12  # initial row of the last walk
WALK_HALT = 13  # 1 to end at the first violation
WALK_DEADLOCK = 14  # 1 if a state without successors is a violation
WALK_FAULT_WALK = 15  # the walk that failed, with its length
WALK_FAULT_WHAT = 16
WALK_WORDS = 24

PARENTS_SHIFT = 18  # parent entries in a chunk, as a power of two

# Names that `native_model` gives values, per model; here for tools that read the kernel.
ROW: int  # bytes of a row
ENTRY: int  # bytes of a table entry: fingerprint, its second word, value
FINGERPRINT: int  # bytes of a fingerprint
WIDE: int  # 1 if fingerprints have two words
EDGES: int  # 1 if the graph of states is kept
ACTIONS: int
PREDICATES: int
INVARIANTS: int
STEP_INVARIANTS: int
CONSTRAINED: int
SYMMETRIC: int
STACKED: int  # bytes of a state on the stack of a depth-first search
SUCCESSORS_MAX: int
PART: int  # states in a part of a batch
PART_BYTES: int  # of a part's candidates
PART_CANDIDATES: int  # room in a part
PARTS: int  # in a batch
META: int  # byte offsets within a part's candidates
ACTION: int
ROWS: int
EDGE_PART_BYTES: int
ROWS_SHIFT: int  # rows in a chunk, as a power of two
GROUP_BYTES: int  # of a group: rows, actions, pending entries
GROUP_ACTIONS: int
GROUP_PENDING: int
