/** Edits of what is not a table: each undoes itself. */
import type { StateView } from "../engine/stateView.ts";
import type { Carry, Ranking, Series } from "../protocol/state.ts";
import type { Journal } from "./journal.ts";

export interface Scalars {
  series: readonly Series[];
  listings: number;
  nextSeq: number;
  carry: Carry | undefined;
  fees: number;
  ranking: Ranking | undefined;
}

export type ScalarEdits = Pick<
  StateView,
  "editSeries" | "addHolders" | "setNextSeq" | "setCarry" | "setFees" | "setRanking"
>;

export function createScalarEdits(parts: Scalars, journal: Journal): ScalarEdits {
  const recordSlot = journal.recorder<number>((slot) => {
    const before = { ...parts.series[slot]! };
    return () => {
      parts.series = parts.series.with(slot, before);
      parts.listings += 1;
    };
  });

  function seriesOf(slot: number): Series {
    const series = parts.series[slot];
    if (series !== undefined) return series;
    throw new RangeError(`\`slot\` must be below ${parts.series.length}. Got \`${slot}\`.`);
  }

  function takeHolders(_: undefined, slot: number, difference: number): void {
    seriesOf(slot).holders -= difference;
  }

  function putCarry(carry: Carry | undefined): void {
    parts.carry = carry;
  }

  function putRanking(ranking: Ranking | undefined): void {
    parts.ranking = ranking;
  }

  function putFees(_: undefined, __: number, fees: number): void {
    parts.fees = fees;
  }

  function putSeq(_: undefined, __: number, seq: number): void {
    parts.nextSeq = seq;
  }

  // What a span begins with is what an undo ends with; fills change these again and again.
  let [feesSpan, carrySpan] = [0, 0];

  function noteFees(): void {
    if (!journal.isRecording() || feesSpan === journal.span()) return;
    feesSpan = journal.span();
    journal.note(putFees, undefined, 0, parts.fees);
  }

  function noteCarry(): void {
    if (!journal.isRecording() || carrySpan === journal.span()) return;
    carrySpan = journal.span();
    journal.note(putCarry, parts.carry, 0, 0);
  }

  return {
    editSeries(slot) {
      const series = seriesOf(slot);
      recordSlot(slot);
      parts.listings += 1;
      return series;
    },
    addHolders(slot, difference) {
      seriesOf(slot).holders += difference;
      if (journal.isRecording()) journal.note(takeHolders, undefined, slot, difference);
    },
    setNextSeq(seq) {
      if (journal.isRecording()) journal.note(putSeq, undefined, 0, parts.nextSeq);
      parts.nextSeq = seq;
    },
    setCarry(carry) {
      if (carry === parts.carry) return;
      noteCarry();
      parts.carry = carry;
    },
    setFees(fees) {
      noteFees();
      parts.fees = fees;
    },
    setRanking(ranking) {
      if (journal.isRecording()) journal.note(putRanking, parts.ranking, 0, 0);
      parts.ranking = ranking;
    },
  };
}
