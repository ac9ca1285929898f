/**
 * Blocks: two have agreed elsewhere on a package and its price, and each has signed an order. Both
 * are executed in one turn, or neither. Who rests in the book at as good a price goes first, so a
 * block that would trade through it is refused.
 */
import type { Receipt, Refused, Submission } from "../exchangeService.ts";
import type { PackageTrading } from "../packageTrading.ts";
import type { Clock } from "../ports.ts";
import type { PackageLimits, RfqTrade } from "../protocol/blockRfq.ts";
import { messageFromWord, type PlaceMessage } from "../protocol/messages.ts";
import { type Checked, refuse } from "./doorChecks.ts";
import type { Intake } from "./intake.ts";
import type { PackageDone, PackageMaker } from "./packageTurn.ts";
import type { RfqBook } from "./rfqBook.ts";

export interface BlockOptions {
  readonly clock: Clock;
  readonly limits: PackageLimits;
  /** Where trades are kept. */
  readonly book: Pick<RfqBook, "nextId" | "keepTrade">;
  door(): Pick<Intake, "submitPackage" | "admitPlace">;
  publishTrade(trade: RfqTrade): void;
}

type Service = PackageTrading<Refused, Receipt>;

export function createBlockDesk(desk: BlockOptions): Pick<Service, "checkBlock" | "block"> {
  return {
    checkBlock: async (word) => {
      const admitted = desk.door().admitPlace(word);
      if ("refused" in admitted) return admitted.refused;
      return blockFault(desk, admitted.value.message) ?? null;
    },
    block: (maker, taker) => block(desk, maker, taker),
  };
}

/** `id`: of the request, or the block's own. */
export function tradeOf(
  id: number,
  { book, isSell, lots }: PlaceMessage,
  done: PackageDone,
): RfqTrade {
  const { time, logPosition } = done.receipt;
  const fills = done.fills.map(({ price, lots: filled, maker }) => {
    return { price, lots: filled, maker: maker?.word.account ?? null };
  });
  return { id, book, isSell, lots, time, logPosition, fills };
}

async function block(
  desk: BlockOptions,
  maker: Submission,
  taker: Submission,
): ReturnType<Service["block"]> {
  const { book, clock } = desk;
  const paired = pairOf(desk, maker, taker);
  if ("refused" in paired) return paired.refused;
  const { resting, taking } = paired.value;
  const plan = (excluded: ReadonlySet<PackageMaker>) =>
    excluded.has(resting) ? undefined : [resting];
  const result = await desk.door().submitPackage({ taker, plan });
  if (!result.accepted) return result;
  const trade = tradeOf(book.nextId(clock.now()), taking, result);
  book.keepTrade(trade);
  desk.publishTrade(trade);
  return { accepted: true, trade, receipt: result.receipt };
}

/** Both words of a block, which say the same of it. */
function pairOf(
  desk: BlockOptions,
  maker: Submission,
  taker: Submission,
): Checked<{ readonly resting: PackageMaker; readonly taking: PlaceMessage }> {
  const admitted = desk.door().admitPlace(maker);
  if ("refused" in admitted) return admitted;
  const { message: resting, before } = admitted.value;
  const taking = messageFromWord(taker.word);
  const fault =
    taking?.kind !== "place"
      ? refuse("malformed", "the taker's word is not that of an order")
      : (blockFault(desk, resting) ?? blockFault(desk, taking) ?? pairFault(resting, taking));
  if (fault !== undefined) return { refused: fault };
  if (maker.account === taker.account) {
    return { refused: refuse("malformed", "both words are of the same account") };
  }
  const order = { word: maker, message: resting, before, isWhole: true };
  return { value: { resting: order, taking: taking as PlaceMessage } };
}

function blockFault({ limits }: BlockOptions, { lots, postOnly, timeInForce }: PlaceMessage) {
  if (lots < limits.blockLotsMin) {
    return refuse("badLots", `a block is of at least ${limits.blockLotsMin} lots. Got \`${lots}\``);
  }
  if (postOnly || timeInForce === "fok") return undefined;
  return refuse("badFlags", "a block's words are a post-only order and a fill-or-kill order");
}

function pairFault(resting: PlaceMessage, taking: PlaceMessage): Refused | undefined {
  if (!resting.postOnly || taking.timeInForce !== "fok") {
    return refuse("badFlags", "the maker's word is post-only, the taker's fill-or-kill");
  }
  const { book, price, lots } = resting;
  const isSame = taking.book === book && taking.price === price && taking.lots === lots;
  if (isSame && taking.isSell !== resting.isSell) return undefined;
  return refuse("malformed", "the two words are not the two sides of one trade");
}
