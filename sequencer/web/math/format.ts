/** Numbers and times as the screens show them: the same width where they stand below each other. */

const MINUS = "\u2212";
export const NONE = "\u2013";

/** By hand: the platform's own formatting takes a hundred times as long. */
function fixed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.length > 3 ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole;
  const shown = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  const isZero = !/[1-9]/.test(text);
  return value < 0 && !isZero ? MINUS + shown : shown;
}

/** Decimals that a step of this size needs: 0.05 has two. */
export function digitsOf(step: number): number {
  for (let digits = 0; digits < 9; digits++) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-9) return digits;
  }
  return 9;
}

export function number(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? NONE
    : fixed(value, digits);
}

/** With a plus where it is above 0. */
export function signed(value: number | null | undefined, digits: number): string {
  if (value === Number.POSITIVE_INFINITY) return "unlimited";
  if (value === Number.NEGATIVE_INFINITY) return "unlimited";
  const text = number(value, digits);
  return (value ?? 0) > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** Volatilities come in percent. */
export function percent(value: number | null | undefined, digits = 1): string {
  const text = number(value, digits);
  return text === NONE ? text : `${text}%`;
}

const DAY_MS = 86_400_000;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const two = (value: number): string => String(value).padStart(2, "0");

/** `25 Dec 26`, and the time where it is not 08:00 UTC, as everything expires by default. */
export function expiryLabel(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${two(at.getUTCFullYear() % 100)}`;
  const isUsual = at.getUTCHours() === 8 && at.getUTCMinutes() === 0;
  return isUsual ? day : `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** `6d 4h`, `3h 12m`, `9m`. */
export function remaining(ms: number): string {
  if (ms <= 0) return "expired";
  const [days, hours, minutes] = [
    Math.floor(ms / DAY_MS),
    Math.floor(ms / 3_600_000) % 24,
    Math.floor(ms / 60_000) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  return hours > 0 ? `${hours}h ${minutes}m` : `${minutes}m`;
}

/** Of the visitor's day. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function shortHex(text: string, kept = 6): string {
  return text.length <= 2 * kept + 3 ? text : `${text.slice(0, kept)}\u2026${text.slice(-4)}`;
}
