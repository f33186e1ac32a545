// One frame: grid, faults, lanes, bars, what is in conflict on top, names and axis.
//
// The law: work grows with what is on screen.  Bars too narrow to be seen apart become a
// density: a column is as strong as the share of its time in which the lane is busy.

const LANE = 34;
const AXIS = 28;
const COLUMN = 2; // pixels of a density column
const NARROW = 3; // pixels below which a bar is part of the density
const BESIDE_MIN = 30; // room after a bar below which no text is tried there
const LEVELS = 5; // of density
const LABEL_MIN = 22; // room below which no text is tried

/** Draws the scene that it is given; `drawn` counts the operations of the last frame, `shapes` what was painted. */
class Drawing {
  constructor(canvas, all) {
    this.canvas = canvas;
    this.faults = new Faults(all, this);
    this.head = AXIS + this.faults.height; // where lanes begin
    this.palette = paletteNow();
    this.drawn = 0;
    this.shapes = 0;
  }

  /** Where names end and bars begin. */
  gutterFor(context, { greatest, together }) {
    const texts = [`process ${greatest}`, together ? `${greatest} → ${greatest}` : "", ...this.faults.nodes];
    return Math.ceil(Math.max(...texts.map((text) => widthOf(context, text)))) + 24;
  }

  /** Whose lane it is: of several processes, those of the first and last bar on screen. */
  nameOf({ processes, operations }, first, after) {
    const { process } = this.scene.all;
    if (processes.length === 1) return `process ${processes[0]}`;
    const one = process[operations[Math.min(first, operations.length - 1)]];
    const other = process[operations[Math.max(after - 1, 0)]];
    return first >= after || one === other ? `process ${one}` : `${one} → ${other}`;
  }

  frame(scene) {
    const { width, height } = scene;
    const context = contextOf(this.canvas, width, height);
    this.context = context;
    this.scene = scene;
    this.gutter = this.gutterFor(context, scene);
    this.scale = (width - this.gutter) / scene.view.span;
    this.levels = Array.from({ length: LEVELS }, () => []);
    this.marked = [];
    this.names = [];
    this.drawn = 0;
    this.shapes = 0;
    context.fillStyle = this.palette.paper;
    context.fillRect(0, 0, width, height);
    const step = stepFor(scene.view.span, width - this.gutter);
    this.ticks = ticksOf(scene.all, scene.view, step);
    context.save();
    context.beginPath();
    context.rect(this.gutter, this.head, width - this.gutter, height - this.head);
    context.clip();
    this.drawGrid();
    this.faults.drawBands(context);
    for (const violation of scene.violations) this.drawBoundary(violation);
    this.drawLanes();
    this.drawDensity();
    this.drawMarked();
    this.drawChosen();
    context.restore();
    this.drawNames();
    this.drawAxis(step);
    this.faults.drawRows(context);
  }

  xOf(moment) {
    return this.gutter + (moment - this.scene.view.from) * this.scale;
  }

  momentAt(x) {
    return this.scene.view.from + (x - this.gutter) / this.scale;
  }

  yOf(lane) {
    return this.head + lane * LANE - this.scene.top;
  }

  laneAt(y) {
    const lane = Math.floor((y - this.head + this.scene.top) / LANE);
    return y >= this.head && lane >= 0 && lane < this.scene.lanes.length ? lane : -1;
  }

  /** The lanes on screen, as [first, after the last]. */
  visible() {
    const first = Math.max(0, Math.floor(this.scene.top / LANE));
    const after = Math.ceil((this.scene.top + this.scene.height - this.head) / LANE);
    return [first, Math.min(after, this.scene.lanes.length)];
  }

  drawGrid() {
    const { context, palette, scene } = this;
    const [first, after] = this.visible();
    context.fillStyle = palette.shade;
    for (let lane = first; lane < after; lane++) {
      if (lane % 2) context.fillRect(this.gutter, this.yOf(lane), scene.width, LANE);
    }
    context.fillStyle = palette.line;
    for (const tick of this.ticks) {
      context.fillRect(Math.round(this.xOf(tick)), this.head, 1, scene.height);
    }
  }

  drawLanes() {
    const [first, after] = this.visible();
    this.cover = new Float32Array(Math.ceil((this.scene.width - this.gutter) / COLUMN) + 2);
    for (let number = first; number < after; number++) this.drawLane(number);
  }

  drawLane(number) {
    const { scene, context } = this;
    const { all, view } = scene;
    const lane = scene.lanes[number];
    const y = this.yOf(number) + (LANE - BAR) / 2;
    const [first, after] = barsIn(all, lane, view.from, view.to);
    let dense = false;
    this.names[number] = this.nameOf(lane, first, after);
    this.drawn += after - first;
    context.textAlign = "left";
    for (let k = first; k < after; k++) {
      const i = lane.operations[k];
      const x = this.xOf(all.called[i]);
      const right = this.xOf(lane.ends[k]);
      const next = this.nextAfter(lane, k);
      if (all.role[i] !== NO_ROLE) this.marked.push([i, x, right, y, next]);
      else if (right - x < NARROW && !this.beside(textOf(all, i), right, next)) dense = this.addDensity(x, right);
      else this.drawOperation(i, x, Math.max(right, x + NARROW), y, next);
    }
    if (dense) this.collectDensity(y);
  }

  /** A bar that can be seen, and what fits of its text in it or after it. */
  drawOperation(i, x, right, y, next) {
    const { scene, context, palette } = this;
    const { all } = scene;
    const left = Math.max(x, this.gutter - 8);
    const open = isPending(all, i);
    const end = Math.min(right, scene.width + (open ? 0 : 8));
    const look = lookOf(all, i);
    this.shapes += 1;
    drawBar(context, palette, look, left, end, y, { open });
    if (all.order[i] && end - left >= 8) drawEffect(context, palette, this.xOf(all.effect[i]), y);
    this.drawLabel(i, Math.max(left, this.gutter), end, next, y, palette[look.text]);
  }

  /** Where the next bar of a lane begins. */
  nextAfter(lane, k) {
    const next = lane.operations[k + 1];
    return next === undefined ? this.scene.width : this.xOf(this.scene.all.called[next]);
  }

  drawLabel(i, left, right, next, y, colour) {
    const { context, palette } = this;
    const { all } = this.scene;
    if (right < this.gutter || Math.max(right, next) - left < LABEL_MIN) return;
    let x = left + 3;
    if (all.order[i]) x += drawOrder(context, palette, all.order[i], left + 2, y, right - left - 4);
    const text = textOf(all, i);
    const inside = fitted(context, text, right - x - 5);
    context.fillStyle = colour;
    if (inside === text || !this.beside(text, right, next)) {
      if (inside) context.fillText(inside, x + 2, y + BAR / 2 + 0.5);
      return;
    }
    context.fillStyle = palette.ink;
    context.fillText(text, right + 4, y + BAR / 2 + 0.5);
  }

  /** Whether a text has room between a bar's end and the next bar. */
  beside(text, right, next) {
    return next - right > BESIDE_MIN && text.length < 80 && widthOf(this.context, text) + 10 <= next - right;
  }

  addDensity(x, right) {
    const last = this.cover.length - 1;
    const from = Math.min(Math.max((x - this.gutter) / COLUMN, 0), last);
    const to = Math.min(Math.max((right - this.gutter) / COLUMN, from + 0.001), last);
    const first = Math.floor(from);
    const final = Math.floor(to);
    if (first === final) this.cover[first] += to - from;
    else {
      this.cover[first] += first + 1 - from;
      for (let column = first + 1; column < final; column++) this.cover[column] += 1;
      this.cover[final] += to - final;
    }
    return true;
  }

  /** Turn a lane's density into rectangles by level, and forget it. */
  collectDensity(y) {
    let start = 0;
    let level = -1;
    for (let column = 0; column <= this.cover.length; column++) {
      const share = this.cover[column] ?? 0;
      const now = share > 0 ? Math.min(LEVELS - 1, Math.floor(share * LEVELS)) : -1;
      if (now === level) continue;
      if (level >= 0) this.levels[level].push(this.gutter + start * COLUMN, (column - start) * COLUMN, y);
      [start, level] = [column, now];
    }
    this.cover.fill(0);
  }

  drawDensity() {
    const { context } = this;
    context.fillStyle = this.palette.density;
    this.levels.forEach((found, level) => {
      context.globalAlpha = 0.2 + (0.6 * level) / (LEVELS - 1);
      this.shapes += found.length / 3;
      for (let k = 0; k < found.length; k += 3) context.fillRect(found[k], found[k + 2], found[k + 1], BAR);
    });
    context.globalAlpha = 1;
  }

  /** What is in conflict, never narrower than its mark. */
  drawMarked() {
    const { context, palette, scene } = this;
    const { all } = scene;
    this.marked.sort((a, b) => all.role[a[0]] - all.role[b[0]]);
    this.shapes += this.marked.length;
    for (const [i, x, right, y, next] of this.marked) {
      const role = all.role[i];
      const look = lookOf(all, i);
      const left = Math.max(x, this.gutter - 8);
      const end = Math.min(Math.max(right, x + MARK + 2), scene.width + 8);
      const open = isPending(all, i);
      drawBar(context, palette, look, left, open ? Math.min(end, scene.width) : end, y, { role, open });
      const from = Math.max(x, this.gutter) + 1;
      drawMark(context, palette, role, from, y);
      if (all.order[i]) drawEffect(context, palette, this.xOf(all.effect[i]), y);
      this.drawLabel(i, from + MARK, end, Math.max(next, end), y, colourOf(palette, look.text));
    }
  }

  /** When the culprit returned: from then on, no order explains what was seen. */
  drawBoundary({ culprit }) {
    const { all, height } = this.scene;
    const moment = isPending(all, culprit) ? all.called[culprit] : all.returned[culprit];
    drawDashes(this.context, this.palette, Math.round(this.xOf(moment)), this.head, height);
  }

  /** A ring around what is selected, a thinner one around what the pointer is on. */
  drawChosen() {
    const { context, palette, scene } = this;
    for (const [i, thickness] of [[scene.hovered, 1.5], [scene.selected, 3]]) {
      if (i < 0 || scene.laneOf[i] < 0) continue;
      const lane = scene.lanes[scene.laneOf[i]];
      const k = placeOf(lane.operations.length, (at) => lane.operations[at], i, false);
      const x = Math.max(this.xOf(scene.all.called[i]), this.gutter);
      const least = scene.all.role[i] === NO_ROLE ? NARROW : MARK + 2;
      const right = Math.min(Math.max(this.xOf(lane.ends[k]), x + least), scene.width);
      context.strokeStyle = palette.ink;
      context.lineWidth = thickness;
      context.strokeRect(x - 2, this.yOf(scene.laneOf[i]) + 2.5, right - x + 4, LANE - 5);
    }
  }

  drawNames() {
    const { context, palette, scene } = this;
    context.fillStyle = palette.paper;
    context.fillRect(0, this.head, this.gutter, scene.height);
    const [first, after] = this.visible();
    context.textAlign = "right";
    for (let lane = first; lane < after; lane++) {
      if (lane % 2) {
        context.fillStyle = palette.shade;
        context.fillRect(0, this.yOf(lane), this.gutter, LANE);
      }
      context.fillStyle = palette.ink;
      context.fillText(this.names[lane], this.gutter - 10, this.yOf(lane) + LANE / 2);
    }
    context.fillStyle = palette.line;
    context.fillRect(this.gutter - 1, this.head, 1, scene.height);
    context.textAlign = "left";
  }

  drawAxis(step) {
    const { context, palette, scene } = this;
    context.fillStyle = palette.paper;
    context.fillRect(0, 0, scene.width, AXIS);
    context.fillStyle = palette.line;
    context.fillRect(0, AXIS - 1, scene.width, 1);
    context.fillStyle = palette.faint;
    context.fillText(scene.all.hasClock ? "time" : "event", 12, AXIS / 2);
    const widest = Math.max(Math.abs(scene.view.from), Math.abs(scene.view.to));
    context.textAlign = "center";
    for (const tick of this.ticks) {
      const text = momentText(scene.all, tick, step, widest);
      const x = this.xOf(tick);
      const half = widthOf(context, text) / 2;
      context.fillRect(Math.round(x), AXIS - 6, 1, 6);
      if (x - half > this.gutter - 10 && x + half < scene.width) context.fillText(text, x, AXIS / 2 - 2);
    }
    context.textAlign = "left";
  }

  /** The operation under a point, or -1; and how many there are within two pixels. */
  hit(x, y) {
    const number = this.laneAt(y);
    if (number < 0 || x < this.gutter) return [-1, 0];
    const { all } = this.scene;
    const lane = this.scene.lanes[number];
    const moment = this.momentAt(x);
    const slack = 2 / this.scale;
    const [first, after] = barsIn(all, lane, moment - (MARK + 2) / this.scale, moment + slack);
    let best = -1;
    let least = Infinity;
    let near = 0;
    for (let k = first; k < after; k++) {
      const i = lane.operations[k];
      const grown = all.role[i] === NO_ROLE ? 0 : (MARK + 2) / this.scale;
      const away = Math.max(all.called[i] - moment, moment - Math.max(lane.ends[k], all.called[i] + grown), 0);
      if (away > slack) continue;
      near += 1;
      const worth = away - (all.role[i] === NO_ROLE ? 0 : slack * 2);
      if (worth < least) [best, least] = [i, worth];
    }
    return [best, near];
  }
}

/** A round step between ticks, in nanoseconds or events, that leaves room for their texts. */
function stepFor(span, width) {
  const least = span / Math.max(width / 110, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least));
}

/** The multiples of a step that are on screen and within the history. */
function ticksOf(all, view, step) {
  const found = [];
  const last = Math.min(view.to, all.end + step);
  for (let k = Math.ceil(Math.max(view.from, all.start) / step); k * step <= last; k++) found.push(k * step);
  return found;
}
