pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";

// One leaf of a quaternary Poseidon tree, before and after, with the same siblings.
//
// Proves:
//   1. rootBefore is the root of a tree with leafBefore at place `id`.
//   2. rootAfter is the root of the same tree with leafAfter in its stead.
// Assumes: nothing; id is constrained below 4^levels.
// Signals: siblings[level] are the three other children in their order, from the leaf upwards.
// Twin: sequencer/state/merkleTree.ts
template MerkleUpdate(levels) {
    signal input id;
    signal input leafBefore;
    signal input leafAfter;
    signal input siblings[levels][3];
    signal output rootBefore;
    signal output rootAfter;

    component digits = Num2Bits(2 * levels);
    digits.in <== id;

    component level[levels];
    for (var i = 0; i < levels; i++) {
        level[i] = MerkleLevel();
        level[i].low <== digits.out[2 * i];
        level[i].high <== digits.out[2 * i + 1];
        level[i].siblings <== siblings[i];
        level[i].before <== i == 0 ? leafBefore : level[i - 1].parentBefore;
        level[i].after <== i == 0 ? leafAfter : level[i - 1].parentAfter;
    }
    rootBefore <== level[levels - 1].parentBefore;
    rootAfter <== level[levels - 1].parentAfter;
}

// Proves: the parents of four children of which the one at place 2 * high + low is given.
// Assumes: low and high are 0 or 1.
template MerkleLevel() {
    signal input low;
    signal input high;
    signal input before;
    signal input after;
    signal input siblings[3];
    signal output parentBefore;
    signal output parentAfter;
    component children = MerkleChildren();
    children.low <== low;
    children.high <== high;
    children.before <== before;
    children.after <== after;
    children.siblings <== siblings;
    parentBefore <== Poseidon(4)(children.allBefore);
    parentAfter <== Poseidon(4)(children.allAfter);
}

// Proves: the four children of which the one at place 2 * high + low is given, the others in order.
// Assumes: low and high are 0 or 1.
template MerkleChildren() {
    signal input low;
    signal input high;
    signal input before;
    signal input after;
    signal input siblings[3];
    signal output allBefore[4];
    signal output allAfter[4];

    signal place[4];
    place[3] <== low * high;
    place[1] <== low - place[3];
    place[2] <== high - place[3];
    place[0] <== 1 - low - high + place[3];

    signal firstShifted <== place[0] * siblings[0];
    signal secondKept <== high * siblings[1];
    signal thirdKept <== place[3] * siblings[2];
    signal base[4];
    base[0] <== siblings[0] - firstShifted;
    base[1] <== firstShifted + secondKept;
    base[2] <== siblings[1] - secondKept + thirdKept;
    base[3] <== siblings[2] - thirdKept;
    for (var i = 0; i < 4; i++) {
        allBefore[i] <== base[i] + place[i] * before;
        allAfter[i] <== base[i] + place[i] * after;
    }
}
