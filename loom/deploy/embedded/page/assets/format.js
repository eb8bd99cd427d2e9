// Numbers as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function count(value) {
  return Number.isInteger(value) ? whole.format(value) : short.format(value);
}

export function seconds(value) {
  if (value === 0) return "0";
  const steps = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
  const [size, unit] = steps.find(([each]) => value >= each) || steps.at(-1);
  return `${short.format(value / size)} ${unit}`;
}

export function measured(value, unit) {
  if (unit === "s") return seconds(value);
  const name = unit.replace(/[{}]/g, "");
  return `${short.format(value)}${name && name !== "1" ? ` ${name}` : ""}`;
}

export const clock = (epoch) => new Date(epoch * 1000).toLocaleTimeString([], { hour12: false });

export const plural = (n, thing, more = `${thing}s`) => `${count(n)} ${n === 1 ? thing : more}`;
