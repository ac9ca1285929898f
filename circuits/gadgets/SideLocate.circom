pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "Range.circom";

// A place in a sorted side.
//
// Proves (where enabled):
//   1. at is the first entry that is at least `bound` as an integer; before it every entry is
//      smaller, `previous` being the last of those (0 if none). If there is no such entry, at is
//      the sentinel and isAt is zero.
//   2. isExact = 1 exactly if at has the priority (price, seq) of bound; account is then its own.
// Assumes: side is sorted (invariant I2: only SideChange writes sides) and its entries are below
//   2^106; bound's account and lots are 0.
// Twin: sequencer/engine/book (side)
template SideLocate(depth) {
    signal input side[depth];
    signal input enabled;
    signal input bound;
    signal output isBefore[depth];
    signal output isAt[depth];
    signal output at;
    signal output previous;
    signal output isExact;
    signal output account;

    // 1 for the entries before the place, then 0. Pinned by the two comparisons.
    for (var j = 0; j < depth; j++) {
        isBefore[j] <-- side[j] < bound ? 1 : 0;
        isBefore[j] * (isBefore[j] - 1) === 0;
        if (j > 0) {
            isBefore[j] * (1 - isBefore[j - 1]) === 0;
        }
    }

    signal atPart[depth];
    signal previousPart[depth];
    var atSum = isBefore[depth - 1] * ((1 << ENTRY_BITS()) - 1);
    var previousSum = 0;
    for (var j = 0; j < depth; j++) {
        var leftBefore = 1;
        var rightBefore = 0;
        if (j > 0) {
            leftBefore = isBefore[j - 1];
        }
        if (j < depth - 1) {
            rightBefore = isBefore[j + 1];
        }
        isAt[j] <== leftBefore - isBefore[j];
        atPart[j] <== isAt[j] * side[j];
        atSum += atPart[j];
        previousPart[j] <== (isBefore[j] - rightBefore) * side[j];
        previousSum += previousPart[j];
    }
    at <== atSum;
    previous <== previousSum;
    InRange(ENTRY_BITS())(enabled * (bound - 1 - previous));

    component above = Num2Bits(ENTRY_BITS());
    above.in <== enabled * (at - bound);
    var accountSum = 0;
    var prioritySum = 0;
    for (var bit = 0; bit < ENTRY_BITS(); bit++) {
        if (bit < ENTRY_ACCOUNT_OFFSET()) {
            _ <== above.out[bit];
        } else if (bit < ENTRY_SEQ_OFFSET()) {
            accountSum += above.out[bit] * (1 << (bit - ENTRY_ACCOUNT_OFFSET()));
        } else {
            prioritySum += above.out[bit];
        }
    }
    account <== accountSum;
    isExact <== IsZero()(prioritySum);
}
