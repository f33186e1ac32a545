// The whole history in a strip: how many operations are under way, when there were faults
// (at its foot), where the conflicts are, and a window on what is shown, which can be dragged.

const STRIP = 44;

class Overview {
  constructor(canvas) {
    this.canvas = canvas;
    this.busy = null;
  }

  /** Count anew, because other operations are shown or the strip has another width. */
  forget() {
    this.busy = null;
  }

  /** How many operations are under way in each column of pixels; pending ones end at once. */
  count(all, laneOf, width, view) {
    const change = new Float64Array(width + 2);
    const column = (moment) => {
      const at = ((moment - view.least) / (view.most - view.least)) * width;
      return Math.min(Math.max(Math.floor(at), 0), width);
    };
    for (let i = 0; i < all.count; i++) {
      if (laneOf[i] < 0) continue;
      change[column(all.called[i])] += 1;
      change[column(isPending(all, i) ? all.called[i] : all.returned[i]) + 1] -= 1;
    }
    let sum = 0;
    return change.map((by) => (sum += by));
  }

  draw({ all, view, laneOf, violations, width }, palette) {
    const columns = Math.max(1, Math.floor(width));
    const context = contextOf(this.canvas, width, STRIP);
    if (this.busy === null || this.busy.length !== columns + 2) this.busy = this.count(all, laneOf, columns, view);
    const most = this.busy.reduce((a, b) => Math.max(a, b), 1);
    const xOf = (moment) => ((moment - view.least) / (view.most - view.least)) * width;
    context.fillStyle = palette.shade;
    context.fillRect(0, 0, width, STRIP);
    context.fillStyle = palette.density;
    context.globalAlpha = 0.6;
    for (let x = 0; x < columns; x++) {
      const high = (this.busy[x] / most) * (STRIP - 14);
      if (high > 0) context.fillRect(x, STRIP - 2 - high, 1, high);
    }
    context.globalAlpha = 1;
    for (const { kind, begin, end } of all.faults) {
      const from = xOf(begin);
      context.fillStyle = colourOfFault(palette, kind);
      context.fillRect(from, STRIP - 4, Math.max((end === null ? width : xOf(end)) - from, 1), 4);
    }
    for (const { culprit } of violations) this.mark(context, palette, xOf(all.called[culprit]));
    const left = xOf(view.from);
    const right = Math.max(xOf(view.to), left + 3);
    context.fillStyle = palette.window;
    context.fillRect(left, 0, right - left, STRIP);
    context.strokeStyle = palette.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, right - left - 1.5, STRIP - 1.5);
  }

  mark(context, palette, x) {
    context.fillStyle = palette.violated;
    context.textAlign = "center";
    context.fillText(MARKS[CULPRIT], x, 7);
    context.fillRect(x - 0.5, 13, 1, STRIP - 13);
    context.textAlign = "left";
  }
}
