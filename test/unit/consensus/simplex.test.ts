import assert from "node:assert/strict";
import { test } from "node:test";
import { blockHash, genesisBlock } from "../../../sequencer/consensus/block.ts";
import { tipOf } from "../../../sequencer/consensus/certificate.ts";
import type {
  ConsensusEffect,
  ConsensusState,
  Durable,
} from "../../../sequencer/consensus/state.ts";
import { checkEvidence, faultOf } from "../../../sequencer/consensus/verification.ts";
import {
  certify,
  child,
  genesis,
  genesisTip,
  nullify,
  ofType,
  proposalOf,
  rules,
  seat,
  voteBy,
  voteFor,
  voteMessage,
  votesIn,
} from "./sitting.ts";

const first = child(genesis, { term: 1, index: 0 });
const second = child(first, { term: 1, index: 1 });

function durableOf(effects: readonly ConsensusEffect[]): Durable {
  const [persist, ...others] = ofType(effects, "persist");
  assert.ok(persist !== undefined && others.length === 0);
  return persist.durable;
}

test("a block takes one execution, a notarize and a finalize vote, and is delivered", () => {
  const node = seat(1);
  assert.deepEqual(ofType(node.receive(0, proposalOf(first)), "execute"), [
    { type: "execute", block: first },
  ]);
  assert.deepEqual(votesIn(node.executed(first)), ["notarize"]);
  assert.deepEqual(votesIn(node.receive(2, voteMessage(voteFor(2, "notarize", first)))), [
    "finalize",
  ]);
  assert.deepEqual(node.receive(2, voteMessage(voteFor(2, "finalize", first))), []);
  const effects = node.receive(3, voteMessage(voteFor(3, "finalize", first)));
  assert.deepEqual(
    ofType(effects, "deliver").map(({ block }) => block),
    [first],
  );
  assert.equal(node.state().delivered, first);
});

test("nothing is delivered, nor voted for, before it has been executed here", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  const certificate = certify("finalize", first);
  const effects = node.receive(2, { type: "certificate", certificate });
  assert.deepEqual(ofType(effects, "deliver"), []);
  assert.deepEqual(votesIn(effects), []);
  const late = node.executed(first);
  assert.equal(ofType(late, "deliver").length, 1);
  assert.deepEqual(votesIn(late), ["finalize"]);
});

test("a vote is durable before it leaves, and one record holds all that the vote needs", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  for (const [effects, kind] of [
    [node.executed(first), "notarize"],
    [node.receive(2, voteMessage(voteFor(2, "notarize", first))), "finalize"],
    [node.fire("term"), "nullify"],
  ] as const) {
    assert.equal(effects[0]?.type, "persist");
    const { own, blocks, tip } = durableOf(effects);
    const vote = kind === "nullify" ? own.nullify?.vote : own[kind];
    assert.deepEqual(votesIn(effects), [kind]);
    assert.equal(vote?.block, blockHash(first));
    assert.deepEqual(blocks, [first]);
    if (kind !== "notarize") assert.equal(tip.block, blockHash(first));
  }
});

test("a step changes nothing that it was given and repeats exactly", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  const before = plainOf(node.state());
  const kept = node.state();
  const once = node.executed(first);
  assert.deepEqual(plainOf(kept), before);
  const again = seat(1);
  again.receive(0, proposalOf(first));
  assert.deepEqual(again.executed(first), once);
  assert.deepEqual(plainOf(again.state()), plainOf(node.state()));
});

/** A copy, with maps as lists of what is in them, and without functions. */
function plainOf(state: ConsensusState): object {
  const { votes, proposals, blocks, verdicts } = state;
  const [voteEntries, blockEntries] = [votes.entries(), blocks.entries()];
  assert.ok(voteEntries.length > 0 && blockEntries.length > 0);
  return structuredClone({
    ...{ ...state, config: undefined, votes: voteEntries, blocks: blockEntries },
    ...{ proposals: proposals.entries(), verdicts: verdicts.entries() },
  });
}

test("a root that differs here ends the term at once", () => {
  for (const root of [first.root + 1n, null]) {
    const node = seat(1);
    node.receive(0, proposalOf(first));
    assert.deepEqual(votesIn(node.executed(first, root)), ["nullify"]);
    assert.deepEqual(votesIn(node.receive(0, proposalOf(child(genesis, first.view, 2)))), []);
  }
});

test("a quorum's root that differs here stops the validator, silent and for good", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  node.receive(2, { type: "certificate", certificate: certify("notarize", first) });
  const effects = node.executed(first, 1n);
  assert.equal(ofType(effects, "halt").length, 1);
  assert.deepEqual(votesIn(effects), []);
  assert.deepEqual(node.fire("term"), []);
});

test("two proposals for one view are evidence and end the term", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  const other = child(genesis, first.view, 2);
  const effects = node.receive(0, proposalOf(other));
  const [found] = ofType(effects, "evidence");
  assert.equal(found && checkEvidence(rules, found.evidence), "two notarized");
  assert.equal(found?.evidence.first.validator, 0);
  assert.deepEqual(votesIn(effects), ["nullify"]);
});

test("other conflicting votes are evidence and end no term", () => {
  const other = child(genesis, first.view, 2);
  const place = { term: 1, view: genesis.view, block: blockHash(genesis) };
  for (const [a, b, offence] of [
    [voteFor(2, "notarize", first), voteFor(2, "notarize", other), "two notarized"],
    [voteFor(2, "finalize", first), voteFor(2, "finalize", other), "two finalized"],
    [voteBy(2, "nullify", place), voteFor(2, "finalize", first), "promise broken"],
    [voteFor(2, "finalize", first), voteBy(2, "nullify", place), "promise broken"],
  ] as const) {
    const node = seat(1);
    node.receive(2, voteMessage(a));
    const effects = node.receive(2, voteMessage(b));
    const [found] = ofType(effects, "evidence");
    assert.equal(found && checkEvidence(rules, found.evidence), offence);
    assert.deepEqual(votesIn(effects), []);
  }
});

test("silence ends a term; who gave it up votes for nothing more in it", () => {
  const node = seat(2);
  assert.deepEqual(votesIn(node.fire("term")), ["nullify"]);
  assert.deepEqual(votesIn(node.fire("term")), []);
  node.receive(0, proposalOf(first));
  assert.deepEqual(votesIn(node.executed(first)), []);
  const certificate = certify("notarize", first);
  assert.deepEqual(votesIn(node.receive(0, { type: "certificate", certificate })), []);
});

test("f others do not end a term, one more does", () => {
  const node = seat(1);
  const place = { term: 1, view: genesis.view, block: blockHash(genesis) };
  assert.deepEqual(votesIn(node.receive(2, voteMessage(voteBy(2, "nullify", place)))), []);
  const effects = node.receive(3, voteMessage(voteBy(3, "nullify", place)));
  assert.deepEqual(votesIn(effects), ["nullify"]);
  // Its own is the third: the next term begins, and it leads.
  assert.equal(node.state().term, 2);
  assert.deepEqual(ofType(effects, "lead"), [{ type: "lead", term: 2, base: genesis }]);
});

test("a leader that gives its own term up is followed at once", () => {
  const place = { term: 1, view: genesis.view, block: blockHash(genesis) };
  const leader = seat(0);
  assert.deepEqual(votesIn(leader.happen({ type: "resigned", term: 2 })), [], "of another term");
  assert.deepEqual(votesIn(leader.happen({ type: "resigned", term: 1 })), ["nullify"]);
  assert.deepEqual(votesIn(leader.fire("heartbeat")), []);
  const node = seat(2);
  assert.deepEqual(votesIn(node.receive(0, voteMessage(voteBy(0, "nullify", place)))), ["nullify"]);
});

test("what was executed above a cut is executed again before it is voted for or delivered", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  node.executed(first);
  const again = node.happen({ type: "rewound", to: first.from });
  assert.deepEqual(ofType(again, "execute"), [{ type: "execute", block: first }]);
  const certificate = certify("finalize", first);
  const effects = node.receive(2, { type: "certificate", certificate });
  assert.deepEqual(votesIn(effects), []);
  assert.deepEqual(ofType(effects, "deliver"), []);
  const late = node.executed(first);
  assert.equal(ofType(late, "deliver").length, 1);
  // A block that ends below the cut stands as it did.
  const other = seat(1);
  other.receive(0, proposalOf(first));
  other.executed(first);
  assert.deepEqual(ofType(other.happen({ type: "rewound", to: first.to }), "execute"), []);
});

test("a leader proposes when its log has grown, and an empty block when it has not", () => {
  const begin: ConsensusEffect[] = [];
  const node = seat(0, {}, begin);
  assert.deepEqual(ofType(begin, "lead"), [{ type: "lead", term: 1, base: genesis }]);
  const growth = { term: 1, to: 12, logHash: "cd".repeat(32), root: 9n };
  const [proposal] = ofType(node.happen({ type: "grew", growth }), "broadcast");
  assert.ok(proposal?.message.type === "proposal");
  const { block } = proposal.message;
  assert.deepEqual([block.from, block.to, block.root], [10, 12, 9n]);
  assert.deepEqual(votesIn(node.happen({ type: "grew", growth: { ...growth, to: 13 } })), []);
  const beating = seat(0);
  const [beat] = ofType(beating.fire("heartbeat"), "broadcast");
  assert.ok(beat?.message.type === "proposal");
  assert.deepEqual([beat.message.block.from, beat.message.block.to], [10, 10]);
  assert.equal(beat.message.block.root, genesis.root);
});

test("records behind the sitting's end get no vote, what makes the last ones final does", () => {
  const place = { from: first.to, to: first.to, root: first.root, logHash: first.logHash };
  const empty = { ...second, ...place };
  for (const [end, next, votes] of [
    [first.to, second, []],
    [first.to, empty, ["notarize"]],
    // A block may reach beyond it.
    [first.to - 1, second, []],
    [second.to, second, ["notarize"]],
    [undefined, second, ["notarize"]],
  ] as const) {
    const node = seat(1, {}, [], { end });
    node.receive(0, proposalOf(first));
    node.executed(first);
    node.receive(2, voteMessage(voteFor(2, "notarize", first)));
    node.receive(0, proposalOf(next, certify("notarize", first)));
    assert.deepEqual(votesIn(node.executed(next)), votes, `end ${end} to ${next.to}`);
  }
  const leader = seat(0, {}, [], { end: genesis.to });
  const growth = { term: 1, to: 12, logHash: "cd".repeat(32), root: 9n };
  assert.deepEqual(ofType(leader.happen({ type: "grew", growth }), "broadcast"), []);
  const [beat] = ofType(leader.fire("heartbeat"), "broadcast");
  assert.ok(beat?.message.type === "proposal" && beat.message.block.to === genesis.to);
});

test("a sitting that follows another begins in the term after its last", () => {
  const later = genesisBlock(genesis.parent, genesis, 6);
  const begin: ConsensusEffect[] = [];
  seat(2, {}, begin, { genesis: later });
  assert.deepEqual(ofType(begin, "lead"), [{ type: "lead", term: 7, base: later }]);
  const block = child(later, { term: 7, index: 0 });
  const after = { ...rules, genesis: blockHash(later), termBefore: 6 };
  assert.equal(faultOf(after, proposalOf(block)), undefined);
  const node = seat(1, {}, [], { genesis: later });
  node.receive(2, proposalOf(block));
  assert.deepEqual(votesIn(node.executed(block)), ["notarize"]);
  // The terms of before are over.
  for (const term of [1, 6]) {
    const old = child(later, { term, index: 0 });
    assert.equal(faultOf(after, proposalOf(old)), "it proposes in no term");
    const vote = voteFor(0, "finalize", old);
    assert.match(faultOf(after, voteMessage(vote)) ?? "", /a vote for a block/);
    const certificate = certify("finalize", old);
    assert.match(faultOf(after, { type: "certificate", certificate }) ?? "", /no certificate/);
    const tip = { view: later.view, block: blockHash(later), certificate: null };
    const given = { type: "certificate", certificate: nullify(term, tip) } as const;
    assert.match(faultOf(after, given) ?? "", /later term/);
  }
});

test("a new leader goes on from the newest notarized block, not from older tips", () => {
  const node = seat(1);
  node.receive(0, proposalOf(first));
  node.executed(first);
  node.receive(0, proposalOf(second, certify("notarize", first)));
  const notarized = tipOf(certify("notarize", first));
  const effects = node.receive(2, { type: "certificate", certificate: nullify(1, notarized) });
  assert.deepEqual(ofType(effects, "lead"), [{ type: "lead", term: 2, base: first }]);
  const growth = { term: 2, to: 12, logHash: "ef".repeat(32), root: 3n };
  const [proposal] = ofType(node.happen({ type: "grew", growth }), "broadcast");
  assert.ok(proposal?.message.type === "proposal" && proposal.message.reason?.kind === "nullify");
  assert.equal(proposal.message.block.parent, blockHash(first));
  assert.equal(proposal.message.reason.tip.block, blockHash(first));
});

test("after a crash at any vote there is no second one", () => {
  const records: (Durable | undefined)[] = [undefined];
  const node = seat(1);
  const events = [
    () => node.receive(0, proposalOf(first)),
    () => node.executed(first),
    () => node.receive(2, voteMessage(voteFor(2, "notarize", first))),
    () => node.fire("term"),
  ];
  for (const event of events) {
    const [persist] = ofType(event(), "persist");
    if (persist !== undefined) records.push(persist.durable);
  }
  assert.equal(records.length, 4);
  const other = child(genesis, first.view, 2);
  for (const durable of records.slice(1)) {
    const back = seat(1, { durable: durable! });
    back.receive(0, proposalOf(other));
    assert.deepEqual(
      votesIn(back.executed(other)).filter((kind) => kind === "notarize"),
      [],
    );
    const own = back.state().own.notarize;
    assert.equal(own?.block, blockHash(first));
    // What it said before it says again, in the very same words.
    const repeated = ofType(back.fire("resend"), "broadcast").map(({ message }) => message);
    assert.ok(repeated.some((message) => message.type === "vote" && message.vote === own));
  }
  const lost = seat(1, { durable: records.at(-1)! });
  lost.receive(0, proposalOf(first));
  lost.executed(first);
  const certificate = certify("notarize", first);
  assert.deepEqual(votesIn(lost.receive(0, { type: "certificate", certificate })), []);
});

test("a block that others have is asked for, taken by its hash and executed", () => {
  const node = seat(1);
  const certificate = certify("finalize", second);
  const [asked] = ofType(node.receive(3, { type: "certificate", certificate }), "send");
  assert.deepEqual(asked, {
    ...{ type: "send", to: 3 },
    message: { type: "request", block: blockHash(second) },
  });
  const forged = { ...second, root: 0n };
  assert.deepEqual(node.receive(3, { type: "blocks", blocks: [forged] }), []);
  assert.equal(node.state().blocks.size, 0);
  const effects = node.receive(2, { type: "blocks", blocks: [second, first] });
  assert.deepEqual(ofType(effects, "execute"), [{ type: "execute", block: first }]);
  assert.deepEqual(ofType(node.executed(first), "deliver").length, 1);
  assert.deepEqual(ofType(node.executed(second), "deliver").length, 1);
});

test("who is too far behind takes over the state", () => {
  const node = seat(1);
  const far = { ...second, height: 5_000 };
  const certificate = certify("finalize", far);
  node.receive(3, { type: "certificate", certificate });
  const effects = node.receive(3, { type: "blocks", blocks: [far] });
  assert.deepEqual(ofType(effects, "synchronize"), [
    { type: "synchronize", block: far, certificate },
  ]);
  node.happen({ type: "adopted", block: far, certificate });
  assert.equal(node.state().delivered, far);
  const next = child(far, { term: 1, index: 2 });
  const proposal = proposalOf(next, certificate);
  assert.deepEqual(ofType(node.receive(0, proposal), "execute"), [
    { type: "execute", block: next },
  ]);
});

test("who is stuck in a term that is over is shown the way by those it tells", () => {
  const node = seat(1);
  const nullification = nullify(1, genesisTip);
  node.receive(2, { type: "certificate", certificate: nullification });
  const place = { term: 1, view: genesis.view, block: blockHash(genesis) };
  const effects = node.receive(3, voteMessage(voteBy(3, "nullify", place)));
  assert.deepEqual(ofType(effects, "send"), [
    { type: "send", to: 3, message: { type: "certificate", certificate: nullification } },
  ]);
});

test("what one liar can fill is bounded", () => {
  const node = seat(1);
  for (let index = 0; index < 2_000; index++) {
    const view = { term: 1 + (index % 5), index };
    node.receive(3, voteMessage(voteFor(3, "notarize", child(genesis, view))));
    node.receive(3, voteMessage(voteFor(3, "finalize", child(genesis, view))));
    const tip = { term: index, view: genesis.view, block: blockHash(genesis) };
    node.receive(3, voteMessage(voteBy(3, "nullify", tip)));
  }
  assert.ok(node.state().votes.size < 300, `${node.state().votes.size}`);
});
