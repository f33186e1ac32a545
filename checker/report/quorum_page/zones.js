// Nodes in their zones: let some fail, and see which roles still have a quorum.

const DISCS_MIN = 120; // nodes from which on they are drawn without names

class Zones {
  constructor(state) {
    this.state = state;
    this.system = state.system;
    this.buttons = new Map();
    this.status = element("ul", { class: "status" });
    this.summary = element("p", { class: "summary", "aria-live": "polite" });
    this.reset = element("button", { type: "button", class: "reset", click: () => state.fail([]) }, "all up");
    this.element = element("section", { class: "zones", "aria-label": "Failures" },
      element("h3", {}, "What if nodes fail?"), this.status, this.summary, this.presets(), this.map(),
      element("p", { class: "note" }, "Click a node or a zone to fail it. A ringed node (!) is one that must not fail next."));
    state.listeners.push(() => this.show());
  }

  /** Failures that are too many. */
  presets() {
    const { system, state } = this;
    const found = system.facts.filter((fact) => fact.nodes.length).map((fact) => {
      const names = fact.nodes.map((node) => system.nodes[node].name);
      return element("li", {}, `${fact.text} `,
        element("button", { type: "button", class: "preset", title: braced(names, 40), click: () => state.fail(fact.nodes) }, short(braced(names, 6), 48)));
    });
    return element("ul", { class: "presets" }, ...found);
  }

  map() {
    const { system } = this;
    const zones = system.zones.map((name, zone) => [name, nodesOf(system, zone)]);
    const rest = nodesOf(system, -1);
    if (rest.length) zones.push([zones.length ? "no zone" : null, rest]);
    const small = system.nodes.length >= DISCS_MIN;
    const map = element("div", { class: `map${small ? " small" : ""}` }, ...zones.map(([name, nodes]) => this.zone(name, nodes)));
    roving(map, zones.flatMap(([, nodes]) => nodes.map((node) => this.buttons.get(node))), true);
    return map;
  }

  zone(name, nodes) {
    const discs = element("div", { class: "discs" }, ...nodes.map((node) => this.disc(node)));
    if (name === null) return element("div", { class: "zone" }, discs);
    const each = this.system.nodes.length >= DISCS_MIN ? 20 : 46;
    const alive = this.state.aliveWithout(nodes);
    const before = this.state.aliveWithout([]);
    const fates = this.system.roles.filter((role) => role.works && before[role.quorums]).map((role) =>
      element("span", { class: `fate ${alive[role.quorums] ? "alive" : "dead"}` }, `${alive[role.quorums] ? "✔" : "✖"} ${role.name}`));
    const button = element("button", { type: "button", class: "zone-button", "data-zone": name, click: () => this.state.toggle(nodes) }, name);
    this.zoneButtons = [...(this.zoneButtons ?? []), [button, nodes]];
    const zone = element("div", { class: "zone" }, button, discs,
      element("p", { class: "fates", title: `if ${name} alone is lost` }, "without it: ", ...fates.flatMap((fate) => [fate, " "])));
    zone.style.flex = `${nodes.length} 1 ${Math.max(160, Math.min(nodes.length * each, 460))}px`;
    return zone;
  }

  disc(k) {
    const node = this.system.nodes[k];
    const label = [node.name, node.zone < 0 ? null : this.system.zones[node.zone], ...particulars(node)].filter((text) => text).join(", ");
    const mark = element("i", {});
    const button = element("button", {
      type: "button", title: label, "data-node": k, disabled: node.down, click: () => this.state.toggle([k]),
    }, element("span", {}, brief(node.name)), mark);
    this.buttons.set(k, button);
    return button;
  }

  show() {
    const { state, system } = this;
    const critical = state.critical();
    const shared = state.shared();
    for (const [k, button] of this.buttons) {
      const node = system.nodes[k];
      const failed = state.failed.has(k);
      const places = state.lit.map((row, place) => (state.sets[row].has(k) ? place : -1)).filter((place) => place >= 0);
      button.className = ["disc", node.kind, node.faulty ? "faulty" : "", node.idle ? "idle" : "", failed || node.down ? "failed" : "",
        critical.has(k) ? "critical" : "", places.length > 1 ? (shared.has(k) ? "shared" : "some") : places.map((place) => `q${place}`).join("")].join(" ").replace(/ +/g, " ");
      button.setAttribute("aria-pressed", String(failed));
      button.lastChild.textContent = [failed ? "✕" : markOf(node), critical.has(k) ? "!" : "", ...places.map((place) => DIGITS[place])].join("");
    }
    for (const [button, nodes] of this.zoneButtons ?? []) {
      button.setAttribute("aria-pressed", String(nodes.every((node) => state.down.has(node))));
    }
    this.reset.hidden = !state.failed.size;
    this.status.replaceChildren(...system.roles.filter((role) => role.works).map((role) => {
      const alive = state.alive[role.quorums];
      return element("li", { class: alive ? "alive" : "dead" }, `${alive ? "✔" : "✖"} ${role.name === "quorum" ? "" : `${role.name}: `}${alive ? "a quorum is up" : "no quorum is up"}`);
    }));
    const up = system.nodes.length - state.down.size;
    this.summary.replaceChildren(`${grouped(up)} of ${counted(system.nodes.length, "node")} up `, this.reset);
  }
}
