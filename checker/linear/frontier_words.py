"""What the frontier kernel and its driver share: offsets of the block's words, and codes."""

from __future__ import annotations

# Events, in order of time: kind << 32 | operation.  A pending operation is AVAILABLE from its
# call on; a FREE one as often as one likes.
CALL, RETURN, AVAILABLE, FREE = range(4)

# Why the kernel comes back.
DONE, VIOLATED, PAUSED, ASK, ROOM, STOPPED, TRACE_ROOM = range(7)

# The block: one for each search.
EVENTS = 0  # address of the events
CURSOR = 1  # events done
EVENTS_COUNT = 2
CLASS = 3  # address: class of each operation, 32 bits
SLOT = 4  # address: slot of each operation, 32 bits; of a pending one, its class's, given from outside
OPEN = 5  # address: class in each slot
OPEN_MASK = 6  # address: slots in use
EAGER_MASK = 7  # address: slots in use whose operations change nothing
READS_ONLY = 8  # address: of each class, a byte: 1 if it changes nothing
PRE = 9  # address: state that a class needs, plus 1; 0 for any (32 bits)
NOT_PRE = 10  # address: state that a class must not find, plus 1; 0 for none
POST = 11  # address: state that a class leaves, plus 1; 0 for the one it found
PENDING_CLASS = 12  # address: class in each slot for pending operations
PENDING_COUNT = 13  # address: pending operations called so far, for each such slot
ROWS = 14  # address of the arena: the frontier's configurations, then those of the event under way
NEXT = 15  # address of the configurations that the event leaves
CAPACITY = 16  # configurations that each of the two has room for
COUNT = 17  # configurations of the frontier
TABLE = 18  # address of the set of the event's configurations
TABLE_MASK = 19
GENERATION = 20  # of the entries that count
CHAIN = 21  # address: the next configuration that differs in what is used only, plus 1
VISITED = 22  # configurations so far
WIDEST = 23  # most configurations after an event
STOP = 24  # set from outside: come back soon
STEPS = 25  # address of the known steps: state << 32 | class, next state plus 2
STEPS_MASK = 26
ASKS = 27  # address of the steps that are asked for: state << 32 | class
ASKED = 28  # how many
PENDING_SLOTS = 29
BEAM = 30  # configurations to keep after an event
CUT = 31  # events after which there may have been more
ORDER = 32  # address: configurations by what they have used
RETURNS = 33  # address: position of the event that each operation returns with
OPEN_RETURNS = 34  # address: the same for the operation in each slot
BEFORE = 35  # address: for each slot a mask of those with operations of the same class that return earlier
RELAXED = 36  # 1: pending operations may take effect any number of times
OPEN_OPERATION = 37  # address: operation in each slot
TRACE = 38  # address: what was done, each (what came before it, operation or slot of a pending one)
TRACE_COUNT = 39
TRACE_CAPACITY = 40
CHAIN_MAX = 41  # configurations to keep that differ in what is used only
WORDS = 42

ASKS_MAX = 1 << 12  # steps to ask for at a time
UNLIMITED = 1 << 40  # count of pending operations that may take effect any number of times
PENDING_FLAG = 1 << 40  # in the trace: the slot of a pending operation

FOUND_PER_BEAM = 4  # configurations to choose from for each that is kept
TOTALS = 1024  # counts of used operations told apart when choosing
EXPANDED_PER_BEAM = 32  # configurations looked at for each that may be kept, once there is one
USED_BITS = 16  # of a count of used pending operations
USED_PER_WORD = 64 // USED_BITS
USED_MAX = (1 << USED_BITS - 1) - 1  # the highest bit stays free
USED_HIGH = 0x8000800080008000
FRESH = 1 << 40  # bit of a configuration's state: the last thing done was a pending operation
COVERED = 1 << 41  # bit of a configuration's state: an earlier one of the frontier covers it
EMPTY_STEP = -1  # key of a free entry among the known steps

# Names that the driver gives values.
MASK_WORDS: int  # words for the slots of operations under way
USED_WORDS: int  # words for the counts of pending operations
ROW: int  # bytes of a configuration
TRACED: int  # 1 to note what was done: a configuration's last word is its place in the trace
EFFECTS: int  # 1 if PRE, NOT_PRE and POST describe the object, 0 if STEPS do
