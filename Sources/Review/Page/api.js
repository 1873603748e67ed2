// Talks to the server. Answers are kept in the browser until the server has them on its disk.

const events = new EventTarget();
export const on = (name, handler) => events.addEventListener(name, (event) => handler(event.detail));
const emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }));

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body) {
  const response = await fetch(`/api/${path}`, {
    method,
    headers: { "X-CleanNet": "1", ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
    credentials: "same-origin",
  });
  const text = await response.text();
  let content;
  try { content = text ? JSON.parse(text) : undefined; } catch { content = undefined; }
  if (!response.ok) throw new Refusal(response.status, content?.error?.message ?? `The server answers ${response.status}.`);
  return content;
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body ?? {});

/// A name for an answer that no other answer has.
export function name() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The outbox: requests that change something, in order, sent until they are answered. They are idempotent, so that one
// whose answer was lost may be sent again.

let workspace = "";
let outbox = [];
let isSending = false;
const waiting = new Map();

/// The name under which this browser keeps something of the workspace's: another may be served on the same port later.
export const kept = (what) => `cleannet-${what}-${workspace}`;

/// Says which workspace it is, and takes up what was left unsent.
export function begin(name) {
  workspace = name;
  try { outbox = JSON.parse(localStorage.getItem(kept("outbox"))) ?? []; } catch { outbox = []; }
}

function save() {
  try { localStorage.setItem(kept("outbox"), JSON.stringify(outbox)); } catch { /* Private windows: held in memory only. */ }
}

/// Sends a change; the promise is kept once the server has it on its disk.
export function change(path, body) {
  const entry = { id: name(), path, body };
  outbox.push(entry);
  save();
  const promise = new Promise((resolve, reject) => waiting.set(entry.id, { resolve, reject }));
  drain();
  return promise;
}

export const isOffline = () => offline;
let offline = false;

function setOffline(is) {
  if (offline === is) return;
  offline = is;
  emit("connection", { offline, held: outbox.length });
}

export async function drain() {
  if (isSending) return;
  isSending = true;
  let delay = 500;
  while (outbox.length > 0) {
    const entry = outbox[0];
    try {
      const reply = await post(entry.path, entry.body);
      settle(entry, (promise) => promise.resolve(reply));
      setOffline(false);
      delay = 500;
    } catch (error) {
      const isFinal = error instanceof Refusal && error.status < 500 && error.status !== 429 && error.status !== 401;
      if (isFinal) {
        settle(entry, (promise) => promise.reject(error));
        emit("refused", error.message);
        continue;
      }
      if (error instanceof Refusal && error.status === 401) { emit("ended"); break; }
      setOffline(true);
      await new Promise((resolve) => setTimeout(resolve, delay));
      delay = Math.min(delay * 2, 4000);
    }
  }
  isSending = false;
}

function settle(entry, decide) {
  outbox.shift();
  save();
  const promise = waiting.get(entry.id);
  waiting.delete(entry.id);
  if (promise) decide(promise);
}

/// Follows what happens on the server and in other browsers.
export function listen() {
  const source = new EventSource("/api/events");
  source.addEventListener("changed", () => emit("changed"));
  source.addEventListener("retraining", (event) => emit("retraining", JSON.parse(event.data)));
  source.addEventListener("open", () => emit("changed"));
  addEventListener("pagehide", () => source.close());
}
