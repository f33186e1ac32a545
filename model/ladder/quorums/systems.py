"""Quorum systems of four and of six nodes that the claims and the mutants speak of, as expressions."""

ROWS, COLUMNS = "rows([a, b, c], [d, e, f])", "columns([a, b, c], [d, e, f])"
WEIGHTS = "weighted(3, 2*a, b, c, d)"
CENTRES, ONE_OF_EACH = "rows([a, b], [c, d], [e, f])", "one_of_each([a, b], [c, d], [e, f])"
GRID = "grid([a, b], [c, d])"
