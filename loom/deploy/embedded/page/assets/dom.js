// Elements from data. Text only ever becomes text: attribute values are whatever a program sent.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const painted = new Map();

// Paint a part of the page anew when its data is another; focus and open details stay where they are.
export function paint(id, data, build) {
  const now = JSON.stringify(data);
  if (painted.get(id) === now) return;
  painted.set(id, now);
  const place = document.getElementById(id);
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const [top, left] = [place.scrollTop, place.scrollLeft];
  place.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
  place.scrollTop = top;
  place.scrollLeft = left;
  if (focused) [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused)?.focus();
}

export function table(caption, heads, rows) {
  const head = heads.map(([text, kind]) => h("th", { scope: "col", class: kind || false }, text));
  return h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows));
}

export const cell = (...content) => h("td", {}, ...content);
export const number = (...content) => h("td", { class: "number" }, ...content);
