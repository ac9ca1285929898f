/**
 * A volatility surface: one smile for each expiry, total variance linear in time between them
 * (Gatheral and Jacquier 2014, section 5.3). Evaluating it takes + - * / and square roots only:
 * the same bits on every machine.
 */
import { fitSsvi, ssviSmile, type VarianceQuote } from "./ssvi.ts";
import { calendarFault, type SmileFault, type SviSmile, smileFault, sviVariance } from "./svi.ts";
import { fitSmile, type SmileFit } from "./sviFit.ts";

export interface SurfaceSlice {
  readonly years: number;
  readonly smile: SviSmile;
}

/** The nearest expiry first. */
export type SviSurface = readonly SurfaceSlice[];

export type SurfaceFault =
  | ({ readonly slice: number } & SmileFault)
  /** Years are not positive and rising. */
  | { readonly slice: number; readonly fault: "years" }
  /** At log moneyness `at` the slice has less total variance than the one before. */
  | { readonly slice: number; readonly fault: "calendar"; readonly at: number };

/** What makes a surface unfit for use; `undefined` where its slices have no static arbitrage. */
export function surfaceFault(surface: SviSurface): SurfaceFault | undefined {
  for (const [slice, { years, smile }] of surface.entries()) {
    const before = surface[slice - 1];
    if (!(years > (before?.years ?? 0) && Number.isFinite(years))) return { slice, fault: "years" };
    const own = smileFault(smile);
    if (own !== undefined) return { slice, ...own };
    const at = before && calendarFault(before.smile, smile);
    if (at !== undefined) return { slice, fault: "calendar", at };
  }
  return undefined;
}

/**
 * Total variance at log moneyness k and `years` from now. Before the first expiry volatility is
 * that of the first, which keeps it free of arbitrage (g is concave in the factor); after the last
 * the whole smile rises with the last at-the-money variance for each year.
 */
export function surfaceVariance(surface: SviSurface, k: number, years: number): number {
  const index = surface.findIndex((slice) => slice.years >= years);
  const after = surface[index];
  if (index === 0 && after) return (sviVariance(after.smile, k) * years) / after.years;
  const before = surface[after ? index - 1 : surface.length - 1];
  if (!before) throw new RangeError("the surface has no slices; it needs at least one");
  const variance = sviVariance(before.smile, k);
  if (!after) {
    return variance + (sviVariance(before.smile, 0) * (years - before.years)) / before.years;
  }
  const share = (years - before.years) / (after.years - before.years);
  return variance + share * (sviVariance(after.smile, k) - variance);
}

/** The volatility, as a fraction for one year. */
export function surfaceVolatility(surface: SviSurface, k: number, years: number): number {
  return Math.sqrt(surfaceVariance(surface, k, years) / years);
}

export interface ExpiryQuotes {
  readonly years: number;
  readonly quotes: readonly VarianceQuote[];
}

export interface SurfaceFit {
  readonly surface: SviSurface;
  /** For each slice. */
  readonly errors: readonly number[];
  readonly kinds: readonly SmileFit["kind"][];
}

/**
 * Slice by slice, each above the one before; where a slice cannot be had without arbitrage, the
 * whole surface is SSVI. Expiries in rising order, each with at least one quote.
 */
export function fitSurface(expiries: readonly ExpiryQuotes[]): SurfaceFit {
  const fits: SmileFit[] = [];
  for (const { quotes } of expiries) fits.push(fitSmile(quotes, fits.at(-1)?.smile));
  const surface = expiries.map(({ years }, i) => ({ years, smile: fits[i]!.smile }));
  if (surfaceFault(surface) === undefined) {
    return {
      surface,
      errors: fits.map(({ error }) => error),
      kinds: fits.map(({ kind }) => kind),
    };
  }
  const ssvi = fitSsvi(expiries.map(({ quotes }) => quotes));
  return {
    surface: expiries.map(({ years }, i) => ({ years, smile: ssviSmile(ssvi, ssvi.thetas[i]!) })),
    errors: expiries.map(() => ssvi.error),
    kinds: expiries.map(() => "ssvi"),
  };
}
