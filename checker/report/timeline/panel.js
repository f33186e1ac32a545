// What there is to say: why a part is violated, and everything about one operation.
//
// The law: whatever comes from the history becomes text nodes, never markup.

/** An element with properties and children; strings become text. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

const ITEMS_MAX = 40; // of a list; what is beyond can be unfolded

/** A list, of which the later items are folded away. */
function listOf(name, className, items) {
  const list = element(name, { className }, ...items.slice(0, ITEMS_MAX));
  if (items.length <= ITEMS_MAX) return list;
  const rest = element(name, { className }, ...items.slice(ITEMS_MAX));
  if (name === "ol") rest.start = ITEMS_MAX + 1;
  const summary = element("summary", {}, `and ${grouped(items.length - ITEMS_MAX)} more`);
  return element("div", {}, list, element("details", {}, summary, rest));
}

const byId = (id) => document.getElementById(id);

class Panel {
  /** `choose(i)` is called when somebody wants to see an operation. */
  constructor(all, choose) {
    this.all = all;
    this.choose = choose;
  }

  /** A button that reads as an operation and leads to it. */
  link(i, text = textOf(this.all, i)) {
    const button = element("button", { type: "button", className: "operation", title: this.where(i) }, text);
    button.addEventListener("click", () => this.choose(i));
    return button;
  }

  /** Who called when: enough to tell operations of the same text apart. */
  where(i) {
    const { all } = this;
    const when = exactMoment(all, all.called[i]);
    return `process ${all.process[i]}, ${when}, line ${grouped(all.line[i])}`;
  }

  // --- why ---

  showWhy(part, violations) {
    const said = violations.length ? this.violated(violations[0], violations.length) : this.unviolated(part);
    byId("why").replaceChildren(...said);
  }

  violated(violation, count) {
    const { all } = this;
    const culprit = violation.culprit;
    const others = count > 1 ? element("p", { className: "small" }, `This is the first of ${counted(count, "violation")}.`) : null;
    const about = all.parts.length > 1 ? ` Of ${all.noun} ${all.parts[violation.part][0]}:` : "";
    return [
      element("h2", {}, "Why it is not linearizable"),
      element("p", {}, `✖${about} no order of the operations allows what `, this.link(culprit), ` of process ${all.process[culprit]} returned.`),
      this.reasons(violation.reasons),
      ...this.conflict(violation),
      others,
      element("p", { className: "small" }, this.decided(violation.part)),
    ].filter((found) => found !== null);
  }

  reasons(reasons) {
    if (!reasons.length) return null;
    const items = reasons.map((phrases) => {
      const words = phrases.map((phrase) => (typeof phrase === "string" ? phrase : this.link(phrase[1], phrase[0])));
      return element("li", {}, ...words);
    });
    return listOf("ol", "reasons", items);
  }

  conflict({ conflict, culprit, reasons, prefix }) {
    const items = conflict.map((i) => {
      const button = this.link(i, "");
      if (i === culprit) button.classList.add("culprit");
      button.append(`${MARKS[i === culprit ? CULPRIT : CONFLICT]} ${textOf(this.all, i)}`);
      button.append(element("span", { className: "where" }, this.where(i)));
      button.dataset.operation = i;
      return element("li", {}, button);
    });
    const minimal = conflict.length > 1
      ? "These operations alone have no linearization; any one fewer, and the others do."
      : reasons.length ? "" : "No explanation was looked for: this is the first return that no order of the operations before it allows.";
    const shortest = prefix === null ? "" : ` The shortest prefix that has none ends with this return, and holds ${counted(prefix, "operation")}.`;
    return [
      element("h2", {}, conflict.length > 1 ? "Operations in conflict" : "The operation"),
      listOf("ul", "conflict-list", items),
      element("p", { className: "small" }, minimal + shortest),
    ];
  }

  unviolated(part) {
    const { all } = this;
    const verdict = part === ALL ? all.verdict : verdictOf(all, part);
    const scope = part === ALL ? "" : ` of ${all.noun} ${all.parts[part][0]}`;
    const said = {
      holds: `The operations${scope} can be put in an order that the object allows and that respects their times.`,
      unknown: `Whether the operations${scope} have a linearization was not decided within the limits.`,
      violated: `The operations${scope} have no linearization.`,
    }[verdict];
    const order = all.ordered && verdict === "holds" ? " One such order is numbered on the bars; an arrow shows a moment at which each may have taken effect." : "";
    const how = part === ALL && all.parts.length !== 1 ? "" : this.decided(Math.max(part, 0));
    return [
      element("h2", {}, verdict === "holds" ? "Why it is linearizable" : verdict === "unknown" ? "Why it is not decided" : "Not linearizable"),
      element("p", {}, said + order),
      element("p", { className: "small" }, how),
    ];
  }

  decided(part) {
    if (!this.all.parts[part]) return "";
    const [verdict, engine, why, limit] = this.all.decisions[this.all.parts[part][1]];
    const cut = limit === null ? "" : ` Cut by the limit on ${limit}.`;
    return `${verdict === "unknown" ? "Tried" : "Decided"} by ${engine}: ${why}.${cut}`;
  }

  // --- one operation ---

  showOperation(i, zoomTo) {
    for (const button of document.querySelectorAll("#why [data-operation]")) {
      button.setAttribute("aria-current", String(Number(button.dataset.operation) === i));
    }
    if (i < 0) return byId("chosen").replaceChildren();
    const zoom = element("button", { type: "button" }, "Zoom to it");
    zoom.addEventListener("click", () => zoomTo(i));
    byId("chosen").replaceChildren(
      element("h2", {}, "Selected operation"),
      element("p", { className: "what" }, textOf(this.all, i)),
      element("dl", {}, ...this.facts(i).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
      element("p", {}, zoom),
    );
    byId("chosen").scrollIntoView({ block: "nearest" });
  }

  facts(i) {
    const { all } = this;
    const pending = isPending(all, i);
    const role = ["", "in conflict", "the one that cannot be placed"][all.role[i]];
    const facts = [
      ["process", String(all.process[i])],
      [all.noun, all.part[i] >= 0 && all.parts.length > 1 ? all.parts[all.part[i]][0] : ""],
      ["called", exactMoment(all, all.called[i])],
      ["returned", pending ? "never: pending, it may take effect at any later time, or not at all" : exactMoment(all, all.returned[i])],
      ["duration", pending || !all.hasClock ? "" : durationText(all.returned[i] - all.called[i])],
      ["recorded at", all.hasClock ? this.recorded(i) : ""],
      ["place in order", all.order[i] ? `${grouped(all.order[i])}, at ${exactMoment(all, all.effect[i])} at the earliest` : ""],
      ["just before it", this.neighbour(i, -1)],
      ["just after it", this.neighbour(i, 1)],
      ["role", role],
      ["in the source", `${all.source}, line ${grouped(all.line[i])}`],
    ];
    return facts.filter(([, value]) => value !== "");
  }

  /** Times as they stand in the file. */
  recorded(i) {
    const stamp = (moment) => String(BigInt(this.all.began) + BigInt(Math.round(moment)));
    const { called, returned } = this.all;
    return isPending(this.all, i) ? `${stamp(called[i])} ns` : `${stamp(called[i])} to ${stamp(returned[i])} ns`;
  }

  /** A link to what comes before or after an operation in the order, or nothing. */
  neighbour(i, by) {
    const other = inOrder(this.all, i, by);
    return other < 0 ? "" : this.link(other);
  }

  tip(i, near) {
    const { all } = this;
    const lasted = isPending(all, i) ? "pending" : all.hasClock ? durationText(all.returned[i] - all.called[i]) : "";
    const part = all.part[i] >= 0 && all.parts.length > 1 ? `${all.noun} ${all.parts[all.part[i]][0]}` : "";
    const role = ["", "◆ in conflict", "✖ cannot be placed"][all.role[i]];
    const crowd = near > 1 ? `one of ${grouped(near)} here: zoom in` : "";
    const place = all.order[i] ? `place ${grouped(all.order[i])} in the order` : "";
    const said = [this.where(i), lasted, part, place, role, crowd].filter((text) => text !== "");
    const text = textOf(all, i);
    byId("tip").replaceChildren(element("b", {}, text.length > 200 ? `${text.slice(0, 200)}…` : text), said.join(" · "));
  }

  faultTip(fault) {
    const [what, where] = faultWords(this.all, fault);
    byId("tip").replaceChildren(element("b", {}, what), where);
  }
}

/** The legend shows bars as they are drawn. */
function showLegend(all, palette) {
  const looks = { update: ["update", "update-edge"], read: ["read", "read-edge"], pending: ["pending", "pending-edge"] };
  const entries = [["update", "may change the object", {}], ["read", "only reads", {}]];
  if (all.returned.includes(Infinity)) entries.push(["pending", "pending: no return was seen", { open: true }]);
  if (all.violations.length) entries.push([CULPRIT, "cannot be placed: no order allows its return", {}]);
  if (all.role.includes(CONFLICT)) entries.push([CONFLICT, "in conflict with it", {}]);
  if (all.ordered) entries.push(["order", "place in an order that explains all, and a moment at which it may have taken effect", {}]);
  if (all.violations.length) entries.push(["boundary", "from here on, no order explains what was returned", {}]);
  for (const kind of new Set(all.faults.map((fault) => fault.kind))) entries.push([kind, `fault: ${KINDS[kind] ?? kind}`, { fault: true }]);
  entries.push(["density", "many bars: the stronger, the busier", {}]);
  const items = entries.map(([what, words, options]) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const context = contextOf(canvas, 54, 26);
    if (what === CULPRIT || what === CONFLICT) {
      const name = what === CULPRIT ? "culprit" : "conflict";
      drawBar(context, palette, { fill: name, edge: `${name}-edge` }, 2, 52, 3, { role: what });
      drawMark(context, palette, what, 3, 3);
    } else if (options.fault) {
      drawFault(context, palette, what, 2, 50, 6);
    } else if (what === "boundary") {
      drawDashes(context, palette, 27, 0, 26);
    } else if (what === "density") {
      context.fillStyle = palette.density;
      [0.2, 0.4, 0.6, 0.8].forEach((alpha, k) => {
        context.globalAlpha = alpha;
        context.fillRect(2 + k * 12.5, 3, 12.5, BAR);
      });
    } else {
      const [fill, edge] = looks[what] ?? looks.update;
      drawBar(context, palette, { fill, edge }, 2, 52, 4, options);
      if (what === "order") {
        drawOrder(context, palette, 12, 3, 4, 40);
        drawEffect(context, palette, 40, 4);
      }
    }
    return element("li", {}, canvas, words);
  });
  byId("legend").querySelector("ul").replaceChildren(...items);
}
