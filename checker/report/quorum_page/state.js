// What is chosen in a system: nodes that failed, quorums that are lit, the role that is shown.  It is
// kept in the address of the page, so that a link shows what its sender saw.

const ALL = -1;
const LOOK_MAX = 30_000_000; // thresholds' members looked at, to find the nodes that must not fail next

class State {
  constructor(system, number, keep) {
    this.system = system;
    this.prefix = number ? `${number + 1}.` : ""; // of its keys in the address
    this.keep = keep;
    this.quorums = system.quorums.map((each) => new Quorum(each));
    this.working = [...new Set(system.roles.filter((role) => role.works).map((role) => role.quorums))];
    this.gone = new Set(system.nodes.flatMap((node, k) => (node.down ? [k] : [])));
    this.byName = new Map(system.nodes.map((node, k) => [node.name, k]));
    this.sets = system.rows.map((row) => new Set(row.members));
    this.litMax = Math.max(2, ...system.rules.map((rule) => rule.roles.length));
    this.listeners = [];
    this.reset();
  }

  reset() {
    this.failed = new Set();
    this.lit = [...new Set(this.system.lit)];
    this.role = ALL;
  }

  changed() {
    this.down = new Set([...this.gone, ...this.failed]);
    this.alive = this.quorums.map((quorum) => quorum.within(this.down));
    for (const listener of this.listeners) listener();
  }

  /** After something was chosen here. */
  act() {
    this.changed();
    this.keep();
  }

  // --- nodes

  toggle(nodes) {
    const free = nodes.filter((node) => !this.gone.has(node));
    const fail = free.some((node) => !this.failed.has(node));
    for (const node of free) fail ? this.failed.add(node) : this.failed.delete(node);
    this.act();
  }

  fail(nodes) {
    this.failed = new Set(nodes.filter((node) => !this.gone.has(node)));
    this.act();
  }

  /** Nodes that are up, and whose loss would leave some of the quorums that are alive without any. */
  critical() {
    const work = this.working.reduce((sum, q) => sum + this.quorums[q].size, 0) * this.system.nodes.length;
    if (work > LOOK_MAX) return new Set();
    const found = new Set();
    this.system.nodes.forEach((node, k) => {
      if (node.idle || this.down.has(k)) return;
      const without = new Set(this.down).add(k);
      if (this.working.some((q) => this.alive[q] && !this.quorums[q].within(without))) found.add(k);
    });
    return found;
  }

  /** Which quorums are left if these nodes fail, and no others. */
  aliveWithout(nodes) {
    const without = new Set([...this.gone, ...nodes]);
    return this.quorums.map((quorum) => quorum.within(without));
  }

  // --- quorums

  light(row) {
    if (this.lit.includes(row)) this.lit = this.lit.filter((other) => other !== row);
    else this.lit = [...this.lit, row].slice(-this.litMax);
    this.act();
  }

  show(rows) {
    this.lit = [...new Set(rows)];
    const hidden = this.role !== ALL && this.lit.some((row) => this.system.rows[row].quorums !== this.system.roles[this.role].quorums);
    if (hidden) this.role = ALL;
    this.act();
  }

  /** The nodes in all quorums that are lit. */
  shared() {
    const [first, ...others] = this.lit.map((row) => this.sets[row]);
    return first === undefined ? new Set() : new Set([...first].filter((node) => others.every((set) => set.has(node))));
  }

  choose(role) {
    this.role = role;
    this.act();
  }

  // --- the address

  write(parameters) {
    const { system, prefix } = this;
    const names = [...this.failed].sort((a, b) => a - b).map((node) => encodeURIComponent(system.nodes[node].name));
    if (names.length) parameters.push(`${prefix}down=${names.join(",")}`);
    const begin = [...new Set(system.lit)];
    if (this.lit.join() !== begin.join()) parameters.push(`${prefix}lit=${this.lit.join(",")}`);
    if (this.role !== ALL) parameters.push(`${prefix}role=${encodeURIComponent(system.roles[this.role].name)}`);
  }

  read(parameters) {
    this.reset();
    const down = parameters.get(`${this.prefix}down`);
    const lit = parameters.get(`${this.prefix}lit`);
    const role = parameters.get(`${this.prefix}role`);
    if (down) {
      const nodes = down.split(",").map((name) => this.byName.get(decoded(name)));
      this.failed = new Set(nodes.filter((node) => node !== undefined && !this.gone.has(node)));
    }
    if (lit !== undefined) {
      const rows = lit.split(",").filter((text) => /^\d{1,6}$/.test(text)).map(Number);
      this.lit = [...new Set(rows.filter((row) => row < this.system.rows.length))].slice(-this.litMax);
    }
    if (role) this.role = this.system.roles.findIndex((each) => each.name === decoded(role));
    this.changed();
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address after its #, as names and texts that are not decoded yet. */
function parametersOf(hash) {
  const pairs = hash.replace(/^#/, "").split("&").map((text) => text.split("="));
  return new Map(pairs.filter((pair) => pair.length === 2));
}
