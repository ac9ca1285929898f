pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

// Proves: root = Poseidon(Poseidon(accounts, series), Poseidon(sessions, books, nextSeq, carry)).
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (stateRoot)
template StateRoot() {
    signal input accounts;
    signal input series;
    signal input sessions;
    signal input books;
    signal input nextSeq;
    signal input carry;
    signal output root;
    signal output privateRoot;
    signal ledger <== Poseidon(2)([accounts, series]);
    privateRoot <== Poseidon(4)([sessions, books, nextSeq, carry]);
    root <== Poseidon(2)([ledger, privateRoot]);
}
