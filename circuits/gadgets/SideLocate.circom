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

    // One of the entries or their end. Which, is pinned by the two comparisons.
    var isEnd = 1;
    var isSmaller = 1;
    for (var j = 0; j < depth; j++) {
        isAt[j] <-- isSmaller == 1 && side[j] >= bound ? 1 : 0;
        isSmaller = side[j] < bound ? isSmaller : 0;
        isAt[j] * (isAt[j] - 1) === 0;
        isEnd -= isAt[j];
    }
    isEnd * (isEnd - 1) === 0;

    signal atPart[depth];
    signal previousPart[depth];
    var atSum = isEnd * ((1 << ENTRY_BITS()) - 1);
    var previousSum = 0;
    var isLater = isEnd;
    for (var j = depth - 1; j >= 0; j--) {
        isBefore[j] <== isLater;
        atPart[j] <== isAt[j] * side[j];
        atSum += atPart[j];
        var isNext = isEnd;
        if (j < depth - 1) {
            isNext = isAt[j + 1];
        }
        previousPart[j] <== isNext * side[j];
        previousSum += previousPart[j];
        isLater += isAt[j];
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
