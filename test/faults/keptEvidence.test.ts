// E21: what real members have seen of one that votes both ways is on their disks, and becomes files
// that convict it, checked with nothing but the file.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import {
  checkEvidence,
  decodeEvidence,
  encodeEvidence,
} from "../../sequencer/consensus/evidence.ts";
import { readKeptEvidence } from "../../sequencer/node/keptEvidence.ts";
import { createCommittee, DOMAIN, until } from "../support/committee.ts";
import { createLiar } from "../support/liar.ts";

test("E21 a member's disk convicts who has voted both ways", async (context) => {
  const liarIndex = 0;
  const committee = await createCommittee({ members: 4, absent: [liarIndex] });
  context.after(() => committee.stop());
  const { rules, grow, seats, kill, directory } = committee;
  const liar = await createLiar(committee, liarIndex);
  context.after(() => liar.mesh.stop());
  await until("the liar is let in", () => liar.mesh.connected().length === 3);
  await grow(20);
  // Two blocks have its voice in one term, whichever the others are in when they hear of it.
  const lie = (): void => {
    const term = Math.max(...seats().map((seat) => seat.term()));
    const cast = { kind: "notarize", term, view: { term, index: 0 } } as const;
    for (const byte of ["ab", "cd"]) {
      const vote = liar.vote({ ...cast, block: byte.repeat(32) });
      liar.mesh.send([1, 2, 3], { type: "vote", vote, certificate: null });
    }
  };
  const lying = setInterval(lie, 100);
  context.after(() => clearInterval(lying));
  const accused = () => seats().every(({ member }) => (member.progress()?.evidence ?? 0) > 0);
  await until("everybody has seen it", accused);
  clearInterval(lying);
  await until("the others certify", () => seats().every((seat) => seat.position() === 20));
  const { members } = rules.validators;
  for (const index of [1, 2, 3]) {
    await kill(index);
    const kept = await readKeptEvidence({
      dataDir: path.join(directory, `member-${index}`),
      deployment: { domain: DOMAIN },
      certification: { epoch: 1, validators: [...members] },
    });
    assert.equal(kept.length, 1);
    const evidence = decodeEvidence(encodeEvidence(kept[0]!));
    const known = { domain: DOMAIN, sequencers: [], validators: members };
    assert.deepEqual(checkEvidence(evidence, known), {
      ...{ isProven: true, guilty: members[liarIndex], offence: "two notarized" },
    });
    // Nor does it speak against anybody of another deployment.
    assert.equal(checkEvidence(evidence, { ...known, domain: 8n }).isProven, false);
  }
});
