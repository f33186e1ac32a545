// Pointer, wheel and keys, turned into what the timeline can do.

const CLICK_SLACK = 4; // pixels that a click may move
const WHEEL = 0.0016; // zoom per pixel of wheel
const LINE_PX = 30;

/** Drag to move, two fingers to zoom, click to select. */
function listenToPointers(timeline, canvas) {
  const down = new Map(); // pointer -> where it is
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (down.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return timeline.hover(event.offsetX, event.offsetY, event.clientX, event.clientY);
    const now = [event.offsetX, event.offsetY];
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    const others = [...down].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    down.set(event.pointerId, now);
    if (moved < CLICK_SLACK) return;
    canvas.classList.add("dragged");
    timeline.hideTip();
    if (others.length) pinch(timeline, before, now, others[0]);
    else timeline.move(before[0] - now[0], before[1] - now[1]);
  });
  const up = (event) => {
    if (!down.delete(event.pointerId) || down.size) return;
    canvas.classList.remove("dragged");
    if (event.type === "pointerup" && moved < CLICK_SLACK) timeline.select(timeline.at(event.offsetX, event.offsetY)[0]);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => timeline.hover(-1, -1, 0, 0));
  canvas.addEventListener("dblclick", (event) => {
    const [i] = timeline.at(event.offsetX, event.offsetY);
    if (i >= 0) timeline.zoomTo([i]);
  });
}

/** One of two fingers moves: what was between them stays between them. */
function pinch(timeline, before, now, other) {
  const wide = Math.max(Math.abs(before[0] - other[0]), 8);
  const wider = Math.max(Math.abs(now[0] - other[0]), 8);
  timeline.zoom(wide / wider, (now[0] + other[0]) / 2);
}

function listenToWheel(timeline, canvas) {
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const [across, along] = [event.deltaX * unit, event.deltaY * unit];
    if (timeline.isName(event.offsetX)) timeline.move(0, along);
    else if (event.shiftKey) timeline.move(along || across, 0);
    else if (Math.abs(across) > Math.abs(along)) timeline.move(across, 0);
    else timeline.zoom(Math.exp(along * (event.ctrlKey ? 5 : 1) * WHEEL), event.offsetX);
  }, { passive: false });
}

/** Press or drag in the overview to show that time. */
function listenToOverview(timeline, canvas) {
  const show = (event) => {
    if (event.buttons & 1) timeline.centre(event.offsetX / canvas.clientWidth);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    show(event);
  });
  canvas.addEventListener("pointermove", show);
}

/** What keys do.  Those of movement need the timeline's focus, so that lists keep theirs. */
const EVERYWHERE = {
  "+": (timeline) => timeline.zoom(0.7),
  "=": (timeline) => timeline.zoom(0.7),
  "-": (timeline) => timeline.zoom(1 / 0.7),
  _: (timeline) => timeline.zoom(1 / 0.7),
  0: (timeline) => timeline.showAll(),
  n: (timeline) => timeline.stepConflict(1),
  p: (timeline) => timeline.stepConflict(-1),
  c: (timeline) => timeline.showConflict(),
  "[": (timeline) => timeline.stepLane(-1),
  "]": (timeline) => timeline.stepLane(1),
  ",": (timeline) => timeline.stepOrder(-1),
  ".": (timeline) => timeline.stepOrder(1),
  "?": (timeline) => timeline.help(),
  Escape: (timeline) => timeline.select(-1),
};
const FOCUSED = {
  ArrowLeft: (timeline) => timeline.view.pan(-0.15),
  ArrowRight: (timeline) => timeline.view.pan(0.15),
  ArrowUp: (timeline) => timeline.move(0, -LANE),
  ArrowDown: (timeline) => timeline.move(0, LANE),
  PageUp: (timeline) => timeline.move(0, -10 * LANE),
  PageDown: (timeline) => timeline.move(0, 10 * LANE),
  Home: (timeline) => timeline.showAll(),
  Enter: (timeline) => timeline.zoomToSelected(),
};

function listenToKeys(timeline, canvas) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input[type=search], select, dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const free = event.target === canvas || event.target === document.body;
    const act = EVERYWHERE[event.key] ?? (free ? FOCUSED[event.key] : undefined);
    if (act === undefined) return;
    event.preventDefault();
    act(timeline);
  });
}
