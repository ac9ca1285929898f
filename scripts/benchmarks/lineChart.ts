/** A picture of a few lines over logarithmic axes, as SVG that any page shows. */

export interface ChartLine {
  readonly name: string;
  /** A CSS colour. */
  readonly color: string;
  readonly isDashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly ChartLine[];
}

const [WIDTH, HEIGHT] = [720, 360];
const MARGIN = { left: 64, right: 170, top: 36, bottom: 48 } as const;
const STEPS = [1, 2, 5];

interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Both axes are logarithmic: values must be above 0. Throws RangeError without any. */
export function lineChart({ title, xTitle, yTitle, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) throw new RangeError("`lines` must have points.");
  const x = axis(
    points.map(([value]) => value),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const y = axis(
    points.map(([, value]) => value),
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  );
  const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<g font-family="sans-serif" font-size="12" fill="#333333">`,
    text(title, { x: MARGIN.left, y: 20, extra: 'font-size="14" font-weight="bold"' }),
    ...x.ticks.map((tick) => verticalTick(tick, x.place(tick), bottom)),
    ...y.ticks.map((tick) => horizontalTick(tick, y.place(tick), right)),
    text(xTitle, { x: (MARGIN.left + right) / 2, y: HEIGHT - 8, anchor: "middle" }),
    text(yTitle, {
      ...{ x: 16, y: (MARGIN.top + bottom) / 2, anchor: "middle" },
      extra: `transform="rotate(-90 16 ${(MARGIN.top + bottom) / 2})"`,
    }),
    ...lines.map((line, index) => lineText(line, { x, y, index })),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** From the last 1, 2 or 5 times a power of ten below the values to the first above them. */
function axis(values: readonly number[], [from, to]: readonly [number, number]): Axis {
  const steps: number[] = [];
  for (let power = -3; power <= 7; power++) {
    for (const step of STEPS) steps.push(Number((step * 10 ** power).toPrecision(1)));
  }
  const least = steps.findLast((step) => step <= Math.min(...values)) ?? steps[0]!;
  const most = steps.find((step) => step >= Math.max(...values) && step > least) ?? steps.at(-1)!;
  const span = Math.log(most / least);
  return {
    ticks: steps.filter((step) => step >= least && step <= most),
    place: (value) => from + ((to - from) * Math.log(value / least)) / span,
  };
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly anchor?: string;
  readonly extra?: string;
}

function text(content: string, { x, y, anchor = "start", extra = "" }: Place): string {
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"`;
  return `<text ${place} ${extra}>${content}</text>`;
}

function verticalTick(tick: number, x: number, bottom: number): string {
  const line = `<path d="M${x.toFixed(1)} ${MARGIN.top}V${bottom}" stroke="#dddddd"/>`;
  return line + text(shown(tick), { x, y: bottom + 16, anchor: "middle" });
}

function horizontalTick(tick: number, y: number, right: number): string {
  const line = `<path d="M${MARGIN.left} ${y.toFixed(1)}H${right}" stroke="#dddddd"/>`;
  return line + text(shown(tick), { x: MARGIN.left - 6, y: y + 4, anchor: "end" });
}

function lineText(
  { name, color, isDashed = false, points }: ChartLine,
  { x, y, index }: { readonly x: Axis; readonly y: Axis; readonly index: number },
): string {
  const places = points.map(([at, value]) => [x.place(at), y.place(value)] as const);
  const path = places.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join("L");
  const dash = isDashed ? ' stroke-dasharray="5 4"' : "";
  const style = `fill="none" stroke="${color}" stroke-width="2"${dash}`;
  const dots = places.map(
    ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${color}"/>`,
  );
  const legend = { x: WIDTH - MARGIN.right + 16, y: MARGIN.top + 12 + 20 * index };
  const sample = `M${legend.x} ${legend.y - 4}h24`;
  return [
    `<path d="M${path}" ${style}/>`,
    ...dots,
    `<path d="${sample}" ${style}/>`,
    text(name, { x: legend.x + 30, y: legend.y }),
  ].join("");
}

/** Long numbers, as 500K, would touch one another on an axis. */
const COMPACT_FROM = 100_000;

function shown(value: number): string {
  const notation = value < COMPACT_FROM ? "standard" : "compact";
  return value.toLocaleString("en", { maximumFractionDigits: 3, notation });
}
