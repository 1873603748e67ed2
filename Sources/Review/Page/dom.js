// Building blocks of the page.

/// An element with properties, event handlers (on…) and children; nothing is ever parsed as HTML.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    // Attributes that are false are left out; properties of the element, such as draggable, are set.
    if (value === false && (!(name in element) || typeof element[name] !== "boolean")) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "vars") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else if (name in element && !name.startsWith("aria") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/// An element of a drawing.
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let pictures = "";

/// Says which images the server has: others, of another workspace or another time, have other addresses.
export function usePictures(name) { pictures = name; }

export const imageURL = (image, side) => `/api/images/${pictures}/${image}/${side}`;

/// Whether an image that did not come cannot be shown at all; else the connection may be to blame.
export async function isUnreadable(image) {
  try { return (await fetch(imageURL(image, 256), { credentials: "same-origin" })).status === 422; } catch { return false; }
}

/// Shows the whole of an image that is much longer than it is wide, or the reverse, where others fill their frame.
export function whole(picture) {
  const set = () => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (width > 0) picture.classList.toggle("whole", Math.max(width / height, height / width) > 1.6);
  };
  picture.addEventListener("load", set);
  set();
  return picture;
}

/// Fetches and decodes an image, so that showing it takes no time.
export function preload(image, side) {
  const picture = new Image();
  picture.src = imageURL(image, side);
  picture.decode().catch(() => {});
  return picture;
}

/// Small images are enlarged at most by this factor: people recognize nothing in bare blocks.
const magnification = 10;

/// Bounds the size at which an image is shown, once it is known.
export function bound(picture) {
  const set = () => { if (picture.naturalWidth > 0) picture.style.setProperty("--most", `${picture.naturalWidth * magnification}px`); };
  picture.addEventListener("load", set);
  set();
  return picture;
}

const toastPlace = document.getElementById("toast");
let toastTimer;

/// A message that goes away by itself.
export function toast(text) {
  clearTimeout(toastTimer);
  toastPlace.replaceChildren(h("span", {}, text));
  toastPlace.classList.add("shown");
  toastTimer = setTimeout(hideToast, 4000);
}

export function hideToast() {
  toastPlace.classList.remove("shown");
}

/// Tells users of screen readers.
export function say(text) {
  document.getElementById("spoken").textContent = text;
}

export const percent = (share) => share === undefined || share === null ? "–" : `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/// A dialog over the page; gone when closed. A locked one only closes by what is in it.
export function dialog(title, content, { className = "", isLocked = false } = {}) {
  const close = isLocked ? null : h("button", { type: "button", class: "quiet icon close", "aria-label": "Close", onclick: () => box.close() }, "✕");
  const heading = h("h2", { id: "dialog-title" }, title);
  const box = h("dialog", { class: className, "aria-labelledby": "dialog-title" }, h("header", {}, heading, close), content);
  box.addEventListener("close", () => box.remove());
  if (isLocked) {
    // Browsers close by a second Escape whatever "cancel" says; not all know closedby.
    box.setAttribute("closedby", "none");
    for (const name of ["cancel", "keydown"]) {
      box.addEventListener(name, (event) => { if (name === "cancel" || event.key === "Escape") event.preventDefault(); });
    }
  }
  else box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.body.append(box);
  box.showModal();
  return box;
}
