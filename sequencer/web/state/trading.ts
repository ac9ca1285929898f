/** Whether new orders are taken, and if not, why: one answer for banner, light and ticket. */
import { PAUSE_REASONS, type PauseReason } from "../../protocol/trading.ts";
import { clock } from "../math/format.ts";
import { sentence } from "./errors.ts";
import type { LinkState, Platform } from "./venue.ts";

export interface Stop {
  readonly kind: "disconnected" | "frozen" | "halted" | "paused" | "cancelOnly" | "overloaded";
  /** In two or three words, without a full stop. */
  readonly title: string;
  /** What the trader can still do, and when it passes. */
  readonly text: string;
  /** It does not pass by itself. */
  readonly isLasting: boolean;
}

/** Undefined: orders are taken, or the node has not said yet. `now` is the node's clock (ms). */
export function stopOf(
  link: LinkState,
  platform: Platform | undefined,
  now: number,
): Stop | undefined {
  if (link.phase === "lost") {
    const text =
      `Prices are those of ${clock(link.since)}. Connecting again by itself; nothing that was ` +
      "sent is sent twice.";
    return { kind: "disconnected", title: "Disconnected", text, isLasting: true };
  }
  if (platform === undefined) return undefined;
  const { halted, mode, overloaded, frozen_at: frozenAt } = platform;
  if (frozenAt !== null) {
    const text =
      "A forced operation has waited too long: layer one takes no batch any more, and the venue " +
      "no order. Everybody leaves with what was anchored last; the command line's exit claims it " +
      "there, without the node.";
    const title = `The rollup is frozen since ${clock(frozenAt)}`;
    return { kind: "frozen", title, text, isLasting: true };
  }
  if (halted !== null) {
    const text =
      `${sentence(halted)} Nothing more is taken, cancels neither, until the operator starts it ` +
      "again. Deposits are safe on layer one; the command line's exit leaves without the node.";
    return { kind: "halted", title: "The venue has halted", text, isLasting: true };
  }
  if (mode === "paused") return pauseOf(platform);
  if (mode === "cancelOnly") {
    const left = platform.opens_at === null ? undefined : platform.opens_at - now;
    const when = left === undefined ? "soon" : `in ${Math.max(0, Math.ceil(left / 1000))} s`;
    const text = `Trading opens ${when}, once two new snapshots are there.`;
    return { kind: "cancelOnly", title: "Cancel only", text, isLasting: false };
  }
  if (!overloaded) return undefined;
  const text =
    "As many batches wait to be proven or anchored as may: new orders are refused, cancels go " +
    "through, and what rests stays. It passes by itself as proofs catch up.";
  return { kind: "overloaded", title: "The venue is at its limit", text, isLasting: false };
}

function pauseOf({ reason, detail, since }: Platform): Stop {
  const why = reason === null ? "" : (PAUSE_REASONS[reason as PauseReason] ?? reason);
  return {
    kind: "paused",
    title: `Trading is paused${since === null ? "" : ` since ${clock(since)}`}`,
    text: `${sentence(detail ?? why)} Orders stay where they are, and cancels go through.`,
    isLasting: false,
  };
}
