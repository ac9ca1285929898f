pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";
include "../gadgets/Unpack.circom";

// How far the ranking of a slot's holders on one side has come; all 0 where none is under way.
bus RankingFields() {
    signal slot;
    signal isLong;
    signal next;
    signal seen;
    signal best;
    signal bestLots;
}

// Proves: fields are those of the word, each within its width.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (rankingWord)
template RankingOpened() {
    signal input word;
    output RankingFields() fields;
    var widths[6];
    widths[0] = RANKING_SLOT_BITS();
    widths[1] = RANKING_IS_LONG_BITS();
    widths[2] = RANKING_NEXT_BITS();
    widths[3] = RANKING_SEEN_BITS();
    widths[4] = RANKING_BEST_BITS();
    widths[5] = RANKING_BEST_LOTS_BITS();
    component unpacked = Unpack(6, widths);
    unpacked.word <== word;
    fields.slot <== unpacked.fields[0];
    fields.isLong <== unpacked.fields[1];
    fields.next <== unpacked.fields[2];
    fields.seen <== unpacked.fields[3];
    fields.best <== unpacked.fields[4];
    fields.bestLots <== unpacked.fields[5];
}

// Proves: word holds the fields; seen and bestLots are within their widths.
// Assumes: slot < 2^8, isLong 0 or 1, next <= 2^20, best < 2^20 (fields of operations).
template RankingClosed() {
    input RankingFields() fields;
    signal output word;
    InRange(RANKING_SEEN_BITS())(fields.seen);
    InRange(RANKING_BEST_LOTS_BITS())(fields.bestLots);
    word <== fields.slot * (1 << RANKING_SLOT_OFFSET())
        + fields.isLong * (1 << RANKING_IS_LONG_OFFSET())
        + fields.next * (1 << RANKING_NEXT_OFFSET())
        + fields.seen * (1 << RANKING_SEEN_OFFSET())
        + fields.best * (1 << RANKING_BEST_OFFSET())
        + fields.bestLots * (1 << RANKING_BEST_LOTS_OFFSET());
}

// The ranking after one operation.
//
// Proves:
//   1. isRank: a ranking of the same slot and side that has not come past the account goes on,
//      every other begins anew; the account is counted, and is best if it holds more lots on that
//      side than the best before it.
//   2. isTakeover: no ranking is under way. Else: the ranking stays as it is.
// Assumes: both flags are 0 or 1, not both 1; account < 2^20, |position| <= 2^22.
// Twin: sequencer/engine/transactions/rank.ts
template Rank() {
    signal input isRank;
    signal input isTakeover;
    signal input account;
    signal input slot;
    signal input isLong;
    signal input position;
    input RankingFields() before;
    output RankingFields() after;

    signal isSlot <== IsEqual()([slot, before.slot]);
    signal bothLong <== isLong * before.isLong;
    signal isSame <== isSlot * (1 - isLong - before.isLong + 2 * bothLong);
    signal isAhead <== IsNonNegative(RANKING_NEXT_BITS())(account - before.next);
    signal goesOn <== isSame * isAhead;
    signal seen <== goesOn * before.seen;
    signal best <== goesOn * before.best;
    signal bestLots <== goesOn * before.bestLots;
    signal lots <== (2 * isLong - 1) * position;
    signal isBest <== IsNonNegative(POSITION_BITS())(lots - bestLots - 1);
    signal bestNow <== best + isBest * (account - best);
    signal bestLotsNow <== bestLots + isBest * (lots - bestLots);

    signal stays <== 1 - isRank - isTakeover;
    signal kept[6];
    kept[0] <== stays * before.slot;
    kept[1] <== stays * before.isLong;
    kept[2] <== stays * before.next;
    kept[3] <== stays * before.seen;
    kept[4] <== stays * before.best;
    kept[5] <== stays * before.bestLots;
    after.slot <== kept[0] + isRank * slot;
    after.isLong <== kept[1] + isRank * isLong;
    after.next <== kept[2] + isRank * (account + 1);
    after.seen <== kept[3] + isRank * (seen + 1);
    after.best <== kept[4] + isRank * bestNow;
    after.bestLots <== kept[5] + isRank * bestLotsNow;
}

// Condition T8: who is deleveraged.
//
// Proves (where enabled): the ranking is of this slot and side, has counted all holders of it, the
//   account is its best, and holds at least `lots`.
// Assumes: enabled is 0 or 1; lots < 2^22.
// Twin: sequencer/engine/transactions/deleverage.ts
template TopOfRanking() {
    signal input enabled;
    signal input account;
    signal input slot;
    signal input isLong;
    signal input holders;
    signal input lots;
    input RankingFields() ranking;
    enabled * (ranking.slot - slot) === 0;
    enabled * (ranking.isLong - isLong) === 0;
    enabled * (ranking.seen - holders) === 0;
    enabled * (ranking.best - account) === 0;
    InRange(LOTS_BITS())(enabled * (ranking.bestLots - lots));
}
