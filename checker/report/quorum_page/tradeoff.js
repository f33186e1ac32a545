// Candidates by load and latency: less of both is better, and the number in a dot is what it survives.

const TABLE_MAX = 100;
const SHADES = 6;

/** Round numbers over a range, about so many. */
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  return found;
}

const figure = (value) => (value === null ? "–" : Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 }));
const secondsText = (value) => (value === null ? "–" : value >= 1 ? `${figure(value)} s` : `${figure(value * 1000)} ms`);
const survives = (dot) => (dot.resilience < 0 ? "✖" : String(dot.resilience));

class Tradeoff {
  constructor(comparison) {
    this.dots = comparison.dots;
    this.plotted = this.dots.filter((dot) => dot.load !== null && dot.latency !== null);
    this.plot = element("div", { class: "plot" });
    this.rows = new Map();
    this.element = element("section", { class: "tradeoff", "aria-label": "Trade-off" },
      element("h2", {}, "Load against latency"),
      element("p", { class: "note" }, "Less of both is better. The number in a dot is how many nodes may fail, whichever they are; ringed dots are beaten by no other in load, latency and failures together."),
      this.plot, this.table(comparison.leftOut));
  }

  table(leftOut) {
    const heads = ["", "system", "load", "capacity", "latency", "network", "survives", ""];
    const rows = this.dots.slice(0, TABLE_MAX).map((dot) => {
      const cells = [dot.front ? "◎" : "", dot.name, figure(dot.load), figure(dot.capacity), secondsText(dot.latency), figure(dot.network),
        dot.resilience < 0 ? "never has a quorum" : counted(dot.resilience, "failure"), [dot.proved ? "proved" : "", dot.note].filter((text) => text).join(": ")];
      const row = element("tr", { tabindex: "0", class: dot.front ? "front" : null, pointerenter: () => this.mark(dot), pointerleave: () => this.mark(null),
        focus: () => this.mark(dot), blur: () => this.mark(null) }, ...cells.map((cell) => element("td", {}, cell)));
      this.rows.set(dot, row);
      return row;
    });
    const more = this.dots.length - rows.length + leftOut;
    return element("div", { class: "table" }, element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows)), more > 0 ? element("p", { class: "note" }, `and ${grouped(more)} more`) : null);
  }

  mark(dot) {
    for (const [other, group] of this.groups) group.classList.toggle("over", other === dot);
    for (const [other, row] of this.rows) row.classList.toggle("over", other === dot);
    if (dot && this.groups.has(dot)) this.groups.get(dot).parentNode.append(this.groups.get(dot));
  }

  render(width) {
    this.groups = new Map();
    if (!this.plotted.length) return this.plot.replaceChildren(element("p", { class: "note" }, "No system has both a load and a latency."));
    const wide = Math.min(width, 900);
    const high = Math.max(280, Math.min(460, wide * 0.55));
    const inner = { left: 62, right: wide - 20, top: 16, bottom: high - 46 };
    const x = scale(this.plotted.map((dot) => dot.load), inner.left, inner.right);
    const y = scale(this.plotted.map((dot) => dot.latency), inner.bottom, inner.top);
    const svg = drawn("svg", { width: wide, height: high, role: "img", "aria-label": "Load against latency of the systems in the table below" });
    svg.append(...this.axes(inner, x, y));
    const places = this.plotted.map((dot) => ({ dot, x: x.to(dot.load), y: y.to(dot.latency), r: 8 + Math.min(dot.resilience < 0 ? 0 : dot.resilience, 5) * 1.3 }));
    places.sort((a, b) => a.dot.front - b.dot.front || b.r - a.r);
    const layer = drawn("g", {});
    for (const place of places) layer.append(this.dot(place));
    svg.append(layer, ...labels(places, inner));
    this.plot.replaceChildren(svg);
  }

  axes(inner, x, y) {
    const seconds = y.high >= 1 ? [1, "s"] : [1000, "ms"];
    const across = x.ticks(inner.right - inner.left > 500 ? 8 : 4).flatMap((value) => [
      drawn("line", { class: "tick", x1: x.to(value), x2: x.to(value), y1: inner.top, y2: inner.bottom }),
      drawn("text", { x: x.to(value), y: inner.bottom + 17, "text-anchor": "middle" }, figure(value)),
    ]);
    const along = y.ticks(6).flatMap((value) => [
      drawn("line", { class: "tick", x1: inner.left, x2: inner.right, y1: y.to(value), y2: y.to(value) }),
      drawn("text", { x: inner.left - 8, y: y.to(value) + 4, "text-anchor": "end" }, figure(value * seconds[0])),
    ]);
    const middle = (inner.top + inner.bottom) / 2;
    return [...across, ...along,
      drawn("text", { class: "axis", x: (inner.left + inner.right) / 2, y: inner.bottom + 38, "text-anchor": "middle" }, "load of the busiest node, per operation"),
      drawn("text", { class: "axis", x: 14, y: middle, transform: `rotate(-90 14 ${middle})`, "text-anchor": "middle" }, `latency, ${seconds[1]}`),
      drawn("text", { class: "better", x: inner.left + 8, y: inner.bottom - 8 }, "↙ better")];
  }

  dot(place) {
    const { dot } = place;
    const shade = Math.max(0, Math.min(dot.resilience, SHADES - 1));
    const group = drawn("g", { class: `dot s${shade}${dot.front ? " front" : ""}`, pointerenter: (event) => {
      this.mark(dot);
      tip.show(`${dot.name}: load ${figure(dot.load)}, latency ${secondsText(dot.latency)}, survives ${survives(dot)}`, event.clientX, event.clientY);
    }, pointerleave: () => { this.mark(null); tip.hide(); } },
    dot.front ? drawn("circle", { class: "ring", cx: place.x, cy: place.y, r: place.r + 3.5 }) : null,
    drawn("circle", { cx: place.x, cy: place.y, r: place.r }),
    drawn("text", { x: place.x, y: place.y + 4, "text-anchor": "middle" }, survives(dot)));
    this.groups.set(dot, group);
    return group;
  }
}

/** From values to pixels, with some room at both ends. */
function scale(values, from, to) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low || Math.abs(high) || 1) * 0.14;
  const begin = Math.max(low - room, low >= 0 ? Math.min(0, low) : -Infinity);
  const end = high + room;
  const place = (value) => from + ((value - begin) / (end - begin)) * (to - from);
  return { low, high, to: place, ticks: (wanted) => ticks(begin, end, wanted) };
}

/** Names beside the dots of the front, where there is room for them. */
function labels(places, inner) {
  const taken = places.map((place) => box(place.x - place.r - 3, place.y - place.r - 3, 2 * place.r + 6, 2 * place.r + 6));
  const found = [];
  for (const place of places.filter(({ dot }) => dot.front)) {
    const text = short(place.dot.name, 30);
    const wide = text.length * 6.6;
    const away = place.r + 8;
    const spots = [[place.x + away, place.y], [place.x - away - wide, place.y], [place.x - wide / 2, place.y - away - 4], [place.x - wide / 2, place.y + away + 6]];
    const spot = spots.find(([x, y]) => {
      const mine = box(x, y - 8, wide, 16);
      return x >= inner.left && x + wide <= inner.right + 14 && y > inner.top && y < inner.bottom && !taken.some((other) => overlaps(mine, other));
    });
    if (!spot) continue;
    taken.push(box(spot[0], spot[1] - 8, wide, 16));
    found.push(drawn("text", { class: "label", x: spot[0], y: spot[1] + 4 }, text));
  }
  return found;
}

const box = (x, y, width, height) => ({ x, y, width, height });
const overlaps = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
