// A change of configuration: the ways to make it, step by step.

function changeOf(change) {
  if (!change) return null;
  return element("section", { class: "change" },
    element("h3", {}, `From ${change.old} to ${change.new}`),
    ...change.ways.map((way) => wayOf(change.old, way)),
    element("p", { class: "note" }, change.caveat));
}

function wayOf(from, way) {
  const boxes = way.moves.flatMap((move) => [
    element("li", { class: "arrow", "data-verdict": move.verdict, title: move.said ?? move.verdict }, `${SYMBOLS[move.verdict]} →`),
    element("li", { class: "configuration", title: move.to }, move.to),
  ]);
  const wrong = way.moves.filter((move) => move.said !== null);
  return element("div", { class: "way", "data-verdict": way.verdict },
    element("p", { class: "rule-head" }, badge(way.verdict), element("b", {}, way.kind), element("span", { class: "note" }, `in ${counted(way.moves.length, "step")}`)),
    element("ol", { class: "steps" }, element("li", { class: "configuration", title: from }, from), ...boxes),
    ...wrong.map((move) => element("p", { class: "sentence" }, move.said)));
}
