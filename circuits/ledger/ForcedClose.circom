pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";

// Whether a forced close is a payment of what an expired series is worth: condition F2.
//
// Proves:
//   1. settles = 1 exactly if isClose and the slot is listed, has expired, and its mark is final.
//   2. pays = 1 exactly if that, or isClose and the slot is settled.
// Assumes: all inputs are 0 or 1, and not both isListed and isSettled are 1.
// Twin: sequencer/engine/transactions/forcedClose.ts (isPayable)
template ExpiredClose() {
    signal input isClose;
    signal input isListed;
    signal input isSettled;
    signal input isUnexpired;
    signal input isFinal;
    signal output settles;
    signal output pays;

    signal hasMark <== isListed * isFinal;
    signal isOver <== hasMark * (1 - isUnexpired);
    settles <== isClose * isOver;
    pays <== settles + isClose * isSettled;
}

// How many lots a forced close moves to the fund, and what the closer pays: conditions F1 and F2.
//
// Proves (where isClose):
//   1. |taken| is the smaller of `lots` and |position|, with the position's sign: what the fund
//      would take over (F1); 0 where it pays out instead.
//   2. amount is the short-option minimum of a lot, at least 0, in 1e-6 USDC; paid is that for all
//      that is taken.
//   3. isDue = 1 exactly if the slot is unexpired and taken is not 0, or it pays and paidOut is not
//      0 (F1, F2).
//   Else: taken, paid and isDue are 0.
// Assumes: isClose, pays and isUnexpired are 0 or 1, pays only with isClose and without
//   isUnexpired; |position| <= 2^22, 0 <= lots < 2^22; paidOut is 0 where it does not pay;
//   |minimum5| < 2^24 is 5 times the slot's change in the last scenario.
// Twin: sequencer/engine/transactions/forcedClose.ts
template ForcedClose(unit) {
    signal input isClose;
    signal input pays;
    signal input paidOut;
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
    signal closed <== (isClose - pays) * most;
    taken <== sign * closed;

    signal isCharged <== IsNonNegative(CHANGE_BITS() + 3)(minimum5);
    signal charge5 <== isCharged * minimum5;
    isClose * (MARGIN_INITIAL_FACTOR() * amount - unit * charge5) === 0;
    paid <== amount * closed;

    signal isNothing <== IsZero()(closed + paidOut);
    isDue <== (1 - isNothing) * (isUnexpired + pays);
}

// Whether both accounts stay within what the venue allows them after a forced close: condition F3.
//
// Proves: out = 1 exactly if both numbers for cash are within +-2^51 and that for a position within
//   +-2^21, the upper limits themselves excluded.
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
