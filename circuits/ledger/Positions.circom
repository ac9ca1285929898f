pragma circom 2.2.0;

include "circomlib/circuits/comparators.circom";
include "../gadgets/Select.circom";

// Proves: held[a] = the position of account a in the chosen slot; 0 where none is chosen.
// Assumes: isSlot is one-hot or zero.
template PositionsAt(accounts, slots) {
    signal input isSlot[slots];
    signal input positions[accounts][slots];
    signal output held[accounts];
    component row[accounts];
    for (var a = 0; a < accounts; a++) {
        row[a] = Dot(slots);
        row[a].a <== isSlot;
        row[a].b <== positions[a];
        held[a] <== row[a].out;
    }
}

// Lots of one slot that an account takes up, out of the positions of another if there is one.
//
// Proves:
//   1. `lots` are added to the account's position in the slot and taken off the other's; nobody
//      else's change.
//   2. holdersChange: by how much the number of the two that hold the slot rises.
//   3. heldNothing = 1 exactly if the account held nothing of the slot before.
// Assumes: selectors are one-hot or zero; held and otherHeld are what they hold of the slot before,
//   0 where none is selected; with hasOther 0 nobody is selected by isOther, or lots is 0.
// Twin: sequencer/engine/balance.ts (setPosition)
template MoveLots(accounts, slots) {
    signal input isAccount[accounts];
    signal input isOther[accounts];
    signal input hasOther;
    signal input isSlot[slots];
    signal input lots;
    signal input held;
    signal input otherHeld;
    signal input positions[accounts][slots];
    signal output after[accounts][slots];
    signal output holdersChange;
    signal output heldNothing;

    signal moved[slots];
    for (var m = 0; m < slots; m++) {
        moved[m] <== isSlot[m] * lots;
    }
    for (var a = 0; a < accounts; a++) {
        for (var m = 0; m < slots; m++) {
            after[a][m] <== positions[a][m] + (isAccount[a] - isOther[a]) * moved[m];
        }
    }
    heldNothing <== IsZero()(held);
    signal holdsNothing <== IsZero()(held + lots);
    signal otherHeldNothing <== IsZero()(otherHeld);
    signal otherHoldsNothing <== IsZero()(otherHeld - lots);
    holdersChange <== heldNothing - holdsNothing
        + hasOther * (otherHeldNothing - otherHoldsNothing);
}
