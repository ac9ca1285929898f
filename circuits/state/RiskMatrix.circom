pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Unpack.circom";
include "Series.circom";

// The snapshot's matrix and what it makes of each slot.
//
// Proves:
//   1. matrix = hashVector(words), every mark and change within its width.
//   2. mark[m] is the table's mark if slot m is settled, else the snapshot's.
//   3. risk[m][s] = 4 mark + 5 change, the change being 0 if settled or final; risk[m][S] = 4 mark.
//   4. Where slot m is listed, the snapshot prices the series that is listed there.
// Assumes: listed and settled are 0 or 1, the terms in the table within their widths; scenarios is
//   at most 18.
// Twin: sequencer/protocol/snapshot.ts (slotRiskWords), sequencer/engine/risk.ts (effectiveRisk,
//   firstMispriced)
template RiskMatrix(slots, scenarios) {
    signal input words[2 * slots];
    input SeriesFields() table[slots];
    signal output matrix;
    signal output mark[slots];
    signal output isFinal[slots];
    signal output risk[slots][scenarios + 1];

    component hash = HashVector(2 * slots);
    hash.in <== words;
    matrix <== hash.out;

    var half = (scenarios + 1) \ 2;
    var widths[2 + half];
    widths[0] = MARK_BITS();
    widths[1] = 1;
    for (var s = 0; s < half; s++) {
        widths[2 + s] = CHANGE_BITS();
    }
    var rest = scenarios - half;
    var restWidths[1 + rest];
    restWidths[0] = SERIES_TERMS_BITS();
    for (var s = 0; s < rest; s++) {
        restWidths[1 + s] = CHANGE_BITS();
    }
    component first[slots];
    component second[slots];
    signal isFrozen[slots];
    signal change[slots][scenarios];
    for (var m = 0; m < slots; m++) {
        first[m] = Unpack(2 + half, widths);
        first[m].word <== words[2 * m];
        second[m] = Unpack(1 + rest, restWidths);
        second[m].word <== words[2 * m + 1];
        var terms = table[m].isCall * (1 << SERIES_TERMS_IS_CALL_OFFSET())
            + table[m].strike * (1 << SERIES_TERMS_STRIKE_OFFSET())
            + table[m].expiry * (1 << SERIES_TERMS_EXPIRY_OFFSET());
        table[m].listed * (second[m].fields[0] - terms) === 0;
        isFinal[m] <== first[m].fields[1];
        mark[m] <== first[m].fields[0] + table[m].settled * (table[m].mark - first[m].fields[0]);
        isFrozen[m] <== isFinal[m] + table[m].settled - isFinal[m] * table[m].settled;
        for (var s = 0; s < scenarios; s++) {
            var stated = s < half ? first[m].fields[2 + s] : second[m].fields[1 + s - half];
            change[m][s] <== (1 - isFrozen[m]) * (stated - CHANGE_OFFSET());
            risk[m][s] <== MARGIN_VALUE_FACTOR() * mark[m] + MARGIN_INITIAL_FACTOR() * change[m][s];
        }
        risk[m][scenarios] <== MARGIN_VALUE_FACTOR() * mark[m];
    }
}

// Proves: out[m words] = the marks, 12 to a public word.
// Twin: sequencer/protocol/snapshot.ts (markWords)
template MarkWords(slots) {
    var words = (slots + MARKS_PER_WORD() - 1) \ MARKS_PER_WORD();
    signal input mark[slots];
    signal output out[words];
    out <== PackMany(slots, MARK_BITS(), MARKS_PER_WORD())(mark);
}
