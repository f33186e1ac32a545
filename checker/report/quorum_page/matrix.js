// The matrix: quorums down, nodes across by zone.  Rows that are chosen light up, and what they share.

const ROW = 20;
const HEADING = 40;
const BAND = 22; // height of the zones' names
const MARKS = 18;
const NAME_LONGEST = 16; // characters of a column's name
const SMALL_PX = 640; // a page so narrow has narrow labels

class Matrix {
  constructor(state) {
    this.state = state;
    this.system = state.system;
    this.columns = new Columns(this.system);
    this.options = new Map(); // row -> its label
    this.head = element("div", { class: "head" });
    this.labels = element("div", { class: "labels", role: "listbox", "aria-multiselectable": "true", "aria-label": "Minimal quorums" });
    this.body = element("div", { class: "body" });
    this.corner = element("div", { class: "corner" });
    this.grid = element("div", { class: "grid" }, this.corner, this.head, this.labels, this.body);
    this.readout = element("div", { class: "readout", "aria-live": "polite" });
    this.clear = element("button", { type: "button", class: "clear", click: () => state.show([]) }, "clear");
    this.element = element("section", { class: "matrix", "aria-label": "Quorums and nodes" },
      element("h3", {}, "Quorums × nodes"), this.tools(), this.readout, this.grid,
      element("p", { class: "note" }, legendOf(this.system)));
    state.listeners.push(() => this.show());
  }

  tools() {
    const { state, system } = this;
    this.filters = [-1, ...system.roles.keys()].map((role) => element("button", {
      type: "button", "data-role": role, click: () => state.choose(role),
    }, role < 0 ? "all roles" : system.roles[role].name));
    return system.roles.length > 1 ? element("div", { class: "tools", role: "group", "aria-label": "Role" }, ...this.filters) : null;
  }

  /** Build everything anew for a width. */
  render(width, cellMin = CELL_MIN) {
    this.width = width;
    this.cellMin = cellMin;
    this.label = width < SMALL_PX ? 118 : 200;
    this.columns.place(width - this.label - 8, cellMin);
    this.built = this.state.role;
    this.rowsShown = [];
    this.options.clear();
    this.labels.replaceChildren();
    let y = 0;
    this.system.quorums.forEach((quorums, group) => {
      if (this.state.role !== ALL && this.system.roles[this.state.role].quorums !== group) return;
      y = this.addGroup(quorums, group, y);
    });
    this.height = y;
    this.grid.style.gridTemplateColumns = `${this.label}px ${Math.max(this.columns.width, 1)}px`;
    this.body.replaceChildren(this.drawBody());
    const items = [...this.options.values()];
    if (!this.roved) roving(this.labels, (this.roved = []), false);
    this.roved.splice(0, this.roved.length, ...items);
    if (items.length) items[0].tabIndex = 0;
    this.light();
  }

  addGroup(quorums, group, y) {
    const roles = titleOf(this.system, group);
    const rows = [...this.system.rows.keys()].filter((row) => this.system.rows[row].quorums === group);
    const said = amountOf(quorums, rows.filter((row) => !quorums.roles.length || this.system.rows[row].label === null).length);
    const heading = element("div", { class: "heading", title: `${roles}: ${said}`, "data-heading": group },
      element("b", {}, roles), element("span", {}, said));
    heading.style.width = `${Math.min(this.label + this.columns.width, this.width) - 4}px`;
    const box = element("div", { role: "group", "aria-label": `${roles}: ${said}` }, heading, ...rows.map((row, k) => this.option(row, k)));
    this.labels.append(box);
    rows.forEach((row, k) => this.rowsShown.push({ row, y: y + HEADING + k * ROW }));
    return y + HEADING + rows.length * ROW + (rows.length ? 6 : 0);
  }

  option(row, k) {
    const { system, state } = this;
    const names = this.inOrder(row).map((node) => system.nodes[node].name);
    const { label, quorums } = system.rows[row];
    const role = listed(system.quorums[quorums].roles.map((each) => system.roles[each].named));
    const said = label ?? `${role} ${braced(names, 40)}`;
    const text = names.length ? braced(names, 8) : "the empty set";
    const fits = text.length * CHARACTER < this.label - 34;
    const option = element("div", {
      class: "option", role: "option", "data-row": row, tabindex: "-1", title: label ?? braced(names, 40),
      "aria-label": said, click: () => state.light(row),
      pointerenter: () => this.hover(row), pointerleave: () => this.hover(null),
      focus: () => this.hover(row), blur: () => this.hover(null),
      keydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        state.light(row);
      },
    }, element("span", { class: "digit" }), element("span", { class: "text" }, fits ? text : `#${k + 1} · ${this.label < 150 ? grouped(names.length) : counted(names.length, "node")}`));
    this.options.set(row, option);
    return option;
  }

  inOrder(row) {
    return this.columns.order.filter((node) => this.state.sets[row].has(node));
  }

  // --- drawing

  /** Zones, names and marks; under them, so that they are side by side, the quorums that are lit. */
  drawHead(shared) {
    const { columns, system, state } = this;
    const longest = Math.min(NAME_LONGEST, Math.max(1, ...system.nodes.map((node) => brief(node.name).length)));
    const flat = longest * CHARACTER < columns.cell - 2;
    const named = columns.named ? (flat ? 18 : longest * CHARACTER + 8) : 0;
    const bands = system.zones.length ? BAND : 0;
    const marks = bands + named + MARKS;
    const height = marks + state.lit.length * ROW;
    const svg = drawn("svg", { width: columns.width, height, "aria-hidden": "true" });
    for (const band of columns.bands) this.drawBand(svg, band, height, bands);
    system.nodes.forEach((node, k) => {
      const x = columns.middle(k);
      const [mark, kind] = this.markAt(node, k, shared);
      if (mark) svg.append(drawn("text", { class: `mark${kind}`, x, y: marks - 5, "text-anchor": "middle", "data-node": k }, mark));
      if (columns.named) svg.append(this.drawName(node, kind, x, bands, named, flat));
    });
    const lines = state.lit.map((row, place) => ({ row, place, y: marks + place * ROW }));
    for (const { row, place, y } of lines) {
      svg.append(drawn("g", { class: `row lit q${place}` },
        drawn("rect", { class: "rail", x: 0, y: y + 1, width: columns.width, height: ROW - 2, rx: 3 }),
        drawn("path", { d: this.cellsOf(row, y) })));
    }
    svg.append(this.diamonds(lines, shared));
    this.head.replaceChildren(svg);
    this.corner.replaceChildren(...lines.map(({ row, place }) => {
      const roles = titleOf(system, system.rows[row].quorums);
      return element("div", { class: `option q${place}`, "aria-hidden": "true" },
        element("span", { class: "digit" }, DIGITS[place]), element("span", { class: "text" }, roles));
    }));
  }

  /** The mark of a node and a class for it. */
  markAt(node, k, shared) {
    if (this.state.failed.has(k)) return ["✕", " failed"];
    if (shared.has(k)) return [node.faulty ? "⚠" : "◆", " shared"];
    return [markOf(node), node.down ? " failed" : node.idle ? " idle" : ""];
  }

  drawBand(svg, band, height, named) {
    svg.append(drawn("rect", { class: "zone", x: band.x, y: 0, width: band.width, height, rx: 4 }));
    const longest = Math.floor((band.width - 6) / CHARACTER);
    if (!named || longest < 2) return;
    const wide = band.width > 400; // its middle may be out of sight
    svg.append(drawn("text", { class: "zone-name", x: wide ? band.x + 8 : band.x + band.width / 2, y: 15, "text-anchor": wide ? "start" : "middle" },
      short(band.name, longest), drawn("title", {}, band.name)));
  }

  drawName(node, kind, x, top, height, flat) {
    const name = `name${kind}${this.columns.cell < 13 ? " small" : ""}`;
    const title = drawn("title", {}, [node.name, ...particulars(node)].join(", "));
    if (flat) return drawn("text", { class: name, x, y: top + 14, "text-anchor": "middle" }, node.name, title);
    const y = top + height - 2;
    return drawn("text", { class: name, x: x + 4, y, transform: `rotate(-90 ${x + 4} ${y})` }, short(brief(node.name), NAME_LONGEST), title);
  }

  drawBody() {
    const { columns, height } = this;
    const svg = drawn("svg", {
      width: Math.max(1, columns.width), height: Math.max(1, height), "aria-hidden": "true",
      pointermove: (event) => this.point(event), pointerleave: () => { this.hover(null); tip.hide(); },
      click: (event) => { const found = this.rowAt(event.offsetY); if (found) this.state.light(found.row); },
    });
    for (const band of columns.bands) svg.append(drawn("rect", { class: "zone", x: band.x, y: 0, width: band.width, height }));
    this.under = drawn("g", { class: "under" });
    this.over = drawn("g", { class: "over" });
    this.paths = new Map();
    const cells = drawn("g", {});
    for (const { row, y } of this.rowsShown) {
      const band = drawn("rect", { class: "rail", x: 0, y: y + 1, width: columns.width, height: ROW - 2, rx: 3 });
      const group = drawn("g", { class: "row", "data-row": row }, band, drawn("path", { d: this.cellsOf(row, y) }));
      this.paths.set(row, group);
      cells.append(group);
    }
    svg.append(this.under, cells, this.over);
    return svg;
  }

  cellsOf(row, y) {
    const { columns } = this;
    const wide = columns.cell > 8 ? Math.min(columns.cell - 4, 15) : Math.max(columns.cell - 1, 0.8);
    const high = columns.cell > 8 ? wide : 13;
    const top = y + (ROW - high) / 2;
    return this.system.rows[row].members
      .map((node) => `M${(columns.left[node] + (columns.cell - wide) / 2).toFixed(1)} ${top.toFixed(1)}h${wide.toFixed(1)}v${high.toFixed(1)}h${(-wide).toFixed(1)}z`)
      .join("");
  }

  // --- what is chosen

  show() {
    if (this.width === undefined) return;
    if (this.built !== this.state.role) this.render(this.width, this.cellMin);
    else this.light();
  }

  light() {
    const { state, system } = this;
    this.filters.forEach((button, k) => button.setAttribute("aria-pressed", String(k - 1 === state.role)));
    const shared = state.lit.length > 1 ? state.shared() : new Set();
    for (const [row, option] of this.options) {
      const place = state.lit.indexOf(row);
      const dead = system.rows[row].members.some((node) => state.failed.has(node));
      const classes = `${place >= 0 ? ` lit q${place}` : ""}${dead ? " dead" : ""}`;
      option.className = `option${classes}${system.rows[row].cited ? " cited" : ""}`;
      option.setAttribute("aria-selected", String(place >= 0));
      option.firstChild.textContent = place >= 0 ? DIGITS[place] : "";
      this.paths.get(row).setAttribute("class", `row${classes}`);
    }
    this.drawHead(shared);
    this.drawShared(shared);
    this.readout.replaceChildren(...readoutOf(state, shared), ...(state.lit.length ? [this.clear] : []));
  }

  drawShared(shared) {
    const { columns, height } = this;
    const strip = (node, kind) => drawn("rect", { class: kind, x: columns.left[node], y: 0, width: columns.cell, height });
    this.under.replaceChildren(
      ...[...this.state.failed].map((node) => strip(node, "failed")),
      ...[...shared].map((node) => strip(node, "shared")),
    );
    this.over.replaceChildren(this.diamonds(this.rowsShown.filter(({ row }) => this.state.lit.includes(row)), shared));
  }

  /** Diamonds where rows have the nodes that all share. */
  diamonds(lines, shared) {
    const half = Math.min(this.columns.cell / 2, 8);
    const paths = lines.flatMap(({ y }) =>
      [...shared].map((node) => `M${this.columns.middle(node)} ${y + ROW / 2 - half}l${half} ${half}l${-half} ${half}l${-half} ${-half}z`));
    return drawn("path", { class: "diamonds", d: paths.join("") || "M0 0" });
  }

  hover(row) {
    for (const [other, group] of this.paths) group.classList.toggle("over", other === row);
    for (const [other, option] of this.options) option.classList.toggle("over", other === row);
  }

  rowAt(y) {
    return this.rowsShown.find((each) => each.y <= y && y < each.y + ROW);
  }

  point(event) {
    const found = this.rowAt(event.offsetY);
    this.hover(found ? found.row : null);
    const node = this.columns.at(event.offsetX);
    if (node === undefined) return tip.hide();
    const { system } = this;
    const zone = system.nodes[node].zone < 0 ? [] : [system.zones[system.nodes[node].zone]];
    const is = found === undefined ? [] : [this.state.sets[found.row].has(node) ? "in this quorum" : "not in this quorum"];
    tip.show([system.nodes[node].name, ...zone, ...particulars(system.nodes[node]), ...is].join(" · "), event.clientX, event.clientY);
  }
}

/** The roles that have these quorums. */
function titleOf(system, group) {
  const { roles } = system.quorums[group];
  return roles.length ? roles.map((role) => system.roles[role].name).join(", ") : "quorum sets";
}

/** How many minimal quorums there are, and how many of them are drawn. */
function amountOf(quorums, rows) {
  if (!quorums.parts.length && quorums.roles.length) return quorums.always ? "even no nodes at all are a quorum" : "no set of nodes is a quorum";
  if (!quorums.roles.length) return `${quorums.count} of them${quorums.complete ? "" : `; ${grouped(rows)} drawn`}; a row is all that one names`;
  const noun = `minimal quorum${quorums.count === "1" ? "" : "s"}`;
  return `${quorums.count} ${noun}${quorums.complete ? "" : `; ${grouped(rows)} drawn`}`;
}

/** What the quorums that are lit share, and whether that is enough. */
function readoutOf(state, shared) {
  const { system, lit } = state;
  if (!system.rows.length) return [element("p", { class: "note" }, "There is no quorum to draw.")];
  if (!lit.length) return [element("p", { class: "note" }, "Choose a quorum to light it, and another to see what they share.")];
  const chips = lit.map((row, k) => {
    const names = system.rows[row].members.map((node) => system.nodes[node].name);
    return element("span", { class: `chip q${k}` }, `${DIGITS[k]} ${titleOf(system, system.rows[row].quorums)} ${braced(names, 8)}`);
  });
  if (lit.length < 2) return [...chips, element("span", { class: "note" }, "choose another to see what they share")];
  const names = [...shared].sort((a, b) => a - b).map((node) => system.nodes[node].name);
  const said = names.length ? `share ${counted(names.length, "node")}: ${braced(names, 12)}` : "share no node";
  const judged = judgements(state, shared);
  const bad = judged.some(({ enough }) => !enough) || (!names.length && !judged.length);
  return [...chips, element("b", { class: `said ${bad ? "bad" : "good"}` }, names.length ? `◆ ${said}` : `∅ ${said}`),
    ...judged.map(({ text }) => element("span", { class: "note" }, text))];
}

/** What the rules say of the quorums that are lit. */
function judgements(state, shared) {
  const { system } = state;
  const key = (groups) => [...groups].sort((a, b) => a - b).join();
  const lit = key(state.lit.map((row) => system.rows[row].quorums));
  const correct = [...shared].filter((node) => !system.nodes[node].faulty).length;
  return system.rules
    .filter((rule) => key(rule.roles.map((role) => system.roles[role].quorums)) === lit)
    .map((rule) => ({ enough: correct >= rule.overlap, text: `${correct >= rule.overlap ? "enough" : "too few"} for ${rule.text}` }));
}

/** What the marks mean, of those that occur. */
function legendOf(system) {
  const marks = [["✕", "down"], ["⚠", "may lie"], ["W", "witness"], ["L", "learner, never counts"]];
  const seen = marks.filter(([mark], k) => k === 0 || system.nodes.some((node) => markOf(node) === mark));
  return ["◆ in all that are lit", ...seen.map(([mark, text]) => `${mark} ${text}`)].join("   ");
}
