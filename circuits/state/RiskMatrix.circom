pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Lanes.circom";
include "../gadgets/Unpack.circom";
include "Series.circom";

// Words of a slot in a snapshot: its head, then its changes.
function SlotWords(scenarios) {
    return 1 + LaneWords(scenarios);
}

// The snapshot's matrix and what it makes of each slot.
//
// Proves:
//   1. matrix = hashVector(words).
//   2. Where slot m is listed, the snapshot prices the series that is listed there: its head is
//      mark + 2^20 isFinal + 2^21 terms, with a mark of 20 bits, isFinal 0 or 1 and the table's
//      terms.
//   3. mark[m] is that mark; the table's where m is not listed.
//   4. changes[m][w] are the words of changes less the offset in each lane; 0 where m is not listed
//      or final.
//   5. isFinal[m] is that of the head; 0 where m is not listed.
// Assumes: listed is 0 or 1, mark and terms in the table within their widths.
//   Lanes are not unpacked here, and nothing says that they are in their range: a quorum of
//   oracles has signed them. What is signed beyond it moves neighbours in what is summed of it, but
//   leaves no choice (LaneSums). Nodes cannot encode it (slotRiskWords): for them no such snapshot
//   has a hash that could be signed.
// Twin: sequencer/protocol/snapshot.ts (slotRiskWords), sequencer/engine/risk.ts (effectiveRisk,
//   firstMispriced)
template RiskMatrix(slots, scenarios) {
    var perSlot = SlotWords(scenarios);
    signal input words[perSlot * slots];
    input SeriesFields() table[slots];
    signal output matrix;
    signal output mark[slots];
    signal output isFinal[slots];
    signal output changes[slots][perSlot - 1];

    component hash = HashVector(perSlot * slots);
    hash.in <== words;
    matrix <== hash.out;

    // Of a lane in which 0 stands.
    var offsets[perSlot - 1];
    for (var s = 0; s < scenarios; s++) {
        offsets[s \ CHANGE_LANES_PER_WORD()] += CHANGE_OFFSET()
            * (1 << (CHANGE_LANE_BITS() * (s % CHANGE_LANES_PER_WORD())));
    }
    var widths[2] = [SLOT_HEAD_MARK_BITS(), SLOT_HEAD_IS_FINAL_BITS()];
    component head[slots];
    for (var m = 0; m < slots; m++) {
        var terms = table[m].isCall * (1 << SLOT_HEAD_IS_CALL_OFFSET())
            + table[m].strike * (1 << SLOT_HEAD_STRIKE_OFFSET())
            + table[m].expiry * (1 << SLOT_HEAD_EXPIRY_OFFSET());
        // All 0 where the slot is not listed: so isFinal is 1 only where listed is.
        head[m] = Unpack(2, widths);
        head[m].word <== table[m].listed * (words[perSlot * m] - terms);
        isFinal[m] <== head[m].fields[1];
        mark[m] <== head[m].fields[0] + (1 - table[m].listed) * table[m].mark;
        for (var w = 0; w < perSlot - 1; w++) {
            changes[m][w] <== (table[m].listed - isFinal[m])
                * (words[perSlot * m + 1 + w] - offsets[w]);
        }
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
