// The page put together: what is shown, what is selected, and when to draw.
//
// The law: all changes go through a Timeline, and each asks for one frame, however many
// come before it.  The body's data attributes say what was drawn, for tests and scripts.

const NEIGHBOURS = 8; // operations before and after one that is zoomed to
const NEAR = 12; // times as far as an operation lasts

class Timeline {
  constructor(all) {
    this.all = all;
    this.canvas = byId("canvas");
    this.stage = byId("stage");
    this.drawing = new Drawing(this.canvas, all);
    this.overview = new Overview(byId("overview"));
    this.view = new Viewport(all.start, all.end, () => this.schedule());
    this.panel = new Panel(all, (i) => this.zoomTo([i]));
    this.parts = new Parts(all, (part) => this.showPart(part));
    this.part = ALL;
    this.sharing = undefined; // as seems best
    this.selected = -1;
    this.hovered = -1;
    this.waiting = false;
  }

  // --- what is shown ---

  /** Show a part, zoomed on its conflict if it has one. */
  showPart(part, animate = true) {
    this.part = part;
    this.violations = violationsOf(this.all, part);
    this.panel.showWhy(part, this.violations);
    this.parts.fill(part);
    this.labelAllParts();
    document.querySelector(".conflict-tools").hidden = this.violations.length === 0;
    if (this.selected >= 0 && !this.shows(this.selected)) this.select(-1);
    this.layOut();
    this.stage.scrollTop = 0;
    if (this.violations.length && part !== ALL) this.showConflict(animate);
    else this.showAll(animate);
  }

  /** The button that leads from one part to all, and back. */
  labelAllParts() {
    const { all } = this;
    if (this.part !== ALL) this.lastPart = this.part;
    const button = byId("all-parts");
    button.hidden = all.parts.length < 2 || (this.part === ALL && this.lastPart === undefined);
    const name = this.part === ALL ? all.parts[this.lastPart]?.[0] : undefined;
    button.textContent = name === undefined ? `Show all ${all.noun}s` : `Back to ${all.noun} ${name.slice(0, 30)}`;
  }

  shows(i) {
    return this.part === ALL || this.all.part[i] === this.part;
  }

  layOut() {
    const found = lanesOf(this.all, this.part, this.sharing);
    this.lanes = found.lanes;
    this.laneOf = found.of;
    this.together = found.together;
    this.greatest = found.greatest;
    this.shown = found.of.map((_, i) => i).filter((i) => found.of[i] >= 0);
    this.overview.forget();
    byId("sharing").checked = found.together;
    document.querySelector(".sharing").hidden = !found.shareable;
    this.hovered = -1;
    this.resize();
  }

  resize() {
    const high = this.stage.clientHeight;
    byId("height").style.height = `${Math.max(0, this.drawing.head + this.lanes.length * LANE + 8 - high)}px`;
    this.schedule();
  }

  showAll(animate = true) {
    this.go(this.view.least, this.view.most, animate);
  }

  /** Show the operations in conflict of the first violation shown. */
  showConflict(animate = true) {
    if (this.violations.length) this.zoomTo(this.violations[0].conflict, animate, false);
  }

  /** Show operations and what is around them; select the one if there is but one. */
  zoomTo(operations, animate = true, selecting = true) {
    const { all } = this;
    if (!operations.every((i) => this.shows(i))) this.showPart(all.part[operations[0]], false);
    const from = Math.min(...operations.map((i) => all.called[i]));
    const to = Math.max(...operations.map((i) => (isPending(all, i) ? all.called[i] : all.returned[i])));
    if (operations.length > 1) this.go(from - (to - from) * 0.25, to + (to - from) * 0.25, animate);
    else this.go(...this.around(operations[0], from, to), animate);
    this.uncover(operations);
    if (selecting && operations.length === 1) this.select(operations[0]);
  }

  /** A stretch of time with an operation in its middle and some others around it, if they are near. */
  around(i, from, to) {
    const shown = placeOf(this.shown.length, (k) => this.shown[k], i, false);
    const before = this.all.called[this.shown[Math.max(shown - NEIGHBOURS, 0)]];
    const after = this.all.called[this.shown[Math.min(shown + NEIGHBOURS, this.shown.length - 1)]];
    const length = Math.max(to - from, NARROWEST);
    const reach = Math.min(Math.max(from - before, after - to, length * 1.5), length * NEAR);
    return [from - reach, to + reach];
  }

  go(from, to, animate) {
    if (animate) this.view.flyTo(from, to);
    else this.view.set(from, to);
  }

  /** Scroll so that the operations' lanes can be seen. */
  uncover(operations) {
    const lanes = operations.map((i) => this.laneOf[i]);
    const top = Math.min(...lanes) * LANE;
    const bottom = (Math.max(...lanes) + 1) * LANE;
    const room = this.stage.clientHeight - this.drawing.head;
    const scroll = this.stage.scrollTop;
    if (top >= scroll && bottom <= scroll + room) return;
    this.stage.scrollTop = bottom - top > room ? top : (top + bottom - room) / 2;
  }

  // --- what people do ---

  at(x, y) {
    return this.drawing.hit(x, y);
  }

  isName(x) {
    return x < this.drawing.gutter;
  }

  zoom(factor, x) {
    this.view.zoom(factor, x === undefined ? undefined : this.drawing.momentAt(x));
  }

  /** Move by pixels. */
  move(across, down) {
    if (across) this.view.pan(across / (this.canvas.clientWidth - this.drawing.gutter));
    if (down) this.stage.scrollTop += down;
  }

  centre(share) {
    const middle = this.view.least + share * (this.view.most - this.view.least);
    const half = this.view.span / 2;
    this.view.set(middle - half, middle + half);
  }

  select(i) {
    this.selected = i;
    this.panel.showOperation(i, (one) => this.zoomTo([one]));
    document.body.dataset.selected = i;
    this.schedule();
  }

  zoomToSelected() {
    if (this.selected >= 0) this.zoomTo([this.selected]);
  }

  /** The next or previous operation in conflict, of all violations shown in order of call. */
  stepConflict(by) {
    const found = [...new Set(this.violations.flatMap(({ conflict }) => conflict))].sort((a, b) => a - b);
    if (!found.length) return;
    const at = found.indexOf(this.selected);
    const next = at < 0 ? (by > 0 ? 0 : found.length - 1) : (at + by + found.length) % found.length;
    this.zoomTo([found[next]]);
  }

  /** The next or previous operation of the selected one's lane, or the first one on screen. */
  stepLane(by) {
    if (this.selected < 0) {
      const first = this.laneOf.findIndex((lane, i) => lane >= 0 && this.all.called[i] >= this.view.from);
      return first >= 0 ? this.reach(first) : undefined;
    }
    const { operations } = this.lanes[this.laneOf[this.selected]];
    const next = operations[operations.indexOf(this.selected) + by];
    return next === undefined ? undefined : this.reach(next);
  }

  /** The next or previous operation in the order that explains the part; from the first one, if none is selected. */
  stepOrder(by) {
    const first = this.selected < 0 ? this.shown.find((i) => this.all.order[i] === 1) : undefined;
    const next = first ?? inOrder(this.all, this.selected, by);
    if (next >= 0) this.reach(next);
  }

  /** Select an operation, and move to it if it is out of sight. */
  reach(i) {
    const { all, view } = this;
    const end = isPending(all, i) ? all.called[i] : all.returned[i];
    if (all.called[i] < view.from || end > view.to) {
      const middle = (all.called[i] + end) / 2;
      view.set(middle - view.span / 2, middle + view.span / 2);
    }
    this.uncover([i]);
    this.select(i);
  }

  hover(x, y, clientX, clientY) {
    const [i, near] = x < 0 ? [-1, 0] : this.at(x, y);
    if (i !== this.hovered) this.schedule();
    this.hovered = i;
    const fault = x < 0 ? undefined : this.drawing.faults.at(x, y);
    this.canvas.classList.toggle("over", i >= 0);
    if (fault !== undefined) this.panel.faultTip(fault);
    else if (i < 0) return this.hideTip();
    else this.panel.tip(i, near);
    const tip = byId("tip");
    tip.hidden = false;
    tip.style.left = `${Math.max(4, Math.min(clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${clientY + 18 + tip.offsetHeight > innerHeight ? clientY - tip.offsetHeight - 10 : clientY + 18}px`;
  }

  hideTip() {
    byId("tip").hidden = true;
  }

  help() {
    byId("help").showModal();
  }

  // --- drawing ---

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = false;
    const began = performance.now();
    const scene = {
      all: this.all,
      view: this.view,
      lanes: this.lanes,
      laneOf: this.laneOf,
      together: this.together,
      greatest: this.greatest,
      violations: this.violations,
      selected: this.selected,
      hovered: this.hovered,
      top: this.stage.scrollTop,
      width: this.stage.clientWidth,
      height: this.stage.clientHeight,
    };
    this.drawing.frame(scene);
    this.overview.draw({ ...scene, width: byId("overview").clientWidth }, this.drawing.palette);
    this.report(performance.now() - began);
  }

  report(took) {
    const { dataset } = document.body;
    const { all, view } = this;
    const step = Math.max(1, stepFor(view.span, 800) / 10);
    const widest = Math.max(Math.abs(view.from), Math.abs(view.to));
    const said = (moment) => momentText(all, moment, step, widest);
    byId("range").textContent = `${said(Math.max(view.from, all.start))} to ${said(Math.min(view.to, all.end))}`;
    dataset.drawn = this.drawing.drawn;
    dataset.shapes = this.drawing.shapes;
    dataset.lanes = this.lanes.length;
    dataset.from = view.from;
    dataset.to = view.to;
    dataset.frame = took.toFixed(2);
  }

  recolour() {
    this.drawing.palette = paletteNow();
    showLegend(this.all, this.drawing.palette);
    this.schedule();
  }

  listen() {
    listenToPointers(this, this.canvas);
    listenToWheel(this, this.canvas);
    listenToOverview(this, byId("overview"));
    listenToKeys(this, this.canvas);
    for (const button of document.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.press(button.dataset.do));
    }
    byId("sharing").addEventListener("change", (event) => {
      this.sharing = event.target.checked;
      this.layOut();
    });
    this.stage.addEventListener("scroll", () => this.schedule());
    new ResizeObserver(() => this.resize()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  press(what) {
    const presses = {
      zoomIn: () => this.zoom(0.6),
      zoomOut: () => this.zoom(1 / 0.6),
      showAll: () => this.showAll(),
      showConflict: () => this.showConflict(),
      previousConflict: () => this.stepConflict(-1),
      nextConflict: () => this.stepConflict(1),
      allParts: () => this.showPart(this.part === ALL ? this.lastPart : ALL),
      help: () => this.help(),
    };
    presses[what]();
  }
}

function start() {
  document.body.dataset.errors = "0";
  addEventListener("error", () => (document.body.dataset.errors = Number(document.body.dataset.errors) + 1));
  const all = operationsOf(JSON.parse(byId("document").textContent));
  byId("clockless").hidden = all.hasClock;
  byId("canvas").setAttribute("aria-label", `Timeline of ${counted(all.count, "operation")}`);
  const timeline = new Timeline(all);
  showLegend(all, timeline.drawing.palette);
  timeline.listen();
  timeline.showPart(all.violations.length ? all.violations[0].part : ALL, false);
  timeline.draw();
  document.body.dataset.operations = all.count;
}

start();
