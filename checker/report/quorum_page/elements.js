// Elements made of plain texts: whatever a configuration holds becomes a text node or an attribute.

const SVG = "http://www.w3.org/2000/svg";
const SYMBOLS = { holds: "✔", violated: "✖", unknown: "?" };
const DIGITS = ["①", "②", "③", "④", "⑤", "⑥"];
const NAMES_MAX = 14; // of a set of nodes, before it is cut short

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; attributes that are functions listen to events of that name. */
const element = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);
const drawn = (tag, attributes = {}, ...children) => made(document.createElementNS(SVG, tag), attributes, children);

const grouped = (count) => count.toLocaleString("en-US");
const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
const short = (text, longest) => (text.length > longest ? `${text.slice(0, Math.max(1, longest - 1))}…` : text);

/** A name that is not too long to read, as public keys are: its beginning and its end. */
const brief = (name) => (name.length > 24 ? `${name.slice(0, 8)}..${name.slice(-4)}` : name);

/** A set of names as {a, b}; a large one, and long names, cut short. */
function braced(names, most = NAMES_MAX) {
  const more = names.length - most;
  return `{${names.slice(0, most).map(brief).join(", ")}${more > 0 ? `, … ${grouped(more)} more` : ""}}`;
}

/** Names as "a, b and c". */
function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** A verdict as a badge: a symbol and the word. */
function badge(verdict) {
  return element("span", { class: "badge", "data-verdict": verdict }, `${SYMBOLS[verdict]} ${verdict.toUpperCase()}`);
}

/** Keys that move the focus through a list of which one element is in the order of tabs. */
function roving(container, items, across) {
  const move = (to) => {
    for (const item of items) item.tabIndex = -1;
    items[to].tabIndex = 0;
    items[to].focus();
  };
  items.forEach((item, k) => { item.tabIndex = k ? -1 : 0; });
  container.addEventListener("keydown", (event) => {
    const at = items.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -items.length, End: items.length };
    if (across) Object.assign(steps, { ArrowRight: 1, ArrowLeft: -1 });
    if (steps[event.key] === undefined) return;
    event.preventDefault();
    const way = Math.sign(steps[event.key]);
    let to = Math.min(Math.max(at + steps[event.key], 0), items.length - 1);
    while (items[to] && items[to].hidden) to += way;
    if (items[to]) move(to);
  });
  container.addEventListener("focusin", (event) => {
    if (!items.includes(event.target)) return;
    for (const item of items) item.tabIndex = -1;
    event.target.tabIndex = 0;
  });
}

/** A word beside the pointer. */
const tip = {
  show(text, x, y) {
    const box = document.getElementById("tip");
    box.textContent = text;
    box.hidden = false;
    const left = Math.min(x + 14, window.innerWidth - box.offsetWidth - 8);
    const below = y + 18 + box.offsetHeight < window.innerHeight;
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${below ? y + 18 : y - box.offsetHeight - 10}px`;
  },
  hide() { document.getElementById("tip").hidden = true; },
};
