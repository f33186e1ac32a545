// Where the nodes stand in the matrix: by zone, as wide as there is room.

const CELL_MIN = 5;
const CELL_NAMED = 10; // from here on, columns have names
const GAP = 8; // between zones
const CHARACTER = 6.7; // pixels, roughly

class Columns {
  constructor(system) {
    this.system = system;
    const zones = system.zones.map((name, zone) => ({ name, nodes: nodesOf(system, zone) }));
    const rest = nodesOf(system, -1);
    this.zones = [...zones, ...(rest.length ? [{ name: zones.length ? "no zone" : "", nodes: rest }] : [])];
    this.order = this.zones.flatMap((zone) => zone.nodes);
  }

  /** Places for a width: `left[node]` in pixels, each `cell` wide; zones that are small are spread to fit their names. */
  place(width, cellMin) {
    const { system, zones } = this;
    const most = system.nodes.length <= 9 ? 40 : system.nodes.length <= 20 ? 32 : 24;
    const room = width - GAP * zones.length;
    this.cell = Math.max(cellMin, Math.min(most, Math.floor(room / Math.max(1, system.nodes.length))));
    const few = zones.length <= 12 && this.cell >= CELL_NAMED;
    this.left = new Float64Array(system.nodes.length);
    this.bands = [];
    let x = 0;
    for (const zone of zones) {
      const wanted = few ? Math.min(zone.name.length * CHARACTER + 14, 130) : 0;
      const wide = Math.max(zone.nodes.length * this.cell, wanted);
      const start = x + (wide - zone.nodes.length * this.cell) / 2;
      zone.nodes.forEach((node, k) => { this.left[node] = start + k * this.cell; });
      this.bands.push({ ...zone, x, width: wide });
      x += wide + GAP;
    }
    this.width = Math.max(0, x - GAP);
    this.named = this.cell >= CELL_NAMED;
  }

  middle(node) { return this.left[node] + this.cell / 2; }

  /** The node at a place across, or undefined. */
  at(x) {
    return this.order.find((node) => this.left[node] <= x && x < this.left[node] + this.cell);
  }
}

const nodesOf = (system, zone) => system.nodes.flatMap((node, k) => (node.zone === zone ? [k] : []));

/** What is particular about a node, as words. */
function particulars(node) {
  const found = [];
  if (node.kind !== "voter") found.push(node.kind);
  if (node.faulty) found.push("may lie");
  if (node.down) found.push("down for ever");
  if (node.idle && node.kind !== "learner") found.push("in no quorum");
  return found;
}

/** The same as a mark of one character, or none. */
function markOf(node) {
  if (node.down) return "✕";
  if (node.faulty) return "⚠";
  if (node.kind === "witness") return "W";
  if (node.kind === "learner") return "L";
  return "";
}
