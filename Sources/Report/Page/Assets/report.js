"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = read("report-data");
  const pictures = read("report-pictures");
  const root = document.documentElement;

  // Small copies of images are kept once, however often they are shown.
  for (const image of all("img[data-picture]")) {
    const source = pictures.images[image.dataset.picture];
    if (source) image.src = source; else image.replaceWith(Object.assign(document.createElement("span"), { className: "none", textContent: "–" }));
  }

  // Light and dark.
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const remember = (value) => { try { localStorage.setItem("cleannet-theme", value); } catch { /* not from a file */ } };
  const showTheme = () => { theme.textContent = "Dark"; theme.setAttribute("aria-pressed", String(isDark())); drawMap(); };
  try {
    const kept = localStorage.getItem("cleannet-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* not from a file */ }
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remember(root.dataset.theme); showTheme(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showTheme());

  // A click on a path copies it.
  const status = document.getElementById("status");
  let fading;
  const say = (text) => {
    status.textContent = text;
    status.classList.add("shown");
    clearTimeout(fading);
    fading = setTimeout(() => status.classList.remove("shown"), 1600);
  };
  const copy = async (text) => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field);
      field.select();
      copied = document.execCommand("copy");
      field.remove();
    }
    say(copied ? "Copied" : "The browser does not let this page copy");
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button.dataset.copy);
  });

  // Classes: open, close, filter, sort.
  for (const button of all("[data-details]")) {
    button.addEventListener("click", () => { for (const item of all("details.class")) item.open = button.dataset.details === "open"; });
  }
  for (const field of all("[data-filter]")) {
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      for (const row of all("tbody tr", document.getElementById(field.dataset.filter))) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    });
  }
  for (const button of all("[data-sort]")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const body = head.closest("table").tBodies[0];
      const column = head.cellIndex;
      const falls = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : column > 0;
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      const key = (row) => {
        const figure = row.cells[column].querySelector("data");
        return figure ? Number(figure.value) : column === 0 || row.cells[column].classList.contains("text") ? row.cells[column].textContent.trim() : -1;
      };
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => (typeof a === "string" && typeof b === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0) * (falls ? -1 : 1));
      body.append(...rows.map(([, row]) => row));
    });
  }
  const openTarget = () => {
    const target = location.hash.startsWith("#class-") && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);

  // Where the reader is.
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) visible.add(entry.target.id); else visible.delete(entry.target.id);
    const current = [...links.keys()].find((id) => visible.has(id));
    for (const [id, link] of links) if (id === current) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  }, { rootMargin: "-10% 0px -60% 0px" });
  for (const id of links.keys()) observer.observe(document.getElementById(id));

  // Numbers as the page writes them elsewhere; each says where in the data it comes from.
  const forms = {
    count: (value) => value.toLocaleString("en-US"),
    percent: (value) => `${(value * 100).toFixed(1)}\u00a0%`,
    decimal2: (value) => value.toFixed(2).replace("-", "\u2212"),
  };
  const at = (pointer) => pointer.split("/").slice(1).reduce((value, key) => value == null ? undefined : value[key], data);
  const show = (place, pointer, form) => {
    const value = at(pointer);
    if (value == null) {
      place.replaceChildren(Object.assign(document.createElement("span"), { className: "none", textContent: "–" }));
      return;
    }
    const figure = Object.assign(document.createElement("data"), { value: String(value), textContent: forms[form](value) });
    figure.dataset.at = pointer;
    figure.dataset.as = form;
    place.replaceChildren(figure);
  };

  // The threshold.
  const slider = document.getElementById("slider");
  const choose = (row) => {
    const pointer = `/sweep/rows/${row}`;
    show(document.getElementById("slider-value"), `${pointer}/threshold`, "decimal2");
    slider.setAttribute("aria-valuetext", data.sweep.rows[row].threshold.toFixed(2));
    for (const place of all("#slider-results [data-field]")) {
      const field = place.dataset.field;
      const isCount = field === "kept" || field === "dropped" || field.includes("/counts/");
      show(place, `${pointer}/${field}`, isCount ? "count" : "percent");
    }
    const marker = document.getElementById("sweep-marker");
    const [from, to] = [Number(marker.dataset.from), Number(marker.dataset.to)];
    const x = from + (to - from) * row / (data.sweep.rows.length - 1);
    marker.setAttribute("x1", x);
    marker.setAttribute("x2", x);
  };
  const chooseFromAddress = () => {
    const wanted = /^#threshold=(-?[0-9.]+)$/.exec(location.hash);
    if (!slider || !wanted) return;
    const distance = (row) => Math.abs(data.sweep.rows[row].threshold - Number(wanted[1]));
    const row = data.sweep.rows.keys().reduce((best, row) => distance(row) < distance(best) ? row : best, 0);
    slider.value = row;
    choose(row);
  };
  if (slider) {
    slider.addEventListener("input", () => choose(Number(slider.value)));
    addEventListener("hashchange", chooseFromAddress);
    chooseFromAddress();
  }

  // The matrix of many classes.
  const matrix = document.getElementById("confusion-map");
  if (matrix) {
    const [margin, side] = [Number(matrix.dataset.margin), Number(matrix.dataset.side)];
    const order = matrix.dataset.order.split(" ").map(Number);
    const place = document.getElementById("confusion-detail");
    matrix.addEventListener("pointermove", (event) => {
      const box = matrix.getBoundingClientRect();
      const scale = matrix.viewBox.baseVal.width / box.width;
      const [label, suggestion] = [event.clientY - box.top, event.clientX - box.left].map((distance) => order[Math.floor((distance * scale - margin) / side)]);
      if (label === undefined || suggestion === undefined) { place.replaceChildren(); return; }
      const count = document.createElement("span");
      show(count, `/confusions/matrix/${label}/${suggestion}`, "count");
      place.replaceChildren(`${data.classes[label].name} → ${data.classes[suggestion].name}: `, count);
    });
    matrix.addEventListener("pointerleave", () => place.replaceChildren());
  }

  // The map.
  const canvas = document.getElementById("map-canvas");
  const map = data.map;
  const detail = document.getElementById("map-detail");
  const key = document.getElementById("map-key");
  const palette = ["#3b6fd4", "#d1495b", "#2e9e6b", "#e0a100", "#8b5fbf", "#00a0b0", "#c2607b", "#7a8b2a", "#a0662f", "#5b6b7f"];
  let layout = map && map.neighborhood ? "neighborhood" : "principal";
  let color = "score";
  let chosen = -1;
  const mix = (from, to, share) => from.map((value, band) => Math.round(value + (to[band] - value) * share));
  const scoreColor = (probability) => {
    if (probability == null) return "#8a929c";
    const [low, middle, high] = isDark() ? [[255, 128, 66], [222, 184, 80], [85, 198, 184]] : [[184, 68, 11], [201, 162, 39], [12, 114, 105]];
    return `rgb(${probability < .5 ? mix(low, middle, probability * 2) : mix(middle, high, probability * 2 - 1)})`;
  };
  const position = (point) => {
    const [x, y] = map[layout][point];
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const margin = 12;
    // y grows upwards.
    return [margin + x * (width - 2 * margin), margin + (1 - y) * (height - 2 * margin)];
  };
  // Right ones first, so that suspicious ones lie on top.
  const order = map ? [...map.ids.keys()].sort((a, b) => (map.probabilities[b] ?? 1) - (map.probabilities[a] ?? 1)) : [];
  function drawMap() {
    if (!map) return;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.clearRect(0, 0, width, height);
    for (const point of order) {
      const [x, y] = position(point);
      const isWrong = map.isWrong[point] === true;
      context.globalAlpha = isWrong || color === "label" ? .9 : .55;
      context.fillStyle = color === "score" ? scoreColor(map.probabilities[point]) : palette[map.labels[point] % palette.length];
      context.beginPath();
      context.arc(x, y, isWrong && color === "score" ? 4 : 3, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    if (chosen >= 0) {
      const [x, y] = position(chosen);
      context.strokeStyle = getComputedStyle(root).getPropertyValue("--ink");
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 8, 0, 7);
      context.stroke();
    }
  }
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const className = (label) => data.classes[label]?.name ?? "";
  const picture = (point) => {
    const source = pictures.images[map.ids[point]];
    if (source) return element("img", { className: "big", src: source, alt: map.paths[point] });
    const tile = element("div", { className: "big" });
    tile.setAttribute("role", "img");
    tile.setAttribute("aria-label", map.paths[point]);
    if (pictures.sprite && map.sprite) {
      const zoom = 112 / map.sprite.tile;
      tile.style.backgroundImage = `url(${pictures.sprite})`;
      tile.style.backgroundSize = `${map.sprite.columns * map.sprite.tile * zoom}px`;
      const [row, column] = [Math.floor(point / map.sprite.columns), point % map.sprite.columns];
      tile.style.backgroundPosition = `${-column * 112}px ${-row * 112}px`;
    }
    return tile;
  };
  const choosePoint = (point) => {
    chosen = point;
    drawMap();
    if (point < 0) return;
    const [label, suggestion, probability] = [map.labels[point], map.suggestions[point], map.probabilities[point]];
    const labels = element("p", { className: "labels" }, element("span", { className: "given", textContent: className(label) }));
    if (suggestion != null && suggestion !== label) {
      labels.append(element("span", { className: "arrow", textContent: "→" }), element("b", { className: "suggested", textContent: className(suggestion) }));
    }
    const path = element("button", { type: "button", className: "path", textContent: map.paths[point], title: "Copy the path" });
    path.dataset.copy = map.paths[point];
    detail.replaceChildren(picture(point), labels);
    if (probability != null) {
      const chance = element("p", { className: "chance" }, "right with ", element("span", {}));
      show(chance.lastChild, `/map/probabilities/${point}`, "percent");
      detail.append(chance);
    }
    detail.append(path);
    const card = document.getElementById(`image-${map.ids[point]}`);
    if (card) {
      const link = element("button", { type: "button", textContent: "Show in the gallery" });
      link.addEventListener("click", () => {
        const section = card.closest("details");
        if (section) section.open = true;
        for (const other of all(".card.found")) other.classList.remove("found");
        card.classList.add("found");
        card.scrollIntoView({ block: "center" });
      });
      detail.append(link);
    }
  };
  const showKey = () => {
    if (color === "score") {
      key.replaceChildren(element("span", { className: "ramp" }), "probability that the label is right: 0 to 1");
      return;
    }
    const labels = [...new Set(map.labels)].sort((a, b) => a - b);
    key.replaceChildren(...labels.slice(0, 30).map((label) => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = palette[label % palette.length];
      return element("span", { className: "map-legend" }, swatch, className(label));
    }), labels.length > palette.length ? "(colors repeat)" : "");
  };
  if (map) {
    const nearest = (event) => {
      const box = canvas.getBoundingClientRect();
      let [best, least] = [-1, 18];
      for (const point of order) {
        const [x, y] = position(point);
        const distance = Math.hypot(x - (event.clientX - box.left), y - (event.clientY - box.top));
        if (distance <= least) [best, least] = [point, distance];
      }
      return best;
    };
    canvas.addEventListener("pointermove", (event) => { const point = nearest(event); if (point >= 0 && point !== chosen) choosePoint(point); });
    canvas.addEventListener("click", (event) => choosePoint(nearest(event)));
    const suspicious = [...order].reverse();
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const rank = suspicious.indexOf(chosen);
      choosePoint(suspicious[rank < 0 ? 0 : (rank + step + suspicious.length) % suspicious.length]);
    });
    const press = (selector, value, wanted) => { for (const button of all(selector)) button.setAttribute("aria-pressed", String(value(button) === wanted)); };
    for (const button of all("[data-map-layout]")) {
      button.addEventListener("click", () => { layout = button.dataset.mapLayout; press("[data-map-layout]", (b) => b.dataset.mapLayout, layout); drawMap(); });
    }
    for (const button of all("[data-map-color]")) {
      button.addEventListener("click", () => { color = button.dataset.mapColor; press("[data-map-color]", (b) => b.dataset.mapColor, color); showKey(); drawMap(); });
    }
    new ResizeObserver(() => drawMap()).observe(canvas);
  }
  showTheme();
  openTarget();
})();
