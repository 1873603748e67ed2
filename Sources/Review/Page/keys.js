// Which key does what. Users may change it in a JSON file; see the help.

let bindings = {};

export function setBindings(keys) { bindings = keys; }

const pressed = (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isSymbol = event.key.length === 1 && event.key.toLowerCase() === event.key.toUpperCase();
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.shiftKey && !isSymbol ? "Shift+" : ""}${key}`;
};

/// The first of some actions that the key of an event stands for.
export function action(event, actions) {
  const key = pressed(event);
  return actions.find((name) => bindings[name]?.includes(key));
}

const symbols = { ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Enter: "⏎ Enter" };
const shown = (key) => key.split("+").map((part) => symbols[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ");

/// The keys of an action as people read them.
export const keysOf = (name) => (bindings[name] ?? []).map(shown);
export const keyOf = (name) => keysOf(name)[0] ?? "";

/// Whether an event belongs to a field, a dialog or a link, and not to the view.
export function isElsewhere(event) {
  if (event.defaultPrevented || event.altKey) return true;
  if (document.querySelector("dialog[open]")) return true;
  const target = event.target;
  if (target.closest("input, select, textarea, [contenteditable]")) return true;
  return (event.key === "Enter" || event.key === " ") && target.closest("a[href], button:not(.tile)") !== null;
}
