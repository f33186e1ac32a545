// The list of the history's keys, or parts: violated ones in front, with a filter.

const ROWS_MAX = 300; // of the list; the filter finds the others

class Parts {
  /** `choose(part)` is called when somebody wants to see a part, or ALL. */
  constructor(all, choose) {
    this.all = all;
    this.list = byId("parts-list");
    this.filter = byId("parts-filter");
    this.operations = new Int32Array(all.parts.length);
    for (const part of all.part) if (part >= 0) this.operations[part] += 1;
    this.sorted = Array.from(all.parts.keys()).sort((a, b) => this.rank(a) - this.rank(b) || a - b);
    if (all.parts.length < 2) return;
    byId("parts").hidden = false;
    byId("parts-title").textContent = `${grouped(all.parts.length)} ${all.noun}s`;
    this.filter.placeholder = `filter ${all.noun}s`;
    this.filter.setAttribute("aria-label", `filter ${all.noun}s`);
    this.filter.addEventListener("input", () => this.fill());
    this.list.addEventListener("change", () => choose(Number(this.list.value)));
  }

  rank(part) {
    return ["violated", "unknown", "holds"].indexOf(verdictOf(this.all, part));
  }

  /** Fill the list with what the filter lets through; the part shown is always in it. */
  fill(shown = Number(this.list.value || ALL)) {
    const { all } = this;
    if (all.parts.length < 2) return;
    const wanted = this.filter.value.trim().toLowerCase();
    const found = this.sorted.filter((part) => part === shown || all.parts[part][0].toLowerCase().includes(wanted));
    const rows = found.slice(0, ROWS_MAX);
    if (shown !== ALL && !rows.includes(shown)) rows.push(shown);
    const options = rows.map((part) => this.option(part));
    const whole = element("option", { value: String(ALL) }, `all ${all.noun}s: ${counted(all.count, "operation")}`);
    this.list.replaceChildren(whole, ...options);
    this.list.value = String(shown);
    byId("parts-more").textContent = found.length > ROWS_MAX ? `and ${grouped(found.length - ROWS_MAX)} more: filter to see them` : "";
  }

  option(part) {
    const verdict = verdictOf(this.all, part);
    const words = { violated: ", violated", unknown: ", not decided", holds: "" }[verdict];
    const text = `${SYMBOLS[verdict]} ${this.all.parts[part][0]}: ${counted(this.operations[part], "operation")}${words}`;
    return element("option", { value: String(part), className: verdict }, text);
  }
}
