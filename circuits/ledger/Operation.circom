pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Health.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "OpenBook.circom";
include "RegisterKey.circom";
include "Table.circom";

// What the operations of a ledger batch work on. moved[a]: cash that deposits, withdrawals and
// transfers have brought to account a in this batch (settlements leave headrooms as they are).
bus LedgerWorking(accounts, signers, slots) {
    signal owner[accounts];
    signal cash[accounts];
    signal moved[accounts];
    signal positions[accounts][slots];
    signal keyHashes[accounts][KEYS_PER_ACCOUNT()];
    signal head[signers];
    WorkingSeries() table[slots];
    signal booksRoot;
}

bus LedgerFixed(accounts, signers, slots, scenarios) {
    signal time;
    signal seconds;
    signal domain;
    signal accountIds[accounts];
    signal signerAccount[signers];
    signal headroom[accounts][scenarios + 1];
    signal isFinal[slots];
    signal isCarried;
    signal carriedBook;
}

// What the witness adds to an operation's public words.
bus OperationHints(bookLevels) {
    signal signer;
    signal deadline;
    signal oldKey[2];
    signal oldHead;
    signal oldMeta;
    signal oldBookExists;
    signal oldBookWeights[2];
    signal oldBookGeneration;
    signal oldBookSides[2];
    signal bookSiblings[bookLevels][3];
}

// One operation of the ledger circuit: SPEC section 7.
//
// Proves:
//   1. The first public word is a kind of SPEC section 7 with its fields; words that the kind does
//      not use are 0.
//   2. withdraw and transfer extend the chain of a key of the account, before their deadline.
//   3. withdraw, forcedWithdraw and transfer are executed exactly if the account is covered and
//      its cash not negative afterwards (and, for a transfer, the recipient is another account
//      with an owner); else nothing but the chain changes.
//   4. A deposit adds its amount to an account of its owner (or an unused one).
//   5. Owners named by queue operations and withdrawals are the account's owner.
//   6. Listing, opening, settling and registering keep their conditions and do what SPEC says; no
//      book is opened in the place of the one that a carried order is in.
// Assumes: the working set is what the batch opened or the operation before left.
// Twin: sequencer/engine/ledger.ts and sequencer/engine/transactions/*.ts
template LedgerOperation(A, G, M, S, D, bookLevels, unit) {
    signal input words[LEDGER_OP_WORDS()];
    input OperationHints(bookLevels) hints;
    input LedgerFixed(A, G, M, S) fixed;
    input LedgerWorking(A, G, M) before;
    output LedgerWorking(A, G, M) after;

    // 1. Kind and fields.
    var widths[9];
    widths[0] = LEDGER_OP_KIND_BITS();
    widths[1] = 1;
    widths[2] = LEDGER_OP_ACCOUNT_BITS();
    widths[3] = LEDGER_OP_TO_BITS();
    widths[4] = LEDGER_OP_SLOT_BITS();
    widths[5] = LEDGER_OP_BOOK_BITS();
    widths[6] = LEDGER_OP_KEY_INDEX_BITS();
    widths[7] = LEDGER_OP_AMOUNT_BITS();
    widths[8] = LEDGER_OP_KEY_EXPIRY_BITS();
    component op = Unpack(9, widths);
    op.word <== words[0];
    signal isKind[10] <== SelectByIndex(10)(op.fields[0], 1);
    signal isDeposit <== isKind[LEDGER_KIND_DEPOSIT()];
    signal isRegister <== isKind[LEDGER_KIND_REGISTER_KEY()];
    signal isForced <== isKind[LEDGER_KIND_FORCED_WITHDRAW()];
    signal isWithdraw <== isKind[LEDGER_KIND_WITHDRAW()];
    signal isTransfer <== isKind[LEDGER_KIND_TRANSFER()];
    signal isList <== isKind[LEDGER_KIND_LIST_SERIES()];
    signal isOpenBook <== isKind[LEDGER_KIND_OPEN_BOOK()];
    signal isSettle <== isKind[LEDGER_KIND_SETTLE_SERIES()];
    signal isPayOut <== isKind[LEDGER_KIND_SETTLE_POSITION()];
    signal isIdle <== isKind[LEDGER_KIND_IDLE()];
    signal executed <== op.fields[1];
    signal account <== op.fields[2];
    signal amount <== op.fields[7];
    signal hasKeyWords <== isDeposit + isRegister;
    signal isSigned <== isWithdraw + isTransfer;
    signal isTested <== isSigned + isForced;
    signal hasOwner <== hasKeyWords + isForced + isWithdraw;
    signal hasAccount <== hasOwner + isTransfer + isPayOut;
    signal hasSlot <== isList + isSettle + isPayOut;
    (1 - hasAccount) * account === 0;
    (1 - isTransfer) * op.fields[3] === 0;
    (1 - hasSlot) * op.fields[4] === 0;
    (1 - isOpenBook) * op.fields[5] === 0;
    (1 - hasKeyWords) * (op.fields[6] + op.fields[8]) === 0;
    (1 - isTested - isDeposit - isSettle) * amount === 0;
    (1 - hasOwner - isList - isOpenBook) * words[1] === 0;
    (1 - hasKeyWords - isOpenBook) * words[2] === 0;
    (1 - hasKeyWords) * words[3] === 0;

    // 2. The account, and the chain of the key that signs for it.
    signal isAccount[A] <== SelectById(A)(fixed.accountIds, account, hasAccount);
    signal owner <== Dot(A)(isAccount, before.owner);
    signal cash <== Dot(A)(isAccount, before.cash);
    signal moved <== Dot(A)(isAccount, before.moved);
    signal isSigner[G] <== SelectByIndex(G)(hints.signer, isSigned);
    signal signersAccount <== Dot(G)(isSigner, fixed.signerAccount);
    isSigned * (account - signersAccount) === 0;
    signal message <== MESSAGE_KIND_WITHDRAW() * isWithdraw
        + MESSAGE_KIND_TRANSFER() * isTransfer
        + amount * (1 << LEDGER_MESSAGE_AMOUNT_OFFSET())
        + op.fields[3] * (1 << LEDGER_MESSAGE_TO_OFFSET())
        + hints.deadline * (1 << LEDGER_MESSAGE_DEADLINE_OFFSET());
    InRange(TIME_BITS())(hints.deadline);
    signal timeLeft <== isSigned * (hints.deadline - fixed.time);
    InRange(TIME_BITS())(timeLeft);
    signal head <== Dot(G)(isSigner, before.head);
    signal headAfter <== Poseidon(2)([head, message]);
    for (var g = 0; g < G; g++) {
        after.head[g] <== before.head[g] + isSigner[g] * (headAfter - before.head[g]);
    }
    signal hasNoAmount <== IsZero()(amount);
    isSigned * hasNoAmount === 0;

    // 3. Whether money may leave.
    component room[S + 1];
    component cover = AllNonNegative(S + 2);
    cover.enabled <== isTested;
    for (var s = 0; s <= S; s++) {
        room[s] = Dot(A);
        for (var a = 0; a < A; a++) {
            room[s].a[a] <== isAccount[a];
            room[s].b[a] <== fixed.headroom[a][s];
        }
        cover.values[s] <== room[s].out + MARGIN_VALUE_FACTOR() * (moved - amount);
    }
    cover.values[S + 1] <== cash - amount;
    _ <== cover.fails;
    signal isTo[A] <== SelectById(A)(fixed.accountIds, op.fields[3], isTransfer);
    signal toOwner <== Dot(A)(isTo, before.owner);
    signal hasNoRecipient <== IsZero()(toOwner);
    signal isSelf <== IsEqual()([op.fields[3], account]);
    signal isRecipient <== (1 - hasNoRecipient) * (1 - isSelf);
    signal isMisdirected <== isTransfer * (1 - isRecipient);
    signal leaves <== cover.passes * (1 - isMisdirected);
    executed === (1 - isIdle - isTested) + leaves;

    // 4. Owners.
    signal isOtherOwner <== (owner - words[1]) * owner;
    isDeposit * isOtherOwner === 0;
    (hasOwner - isDeposit) * (owner - words[1]) === 0;

    // 5. Slots.
    signal isSlot[M] <== SelectByIndex(M)(op.fields[4], hasSlot);
    component slot = ReadSlot(M);
    slot.isSlot <== isSlot;
    slot.table <== before.table;
    slot.isFinal <== fixed.isFinal;
    var termWidths[3];
    termWidths[0] = SERIES_TERMS_IS_CALL_BITS();
    termWidths[1] = SERIES_TERMS_STRIKE_BITS();
    termWidths[2] = SERIES_TERMS_EXPIRY_BITS();
    component terms = Unpack(3, termWidths);
    terms.word <== isList * words[1];
    isList * slot.fields.listed === 0;
    isList * slot.fields.holders === 0;
    InRange(SERIES_EXPIRY_BITS())(isList * (terms.fields[2] - fixed.seconds - 1));
    InRange(SERIES_GENERATION_BITS())(isList * (slot.fields.generation + 1));
    isSettle * (1 - slot.fields.listed) === 0;
    isSettle * (1 - slot.final) === 0;
    isSettle * (slot.fields.mark - amount) === 0;
    InRange(39)(isSettle * (fixed.seconds - slot.fields.expiry));
    isPayOut * (1 - slot.fields.settled) === 0;
    component change = ChangeSlot(M);
    change.isSlot <== isSlot;
    change.list <== isList;
    change.settle <== isSettle;
    change.release <== isPayOut;
    change.isCall <== terms.fields[0];
    change.strike <== terms.fields[1];
    change.expiry <== terms.fields[2];
    change.table <== before.table;
    after.table <== change.after;

    // 6. Positions paid out.
    signal isPaid[A];
    signal isCell[A][M];
    signal cell[A][M];
    var held = 0;
    for (var a = 0; a < A; a++) {
        isPaid[a] <== isPayOut * isAccount[a];
        for (var m = 0; m < M; m++) {
            isCell[a][m] <== isPaid[a] * isSlot[m];
            cell[a][m] <== isCell[a][m] * before.positions[a][m];
            held += cell[a][m];
            after.positions[a][m] <== before.positions[a][m] - cell[a][m];
        }
    }
    signal holdsNothing <== IsZero()(held);
    isPayOut * holdsNothing === 0;
    signal payoff <== (unit * held) * slot.fields.mark;

    // 7. Cash and owners.
    signal out <== leaves * amount;
    signal in <== isDeposit * amount;
    signal across <== isTransfer * out;
    signal ownerChange[A];
    signal sent[A];
    signal received[A];
    signal paidOut[A];
    for (var a = 0; a < A; a++) {
        sent[a] <== isAccount[a] * (in - out);
        received[a] <== isTo[a] * across;
        paidOut[a] <== isPaid[a] * payoff;
        after.moved[a] <== before.moved[a] + sent[a] + received[a];
        after.cash[a] <== before.cash[a] + sent[a] + received[a] + paidOut[a];
        ownerChange[a] <== isDeposit * isAccount[a];
        after.owner[a] <== before.owner[a] + ownerChange[a] * (words[1] - before.owner[a]);
    }

    // 8. Keys and books.
    signal hasNoX <== IsZero()(words[2]);
    signal hasNoY <== IsZero()(words[3]);
    signal hasNoKey <== hasNoX * hasNoY;
    signal bringsKey <== isDeposit * (1 - hasNoKey);
    component key = RegisterKey(A);
    key.enabled <== isRegister + bringsKey;
    key.isAccount <== isAccount;
    key.account <== account;
    key.keyIndex <== op.fields[6];
    key.key <== [words[2], words[3]];
    key.expiry <== op.fields[8];
    key.domain <== fixed.domain;
    key.oldKey <== hints.oldKey;
    key.oldHead <== hints.oldHead;
    key.oldMeta <== hints.oldMeta;
    key.keyHashes <== before.keyHashes;
    after.keyHashes <== key.keyHashesAfter;
    signal isCarriedBook <== IsEqual()([op.fields[5], fixed.carriedBook]);
    signal takesCarriedBook <== isCarriedBook * fixed.isCarried;
    isOpenBook * takesCarriedBook === 0;
    component book = OpenBook(M, D, bookLevels);
    book.enabled <== isOpenBook;
    book.book <== op.fields[5];
    book.weightWords <== [isOpenBook * words[1], isOpenBook * words[2]];
    book.booksRoot <== before.booksRoot;
    book.table <== before.table;
    book.oldExists <== hints.oldBookExists;
    book.oldWeights <== hints.oldBookWeights;
    book.oldGeneration <== hints.oldBookGeneration;
    book.oldSides <== hints.oldBookSides;
    book.siblings <== hints.bookSiblings;
    after.booksRoot <== book.booksRootAfter;
}
