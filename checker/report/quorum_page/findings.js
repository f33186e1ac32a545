// The verdict, what it is about, and what it rests on.

/** The head of a system's part of the page. */
function headOf(system) {
  const wrong = system.wrong.map((text) => element("p", { class: "sentence" }, text));
  return element("header", { class: "verdict", "data-verdict": system.verdict },
    element("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[system.verdict]),
    element("div", {},
      element("h2", {}, element("span", { class: "word" }, system.verdict.toUpperCase()), " ", element("span", { class: "subject" }, system.name)),
      element("p", { class: "scope" }, `Over ${system.scope}.`), ...wrong,
      ...system.notes.map((note) => element("p", { class: "note" }, `Read as: ${note}`)),
      ...system.undone.map((text) => element("p", { class: "note undone" }, text))));
}

/** The rules, violated ones with the quorums that miss each other. */
function rulesOf(system, state) {
  const order = ["violated", "unknown", "holds"];
  const sorted = [...system.rules].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return element("ul", { class: "rules", "aria-label": "Rules" }, ...sorted.map((rule) => ruleOf(rule, state)),
    ...system.facts.filter((fact) => fact.rows.length).map((fact) => element("li", { class: "rule fact" },
      element("p", {}, `${fact.text} `, element("button", { type: "button", class: "light", click: () => state.show(fact.rows) }, "light the two sides")))));
}

function ruleOf(rule, state) {
  const show = rule.rows.length ? element("button", { type: "button", class: "light", click: () => state.show(rule.rows) }, "light them") : null;
  return element("li", { class: "rule", "data-verdict": rule.verdict },
    element("p", { class: "rule-head" }, badge(rule.verdict), element("code", {}, rule.text), element("span", { class: "note" }, rule.basis)),
    rule.said === null ? null : element("p", { class: "sentence" }, rule.said, " ", show),
    rule.said === null ? null : element("p", {}, `So ${rule.why}. `, element("span", { class: "note" }, rule.size)),
    rule.said === null && rule.why ? element("p", { class: "note" }, `Otherwise ${rule.why}.`) : null);
}

/** What the quorums of each role are, as expressions. */
function expressionsOf(system) {
  return element("details", { class: "expressions" }, element("summary", {}, "Quorums as expressions"),
    element("dl", {}, ...system.roles.flatMap((role) => [element("dt", {}, role.name), element("dd", {}, element("code", {}, role.text))])));
}

/** What the model checker said. */
function modelOf(system, state) {
  const { model } = system;
  if (!model) return null;
  const show = model.rows.length ? element("button", { type: "button", class: "light", click: () => state.show(model.rows) }, "light the quorums of its counterexample") : null;
  return element("section", { class: "model" },
    element("h3", {}, `In the model ${model.name} `, badge(model.verdict)),
    element("p", {}, model.said, " ", show), element("p", { class: "note" }, model.scope));
}
