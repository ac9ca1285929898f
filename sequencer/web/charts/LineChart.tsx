/** A chart of lines over one axis, in the page's colours. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  readonly label: string;
  /** A CSS variable's name. */
  readonly colour: string;
  readonly isDashed?: boolean;
  readonly hasPoints?: boolean;
  readonly values: readonly (number | null)[];
}

interface LineChartProps {
  /** What the picture shows, for those who do not see it. */
  readonly label: string;
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly marks?: readonly { readonly at: number; readonly colour: string }[];
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
  readonly hasZero?: boolean;
}

const HEIGHT = 260;

export function LineChart(props: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { x, lines } = props;
  const shape = lines.map(({ label, colour, isDashed }) => `${label}|${colour}|${isDashed}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew where the lines are others
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const make = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(
        optionsOf(latest, current.clientWidth),
        dataOf(latest.current),
        current,
      );
    };
    make();
    const resize = new ResizeObserver(() => {
      chart.current?.setSize({ width: current.clientWidth, height: HEIGHT });
    });
    resize.observe(current);
    // Colours are read when the chart is made.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const theme = new MutationObserver(make);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resize.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", make);
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the values, and what marks them
  useEffect(() => {
    chart.current?.setData(dataOf(latest.current));
  }, [x, lines]);
  return (
    <figure className="chart" aria-label={props.label}>
      <div ref={box} />
      <figcaption>
        {lines.map(({ label, colour, isDashed }) => (
          <span key={label} className={isDashed ? "dashed" : undefined}>
            <i style={{ background: `var(${colour})` }} />
            {label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function dataOf({ x, lines }: LineChartProps): uPlot.AlignedData {
  return [[...x], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
}

let probe: HTMLElement | undefined;

/** A canvas knows neither `var()` nor `light-dark()`: what the page makes of them now. */
function colour(name: string): string {
  if (probe === undefined) {
    probe = document.body.appendChild(document.createElement("i"));
    probe.hidden = true;
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

type Latest = { readonly current: LineChartProps };

function optionsOf(latest: Latest, width: number): uPlot.Options {
  const { lines } = latest.current;
  const axis = {
    stroke: colour("--dim"),
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    ...{ width, height: HEIGHT },
    legend: { show: false },
    cursor: { points: { show: true }, drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis,
        size: 30,
        values: (_, ticks) => ticks.map((value) => latest.current.xText(value)),
      },
      {
        ...axis,
        size: 62,
        values: (_, ticks) => ticks.map((value) => latest.current.yText(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name, isDashed = false, hasPoints = false }) => ({
        ...{ label, stroke: colour(name), width: isDashed ? 1.5 : 2 },
        ...(isDashed ? { dash: [5, 4] } : {}),
        points: { show: hasPoints, size: 6 },
        spanGaps: true,
      })),
    ],
    hooks: { draw: [(chart) => drawMarks(chart, latest.current)] },
  };
}

function drawMarks(chart: uPlot, { marks = [], hasZero }: LineChartProps): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  const line = (x0: number, y0: number, x1: number, y1: number): void => {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  };
  if (hasZero === true) {
    const y = chart.valToPos(0, "y", true);
    ctx.strokeStyle = colour("--dim");
    if (y > bbox.top && y < bbox.top + bbox.height) line(bbox.left, y, bbox.left + bbox.width, y);
  }
  for (const { at, colour: name } of marks) {
    const x = chart.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(name);
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    line(x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}
