pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Unpack.circom";
include "Working.circom";

// Places of accounts and books in a batch: an instance has at most 64 of each.
function PLACE_BITS() { return 6; }

function MeetingWidths() {
    var widths[17];
    for (var i = 0; i < 3; i++) {
        widths[i] = PLACE_BITS();
    }
    for (var i = 3; i < 12; i++) {
        widths[i] = 1;
    }
    widths[12] = PRICE_BITS();
    widths[13] = PRICE_BITS();
    for (var i = 14; i < 17; i++) {
        widths[i] = LOTS_BITS();
    }
    return widths;
}

// What a step hands over, as one word: it goes nowhere but to a fill unit of the same batch.
//
// Proves: word = sum of the fields at the offsets that MeetingFields reads.
// Assumes: every field within its width, so that the word determines them (141 bits).
// Twin: none (it leaves no trace)
template MeetingWord() {
    input Meeting() meeting;
    signal output word;
    signal fields[17] <== [meeting.taker, meeting.maker, meeting.book, meeting.isMet,
        meeting.isLiquidate, meeting.isReduceOnly, meeting.isSell, meeting.restores,
        meeting.isKept, meeting.makerFails, meeting.fills, meeting.stands, meeting.price,
        meeting.topPrice, meeting.orderLots, meeting.topLots, meeting.filledLots];
    var widths[17] = MeetingWidths();
    var sum = 0;
    var offset = 0;
    for (var i = 0; i < 17; i++) {
        sum += fields[i] * (1 << offset);
        offset += widths[i];
    }
    word <== sum;
}

// Proves: the fields are those of MeetingWord, each within its width.
// Assumes: nothing.
template MeetingFields() {
    signal input word;
    output Meeting() meeting;
    var widths[17] = MeetingWidths();
    component unpacked = Unpack(17, widths);
    unpacked.word <== word;
    meeting.taker <== unpacked.fields[0];
    meeting.maker <== unpacked.fields[1];
    meeting.book <== unpacked.fields[2];
    meeting.isMet <== unpacked.fields[3];
    meeting.isLiquidate <== unpacked.fields[4];
    meeting.isReduceOnly <== unpacked.fields[5];
    meeting.isSell <== unpacked.fields[6];
    meeting.restores <== unpacked.fields[7];
    meeting.isKept <== unpacked.fields[8];
    meeting.makerFails <== unpacked.fields[9];
    meeting.fills <== unpacked.fields[10];
    meeting.stands <== unpacked.fields[11];
    meeting.price <== unpacked.fields[12];
    meeting.topPrice <== unpacked.fields[13];
    meeting.orderLots <== unpacked.fields[14];
    meeting.topLots <== unpacked.fields[15];
    meeting.filledLots <== unpacked.fields[16];
}

// Brings what `n` steps hand over to `units` fill units, in order and without a gap.
//
// Proves:
//   1. Unit t gets the word of the step that is the t-th to hand one over (from 0); isTaken[t] = 1.
//   2. A unit for which there is none gets word 0; isTaken[t] = 0.
//   3. At most `units` steps hand something over.
// Assumes: isHandedOver are 0 or 1.
// Twin: sequencer/batch/tradeWitness.ts (fillInputs)
template Handover(n, units) {
    signal input isHandedOver[n];
    signal input words[n];
    signal output isTaken[units];
    signal output word[units];

    // Who is next: one-hot, and all 0 once every unit has its word.
    var isNext[units];
    var count[units];
    var sum[units];
    for (var t = 0; t < units; t++) {
        isNext[t] = t == 0 ? 1 : 0;
        count[t] = 0;
        sum[t] = 0;
    }
    signal goes[n][units];
    signal part[n][units];
    for (var i = 0; i < n; i++) {
        var gone = 0;
        for (var t = units - 1; t >= 0; t--) {
            goes[i][t] <== isHandedOver[i] * isNext[t];
            part[i][t] <== goes[i][t] * words[i];
            gone += goes[i][t];
            count[t] += goes[i][t];
            sum[t] += part[i][t];
            isNext[t] -= goes[i][t];
            if (t < units - 1) {
                isNext[t + 1] += goes[i][t];
            }
        }
        gone === isHandedOver[i];
    }
    for (var t = 0; t < units; t++) {
        isTaken[t] <== count[t];
        word[t] <== sum[t];
    }
}
