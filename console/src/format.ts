// Formats amounts and times for people. Days are UTC days, so times are shown in UTC too.

const MICRO = 1_000_000;

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const three = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const six = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

export const count = (n: number): string => whole.format(n);

/** `1 tenant`, `2,000 tenants`. */
export const counted = (n: number, one: string): string =>
  `${count(n)} ${one}${n === 1 ? "" : "s"}`;

/** Micro-neurons as neurons: exact below 1, to the thousandth below 10,000, whole from there on. */
export function neurons(microNeurons: number): string {
  const n = microNeurons / MICRO;
  const format = Math.abs(n) >= 10_000 ? whole : Math.abs(n) >= 1 ? three : six;
  return format.format(n);
}

/** Exact to the micro-neuron, for titles. */
export const exactNeurons = (microNeurons: number): string =>
  `${six.format(microNeurons / MICRO)} neurons`;

/** Rounds an exact decimal string: to three significant places below a dollar, else to the cent. */
export function usd(amount: string): string {
  const n = Number(amount);
  if (n === 0) return "$0.00";
  if (Math.abs(n) >= 0.995) return `$${n.toFixed(2)}`;
  const places = Math.max(2, Math.min(10, 2 - Math.floor(Math.log10(Math.abs(n)))));
  return `$${n.toFixed(places).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

export const percent = (part: number, whole_: number): string =>
  whole_ <= 0 ? "0 %" : `${three.format(Math.round((part / whole_) * 1000) / 10)} %`;

const pad = (n: number): string => String(n).padStart(2, "0");

export const day = (iso: string): string => iso.slice(0, 10);

/** The time of day in UTC: `14:03:27`. */
export const clock = (iso: string): string => iso.slice(11, 19);

/** The date and time in UTC: `2026-11-20 14:03:27`. */
export const moment = (iso: string): string => `${day(iso)} ${clock(iso)}`;

/** `in 3 h 12 min`, `2 min ago`, `now`. */
export function relative(iso: string, nowMs: number): string {
  const ms = Date.parse(iso) - nowMs;
  const words = duration(Math.abs(ms));
  if (Math.abs(ms) < 1000) return "now";
  return ms > 0 ? `in ${words}` : `${words} ago`;
}

/** The two largest units of a duration. */
export function duration(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Whole milliseconds, or a dash if nothing was measured. */
export const milliseconds = (ms: number | null | undefined): string =>
  ms == null ? "–" : `${whole.format(ms)} ms`;

/** `quota_exceeded` becomes `quota exceeded`. */
export const words = (tag: string): string => tag.replaceAll("_", " ");

/** The last part of a model's id: `llama-3.1-8b-instruct-fp8` of `@cf/meta/llama-3.1-8b-instruct-fp8`. */
export const shortModel = (id: string): string => id.split("/").at(-1) ?? id;

export const bytes = (n: number): string =>
  n < 1024
    ? `${n} B`
    : n < 1_048_576
      ? `${three.format(n / 1024)} kB`
      : `${three.format(n / 1_048_576)} MB`;

/** The UTC day that is `days` after the day of `nowMs`. */
export const dayFrom = (nowMs: number, days: number): string =>
  new Date(nowMs + days * 86_400_000).toISOString().slice(0, 10);
