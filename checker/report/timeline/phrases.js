// Times and counts in words.

const UNITS = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];
const SYMBOLS = { holds: "✔", violated: "✖", unknown: "?" };

const grouped = (count) => count.toLocaleString("en-US");
const counted = (count, noun) => `${grouped(count)} ${count === 1 ? noun : noun + "s"}`;

/** The largest unit of which a time has at least one. */
function unitFor(nanoseconds) {
  return UNITS.find(([, size]) => Math.abs(nanoseconds) >= size) ?? UNITS[3];
}

/** A duration, in three or more digits: "1.53 ms". */
function durationText(nanoseconds) {
  const [name, size] = unitFor(nanoseconds);
  const value = nanoseconds / size;
  return `${value >= 100 || size === 1 ? Math.round(value) : value.toPrecision(3)} ${name}`;
}

/** A moment, exact to `step`, in the unit that suits the whole of what is shown. */
function momentText(all, moment, step, shown) {
  if (!all.hasClock) return grouped(Math.round(moment));
  const [name, size] = unitFor(shown);
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return `${(moment / size).toFixed(Math.min(digits, 9))} ${name}`;
}

/** A moment as precisely as it was recorded. */
function exactMoment(all, moment) {
  if (!all.hasClock) return `event ${grouped(moment)}`;
  const [name, size] = unitFor(all.end);
  return `${(moment / size).toLocaleString("en-US", { maximumFractionDigits: 9 })} ${name}`;
}
