pragma circom 2.2.0;

include "../generated/Constants.circom";
include "Range.circom";
include "Select.circom";

// Words that hold so many lanes.
function LaneWords(lanes) {
    return (lanes + CHANGE_LANES_PER_WORD() - 1) \ CHANGE_LANES_PER_WORD();
}

// Sums over slots of signed numbers that stand in lanes of words: whole words are added up, and
// only the sum is taken apart.
//
// Proves:
//   1. sum_m factor[m] * words[m][w] = sum_i out[5 w + i] * 2^(50 i), and
//      -2^(bits - 1) <= out[s] < 2^(bits - 1).
//   2. No other numbers do, whatever the words are: with 2^(bits - 1) added, the out of a word are
//      digits of an integer below 2^250, which the field holds as it is, and digits are unique.
//   So where words[m][w] = sum_i number[m][5 w + i] * 2^(50 i), out[s] is the integer
//   sum_m factor[m] * number[m][s] if that is in the range; nothing runs over into other lanes.
// Assumes: nothing; no witness exists where the sum has no such digits.
// Twin: sequencer/protocol/snapshot.ts (slotRiskWords)
template LaneSums(slots, lanes, bits) {
    var perWord = CHANGE_LANES_PER_WORD();
    var stride = CHANGE_LANE_BITS();
    var wordCount = LaneWords(lanes);
    assert(bits <= stride);
    assert(perWord * stride <= 253);
    signal input factor[slots];
    signal input words[slots][wordCount];
    signal output out[lanes];

    component total[wordCount];
    signal lane[lanes];
    for (var w = 0; w < wordCount; w++) {
        total[w] = Dot(slots);
        total[w].a <== factor;
        var end = (w + 1) * perWord < lanes ? (w + 1) * perWord : lanes;
        for (var m = 0; m < slots; m++) {
            total[w].b[m] <== words[m][w];
        }
        var biased = total[w].out;
        for (var s = w * perWord; s < end; s++) {
            biased += (1 << (bits - 1)) * (1 << (stride * (s - w * perWord)));
        }
        var digits = 0;
        for (var s = w * perWord; s < end; s++) {
            // Pinned by the ranges and the sum.
            lane[s] <-- (biased >> (stride * (s - w * perWord))) & ((1 << bits) - 1);
            InRange(bits)(lane[s]);
            digits += lane[s] * (1 << (stride * (s - w * perWord)));
            out[s] <== lane[s] - (1 << (bits - 1));
        }
        digits === biased;
    }
}
