/** Line charts as SVG text: enough for a report, without a library. */

export interface Line {
  readonly name: string;
  readonly colour: string;
  /** Drawn as steps: the value holds until the next point. */
  readonly isStepped?: boolean;
  readonly values: readonly number[];
}

/** `times` in unix ms, ascending, one for each value of every line. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}

const WIDTH = 860;
const HEIGHT = 260;
const LEFT = 80;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 34;
const TICKS = 5;
const DAY_MS = 86_400_000;

interface Scale {
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

/** An `<svg>` element with axes, one mark for each day, and a legend. */
export function lineChart(chart: Chart): string {
  const { title, unit, times, lines } = chart;
  const [low, high] = bounds(lines.flatMap(({ values }) => [...values]));
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1];
  const scale: Scale = {
    x: (time) => LEFT + ((time - first) / Math.max(last - first, 1)) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM),
  };
  const parts = [
    `<text x="${LEFT}" y="18" class="title">${escapeText(title)} (${escapeText(unit)})</text>`,
    ...legend(lines),
    ...valueAxis(scale, low, high),
    ...dayAxis(scale, first, last),
    ...lines.map((line) => path(line, times, scale)),
  ];
  const box = `viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box}>${STYLE}${parts.join("")}</svg>`;
}

const STYLE =
  "<style>text{font:11px sans-serif;fill:#555}.title{font-size:13px;fill:#111}" +
  "line{stroke:#ddd}path{fill:none;stroke-width:1.6}rect{fill:#fff}</style>" +
  `<rect width="${WIDTH}" height="${HEIGHT}"/>`;

function bounds(values: readonly number[]): [number, number] {
  let [low, high] = [0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  // A price chart that began at 0 would show nothing of the move.
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (least > high / 3) low = least - (high - least) * 0.1;
  return high > low ? [low, high] : [low, low + 1];
}

function legend(lines: readonly Line[]): string[] {
  return lines.map(({ name, colour }, index) => {
    const x = LEFT + index * 170;
    return (
      `<rect x="${x}" y="26" width="10" height="3" style="fill:${colour}"/>` +
      `<text x="${x + 14}" y="31">${escapeText(name)}</text>`
    );
  });
}

function valueAxis({ y }: Scale, low: number, high: number): string[] {
  return Array.from({ length: TICKS + 1 }, (_, index) => {
    const value = low + ((high - low) * index) / TICKS;
    const at = y(value).toFixed(1);
    return (
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>` +
      `<text x="${LEFT - 6}" y="${at}" text-anchor="end" dy="4">${shortNumber(value)}</text>`
    );
  });
}

function dayAxis({ x }: Scale, first: number, last: number): string[] {
  const marks: string[] = [];
  for (let day = Math.ceil(first / DAY_MS) * DAY_MS; day <= last; day += DAY_MS) {
    const at = x(day).toFixed(1);
    const label = new Date(day).toISOString().slice(5, 10);
    marks.push(
      `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
        `<text x="${at}" y="${HEIGHT - 14}" text-anchor="middle">${label}</text>`,
    );
  }
  return marks;
}

function path({ values, colour, isStepped }: Line, times: readonly number[], scale: Scale): string {
  const points = values.map((value, index) => {
    const at = `${scale.x(times[index] as number).toFixed(1)}`;
    const height = scale.y(value).toFixed(1);
    if (index === 0) return `M${at},${height}`;
    return isStepped ? `H${at}V${height}` : `L${at},${height}`;
  });
  return `<path d="${points.join("")}" style="stroke:${colour}"/>`;
}

/** 1,234,567 as 1.23M. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(0)}k`;
  return Number.isInteger(value) ? String(value) : value.toFixed(size < 10 ? 2 : 0);
}

function escapeText(text: string): string {
  return text.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
