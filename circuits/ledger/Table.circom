pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Lanes.circom";
include "../gadgets/Select.circom";
include "../state/Series.circom";

// The series table as operations see and change it.
bus WorkingSeries() {
    SeriesFields() fields;
    signal isUnexpired;
}

// Proves: out = the chosen slot's fields; all zero where no slot is chosen.
// Assumes: isSlot is one-hot or zero.
template ReadSlot(slots) {
    signal input isSlot[slots];
    input WorkingSeries() table[slots];
    signal input isFinal[slots];
    output SeriesFields() fields;
    signal output final;
    signal output isUnexpired;
    component of[8];
    for (var f = 0; f < 8; f++) {
        of[f] = Dot(slots);
        of[f].a <== isSlot;
    }
    for (var m = 0; m < slots; m++) {
        of[0].b[m] <== table[m].fields.mark;
        of[1].b[m] <== table[m].fields.holders;
        of[2].b[m] <== table[m].fields.generation;
        of[3].b[m] <== table[m].fields.listed;
        of[4].b[m] <== table[m].fields.settled;
        of[5].b[m] <== isFinal[m];
        of[6].b[m] <== table[m].fields.expiry;
        of[7].b[m] <== table[m].isUnexpired;
    }
    fields.mark <== of[0].out;
    fields.holders <== of[1].out;
    fields.generation <== of[2].out;
    fields.listed <== of[3].out;
    fields.settled <== of[4].out;
    final <== of[5].out;
    fields.expiry <== of[6].out;
    isUnexpired <== of[7].out;
    fields.isCall <== 0;
    fields.strike <== 0;
}

// The table after one operation.
//
// Proves:
//   1. list: the chosen slot gets the new terms, generation + 1, status listed, and is unexpired.
//   2. settle: the chosen slot's status becomes settled.
//   3. The chosen slot's holders change by holdersChange.
// Assumes: isSlot one-hot or zero; at most one of the flags is 1.
template ChangeSlot(slots) {
    signal input isSlot[slots];
    signal input list;
    signal input settle;
    signal input holdersChange;
    signal input isCall;
    signal input strike;
    signal input expiry;
    input WorkingSeries() table[slots];
    output WorkingSeries() after[slots];

    signal isListed[slots];
    signal isSettled[slots];
    signal newHolders[slots];
    signal listedNow[slots];
    signal settledNow[slots];
    for (var m = 0; m < slots; m++) {
        isListed[m] <== list * isSlot[m];
        isSettled[m] <== settle * isSlot[m];
        newHolders[m] <== holdersChange * isSlot[m];
        after[m].fields.mark <== table[m].fields.mark;
        after[m].fields.holders <== table[m].fields.holders + newHolders[m];
        after[m].fields.generation <== table[m].fields.generation + isListed[m];
        listedNow[m] <== table[m].fields.listed
            + isListed[m] * (1 - table[m].fields.listed);
        after[m].fields.listed <== listedNow[m] - isSettled[m];
        settledNow[m] <== isListed[m] * table[m].fields.settled;
        after[m].fields.settled <== table[m].fields.settled - settledNow[m] + isSettled[m];
        after[m].fields.isCall <== table[m].fields.isCall
            + isListed[m] * (isCall - table[m].fields.isCall);
        after[m].fields.strike <== table[m].fields.strike
            + isListed[m] * (strike - table[m].fields.strike);
        after[m].fields.expiry <== table[m].fields.expiry
            + isListed[m] * (expiry - table[m].fields.expiry);
        after[m].isUnexpired <== table[m].isUnexpired
            + isListed[m] * (1 - table[m].isUnexpired);
    }
}

// Proves: out[s] = 5 times the chosen slot's change in scenario s; 0 where no slot is chosen.
// Assumes: isSlot is one-hot or zero; changes as RiskMatrix gives them, of honest snapshots below
//   2^20 in size.
template SlotChanges(slots, scenarios) {
    signal input isSlot[slots];
    signal input changes[slots][LaneWords(scenarios)];
    signal output out[scenarios];
    component chosen = LaneSums(slots, scenarios, CHANGE_BITS());
    chosen.factor <== isSlot;
    chosen.words <== changes;
    for (var s = 0; s < scenarios; s++) {
        out[s] <== MARGIN_INITIAL_FACTOR() * chosen.out[s];
    }
}
