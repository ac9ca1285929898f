/**
 * Implied volatilities per second from a made-up chain (moneyness 0.67 to 1.5, 1 to 180 days,
 * volatility 20 to 140 %), beside two packages on npm that invert the Black-Scholes formula:
 * `@uqee/black-scholes`, which tabulates the normal distribution to be fast, and
 * `implied-volatility`, which is right to the cent. Both with their own defaults. Misses are
 * counted, since speed without them would say nothing.
 */
import { createRequire } from "node:module";
import { BlackScholes } from "@uqee/black-scholes";
import { blackPrice } from "../../../sequencer/pricing/black76.ts";
import { impliedVolatility } from "../../../sequencer/pricing/impliedVolatility.ts";
import type { BenchLine } from "../benchLine.ts";
import { itemsPerSecond } from "./throughput.ts";

const QUOTES = 20_000;
/** `implied-volatility` is some hundred times slower. */
const QUOTES_SLOW = 200;
const FORWARD = 2500;
/** An error above this, one volatility point, is a miss. */
const MISS = 0.01;

interface Quote {
  readonly isCall: boolean;
  readonly forward: number;
  readonly strike: number;
  readonly yearsToExpiry: number;
  readonly volatility: number;
  readonly price: number;
}

type Solver = (quote: Quote) => number;

/** The package has no types. */
interface ImpliedVolatilityPackage {
  getImpliedVolatility(
    price: number,
    spot: number,
    strike: number,
    years: number,
    rate: number,
    kind: "call" | "put",
  ): number;
}

export function impliedVolatilityLines(): BenchLine[] {
  const quotes = chain(QUOTES);
  return [
    compare("risk.impliedVolatilities", quotes, "@uqee/black-scholes@1.0.7", uqeeSolver()),
    compare(
      "risk.impliedVolatilities.toTheCent",
      quotes.slice(0, QUOTES_SLOW),
      "implied-volatility@1.0.0",
      loppattoSolver(),
    ),
  ];
}

function compare(name: string, quotes: readonly Quote[], peer: string, solver: Solver): BenchLine {
  const [value = 0, peerValue = 0] = itemsPerSecond(
    [ourSolver, solver].map((solve) => ({ run: () => total(solve, quotes), items: quotes.length })),
  );
  const ours = accuracy(ourSolver, quotes);
  const theirs = accuracy(solver, quotes);
  const note = `${describe(ours)}; peer: ${describe(theirs)} of ${quotes.length}`;
  return {
    name,
    value,
    unit: "1/s",
    better: "higher",
    peer,
    peerValue,
    ratio: value / peerValue,
    note,
  };
}

function total(solve: Solver, quotes: readonly Quote[]): number {
  let sum = 0;
  for (const quote of quotes) sum += solve(quote);
  return sum;
}

interface Accuracy {
  readonly worst: number;
  readonly misses: number;
}

function describe({ worst, misses }: Accuracy): string {
  return `worst error ${worst.toExponential(1)}, misses ${misses}`;
}

function accuracy(solve: Solver, quotes: readonly Quote[]): Accuracy {
  let worst = 0;
  let misses = 0;
  for (const quote of quotes) {
    const error = Math.abs(solve(quote) - quote.volatility);
    if (!(error <= MISS)) misses++;
    worst = Math.max(worst, error);
  }
  return { worst, misses };
}

const ourSolver: Solver = (quote) => impliedVolatility(quote) ?? Number.POSITIVE_INFINITY;

function uqeeSolver(): Solver {
  const model = new BlackScholes();
  return ({ isCall, forward, strike, yearsToExpiry, price }) => {
    const type = isCall ? "call" : "put";
    return model.sigma({ price, rate: 0, strike, time: yearsToExpiry, type, underlying: forward });
  };
}

function loppattoSolver(): Solver {
  const require = createRequire(import.meta.url);
  const { getImpliedVolatility } = require("implied-volatility") as ImpliedVolatilityPackage;
  return ({ isCall, forward, strike, yearsToExpiry, price }) =>
    getImpliedVolatility(price, forward, strike, yearsToExpiry, 0, isCall ? "call" : "put");
}

/** Out-of-the-money quotes worth at least a tick of 0.1, the same in every run. */
function chain(count: number): Quote[] {
  let state = 1;
  const uniform = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const quotes: Quote[] = [];
  while (quotes.length < count) {
    const strike = 25 * Math.round((FORWARD / 25) * Math.exp((uniform() - 0.5) * 0.8));
    const yearsToExpiry = (1 + 179 * uniform()) / 365;
    const volatility = 0.2 + 1.2 * uniform();
    const terms = { isCall: strike >= FORWARD, forward: FORWARD, strike, yearsToExpiry };
    const price = blackPrice({ ...terms, volatility });
    if (price >= 0.1) quotes.push({ ...terms, volatility, price });
  }
  return quotes;
}
