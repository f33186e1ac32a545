// The stretch of time that is shown.
//
// The law: it lies within the history and a margin, and never gets narrower than a few
// nanoseconds or events.

const MARGIN = 0.03; // of the history's length, at both ends
const NARROWEST = 4;
const FLIGHT_MS = 220;

class Viewport {
  constructor(start, end, changed) {
    const margin = Math.max((end - start) * MARGIN, 1);
    this.least = start - margin;
    this.most = Math.max(end, start + 1) + margin;
    this.from = this.least;
    this.to = this.most;
    this.changed = changed;
    this.flight = 0;
  }

  get span() {
    return this.to - this.from;
  }

  /** Show a stretch of time at once. */
  set(from, to) {
    cancelAnimationFrame(this.flight);
    this.place(from, to);
  }

  place(from, to) {
    const span = Math.min(Math.max(to - from, NARROWEST), this.most - this.least);
    const start = Math.min(Math.max((from + to - span) / 2, this.least), this.most - span);
    this.from = start;
    this.to = start + span;
    this.changed();
  }

  /** Show a stretch of time, on the way to it what lies between, unless people ask for less motion. */
  flyTo(from, to) {
    cancelAnimationFrame(this.flight);
    const start = [this.from, this.to];
    const began = performance.now();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.place(from, to);
    const fly = (now) => {
      const done = Math.min(Math.max((now - began) / FLIGHT_MS, 0), 1);
      const eased = 1 - (1 - done) ** 3;
      this.place(start[0] + (from - start[0]) * eased, start[1] + (to - start[1]) * eased);
      if (done < 1) this.flight = requestAnimationFrame(fly);
    };
    this.flight = requestAnimationFrame(fly);
  }

  /** Zoom by a factor; the moment `about` stays where it is. */
  zoom(factor, about = (this.from + this.to) / 2) {
    const span = Math.min(Math.max(this.span * factor, NARROWEST), this.most - this.least);
    const from = about - ((about - this.from) / this.span) * span;
    this.set(from, from + span);
  }

  /** Move by a share of what is shown. */
  pan(share) {
    const by = Math.min(Math.max(share * this.span, this.least - this.from), this.most - this.to);
    this.set(this.from + by, this.to + by);
  }
}
