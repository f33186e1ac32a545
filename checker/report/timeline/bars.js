// How one operation looks: a filled bar if it may change the object, a hollow one if it
// only reads; open at its end if pending; outlined, marked and coloured if in conflict.
//
// The law: what a colour says, a shape says too.

const BAR = 22; // height
const MARK = 16; // width of a mark
const FADE = 130; // over which a pending bar loses its colour
const MARKS = { [CONFLICT]: "◆", [CULPRIT]: "✖" };

/** What an operation looks like: its colours by name. */
function lookOf(all, i) {
  if (all.role[i] === CULPRIT) return { fill: "culprit", edge: "culprit-edge", text: "on-culprit" };
  if (all.role[i] === CONFLICT) return { fill: "conflict", edge: "conflict-edge", text: "conflict-text" };
  if (isPending(all, i)) return { fill: "pending", edge: "pending-edge", text: "ink" };
  if (readsOnly(all, i)) return { fill: "read", edge: "read-edge", text: "ink" };
  return { fill: "update", edge: "update-edge", text: "ink" };
}

/** Text on the orange of conflicts is dark in any scheme. */
const colourOf = (palette, name) => (name === "conflict-text" ? "#1b1400" : palette[name]);

/** A bar from x to `right`; `open` if it is pending and has no end. */
function drawBar(context, palette, look, x, right, y, { role = NO_ROLE, open = false } = {}) {
  const width = right - x;
  if (open) return drawOpen(context, palette, look, x, right, y, role);
  if (width < 6 && role === NO_ROLE) {
    context.fillStyle = palette[look.edge];
    context.fillRect(x, y, Math.max(width - 0.5, 0.5), BAR);
    return;
  }
  const outline = new Path2D();
  outline.roundRect(x + 0.5, y + 0.5, Math.max(width - 1, 1), BAR - 1, Math.min(3, width / 5));
  context.fillStyle = palette[look.fill];
  context.fill(outline);
  if (role === CULPRIT) hatch(context, palette, outline, x, y, width);
  context.lineWidth = role === NO_ROLE ? 1 : 2.5;
  context.strokeStyle = palette[look.edge];
  context.stroke(outline);
}

/** A bar without end: it fades, and a dashed line goes on to an arrow. */
function drawOpen(context, palette, look, x, right, y, role) {
  const fade = Math.min(FADE, right - x);
  const gradient = context.createLinearGradient(x, 0, x + fade, 0);
  gradient.addColorStop(0, palette[look.fill]);
  gradient.addColorStop(0.55, palette[look.fill]);
  gradient.addColorStop(1, `${palette[look.fill]}00`); // the same, and transparent
  context.fillStyle = gradient;
  context.fillRect(x, y, fade, BAR);
  context.strokeStyle = palette[look.edge];
  context.lineWidth = role === NO_ROLE ? 1 : 2.5;
  context.beginPath();
  context.moveTo(x + fade * 0.55, y + 0.5);
  context.lineTo(x + 0.5, y + 0.5);
  context.lineTo(x + 0.5, y + BAR - 0.5);
  context.lineTo(x + fade * 0.55, y + BAR - 0.5);
  context.stroke();
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(x + fade * 0.55, y + BAR / 2 + 5);
  context.lineTo(right - 5, y + BAR / 2 + 5);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(right - 7, y + BAR / 2 + 1);
  context.lineTo(right - 1, y + BAR / 2 + 5);
  context.lineTo(right - 7, y + BAR / 2 + 9);
  context.stroke();
}

function hatch(context, palette, outline, x, y, width) {
  context.save();
  context.clip(outline);
  context.globalAlpha = 0.22;
  context.strokeStyle = palette["on-culprit"];
  context.lineWidth = 2.5;
  context.beginPath();
  for (let at = x - BAR; at < x + Math.min(width, 4000); at += 9) {
    context.moveTo(at, y + BAR);
    context.lineTo(at + BAR, y);
  }
  context.stroke();
  context.restore();
}

/** The mark of an operation in conflict, on a plate so that it is seen on hatching. */
function drawMark(context, palette, role, x, y) {
  const culprit = role === CULPRIT;
  context.fillStyle = palette[culprit ? "culprit" : "conflict"];
  context.fillRect(x + 1, y + 2, MARK - 1, BAR - 4);
  context.fillStyle = colourOf(palette, culprit ? "on-culprit" : "conflict-text");
  context.textAlign = "center";
  context.fillText(MARKS[role], x + MARK / 2, y + BAR / 2 + 1);
  context.textAlign = "left";
}

/** The place in a witness; the room it took. */
function drawOrder(context, palette, place, x, y, room) {
  const text = String(place);
  const width = widthOf(context, text) + 8;
  if (width > room) return 0;
  context.fillStyle = palette.ink;
  context.globalAlpha = 0.82;
  context.fillRect(x + 1, y + 3, width, BAR - 6);
  context.globalAlpha = 1;
  context.fillStyle = palette.paper;
  context.fillText(text, x + 5, y + BAR / 2 + 0.5);
  return width + 1;
}

/** The line from which on nothing explains what was seen. */
function drawDashes(context, palette, x, top, bottom) {
  context.strokeStyle = palette.violated;
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, bottom);
  context.stroke();
  context.setLineDash([]);
}

/** The moment at which an operation may have taken effect: an arrow on its bar. */
function drawEffect(context, palette, x, y) {
  context.fillStyle = palette.ink;
  context.fillRect(x - 0.75, y - 2, 1.5, 7);
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y - 4);
  context.lineTo(x, y + 1);
  context.fill();
}
