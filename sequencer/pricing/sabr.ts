/**
 * The SABR smile: Black volatility of `dF = a F^beta dW`, `da = nu a dZ`, `dW dZ = rho dt`, in the
 * expansion of P. Hagan, D. Kumar, A. Lesniewski and D. Woodward, "Managing smile risk", Wilmott
 * magazine, 2002 (equation 2.17a), or with the leading order corrected by J. Obloj, "Fine-tune
 * your smile", 2008, which is consistent as beta goes to 1 and less arbitrageable at low strikes.
 */
import { minimise } from "./levenbergMarquardt.ts";

/** `alpha > 0`, `0 <= beta <= 1`, `nu >= 0`, `|rho| < 1`. */
export interface SabrParameters {
  readonly alpha: number;
  readonly beta: number;
  readonly nu: number;
  readonly rho: number;
}

/** Which expansion. */
export type SabrForm = "hagan" | "obloj";

export interface SabrQuote {
  readonly strike: number;
  readonly volatility: number;
  readonly weight?: number;
}

export interface SabrFit extends SabrParameters {
  /** Root mean square of the weighted errors of volatility. */
  readonly error: number;
  readonly converged: boolean;
}

const RHO_MAX = 0.9999;
const NU_MAX = 20;
const RHO_STARTS = [-0.4, 0, 0.4] as const;
const NU_STARTS = [0.3, 1.2] as const;
/** Below this z the ratio `z / x(z)` is its series. */
const Z_SMALL = 1e-4;

/** Black volatility as a fraction for one year. Forward and strike above 0. */
export function sabrVolatility(
  parameters: SabrParameters,
  forward: number,
  strike: number,
  years: number,
  form: SabrForm = "hagan",
): number {
  const { alpha, beta, nu, rho } = parameters;
  const lift = 1 - beta;
  const root = (forward * strike) ** (lift / 2);
  const logMoneyness = Math.log(forward / strike);
  const time = timeCorrection(parameters, root) * years + 1;
  if (form === "hagan") {
    const square = (lift * logMoneyness) ** 2;
    const z = (nu / alpha) * root * logMoneyness;
    const level = alpha / (root * (1 + square / 24 + (square * square) / 1920));
    return level * zOverX(z, rho) * time;
  }
  // The distance between forward and strike in units of the local volatility F^beta.
  const exponent = lift * logMoneyness;
  const distance =
    Math.abs(exponent) < 1e-12
      ? logMoneyness * strike ** lift
      : (strike ** lift * Math.expm1(exponent)) / lift;
  const ratio = distance === 0 ? forward ** -lift : logMoneyness / distance;
  return alpha * ratio * zOverX((nu / alpha) * distance, rho) * time;
}

/** The bracket of order T in equation 2.17a. */
function timeCorrection({ alpha, beta, nu, rho }: SabrParameters, root: number): number {
  const level = alpha / root;
  return (
    ((1 - beta) * level) ** 2 / 24 +
    (rho * beta * nu * level) / 4 +
    ((2 - 3 * rho * rho) * nu * nu) / 24
  );
}

/** `z / x(z)`, `x(z) = ln((sqrt(1 - 2 rho z + z^2) + z - rho) / (1 - rho))`. */
function zOverX(z: number, rho: number): number {
  if (Math.abs(z) < Z_SMALL) {
    const second = (2 - 3 * rho * rho) / 12;
    return 1 - (rho * z) / 2 + second * z * z;
  }
  const root = Math.sqrt(1 - 2 * rho * z + z * z);
  // For z far below 0 the sum cancels; x(z; rho) = -x(-z; -rho) does not.
  const x =
    z > 0 ? Math.log1p((root - 1 + z) / (1 - rho)) : -Math.log1p((root - 1 - z) / (1 + rho));
  return z / x;
}

/**
 * Alpha, rho and nu for a given beta by least squares from several starts, alpha beginning at the
 * quote nearest the money. At least three quotes with positive strike and volatility.
 */
export function fitSabr(
  quotes: readonly SabrQuote[],
  market: { readonly forward: number; readonly years: number },
  beta: number,
  form: SabrForm = "hagan",
): SabrFit {
  const { forward, years } = market;
  if (quotes.length < 3) {
    throw new RangeError(`\`${quotes.length}\` quotes do not determine SABR; at least 3 do`);
  }
  const unpack = ([logAlpha = 0, rho = 0, nu = 0]: readonly number[]): SabrParameters => {
    return { alpha: Math.exp(logAlpha), beta, nu, rho };
  };
  const residuals = (point: readonly number[]) => {
    const parameters = unpack(point);
    return quotes.map(({ strike, volatility, weight }) => {
      return (
        (weight ?? 1) * (sabrVolatility(parameters, forward, strike, years, form) - volatility)
      );
    });
  };
  const level = Math.log(nearest(quotes, forward).volatility * forward ** (1 - beta));
  let best: ReturnType<typeof minimise> | undefined;
  for (const rho of RHO_STARTS) {
    for (const nu of NU_STARTS) {
      const fit = minimise({
        residuals,
        start: [level, rho, nu / Math.sqrt(Math.max(years, 0.1))],
        lower: [level - 5, -RHO_MAX, 0],
        upper: [level + 5, RHO_MAX, NU_MAX],
      });
      if (!best || fit.cost < best.cost) best = fit;
    }
  }
  const { point, cost, converged } = best!;
  return { ...unpack(point), error: Math.sqrt(cost / quotes.length), converged };
}

function nearest(quotes: readonly SabrQuote[], forward: number): SabrQuote {
  return quotes.reduce((best, quote) =>
    Math.abs(quote.strike - forward) < Math.abs(best.strike - forward) ? quote : best,
  );
}
