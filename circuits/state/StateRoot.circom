pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

// Proves: root = Poseidon(Poseidon(accounts, series, fees),
//   Poseidon(sessions, books, nextSeq, carry, ranking)).
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (stateRoot)
template StateRoot() {
    signal input accounts;
    signal input series;
    signal input fees;
    signal input sessions;
    signal input books;
    signal input nextSeq;
    signal input carry;
    signal input ranking;
    signal output root;
    signal output privateRoot;
    signal ledger <== Poseidon(3)([accounts, series, fees]);
    privateRoot <== Poseidon(5)([sessions, books, nextSeq, carry, ranking]);
    root <== Poseidon(2)([ledger, privateRoot]);
}
