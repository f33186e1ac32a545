// Puts the page together, and keeps what is chosen in its address.

const PRINT_PX = 690; // of a sheet of paper

class Part {
  /** Everything about one system. */
  constructor(system, number, keep) {
    this.system = system;
    this.state = new State(system, number, keep);
    this.matrix = new Matrix(this.state);
    this.zones = new Zones(this.state);
    this.board = element("div", { class: "board" }, this.matrix.element, this.zones.element);
    this.element = element("article", { class: "system", id: `system-${number + 1}`, "data-verdict": system.verdict },
      headOf(system), rulesOf(system, this.state), this.board,
      changeOf(system.change), modelOf(system, this.state), expressionsOf(system));
    this.state.listeners.push(() => this.tell());
  }

  /** For tests and styles: what is chosen, as attributes. */
  tell() {
    const { state, system } = this;
    const { dataset } = this.element;
    dataset.down = [...state.failed].sort((a, b) => a - b).join();
    dataset.lit = state.lit.join();
    dataset.alive = [...system.roles.keys()].filter((role) => state.alive[system.roles[role].quorums]).join();
  }

  render(width, cellMin) {
    // A matrix that leaves room has the zones beside it.
    const nodes = this.system.nodes.length;
    const beside = width > 900 && nodes <= 24;
    this.board.classList.toggle("beside", beside);
    this.matrix.render(beside ? Math.floor(width * 0.6) - 20 : width - 2, cellMin);
  }
}

class Page {
  constructor(all) {
    const keep = () => this.keep();
    this.parts = all.systems.map((system, number) => new Part(system, number, keep));
    this.tradeoff = all.comparison ? new Tradeoff(all.comparison) : null;
    this.main = document.getElementById("main");
    this.main.append(...[this.contents(all.systems), this.tradeoff?.element, ...this.parts.map((part) => part.element)].filter((each) => each));
    window.addEventListener("hashchange", () => this.read());
    window.addEventListener("resize", () => this.resized());
    window.addEventListener("beforeprint", () => this.render(PRINT_PX, 1));
    window.addEventListener("afterprint", () => this.render());
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hide(); });
    this.read();
    this.render();
    document.body.dataset.ready = String(this.parts.length);
  }

  contents(systems) {
    if (systems.length < 2) return null;
    return element("nav", { "aria-label": "Systems" }, ...systems.map((system, k) =>
      element("a", { href: `#system-${k + 1}`, click: (event) => {
        event.preventDefault(); // the address is for what is chosen
        this.parts[k].element.scrollIntoView();
      } }, badge(system.verdict), element("span", {}, system.name))));
  }

  keep() {
    const parameters = [];
    for (const part of this.parts) part.state.write(parameters);
    history.replaceState(null, "", parameters.length ? `#${parameters.join("&")}` : location.pathname + location.search);
  }

  read() {
    const parameters = parametersOf(location.hash);
    for (const part of this.parts) part.state.read(parameters);
  }

  render(width = this.room(), cellMin = CELL_MIN) {
    for (const part of this.parts) part.render(width, cellMin);
    this.tradeoff?.render(width);
    this.drawnAt = width;
  }

  room() {
    const style = getComputedStyle(this.main);
    return this.main.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  }

  resized() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { if (this.room() !== this.drawnAt) this.render(); }, 120);
  }
}

window.addEventListener("error", () => { document.body.dataset.errors = String(Number(document.body.dataset.errors ?? 0) + 1); });
new Page(JSON.parse(document.getElementById("document").textContent));
