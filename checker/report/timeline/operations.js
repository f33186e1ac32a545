// The history as columns, out of the page's document.
//
// The law: an operation is a number, its position in the history, and columns are never
// written again.  Times are nanoseconds since the first call or, where the recording has no
// clock, numbers of events.  A pending operation returns at Infinity.

const ALL = -1; // every part
const NO_ROLE = 0;
const CONFLICT = 1;
const CULPRIT = 2;

/** Numbers as packing.py writes them: seven bits a byte, low bits first, in base64. */
function unpacked(text, count, Column) {
  const bytes = atob(text);
  const column = new Column(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    let scale = 1;
    let byte;
    do {
      byte = bytes.charCodeAt(at++);
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    column[i] = value;
  }
  return column;
}

/** Running sums, of numbers in which signs are folded if so asked: 0, 1, 2, 3 for 0, -1, 1, -2. */
function summed(column, folded) {
  let sum = 0;
  for (let i = 0; i < column.length; i++) {
    const step = column[i];
    sum += !folded ? step : step % 2 ? -(step + 1) / 2 : step / 2;
    column[i] = sum;
  }
  return column;
}

function operationsOf(packed) {
  const count = packed.count;
  const called = summed(unpacked(packed.called, count, Float64Array), false);
  const start = packed.hasClock ? 0 : Number(packed.began);
  for (let i = 0; i < count; i++) called[i] += start;
  const returned = unpacked(packed.lasted, count, Float64Array);
  let end = start;
  for (let i = 0; i < count; i++) {
    returned[i] = returned[i] === 0 ? Infinity : called[i] + returned[i] - 1;
    end = Math.max(end, returned[i] === Infinity ? called[i] : returned[i]);
  }
  const part = unpacked(packed.part, count, Int32Array);
  for (let i = 0; i < count; i++) part[i] -= 1;
  const order = unpacked(packed.order, count, Int32Array);
  return {
    ...packed,
    start,
    end,
    called,
    returned,
    part,
    order,
    ordered: order.some((place) => place > 0),
    effect: effects(order, part, called),
    line: summed(unpacked(packed.line, count, Float64Array), true),
    process: unpacked(packed.process, count, Int32Array),
    text: unpacked(packed.text, count, Int32Array),
    textMethods: unpacked(packed.textMethods, packed.texts.length, Int32Array),
    role: roles(packed.violations, count),
  };
}

/** The earliest moments at which operations may take effect in the order of their part's witness. */
function effects(order, part, called) {
  const effect = new Float64Array(called.length).fill(NaN);
  const placed = Array.from(order.keys()).filter((i) => order[i] > 0);
  placed.sort((a, b) => part[a] - part[b] || order[a] - order[b]);
  let latest = -Infinity;
  for (let k = 0; k < placed.length; k++) {
    const i = placed[k];
    if (k === 0 || part[i] !== part[placed[k - 1]]) latest = -Infinity;
    latest = Math.max(latest, called[i]);
    effect[i] = latest;
  }
  return effect;
}

/** The operation so many places after another in the order of their part, or -1. */
function inOrder(all, i, by) {
  if (i < 0 || !all.order[i]) return -1;
  return all.order.findIndex((place, k) => place === all.order[i] + by && place > 0 && all.part[k] === all.part[i]);
}

function roles(violations, count) {
  const role = new Uint8Array(count);
  for (const violation of violations) {
    for (const i of violation.conflict) role[i] = CONFLICT;
    role[violation.culprit] = CULPRIT;
  }
  return role;
}

const isPending = (all, i) => all.returned[i] === Infinity;
const textOf = (all, i) => all.texts[all.text[i]];
const readsOnly = (all, i) => all.methods[all.textMethods[all.text[i]]][1];
const verdictOf = (all, part) => all.decisions[all.parts[part][1]][0];

/** The violations of one part, or of all. */
function violationsOf(all, part) {
  return part === ALL ? all.violations : all.violations.filter((found) => found.part === part);
}
