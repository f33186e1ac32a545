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

/** A fault in words, for its tip. */
function faultWords(all, { kind, what, nodes, begin, end }) {
  const said = (moment) => momentText(all, moment, Math.max(1, (all.end - all.start) / 1000), all.end);
  const until = end === null ? "; its end was not recorded" : ` to ${said(end)}`;
  return [`${kind}: ${what}`, `${nodes.join(", ")}, from ${said(begin)}${until}`];
}
