// A map on which images that look alike are near each other. A line drawn around some of them opens them, for one verdict.

import * as api from "./api.js";
import { h, imageURL, plural, percent } from "./dom.js";
import { action } from "./keys.js";
import { manyView } from "./many.js";

/// So many at once can be opened; of a larger choice the first ones come first.
const most = 120;
const palette = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0"];

/// Whether a point lies within a line (crossing number).
function isWithin(line, x, y) {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i, i += 1) {
    const [[ax, ay], [bx, by]] = [line[i], line[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

export function mapView(app, label) {
  let points = [];
  let line = [];
  let near;
  let timer;
  let hasLeft = false;
  // The place of a square that keys move and grow, as a share of the map.
  let frame;

  const picker = h("select", {
    "aria-label": "Class", onchange: () => { location.hash = picker.value === "" ? "#/map" : `#/map/${picker.value}`; },
  }, h("option", { value: "" }, "All classes"), [...app.classes.values()].map((one) => h("option", { value: one.label, selected: one.label === label }, one.name)));
  const hides = h("input", { type: "checkbox", id: "hide-answered", checked: true, onchange: draw });
  const canvas = h("canvas", { class: "map", tabIndex: 0, role: "img", "aria-label": "Map of images. Arrow keys move a square, plus and minus change its size, Enter opens the images in it." });
  const preview = h("div", { class: "map-preview", "aria-hidden": "true" });
  const words = h("p", { class: "faint", role: "status" });
  const legend = h("p", { class: "legend faint" });
  const element = h("div", { class: "verify many" },
    h("header", { class: "asking" }, h("div", {}, h("h1", { tabIndex: -1 }, "Images that look alike are near each other"),
      h("p", { class: "faint" }, "Draw a line around some of them to answer them together. A ring marks labels that look wrong."))),
    h("div", { class: "tools" }, picker, h("label", { class: "check", htmlFor: "hide-answered" }, hides, "Hide answered images")),
    h("div", { class: "map-place" }, canvas, preview), legend, words);

  const shown = () => (hides.checked ? points.filter((one) => one.answer === undefined) : points);
  const margin = 14;
  const place = (value, size) => margin + value * (size - 2 * margin);

  function draw() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    const scale = devicePixelRatio;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext("2d");
    const colorOf = (name) => { canvas.style.color = `var(${name})`; return getComputedStyle(canvas).color; };
    const [wrong, accent, faint] = [colorOf("--wrong"), colorOf("--accent"), colorOf("--faint")];
    canvas.style.color = "";
    context.scale(scale, scale);
    for (const one of shown()) {
      const [x, y] = [place(one.x, width), place(one.y, height)];
      context.beginPath();
      context.arc(x, y, 4, 0, 7);
      context.globalAlpha = one.answer === undefined ? 0.85 : 0.3;
      context.fillStyle = app.classes.size > 60 ? faint : palette[one.label % palette.length];
      context.fill();
      if (one.isSuspect) { context.lineWidth = 2; context.strokeStyle = wrong; context.stroke(); }
    }
    context.globalAlpha = 1;
    context.strokeStyle = accent;
    context.lineWidth = 2;
    const path = frame ? corners(width, height) : line;
    if (path.length > 1) {
      context.beginPath();
      path.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
      context.closePath();
      context.stroke();
      context.globalAlpha = 0.12;
      context.fillStyle = accent;
      context.fill();
      context.globalAlpha = 1;
    }
    words.textContent = points.length === 0 ? words.textContent : say(path, width, height);
  }

  const corners = (width, height) => {
    const [x, y, radius] = [place(frame.x, width), place(frame.y, height), frame.radius * Math.min(width, height)];
    return [[x - radius, y - radius], [x + radius, y - radius], [x + radius, y + radius], [x - radius, y + radius]];
  };

  const within = (path, width, height) => (path.length < 3 ? [] : shown().filter((one) => isWithin(path, place(one.x, width), place(one.y, height))));

  function say(path, width, height) {
    const found = within(path, width, height).length;
    return path.length > 2 ? `${plural(found, "image")} within the line` : `${plural(shown().length, "image")} on the map${points.length < total() ? ", a part of all: random ones, and those whose labels look wrong or are in doubt" : ""}`;
  }

  const total = () => (label === undefined ? [...app.classes.values()].reduce((sum, one) => sum + one.images, 0) : app.classes.get(label)?.images ?? 0);

  function open() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const found = within(frame ? corners(width, height) : line, width, height);
    line = [];
    draw();
    if (found.length === 0) return;
    app.chosen = found.sort((a, b) => b.isSuspect - a.isSuspect).map((one) => one.image);
    location.hash = "#/map/chosen";
  }

  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    frame = undefined;
    line = [at(event)];
    peek();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (line.length > 0) { line.push(at(event)); draw(); return; }
    peek(at(event));
  });
  canvas.addEventListener("pointerup", () => { if (line.length > 2) open(); else { line = []; draw(); } });
  canvas.addEventListener("pointercancel", () => { line = []; draw(); });
  canvas.addEventListener("pointerleave", () => peek());

  /// Shows the image under the mouse.
  function peek(spot) {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    let best = 10;
    let found;
    if (spot) for (const one of shown()) {
      const distance = Math.hypot(place(one.x, width) - spot[0], place(one.y, height) - spot[1]);
      if (distance < best) { best = distance; found = one; }
    }
    if (found === near) return;
    near = found;
    preview.replaceChildren(...(found ? [h("img", { src: imageURL(found.image, 256), alt: "" }), h("span", {}, app.name(found.label))] : []));
    if (!found) return;
    const [x, y] = [place(found.x, width), place(found.y, height)];
    preview.style.setProperty("--left", `${Math.min(x + 12, width - 140)}px`);
    preview.style.setProperty("--top", `${Math.min(y + 12, height - 160)}px`);
  }

  async function load() {
    if (hasLeft) return;
    const reply = await api.get(`map${label === undefined ? "" : `?class=${label}`}`);
    if (hasLeft) return;
    if (!reply.points) {
      words.textContent = reply.total > 0 ? `Making the map: ${percent(reply.done / reply.total)}` : "Making the map…";
      timer = setTimeout(() => load().catch((error) => { words.textContent = error.message; }), 700);
      return;
    }
    points = reply.points;
    const labels = [...new Set(points.map((one) => one.label))];
    legend.replaceChildren(...(app.classes.size > 60 ? [] : labels.sort((a, b) => a - b).slice(0, 30).map((one) =>
      h("span", {}, h("i", { vars: { "--color": palette[one % palette.length] } }), app.name(one)))));
    draw();
  }

  const resized = new ResizeObserver(draw);

  return {
    element,
    async enter() { resized.observe(canvas); element.querySelector("h1").focus(); await load(); },
    leave() { hasLeft = true; clearTimeout(timer); resized.disconnect(); },
    scored: load,
    changed: () => {},
    key(event) {
      if (document.activeElement !== canvas) return;
      const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const step = steps[event.key];
      const growth = { "+": 1.2, "-": 1 / 1.2 }[event.key];
      if (step || growth) {
        frame ??= { x: 0.5, y: 0.5, radius: 0.1 };
        if (step) { frame.x = Math.min(1, Math.max(0, frame.x + step[0] * 0.03)); frame.y = Math.min(1, Math.max(0, frame.y + step[1] * 0.03)); }
        if (growth) frame.radius = Math.min(0.6, Math.max(0.02, frame.radius * growth));
        event.preventDefault();
        draw();
      } else if (frame && action(event, ["commit"])) { event.preventDefault(); open(); }
    },
  };
}

/// The images that were chosen on the map.
export function chosenView(app) {
  const chosen = app.chosen ?? [];
  return manyView(app, {
    title: "The images that you chose",
    hint: chosen.length > most ? `${chosen.length} images; the first ${most} that are open come first.` : "Leave out what does not belong to the others, then say once what they all are.",
    load: async (count) => {
      if (chosen.length === 0) return { images: [], left: 0 };
      // Answered images fall away, so that the others come up.
      const { images, left } = await api.get(`chosen?count=${count}&images=${chosen.slice(0, most).join(",")}`);
      if (images.length > 0 || chosen.length <= most) return { images, left };
      chosen.splice(0, most);
      return api.get(`chosen?count=${count}&images=${chosen.slice(0, most).join(",")}`);
    },
    empty: "All the images that you chose are answered.",
  });
}
