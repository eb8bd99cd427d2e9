// The latest traces, and one of them as a waterfall.

import { cell, h, number, paint, table } from "./dom.js";
import { clock, count, plural, seconds } from "./format.js";

const chosen = { trace: "", spans: new Set(), byHand: false, order: "spans", led: false };
let repaint = () => {};

function select(trace) {
  Object.assign(chosen, { trace, byHand: true });
  chosen.spans.clear();
}

// `loom-deploy trace` leads to one of them.
function follow() {
  const found = /^#trace=([0-9a-f]{32})$/.exec(location.hash);
  if (!found) return;
  select(found[1]);
  chosen.led = true;
}

export function onChoice(action) {
  repaint = action;
  follow();
  addEventListener("hashchange", () => {
    follow();
    repaint();
  });
  const order = document.getElementById("order");
  order.addEventListener("change", () => {
    chosen.order = order.value;
    repaint();
  });
}

function flags(trace) {
  const bad = [trace.errors && plural(trace.errors, "error"), trace.faults && plural(trace.faults, "problem")];
  const text = bad.filter(Boolean).join(", ");
  return text ? h("span", { class: "state bad" }, text) : "";
}

function traceRow(trace) {
  const choose = () => {
    select(trace.trace_id);
    repaint();
  };
  const current = trace.trace_id === chosen.trace;
  return h("tr", { class: current && "selected" },
    cell(h("button", { type: "button", "data-key": trace.trace_id, "aria-pressed": String(current), onclick: choose }, trace.name),
      h("br"), h("span", { class: "muted", title: trace.services.join(", ") }, trace.services[0], trace.services.length > 1 ? ` +${trace.services.length - 1}` : "")),
    number(count(trace.spans + trace.more)),
    number(seconds(trace.duration_ms / 1000)),
    cell(clock(trace.start), " ", flags(trace)));
}

function spanRows(span, trace, first) {
  const total = trace.duration_ms || 1;
  const kind = span.status === "ERROR" ? "error" : span.service === first ? "" : "far";
  const bar = h("span", { class: kind || false });
  const left = Math.min(99.5, (100 * span.start_ms) / total);
  bar.style.setProperty("left", `${left}%`);
  bar.style.setProperty("width", `${Math.max(0.2, Math.min(100 - left, (100 * span.duration_ms) / total))}%`);
  const open = chosen.spans.has(span.span_id);
  const toggle = () => {
    if (!chosen.spans.delete(span.span_id)) chosen.spans.add(span.span_id);
    repaint();
  };
  const mark = span.faulty ? "✗ " : span.status === "ERROR" ? "! " : "";
  const button = h("button", { type: "button", "data-key": span.span_id, "aria-expanded": String(open), onclick: toggle, title: `${span.scope}/${span.name}` },
    mark && h("span", { class: "state bad" }, mark), span.name, " ", h("span", { class: "from" }, span.scope.replace(/^loom\./, "")));
  button.style.setProperty("padding-left", `${span.depth * 0.9}rem`);
  const row = h("tr", {},
    h("th", { scope: "row", class: "mono what" }, button),
    cell(h("div", { class: "track" }, bar)),
    number(seconds(span.duration_ms / 1000)));
  return open ? [row, detailRow(span)] : row;
}

function detailRow(span) {
  const facts = { "span id": span.span_id, service: span.service, scope: span.scope, kind: span.kind || "not set", status: span.status || "not set", ...span.attributes };
  const list = Object.entries(facts).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("tr", { class: "detail" }, h("td", { colspan: "3" }, h("dl", {}, list)));
}

function waterfall(trace) {
  const first = trace.rows[0].service;
  const others = trace.services.filter((service) => service !== first);
  const more = trace.more ? `; ${plural(trace.more, "span")} more are not kept` : "";
  const heads = [["Span", "what"], [`0 to ${seconds(trace.duration_ms / 1000)}`], ["Duration", "number took"]];
  const shown = table(`Trace ${trace.trace_id}: ${plural(trace.spans, "span")}${more}`, heads, trace.rows.map((span) => spanRows(span, trace, first)));
  shown.classList.add("waterfall");
  const legend = h("p", { class: "legend" },
    h("span", {}, h("i"), first),
    others.length ? h("span", {}, h("i", { class: "far" }), others.join(", ")) : "",
    trace.errors ? h("span", {}, h("i", { class: "error" }), "ended as an error") : "");
  return [h("h3", {}, trace.name), legend, shown];
}

// Until somebody chooses, the first of the list is shown.
function choose(traces) {
  if (chosen.byHand && traces.some((trace) => trace.trace_id === chosen.trace)) return;
  Object.assign(chosen, { trace: traces.length ? traces[0].trace_id : "", byHand: false });
}

// The server's order is the latest first, and stays so among equals.
function ordered(traces) {
  return chosen.order === "latest" ? traces : [...traces].sort((a, b) => b[chosen.order] - a[chosen.order]);
}

export async function paintTraces(latest, load) {
  const traces = ordered(latest);
  choose(traces);
  paint("trace-list", [traces, chosen.trace], () => {
    if (!traces.length) return h("p", { class: "muted" }, "No trace has arrived yet.");
    const heads = [["Trace"], ["Spans", "number"], ["Duration", "number"], ["Began"]];
    return table(`${plural(traces.length, "trace")}: the latest, and the richest before them`, heads, traces.map(traceRow));
  });
  const trace = chosen.trace ? await load(`/api/traces/${chosen.trace}`) : null;
  paint("trace", [trace, [...chosen.spans]], () => (trace && trace.rows ? waterfall(trace) : h("p", { class: "muted" }, "Choose a trace.")));
  if (chosen.led && trace) document.getElementById("traces").scrollIntoView();
  chosen.led = false;
}
