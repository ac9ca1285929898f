// Receipts that a client keeps, what it says it has seen, and how it finds a second history.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareWithLog,
  createReceiptBook,
  TwoHistoriesError,
} from "../../../sequencer/client/receiptBook.ts";
import { createTrader } from "../../../sequencer/client/trader.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import type { Submission } from "../../../sequencer/exchangeService.ts";
import { verify } from "../../../sequencer/protocol/eddsa.ts";
import {
  checkReceipts,
  type LogHashes,
  type SignedPlace,
} from "../../../sequencer/protocol/evidence.ts";
import { seenHash } from "../../../sequencer/protocol/seenHead.ts";
import { entryOf, keyOf, logOf, receiptOf } from "../../support/histories.ts";
import { startFixture } from "../api/apiFixture.ts";
import { ACCOUNT, createFakeService, SECRET } from "../api/fakeService.ts";

const domain = 5n;
const signer = createSigner(keyOf(1));
const rules = { domain, sequencers: [signer.address], validators: [] };
const entries = Array.from({ length: 2_500 }, (_, salt) => entryOf(salt));
const honest = logOf(domain, entries);
const forked = logOf(domain, entries.with(1_700, entryOf(9_999)));
const receipts = honest
  .filter(({ position }) => position % 100 === 50)
  .map((record) => receiptOf(signer, domain, record));

test("a book keeps the newest receipts, once each, and tells which are new", () => {
  const told: number[] = [];
  const book = createReceiptBook({
    ...{ domain, placesMax: 3, saved: receipts.slice(0, 1) },
    onKept: ({ position }) => told.push(position),
  });
  assert.equal(book.newest()?.position, 50);
  for (const index of [2, 1, 2, 4, 3]) book.keep(receipts[index]!);
  assert.deepEqual(told, [250, 150, 450, 350]);
  assert.equal(book.newest()?.position, 450);
  assert.deepEqual(
    book.all().map(({ position }) => position),
    [150, 350, 450],
  );
});

test("another hash for a position that is kept is evidence", () => {
  const told: number[] = [];
  const onKept = ({ position }: SignedPlace) => void told.push(position);
  const book = createReceiptBook({ domain, saved: receipts, onKept });
  const other = receiptOf(signer, domain, forked[1_750]!);
  assert.throws(
    () => book.keep(other),
    (error) => {
      assert.ok(error instanceof TwoHistoriesError);
      assert.ok(checkReceipts(error.evidence, rules).isProven);
      return true;
    },
  );
  assert.deepEqual(told, [1_750], "it goes to the file all the same");
  assert.equal(book.all().find(({ position }) => position === 1_750)!.hash, honest[1_750]!.hash);
});

/** A node that shows this log. */
function nodeOf(log: typeof honest, by = signer) {
  const asked: string[] = [];
  const fetchLog = async (from: number, limit: number): Promise<LogHashes> => {
    asked.push(`${from}+${limit}`);
    const shown = log.slice(from, from + limit);
    const last = shown.at(-1);
    const signature = last && (receiptOf(by, domain, last).signature as `0x${string}`);
    return { from, hashes: shown.map(({ hash }) => hash), signature: signature ?? null };
  };
  return { asked, fetchLog };
}

test("own receipts are compared with the log of the node, whose answer convicts it", async () => {
  const same = nodeOf(honest);
  const found = await compareWithLog({ domain, receipts }, same.fetchLog);
  assert.deepEqual(found, { domain, compared: 25, missing: [], evidence: null });
  // Ranges, not a call for each.
  assert.deepEqual(same.asked, ["50+901", "1050+901", "2050+401"]);
  const { evidence } = await compareWithLog({ domain, receipts }, nodeOf(forked).fetchLog);
  assert.equal(evidence?.first.position, 1_750);
  assert.deepEqual(checkReceipts(evidence, rules), {
    ...{ isProven: true, guilty: signer.address, offence: "two histories" },
  });
});

test("what is missing is told; what the receipt's signer did not sign proves nothing", async () => {
  const short = await compareWithLog({ domain, receipts }, nodeOf(honest.slice(0, 2_300)).fetchLog);
  assert.deepEqual(short.missing, [2_350, 2_450]);
  const strange = nodeOf(forked, createSigner(keyOf(2)));
  assert.equal((await compareWithLog({ domain, receipts }, strange.fetchLog)).evidence, null);
  const none = await compareWithLog({ domain, receipts: [] }, nodeOf(honest).fetchLog);
  assert.deepEqual([none.compared, none.evidence], [0, null]);
});

test("messages say which receipt their author holds, unless told not to", async (context) => {
  const service = createFakeService();
  const sent: Submission[] = [];
  const genuine = service.submit;
  let isForgetful = false;
  service.submit = async (submission) => {
    sent.push(submission);
    if (isForgetful && submission.seen !== undefined) {
      return { accepted: false, code: "staleView", reason: null, data: {} };
    }
    return genuine(submission);
  };
  const { server } = await startFixture(context, { service });
  const connect = async (options: { tellsSeen?: boolean }) => {
    const key = { secret: SECRET };
    const place = { node: server.url, account: ACCOUNT, keyIndex: 0, key };
    const trader = await createTrader({ ...place, ...options });
    context.after(() => trader.close());
    return trader;
  };
  const trader = await connect({});
  const order = { book: 1, isSell: false, price: 100, lots: 1 };
  const first = await trader.place(order);
  const second = await trader.place(order);
  assert.equal(sent[0]!.seen, undefined);
  const { seen } = sent[1]!;
  assert.deepEqual([seen?.position, seen?.hash], [first.logPosition, first.logHash]);
  const hash = seenHash(BigInt(second.head), seen!);
  assert.ok(verify(service.state.key.key, hash, seen!.signature));
  assert.ok(!verify(service.state.key.key, seenHash(BigInt(first.head), seen!), seen!.signature));
  // A node that no longer knows the head gets the message without it.
  isForgetful = true;
  const third = await trader.place(order);
  assert.deepEqual(
    sent.slice(2).map((submission) => submission.seen?.position),
    [second.logPosition, undefined],
  );
  isForgetful = false;
  assert.deepEqual(
    trader.receipts.all().map(({ position }: SignedPlace) => position),
    [first, second, third].map(({ logPosition }) => logPosition),
  );
  const silent = await connect({ tellsSeen: false });
  for (let count = 0; count < 2; count++) await silent.place(order);
  assert.deepEqual(
    sent.slice(-2).map((submission) => submission.seen),
    [undefined, undefined],
  );
});
