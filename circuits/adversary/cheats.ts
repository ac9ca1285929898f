/**
 * Witnesses that differ from an honest one by a hint or two, or by an input, everything after it
 * computed again. Most are refused; which constraints do it is what one learns from them.
 */
import { alternativesTo } from "./alternatives.ts";
import type { SignalValues } from "./calculator.ts";
import { reduce } from "./field.ts";
import { changedInputs } from "./inputs.ts";
import type { Overrides, Target } from "./target.ts";

export interface Cheat {
  readonly killer: "hint" | "input";
  /** Undefined where it cannot be computed. */
  readonly witness: readonly bigint[] | undefined;
}

/** Of inputs that the circuit takes; the likeliest first. */
export function* cheats(
  target: Target,
  inputs: SignalValues,
  random: () => number,
): Generator<Cheat> {
  const { calls } = target.run(inputs);
  const { prime } = target.r1cs;
  const run = (overrides: Overrides) => ({
    killer: "hint" as const,
    witness: target.attempt(inputs, overrides)?.witness,
  });
  for (const [call, { site, value }] of calls.entries()) {
    yield run(new Map([[call, reduce(1n - value, prime)]]));
    // Two bits of a sum that stays as it is, one of them no bit any more.
    for (const [neighbour, weight] of [
      [call + 1, 2n],
      [call - 1, (prime + 1n) / 2n],
    ] as const) {
      const other = calls[neighbour];
      if (other?.site !== site || other.value > 1n) continue;
      const step = 1n - 2n * other.value;
      yield run(
        new Map([
          [neighbour, other.value + step],
          [call, reduce(value - weight * step, prime)],
        ]),
      );
    }
  }
  // One of several places chosen: another one.
  for (const [call, { site, value }] of calls.entries()) {
    if (value !== 0n) continue;
    const chosen = calls.findIndex((each) => each.site === site && each.value === 1n);
    if (chosen < 0) continue;
    yield run(
      new Map([
        [call, 1n],
        [chosen, 0n],
      ]),
    );
  }
  for (const changed of changedInputs(inputs, prime)) {
    yield { killer: "input", witness: target.attempt(changed)?.witness };
  }
  for (const [call, { value }] of calls.entries()) {
    for (const to of alternativesTo(value, prime, random)) yield run(new Map([[call, to]]));
  }
}
