"""What the scanner of lines and its driver share: offsets of the block's words, codes, characters."""

from __future__ import annotations

# Why the scanner comes back.
DONE, ROOM, ODD = range(3)

# The block.
TEXT, SIZE, AT = range(3)  # address of the data, their bytes, bytes done
ROW = 3  # lines done
NUMBER = 4  # what the last part of a line was
PROCESS, METHOD, KEY, ARGUMENT, RESULT = range(5, 10)  # addresses of columns of 32 bits
CALLED, RETURNED = range(10, 12)  # addresses of columns of 64 bits
VALUES, METHODS = 12, 17  # tables
LOOSE = 22  # 1 if one value may have several texts
WORDS = 23

# A table of texts: each slot is a key and a number plus 1, 0 where it is free.
SLOTS, MASK, COUNT = range(3)  # address of the slots, their number less 1, texts so far
BEGINS, SIZES = range(3, 5)  # addresses: where each text begins, and its bytes

METHODS_MAX = 64
PROCESS_MAX = (1 << 31) - 1
MAX = (1 << 63) - 1
MIN = -1 << 63

ZERO, NINE, LOWER_A, LOWER_E, LOWER_N, LOWER_Z, UPPER_E = b"09aenzE"
MINUS, PLUS, DOT, QUOTE, COMMA, OPEN, CLOSE, BACKSLASH, BLANK = b'-+.",[]\\ '

P_IS = int.from_bytes(b'{"p":', "little")
F_IS = int.from_bytes(b',"f":', "little")
K_IS = int.from_bytes(b',"k":', "little")
IN_IS = int.from_bytes(b',"in":', "little")
OUT_IS = int.from_bytes(b',"out":', "little")
CALL_IS = int.from_bytes(b',"call":', "little")
RET_IS = int.from_bytes(b',"ret":', "little")
NULL_IS = int.from_bytes(b"null", "little")
END_IS = int.from_bytes(b"}\n", "little")
