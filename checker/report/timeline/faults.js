// What went wrong while the history was recorded: a row for each node above the lanes, and
// a faint band behind the operations.
//
// The law: what a colour says, a shape says too, and bars with room have words.  Without
// faults nothing of this takes any room.

const ROW = 17; // height of a node's row
const FAULT = 13; // of a bar in it
const FAULT_NARROW = 3; // pixels that a fault has at least, so that a short one is seen
const KINDS = { kill: "nodes killed", pause: "nodes paused", partition: "messages cut", clock: "clocks changed" };

/** The nodes that any fault hit, in order of their names. */
function nodesHit(all) {
  const names = new Set(all.faults.flatMap(({ nodes }) => nodes));
  return [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

const colourOfFault = (palette, kind) => palette[kind] ?? palette.faint;

/** A bar of a fault: full for kill, hatched for pause, hollow for partition, low for clock. */
function drawFault(context, palette, kind, x, width, y) {
  const colour = colourOfFault(palette, kind);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  if (kind === "kill") context.fillRect(x, y, width, FAULT);
  else if (kind === "clock") context.fillRect(x, y + FAULT - 5, width, 5);
  else {
    context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 0.5), FAULT - 1.5);
    if (kind === "pause") hatchFault(context, x, y, width);
  }
}

function hatchFault(context, x, y, width) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, FAULT);
  context.clip();
  context.globalAlpha = 0.6;
  context.beginPath();
  for (let at = x - FAULT; at < x + Math.min(width, 4000); at += 6) {
    context.moveTo(at, y + FAULT);
    context.lineTo(at + FAULT, y);
  }
  context.stroke();
  context.restore();
}

/** The words of a fault, where need be on paper so that they are read. */
function drawFaultWords(context, palette, kind, words, x, y, room) {
  const text = fitted(context, words, room - 8);
  if (!text) return;
  context.fillStyle = palette.paper;
  if (kind !== "kill") {
    context.fillRect(x + 2, y + 1, widthOf(context, text) + 4, FAULT - 2);
    context.fillStyle = palette.ink;
  }
  context.fillText(text, x + 4, y + FAULT / 2 + 0.5);
}

/** The faults of a history as a drawing shows them: rows between its axis and its lanes, and bands. */
class Faults {
  constructor(all, drawing) {
    this.all = all;
    this.drawing = drawing;
    this.nodes = nodesHit(all);
    this.height = this.nodes.length ? this.nodes.length * ROW + 3 : 0;
  }

  /** Where a fault is on screen, as [x, width], or nothing. */
  placeOf({ begin, end }) {
    const { drawing } = this;
    const { width } = drawing.scene;
    const x = Math.max(drawing.xOf(begin), drawing.gutter);
    const right = Math.min(end === null ? Infinity : drawing.xOf(end), width);
    return right < drawing.gutter || x > width ? undefined : [x, Math.max(right - x, FAULT_NARROW)];
  }

  /** Behind the operations, while something is wrong; not where that would be stripes too narrow to be told apart. */
  drawBands(context) {
    const { palette, scene, head } = this.drawing;
    context.globalAlpha = 0.1;
    for (const fault of this.all.faults) {
      const place = this.placeOf(fault);
      if (place === undefined || place[1] <= FAULT_NARROW) continue;
      context.fillStyle = colourOfFault(palette, fault.kind);
      context.fillRect(place[0], head, place[1], scene.height);
    }
    context.globalAlpha = 1;
  }

  /** A row for each node above the lanes. */
  drawRows(context) {
    if (!this.nodes.length) return;
    const { palette, scene, head, gutter } = this.drawing;
    context.fillStyle = palette.shade;
    context.fillRect(0, AXIS, scene.width, head - AXIS);
    context.textAlign = "right";
    context.fillStyle = palette.faint;
    this.nodes.forEach((node, row) => context.fillText(node, gutter - 10, AXIS + row * ROW + ROW / 2 + 1));
    context.textAlign = "left";
    this.nodes.forEach((node, row) => this.drawRow(context, node, AXIS + row * ROW + 3));
    context.fillStyle = palette.line;
    context.fillRect(0, head - 1, scene.width, 1);
    context.fillRect(gutter - 1, AXIS, 1, head - AXIS);
  }

  /** The bars of a node, then their words: each as far as the next bar begins, so that none hides another. */
  drawRow(context, node, y) {
    const { palette } = this.drawing;
    const bars = this.all.faults
      .filter((fault) => fault.nodes.includes(node))
      .map((fault) => ({ fault, place: this.placeOf(fault) }))
      .filter(({ place }) => place !== undefined)
      .sort((a, b) => a.place[0] - b.place[0]);
    for (const { fault, place } of bars) drawFault(context, palette, fault.kind, ...place, y);
    bars.forEach(({ fault, place: [x, width] }, k) => {
      const room = Math.min(width, (bars[k + 1]?.place[0] ?? Infinity) - x);
      drawFaultWords(context, palette, fault.kind, fault.what, x, y, room);
    });
  }

  /** The fault under a point, if there is one. */
  at(x, y) {
    const node = this.nodes[Math.floor((y - AXIS) / ROW)];
    if (y < AXIS || y >= this.drawing.head || node === undefined) return undefined;
    return this.all.faults.findLast((fault) => {
      const place = this.placeOf(fault);
      return place !== undefined && fault.nodes.includes(node) && x >= place[0] && x <= place[0] + place[1];
    });
  }
}

/** A fault in words, for its tip. */
function faultWords(all, { kind, what, nodes, begin, end }) {
  const said = (moment) => momentText(all, moment, Math.max(1, (all.end - all.start) / 1000), all.end);
  const until = end === null ? "; its end was not recorded" : ` to ${said(end)}`;
  return [`${kind}: ${what}`, `${nodes.join(", ")}, from ${said(begin)}${until}`];
}
