pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";

// How many lots a forced close moves, and what the closer pays: conditions F1 and F2.
//
// Proves (where isClose):
//   1. |taken| is the smaller of `lots` and |position|, with the position's sign: what the fund
//      would take over (F1).
//   2. amount is the short-option minimum of a lot, at least 0, in 1e-6 USDC; paid is that for all
//      that is taken.
//   3. isDue = 1 exactly if taken is not 0 and the slot is unexpired (F2).
//   Else: taken, paid and isDue are 0.
// Assumes: isClose and isUnexpired are 0 or 1; |position| <= 2^22, 0 <= lots < 2^22;
//   |minimum5| < 2^24 is 5 times the slot's change in the last scenario.
// Twin: sequencer/engine/transactions/forcedClose.ts
template ForcedClose(unit) {
    signal input isClose;
    signal input lots;
    signal input amount;
    signal input position;
    signal input isUnexpired;
    signal input minimum5;
    signal output taken;
    signal output paid;
    signal output isDue;

    signal isLong <== IsNonNegative(POSITION_BITS())(position);
    var sign = 2 * isLong - 1;
    signal held <== sign * position;
    signal most <== Minimum(POSITION_BITS())(lots, held);
    signal closed <== isClose * most;
    taken <== sign * closed;

    signal isCharged <== IsNonNegative(CHANGE_BITS() + 3)(minimum5);
    signal charge5 <== isCharged * minimum5;
    isClose * (MARGIN_INITIAL_FACTOR() * amount - unit * charge5) === 0;
    paid <== amount * closed;

    signal isNothing <== IsZero()(closed);
    isDue <== (1 - isNothing) * isUnexpired;
}

// Whether both accounts stay within what the venue allows them after a forced close: condition F3.
//
// Proves: out = 1 exactly if both accounts' cash is within +-2^51 and the fund's position within
//   +-2^21 afterwards, the upper limits themselves excluded.
// Assumes: |cash| < 3 * 2^52, |position| <= 2^23.
// Twin: sequencer/engine/transactions/forcedClose.ts
template WithinLimits() {
    signal input cash[2];
    signal input position;
    signal output out;
    signal firstFits <== FitsWithin(CASH_BITS() - 2)(cash[0]);
    signal secondFits <== FitsWithin(CASH_BITS() - 2)(cash[1]);
    signal positionFits <== FitsWithin(POSITION_BITS() - 2)(position);
    signal cashFits <== firstFits * secondFits;
    out <== cashFits * positionFits;
}
