pragma circom 2.2.0;

include "generated/Constants.circom";
include "circomlib/circuits/poseidon.circom";
include "gadgets/HashVector.circom";
include "gadgets/MerkleUpdate.circom";
include "gadgets/Range.circom";
include "gadgets/Select.circom";
include "gadgets/Unpack.circom";
include "state/Account.circom";

// What an account is worth in an anchored state, proven by its owner from layer-one data alone.
//
// Proves:
//   1. stateRoot holds, at `account`, an account of `owner` with the given cash and positions, and
//      a series table with the given marks (beside the given fees).
//   2. claim = max(0, cash + unit * sum of position * mark), in 1e-6 USDC.
// Assumes: layer one compares stateRoot with the last anchored one and pays each account once.
// Twin: sequencer/batch/exitWitness.ts
template Exit(M, accountLevels, unit) {
    var perWord = SERIES_PER_WORD();
    var seriesCount = (M + perWord - 1) \ perWord;
    signal input stateRoot;
    signal input account;
    signal input owner;
    signal input claim;
    signal input cash;
    signal input positions[M];
    signal input accountSiblings[accountLevels][3];
    signal input seriesWords[seriesCount];
    signal input fees;
    signal input privateRoot;

    PositionsInRange(M)(positions);
    signal leaf <== AccountLeaf(M)(owner, cash, positions);
    component path = MerkleUpdate(accountLevels);
    path.id <== account;
    path.leafBefore <== leaf;
    path.leafAfter <== leaf;
    path.siblings <== accountSiblings;
    _ <== path.rootAfter;

    signal table <== HashVector(seriesCount)(seriesWords);
    component series[seriesCount];
    component value = Dot(M);
    var widths[2 * perWord];
    for (var i = 0; i < perWord; i++) {
        widths[2 * i] = SERIES_MARK_BITS();
        widths[2 * i + 1] = SERIES_BITS() - SERIES_MARK_BITS();
    }
    for (var w = 0; w < seriesCount; w++) {
        var here = M - w * perWord < perWord ? M - w * perWord : perWord;
        series[w] = Unpack(2 * here, widths);
        series[w].word <== seriesWords[w];
        for (var i = 0; i < here; i++) {
            value.a[w * perWord + i] <== positions[w * perWord + i];
            value.b[w * perWord + i] <== series[w].fields[2 * i];
        }
    }
    signal ledger <== Poseidon(3)([path.rootBefore, table, fees]);
    signal root <== Poseidon(2)([ledger, privateRoot]);
    root === stateRoot;

    signal equity <== cash + unit * value.out;
    signal isPositive <== IsNonNegative(HEALTH_BITS())(equity);
    claim === isPositive * equity;
}
