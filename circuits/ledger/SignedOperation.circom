pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "OperationWord.circom";

// The chain of the key that signs a withdrawal, a transfer or a backstop.
//
// Proves:
//   1. Where the operation is signed, the chosen signer is one of the operation's account, its
//      head takes up the operation's message, and the deadline has not passed.
//   2. Withdrawals and transfers move something. No other head changes.
// Assumes: op is what OperationWord read; time < 2^48.
// Twin: sequencer/protocol/messages.ts (messageWord, nextHead)
template SignedOperation(G) {
    input OperationFields() op;
    signal input signer;
    signal input deadline;
    signal input time;
    signal input signerAccount[G];
    signal input head[G];
    signal output headAfter[G];

    signal isSigner[G] <== SelectByIndex(G)(signer, op.isSigned);
    signal signersAccount <== Dot(G)(isSigner, signerAccount);
    op.isSigned * (op.account - signersAccount) === 0;
    signal message <== MESSAGE_KIND_WITHDRAW() * op.isWithdraw
        + MESSAGE_KIND_TRANSFER() * op.isTransfer
        + MESSAGE_KIND_BACKSTOP() * op.isBackstop
        + op.amount * (1 << LEDGER_MESSAGE_AMOUNT_OFFSET())
        + op.to * (1 << LEDGER_MESSAGE_TO_OFFSET())
        + deadline * (1 << LEDGER_MESSAGE_DEADLINE_OFFSET())
        + op.slot * (1 << LEDGER_MESSAGE_SLOT_OFFSET())
        + op.lots * (1 << LEDGER_MESSAGE_LOTS_OFFSET());
    InRange(TIME_BITS())(deadline);
    signal timeLeft <== op.isSigned * (deadline - time);
    InRange(TIME_BITS())(timeLeft);
    signal headBefore <== Dot(G)(isSigner, head);
    signal next <== Poseidon(2)([headBefore, message]);
    for (var g = 0; g < G; g++) {
        headAfter[g] <== head[g] + isSigner[g] * (next - headBefore);
    }
    signal hasNoAmount <== IsZero()(op.amount);
    (op.isWithdraw + op.isTransfer + op.isAbsorb) * hasNoAmount === 0;
}
