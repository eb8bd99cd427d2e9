// What the contract promises, and how much of it was seen: one block a component.

import { cell, h, number, paint, table } from "./dom.js";
import { count, measured, plural, seconds } from "./format.js";

const filter = { shown: "all", find: "" };
const open = new Set();
const KINDS = { updowncounter: "up-down counter", observable_gauge: "gauge" };

const STATES = {
  "seen": ["good", "✓ seen"],
  "partly seen": ["wait", "◐ partly"],
  "not yet seen": ["wait", "○ not yet"],
  "none, as it should be": ["muted", "– none, as it should be"],
};

function state(row) {
  if (row.faults) return h("span", { class: "state bad" }, `✗ ${plural(row.faults, "problem")}`);
  const [kind, text] = STATES[row.state];
  return h("span", { class: `state ${kind}` }, text);
}

function attribute(row) {
  const values = [
    ...row.seen.map((value) => h("span", { class: "chip" }, value)),
    ...row.missing.map((value) => h("span", { class: "chip missing" }, value, h("span", { class: "muted" }, " not yet"))),
  ];
  const open = row.budget ? h("span", { class: "muted" }, `${count(row.distinct)} of ${row.budget}`) : "";
  return h("span", { class: "attribute" }, h("span", { class: "mono" }, row.name), values, open);
}

// The part of a metric's name that its block does not say already.
function within(row) {
  const prefix = `${row.scope}.`;
  return row.name.startsWith(prefix) ? [h("span", { class: "visually-hidden" }, prefix), row.name.slice(prefix.length)] : row.name;
}

function metricRow(row) {
  const mean = row.mean === null ? "" : h("span", { class: "muted" }, ` × ${measured(row.mean, row.unit)}`);
  return h("tr", {},
    h("th", { scope: "row", class: "mono", title: row.description }, within(row)),
    cell(h("span", { class: "muted" }, KINDS[row.kind] || row.kind), " ", h("span", { class: "mono" }, row.unit)),
    number(row.series ? [count(row.value), mean] : "–"),
    number(row.series ? count(row.series) : "–"),
    cell(row.attributes.map(attribute)),
    cell(state(row)),
  );
}

function spanRow(row) {
  const seen = row.attributes.filter((each) => each.seen.length).length;
  const parents = row.parents.map((parent) => parent || "(root)").join(", ");
  return h("tr", {},
    h("th", { scope: "row", class: "mono", title: row.description }, row.name),
    cell(h("span", { class: "muted" }, row.kind)),
    number(row.count ? count(row.count) : "–"),
    number(row.count ? count(row.errors) : "–"),
    number(row.count ? seconds(row.mean) : "–"),
    number(row.count ? seconds(row.longest) : "–"),
    cell(h("span", { class: "mono" }, parents)),
    number(row.attributes.length ? `${seen}/${row.attributes.length}` : "–"),
    cell(state(row)),
  );
}

const METRIC_HEADS = [["Metric", "w-name"], ["Kind, unit", "w-kind"], ["Value × mean", "number w-value"], ["Series", "number w-short"], ["Attributes"], ["State", "w-state"]];
const SPAN_HEADS = [["Span", "w-name"], ["Kind", "w-kind"], ["Count", "number w-short"], ["Errors", "number w-short"], ["Mean", "number w-time"], ["Longest", "number w-time"], ["Below"], ["Attributes", "number w-time"], ["State", "w-state"]];

const values = (metrics) => metrics.flatMap((row) => row.attributes).flatMap((each) => [
  ...each.seen.map(() => ({ state: "seen" })), ...each.missing.map(() => ({ state: "not yet seen" }))]);

function meter(scope, rows) {
  const seen = rows.filter((row) => row.state !== "not yet seen").length;
  return h("progress", { max: String(rows.length), value: String(seen), "aria-label": `${scope}: ${seen} of ${rows.length} seen` });
}

const waits = (row) => row.state === "not yet seen" || row.state === "partly seen";

function chosen(row) {
  if (filter.shown === "open" && !waits(row)) return false;
  if (filter.shown === "wrong" && !row.faults) return false;
  const text = JSON.stringify([row.name, row.scope, row.attributes, row.parents]).toLowerCase();
  return text.includes(filter.find.toLowerCase());
}

function scopeBlock(scope, metrics, spans) {
  const rows = [...metrics, ...spans];
  const share = (all, thing) => all.length && `${all.filter((row) => row.state !== "not yet seen").length}/${all.length} ${thing}`;
  const counted = metrics.filter((row) => !row.rare);
  const wrong = rows.reduce((sum, row) => sum + row.faults, 0);
  const verdict = wrong ? ["bad", `✗ ${plural(wrong, "problem")}`] : rows.some(waits) ? ["wait", "○ not complete"] : ["good", "✓ complete"];
  const [m, s] = [metrics.filter(chosen), spans.filter(chosen)];
  if (!m.length && !s.length) return null;
  const details = h("details", { class: "scope", "data-scope": scope, open: open.has(scope) || filter.shown !== "all" || filter.find !== "" },
    h("summary", { "data-key": `scope ${scope}` },
      h("h3", { class: "mono" }, scope),
      meter(scope, [...counted, ...spans]),
      h("span", { class: "muted" }, [share(counted, "metrics"), share(values(counted), "values"), share(spans, "spans")].filter(Boolean).join(" · ")),
      h("span", { class: `state ${verdict[0]}` }, verdict[1])),
    h("div", { class: "inside scroll" },
      m.length ? table(`Metrics of ${scope}`, METRIC_HEADS, m.map(metricRow)) : "",
      s.length ? table(`Spans of ${scope}`, SPAN_HEADS, s.map(spanRow)) : ""));
  details.querySelector("summary").addEventListener("click", () => (details.open ? open.delete(scope) : open.add(scope)));
  return details;
}

export function paintCoverage(report) {
  paint("scopes", [report.metrics, report.spans, filter], () => {
    const scopes = [...new Set([...report.metrics, ...report.spans].map((row) => row.scope))];
    const of = (rows, scope) => rows.filter((row) => row.scope === scope);
    const blocks = scopes.map((scope) => scopeBlock(scope, of(report.metrics, scope), of(report.spans, scope)));
    return blocks.some(Boolean) ? blocks : h("p", { class: "muted" }, "Nothing of that kind.");
  });
}

export function onFilter(repaint) {
  for (const [id, action] of [["open-all", (scope) => open.add(scope)], ["close-all", (scope) => open.delete(scope)]]) {
    document.getElementById(id).addEventListener("click", () => {
      for (const details of document.querySelectorAll("details.scope")) {
        action(details.dataset.scope);
        details.open = open.has(details.dataset.scope);
      }
    });
  }
  const read = () => {
    filter.shown = document.getElementById("shown").value;
    filter.find = document.getElementById("find").value.trim();
    repaint();
  };
  document.getElementById("shown").addEventListener("change", read);
  document.getElementById("find").addEventListener("input", read);
}
