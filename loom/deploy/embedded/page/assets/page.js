// The page: asks for the report whenever the stream says that something is new.

import { cell, h, number, paint, table } from "./dom.js";
import { count, plural } from "./format.js";
import { onFilter, paintCoverage } from "./coverage.js";
import { onChoice, paintTraces } from "./traces.js";

const state = { report: null, traces: [], busy: false, again: false };

async function load(path) {
  const response = await fetch(path);
  return response.ok ? response.json() : null;
}

function connection(kind, text) {
  const place = document.getElementById("connection");
  place.className = `pill ${kind}`;
  if (place.textContent !== text) place.textContent = text;
}

function card(title, big, small, kind, share, below) {
  return h("div", { class: `card ${kind}` }, h("h3", {}, title), h("div", { class: "big" }, big, " ", h("small", {}, small)),
    share ? h("progress", { max: String(share.total || 1), value: String(share.seen), "aria-label": `${title}: ${share.seen} of ${share.total} seen` }) : "",
    below ? h("p", { class: "muted" }, below) : "");
}

function paintSummary(report) {
  const { coverage, percent, problems, broken, processes, arrived, points } = report;
  paint("cards", [coverage, broken, processes.length, arrived, points], () => {
    const shares = [["Metrics", coverage.metrics], ["Attribute values", coverage.values], ["Spans", coverage.spans]];
    const whole = shares.map(([title, share]) => card(title, count(share.seen), `of ${share.total} seen`, share.seen === share.total ? "good" : "", share));
    return h("div", { class: "cards" },
      card("Contract coverage", `${Math.floor(percent)} %`, "", percent === 100 ? "good" : ""),
      whole,
      card("Problems", count(broken), broken ? "" : "none", broken ? "bad" : "good"),
      card("Received", count(arrived), "spans", "", null, `${count(points)} data points`));
  });
  document.title = `${broken ? `(${broken}) ` : ""}Loom telemetry · ${Math.floor(percent)} %`;
  document.getElementById("name").textContent = report.about.name;
}

function paintProblems(report) {
  const wrong = report.problems.slice(0, report.broken);
  const silent = !report.arrived && !report.points;
  paint("problem-list", [wrong, silent, report.about], () => {
    if (silent) return start(report.about);
    if (!wrong.length) return h("p", { class: "note" }, "None: everything that has arrived is as the contract says.");
    const items = wrong.map((each) => h("li", { class: "problem" }, h("strong", {}, each.message), each.hint ? h("div", { class: "muted" }, each.hint) : ""));
    return h("ol", { class: "problems" }, items);
  });
}

function start(about) {
  const lines = [`export OTEL_EXPORTER_OTLP_ENDPOINT=${about.grpc}`, "python -m loom.examples.mcp_integration"];
  return h("div", { class: "note start" }, h("p", {}, "Nothing has arrived yet. Tell Loom where to report, for example:"),
    h("pre", { tabindex: "0" }, lines.join("\n")),
    h("p", { class: "muted" }, `OTLP/HTTP is at ${about.http}.`));
}

function paintSources(report) {
  paint("processes", report.processes, () => {
    if (!report.processes.length) return h("p", { class: "muted" }, "No process has reported yet.");
    const rows = report.processes.map((each) => h("tr", {},
      h("th", { scope: "row" }, each.service), cell(each.version || "–"), cell(each.environment || "–"), cell(h("span", { class: "mono" }, each.instance || "–"))));
    return table(plural(report.processes.length, "process", "processes"), [["Service"], ["Version"], ["Environment"], ["Instance"]], rows);
  });
  paint("foreign", report.foreign, () => {
    if (!report.foreign.length) return h("p", { class: "muted" }, "No other library has reported.");
    const rows = report.foreign.map((each) => h("tr", {},
      h("th", { scope: "row", class: "mono" }, each.scope), number(count(each.metrics)), number(count(each.spans))));
    return table("Other libraries: listed, not judged", [["Scope"], ["Metrics", "number"], ["Spans", "number"]], rows);
  });
}

function repaint() {
  if (!state.report) return;
  paintSummary(state.report);
  paintProblems(state.report);
  paintCoverage(state.report);
  paintSources(state.report);
  return paintTraces(state.traces, load);
}

async function refresh() {
  if (state.busy) {
    state.again = true;
    return;
  }
  state.busy = true;
  try {
    do {
      state.again = false;
      const [report, traces] = await Promise.all([load("/api/report"), load("/api/traces")]);
      Object.assign(state, { report, traces: traces || [] });
      await repaint();
    } while (state.again);
    connection("good", "live");
  } catch {
    connection("bad", "not reachable");
  } finally {
    state.busy = false;
  }
}

onFilter(repaint);
onChoice(repaint);
const events = new EventSource("/api/events");
events.onmessage = refresh;
events.onerror = () => connection("bad", "not reachable, trying again");
refresh();
