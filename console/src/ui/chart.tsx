import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { largest, type Series, stacked } from "./stacked.ts";
import { useScheme } from "./theme.ts";

const HEIGHT = 220;

/** People cannot tell more colours apart, so the rest is drawn as one series. */
const MOST_SERIES = 7;

interface ChartProps {
  readonly label: string;
  /** The names of the places on the x axis. */
  readonly places: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

/** Stacked bars with a legend below, and a table of the same figures for people who cannot see them. */
export function StackedBars({ label, places, series, format }: ChartProps) {
  const shown = largest(series, MOST_SERIES);
  const [at, setAt] = useState<number | null>(null);
  const valueOf = ({ values }: Series) =>
    at === null ? values.reduce((sum, value) => sum + value, 0) : (values[at] ?? 0);
  return (
    <figure class="chart">
      <Canvas label={label} places={places} series={shown} format={format} onPlace={setAt} />
      <figcaption>
        <p class="chart-at">{at === null ? "All shown" : (places[at] ?? "")}</p>
        <ul class="legend">
          {shown.map((one, n) => (
            <li key={one.key}>
              <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                <rect class={`series-${n + 1}`} width="10" height="10" rx="2" />
              </svg>
              {one.label} <b>{format(valueOf(one))}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <details class="chart-table">
        <summary>Show as a table</summary>
        <div class="table-frame" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">When</th>
                {shown.map((one) => (
                  <th key={one.key} scope="col" class="end">
                    {one.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {places.map((place, row) => (
                <tr key={place}>
                  <th scope="row">{place}</th>
                  {shown.map((one) => (
                    <td key={one.key} class="end">
                      {format(one.values[row] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

interface CanvasProps extends ChartProps {
  readonly onPlace: (at: number | null) => void;
}

function Canvas({ label, places, series, format, onPlace }: CanvasProps) {
  const holder = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  const drawn = JSON.stringify([places, series]);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const plot = new uPlot(
      optionsFor({ width: element.clientWidth, places, series, format, onPlace }),
      [places.map((_, at) => at), ...stacked(series).map(heights)],
      element,
    );
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [drawn, scheme]);
  return <div ref={holder} class="chart-canvas" role="img" aria-label={label} />;
}

/** A bar of height 0 would still draw its edge over the axis. */
const heights = (values: readonly number[]) => values.map((value) => (value === 0 ? null : value));

interface Drawing extends Omit<CanvasProps, "label"> {
  readonly width: number;
}

function optionsFor({ width, places, series, format, onPlace }: Drawing): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => resolvedColour(style.getPropertyValue(name));
  const bars = uPlot.paths.bars?.({ size: [0.72, 36], radius: 0.12 });
  const axis = {
    stroke: colour("--text-soft"),
    font: `13px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [-0.5, places.length - 0.5] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 34,
        grid: { show: false },
        splits: () => everyFew(places.length, Math.max(2, Math.floor(width / 90))),
        values: (_, at) => at.map((place) => places[place] ?? ""),
      },
      { ...axis, size: 64, values: (_, values) => values.map(format) },
    ],
    series: [
      {},
      ...series
        .map((_, at) => ({
          fill: colour(`--series-${at + 1}`),
          stroke: colour("--panel"),
          width: 1,
          points: { show: false },
          ...(bars !== undefined && { paths: bars }),
        }))
        .toReversed(),
    ],
    hooks: { setCursor: [({ cursor }) => onPlace(cursor.idx ?? null)] },
  };
}

const everyFew = (length: number, most: number): number[] => {
  const step = Math.max(1, Math.ceil(length / most));
  return Array.from({ length: Math.ceil(length / step) }, (_, n) => n * step);
};

/** A canvas does not know `light-dark()`. So the colour is read from the style of an element. */
function resolvedColour(value: string): string {
  const probe = document.createElement("span");
  probe.style.color = value;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
