// Canvases: their size in device pixels, the style sheet's colours, and text that fits.

const FONT = '12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const BOLD = `bold ${FONT}`;
const WIDTHS_MAX = 20000; // measured texts kept

/** The page's colours by name, as the style sheet has them now. */
function paletteNow() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    "paper", "shade", "line", "ink", "faint", "accent", "update", "update-edge", "read", "read-edge", "pending",
    "pending-edge", "conflict", "conflict-edge", "culprit", "culprit-edge", "on-culprit", "density", "window",
    "violated", "kill", "pause", "partition", "clock",
  ];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** A drawing context that takes CSS pixels, of a canvas made as large as asked. */
function contextOf(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.max(1, Math.round(width * ratio));
  const high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}

const widths = new Map();

function widthOf(context, text) {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > WIDTHS_MAX) widths.clear();
    width = context.measureText(text).width;
    widths.set(text, width);
  }
  return width;
}

/** The longest beginning of a text that fits, or nothing if less than three characters do. */
function fitted(context, text, width) {
  const start = text.length > 300 ? text.slice(0, 300) : text;
  const whole = widthOf(context, start);
  if (start.length === text.length && whole <= width) return text;
  const kept = Math.floor((start.length * (width - widthOf(context, "…"))) / whole);
  return kept < 3 ? "" : `${start.slice(0, Math.min(kept, start.length))}…`;
}
