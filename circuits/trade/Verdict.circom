pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";

// Rows 2 to 4 of SPEC section 6: which case an order step is before the taker's exposure is asked.
//
// Proves:
//   1. Exactly one of isVoid, isBlocked (post-only), isSelf and isMet is 1 if crosses, none else;
//      in SPEC's order.
// Assumes: crosses and flags are 0 or 1.
// Twin: sequencer/engine/book/book.ts (stepOrder)
template OrderCase() {
    signal input crosses;
    signal input isTopVoid;
    signal input isOwnTop;
    signal input isPostOnly;
    signal output isVoid;
    signal output isBlocked;
    signal output isSelf;
    signal output isMet;

    isVoid <== crosses * isTopVoid;
    signal afterVoid <== crosses - isVoid;
    isBlocked <== afterVoid * isPostOnly;
    signal afterPostOnly <== afterVoid - isBlocked;
    isSelf <== afterPostOnly * isOwnTop;
    isMet <== afterPostOnly - isSelf;
}

// Row 5 of SPEC section 6: how much of an order can fill, before margin is looked at.
//
// Proves:
//   1. hasNothing = 1 if isMet and the order is reduce-only with no exposure against it, else
//      isTested = isMet.
//   2. lots = min(order's lots, entry's lots, exposure against the order if reduce-only).
// Assumes: isMet and isReduceOnly are 0 or 1; lots and exposure within their widths.
// Twin: sequencer/engine/book/book.ts (stepOrder)
template TestedLots() {
    signal input isMet;
    signal input isReduceOnly;
    signal input exposureAgainst;
    signal input orderLots;
    signal input topLots;
    signal output hasNothing;
    signal output isTested;
    signal output lots;

    signal reducible <== isReduceOnly * exposureAgainst;
    signal canReduce <== IsNonNegative(POSITION_BITS())(reducible - 1);
    signal cannotReduce <== isReduceOnly * (1 - canReduce);
    hasNothing <== isMet * cannotReduce;
    isTested <== isMet - hasNothing;

    signal reduceCap <== canReduce * reducible;
    signal cap <== reduceCap + (1 - isReduceOnly) * (1 << LOTS_BITS());
    signal smaller <== Minimum(LOTS_BITS())(orderLots, topLots);
    lots <== Minimum(POSITION_BITS())(smaller, cap);
}
