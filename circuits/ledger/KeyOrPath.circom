pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/MerkleUpdate.circom";

// Three hashes of a key that is registered, or else a path of the book tree. No operation needs
// both, so they share their hashes: those of the lowest level, and one of the next.
//
// Proves:
//   1. isKey: oldHash = Poseidon(oldKey); newHash = Poseidon(newKey, Poseidon(chain), newMeta).
//   2. Else: rootBefore and rootAfter as MerkleUpdate.
// Assumes: isKey is 0 or 1; who reads the outputs of one of the two knows that it is meant.
// Twin: sequencer/protocol/state.ts (keyHash), sequencer/state/merkleTree.ts
template KeyOrPath(levels) {
    assert(levels >= 2);
    signal input isKey;
    signal input oldKey[4];
    signal input chain[4];
    signal input newKey[2];
    signal input newMeta;
    signal input id;
    signal input leafBefore;
    signal input leafAfter;
    signal input siblings[levels][3];
    signal output oldHash;
    signal output newHash;
    signal output rootBefore;
    signal output rootAfter;

    component digits = Num2Bits(2 * levels);
    digits.in <== id;
    component level[levels];
    component before[levels];
    component after[levels];
    for (var i = 0; i < levels; i++) {
        level[i] = MerkleChildren();
        level[i].low <== digits.out[2 * i];
        level[i].high <== digits.out[2 * i + 1];
        level[i].siblings <== siblings[i];
        level[i].before <== i == 0 ? leafBefore : before[i - 1].out;
        level[i].after <== i == 0 ? leafAfter : after[i - 1].out;
        before[i] = Poseidon(4);
        after[i] = Poseidon(4);
        for (var c = 0; c < 4; c++) {
            var ofKey = i == 0 ? oldKey[c] : newMeta;
            if (i == 1 && c < 2) {
                ofKey = newKey[c];
            }
            if (i == 1 && c == 2) {
                ofKey = after[0].out;
            }
            if (i < 2) {
                before[i].inputs[c] <== level[i].allBefore[c]
                    + isKey * (ofKey - level[i].allBefore[c]);
            } else {
                before[i].inputs[c] <== level[i].allBefore[c];
            }
            if (i == 0) {
                after[i].inputs[c] <== level[i].allAfter[c]
                    + isKey * (chain[c] - level[i].allAfter[c]);
            } else {
                after[i].inputs[c] <== level[i].allAfter[c];
            }
        }
    }
    oldHash <== before[0].out;
    newHash <== before[1].out;
    rootBefore <== before[levels - 1].out;
    rootAfter <== after[levels - 1].out;
}
