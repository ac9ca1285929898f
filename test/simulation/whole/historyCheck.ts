/**
 * Whether a history can be true of a log: every acknowledged command is in it once and did what
 * its receipt says, every other one at most once; what is acknowledged as cancelled is not filled
 * later; and reads find states of the log in the order of time, none older than what anybody had
 * been told before, none newer than what was durable by then.
 */
import type { Command, History, Moment, Read } from "./history.ts";
import type { Executed, Replay } from "./replay.ts";

/** What is wrong, in words; nothing in a history that can be true. */
export function checkHistory({ commands, reads }: History, replay: Replay): string[] {
  const byHead = new Map<string, Executed[]>();
  for (const each of replay.executed) {
    const key = keyOf(each.account, each.head);
    byHead.set(key, [...(byHead.get(key) ?? []), each]);
  }
  return [
    ...commands.flatMap((command) => checkCommand(command, byHead, replay)),
    ...checkAuthors(commands, replay.executed),
    ...checkReads(reads, replay),
  ];
}

function keyOf(account: number, head: bigint): string {
  return `${account}/${head}`;
}

function checkCommand(
  command: Command,
  byHead: ReadonlyMap<string, readonly Executed[]>,
  replay: Replay,
): string[] {
  const { account, message, heads, answer } = command;
  const name = `the ${message.kind} of account ${account} at ${command.invoked.at} ms`;
  // Signed again for the same place in the chain, it is the same message.
  const done = [...new Set(heads)].flatMap((head) => byHead.get(keyOf(account, head)) ?? []);
  if (done.length > 1) return [`${name} was executed ${done.length} times`];
  const [own] = done;
  if (answer === undefined) return [];
  if ("refused" in answer) return own === undefined ? [] : [`${name} was refused, and executed`];
  if (own === undefined) return [`${name} was acknowledged, and is not in the log`];
  return [
    ...checkReceipt(command, own).map((fault) => `${name}: ${fault}`),
    ...checkCancel(command, own, replay).map((fault) => `${name}: ${fault}`),
  ];
}

function checkReceipt({ answer }: Command, own: Executed): string[] {
  if (answer === undefined || "refused" in answer) return [];
  const { receipt, moment } = answer;
  const faults: string[] = [];
  const { logPosition, logHash, head, outcome } = receipt;
  if (logPosition !== own.position) faults.push(`it stands at ${own.position}, not ${logPosition}`);
  if (logHash !== own.hash) faults.push("its record has another hash");
  if (head !== own.head) faults.push("its chain head is another");
  if (outcome !== own.outcome) faults.push(`it was ${own.outcome}, not ${outcome}`);
  const [told, did] = [receipt.fills, own.fills].map((fills) =>
    fills.map(({ price, lots, makerSeq }) => `${price} ${lots} ${makerSeq}`).join(", "),
  );
  if (told !== did) faults.push(`its fills are \`${did}\`, not \`${told}\``);
  if (own.position >= moment.durable) faults.push("it was acknowledged before it was durable");
  return faults;
}

/** An order whose cancel was acknowledged is filled no more. */
function checkCancel({ message, answer }: Command, own: Executed, { fills }: Replay): string[] {
  if (message.kind !== "cancel" || answer === undefined || "refused" in answer) return [];
  if (answer.receipt.outcome !== "cancelled") return [];
  const { book, isSell, price, seq } = message;
  const later = fills.find(
    (fill) =>
      fill.position > own.position &&
      fill.makerSeq === seq &&
      fill.book === book &&
      fill.price === price &&
      fill.takerIsSell !== isSell,
  );
  return later === undefined ? [] : [`the order was filled at ${later.position}, after its cancel`];
}

/** Nothing is in a client's name that it has not signed. */
function checkAuthors(commands: readonly Command[], executed: readonly Executed[]): string[] {
  const signed = new Set(
    commands.flatMap(({ account, heads }) => heads.map((head) => keyOf(account, head))),
  );
  return executed
    .filter(({ account, head }) => !signed.has(keyOf(account, head)))
    .map(({ account, position }) => `nobody sent what ${position} has of account ${account}`);
}

/**
 * Each read is given the earliest place in the log that it can have seen: not before what anybody
 * had been told when it was asked, nor before the places of reads that were answered by then.
 */
function checkReads(reads: readonly Read[], replay: Replay): string[] {
  const faults: string[] = [];
  const placed: { readonly answered: Moment; readonly place: number }[] = [];
  const ordered = [...reads].sort((a, b) => a.answered.at - b.answered.at);
  for (const read of ordered) {
    const { what, account, invoked, answered, found } = read;
    const before = placed.filter((each) => each.answered.at < invoked.at);
    const least = before.reduce((place, each) => Math.max(place, each.place), invoked.acknowledged);
    const place = firstPlace(read, replay, least);
    if (place !== undefined) placed.push({ answered, place });
    else {
      const range = `from ${least} to ${answered.durable} records`;
      faults.push(`account ${account} read \`${found}\` as its ${what}, which no log had ${range}`);
    }
  }
  return faults;
}

function firstPlace(read: Read, replay: Replay, least: number): number | undefined {
  for (let place = least; place <= read.answered.durable; place++) {
    if (replay.found(read.what, read.account, place) === read.found) return place;
  }
  return undefined;
}
