// Which lane an operation is drawn in: one for each process, or fewer that processes share.
//
// The law: within a lane, bars do not overlap.  A process that was given up leaves its
// lane to another only where lanes are shared, and its pending operation is then drawn up
// to the next bar, although it may take effect later.

const PROCESSES_MAX = 48; // more of them share lanes, if that makes far fewer
const PROCESSES_FEW = 10; // for so few, sharing is not offered

/** The processes' rows: the operations of each, in more than one row where they overlap. */
function rowsOf(all, part) {
  const rows = new Map();
  for (let i = 0; i < all.count; i++) {
    if (part !== ALL && all.part[i] !== part) continue;
    const process = all.process[i];
    if (!rows.has(process)) rows.set(process, []);
    const own = rows.get(process);
    let row = own.find((candidate) => candidate.end <= all.called[i]);
    if (row === undefined) {
      row = { process, operations: [], end: 0 };
      own.push(row);
    }
    row.operations.push(i);
    row.end = all.returned[i];
  }
  return [...rows.values()].flat().sort((a, b) => a.process - b.process);
}

/** Rows put one after the other where the later begins after the earlier has nothing more to do. */
function shared(all, rows) {
  const lanes = [];
  const waiting = [...rows].sort((a, b) => a.operations[0] - b.operations[0]);
  for (const row of waiting) {
    const last = row.operations.at(-1);
    const first = all.called[row.operations[0]];
    let best;
    for (const lane of lanes) {
      if (lane.free < first && (best === undefined || lane.free > best.free)) best = lane;
    }
    if (best === undefined) {
      best = { free: 0, processes: [], operations: [] };
      lanes.push(best);
    }
    best.processes.push(row.process);
    best.operations.push(...row.operations);
    best.free = isPending(all, last) ? all.called[last] : all.returned[last];
  }
  return lanes;
}

/** The lanes of a part's operations: `of[i]` is operation i's lane or -1, `greatest` the greatest process. */
function lanesOf(all, part, sharing) {
  const rows = rowsOf(all, part);
  const packed = rows.length > PROCESSES_FEW ? shared(all, rows) : rows;
  const worth = rows.length > PROCESSES_MAX && packed.length * 2 <= rows.length;
  const together = (sharing ?? worth) && packed !== rows;
  const chosen = together
    ? packed
    : rows.map((row) => ({ processes: [row.process], operations: row.operations }));
  const of = new Int32Array(all.count).fill(-1);
  const lanes = chosen.map((lane, number) => laneOf(all, lane, number, of));
  const greatest = rows.reduce((most, row) => Math.max(most, row.process), 0);
  return { lanes, of, together, shareable: packed.length < rows.length, greatest };
}

/** A lane with what finding its bars takes: their ends, and how far the bars up to each reach. */
function laneOf(all, { processes, operations }, number, of) {
  const ends = new Float64Array(operations.length);
  const reach = new Float64Array(operations.length);
  operations.forEach((i, k) => {
    const next = k + 1 < operations.length ? all.called[operations[k + 1]] : Infinity;
    ends[k] = isPending(all, i) ? next : all.returned[i];
    reach[k] = Math.max(ends[k], k > 0 ? reach[k - 1] : 0);
    of[i] = number;
  });
  return { processes, operations, ends, reach };
}

/** The first place in an ascending column with at least (or, if asked, more than) a value. */
function placeOf(length, at, value, beyond) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beyond ? at(middle) > value : at(middle) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The places in a lane of the bars that touch a stretch of time, as [first, after the last]. */
function barsIn(all, lane, from, to) {
  const count = lane.operations.length;
  const first = placeOf(count, (k) => lane.reach[k], from, false);
  const after = placeOf(count, (k) => all.called[lane.operations[k]], to, true);
  return [first, Math.max(first, after)];
}
