// A strict reader of Prometheus' text format 0.0.4: everything that the format demands and a lenient
// reader would let pass is an error here. (`promtool check metrics` says the same of it.)

export interface ParsedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedMetric {
  readonly help: string;
  readonly type: string;
  /** By the name of the sample: of a histogram, with its suffix. */
  readonly series: Readonly<Record<string, readonly ParsedSeries[]>>;
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/s;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

const UNESCAPED: Readonly<Record<string, string>> = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

const unescaped = (text: string): string =>
  text.replace(/\\[\\"n]/g, (escape) => UNESCAPED[escape] ?? "");

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const at = LABEL.lastIndex;
    const [, name = "", value = ""] = LABEL.exec(text) ?? [];
    if (name === "") throw new Error(`no label at ${at} of ${text}`);
    if (Object.hasOwn(labels, name)) throw new Error(`${name} stands twice in ${text}`);
    labels[name] = unescaped(value);
  }
  return labels;
}

const numberIn = (text: string): number =>
  text.endsWith("Inf") ? Number(`${text[0] === "-" ? "-" : ""}Infinity`) : Number(text);

/** Two series with the same labels are one, in whatever order they name them. */
const keyOf = ({ labels }: ParsedSeries): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** @throws Error for what is not in the format */
export function parseExposition(text: string): Readonly<Record<string, ParsedMetric>> {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  const metrics: Record<
    string,
    { help: string; type: string; series: Record<string, ParsedSeries[]> }
  > = {};
  let current = "";
  let typed = false;
  for (const line of text.split("\n").slice(0, -1)) {
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    const sample = SAMPLE.exec(line);
    if (help !== null) {
      const [, name = "", words = ""] = help;
      if (Object.hasOwn(metrics, name)) throw new Error(`${name} is described twice`);
      if (current !== "" && Object.keys(metrics[current]?.series ?? {}).length === 0) {
        throw new Error(`${current} has no sample`);
      }
      metrics[name] = { help: words, type: "", series: {} };
      current = name;
      typed = false;
    } else if (type !== null) {
      const [, name = "", kind = ""] = type;
      const metric = metrics[name];
      if (name !== current || typed || metric === undefined)
        throw new Error(`out of place: ${line}`);
      metric.type = kind;
      typed = true;
    } else if (sample !== null) {
      const [, name = "", labels = "", value = ""] = sample;
      const metric = metrics[current];
      if (metric === undefined || !typed) throw new Error(`out of place: ${line}`);
      const suffixes = metric.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!suffixes.some((suffix) => name === current + suffix))
        throw new Error(`not here: ${line}`);
      const series = (metric.series[name] ??= []);
      const parsed = { labels: labelsIn(labels), value: numberIn(value) };
      const key = keyOf(parsed);
      if (series.some((one) => keyOf(one) === key)) {
        throw new Error(`the series is there twice: ${line}`);
      }
      if (metric.type !== "gauge" && !(parsed.value >= 0))
        throw new Error(`below nothing: ${line}`);
      series.push(parsed);
    } else {
      throw new Error(`not in the format: ${line}`);
    }
  }
  for (const [name, { type, series }] of Object.entries(metrics)) {
    if (type === "histogram") checkHistogram(name, series);
  }
  return metrics;
}

function checkHistogram(name: string, series: Record<string, ParsedSeries[]>): void {
  const buckets = (series[`${name}_bucket`] ?? []).map(({ labels, value }) => ({
    le: numberIn(labels["le"] ?? "none"),
    value,
  }));
  const last = buckets.at(-1);
  const count = series[`${name}_count`]?.[0]?.value;
  const ordered = buckets.every(
    ({ le, value }, at) =>
      at === 0 || (le > (buckets[at - 1]?.le ?? 0) && value >= (buckets[at - 1]?.value ?? 0)),
  );
  if (!ordered) throw new Error(`${name}'s buckets do not add up`);
  if (last?.le !== Infinity || last.value !== count) throw new Error(`${name} is not whole`);
  if (series[`${name}_sum`]?.length !== 1) throw new Error(`${name} has no sum`);
}
