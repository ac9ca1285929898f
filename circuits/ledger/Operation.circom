pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Health.circom";
include "../gadgets/Lanes.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "Bearable.circom";
include "ForcedClose.circom";
include "OpenBook.circom";
include "OperationWord.circom";
include "Positions.circom";
include "Ranking.circom";
include "RegisterKey.circom";
include "SignedOperation.circom";
include "Table.circom";
include "Takeover.circom";

// What the operations of a ledger batch work on.
bus LedgerWorking(accounts, signers, slots, scenarios) {
    signal owner[accounts];
    signal cash[accounts];
    signal headroom[accounts][scenarios + 1];
    signal positions[accounts][slots];
    signal lockedSince[accounts];
    signal watermark[accounts];
    signal keyHashes[accounts][KEYS_PER_ACCOUNT()];
    signal head[signers];
    WorkingSeries() table[slots];
    signal booksRoot;
    signal fees;
    RankingFields() ranking;
}

bus LedgerFixed(accounts, signers, slots, scenarios) {
    signal time;
    signal seconds;
    signal domain;
    signal accountIds[accounts];
    signal signerAccount[signers];
    signal changes[slots][LaneWords(scenarios)];
    signal isFinal[slots];
    signal nextSeq;
    signal isCarried;
    signal carriedBook;
}

// What the witness adds to an operation's public words.
bus OperationHints(bookLevels, oldSides) {
    signal signer;
    signal deadline;
    signal scenario;
    signal oldKey[2];
    signal oldHead;
    signal oldMeta;
    signal oldBookExists;
    signal oldBookWeights[2];
    signal oldBookGeneration;
    signal oldBookFees;
    signal oldBookSides[oldSides];
    signal bookSiblings[bookLevels][3];
}

// One operation of the ledger circuit: SPEC section 7.
//
// Proves:
//   1. The public words are those of a kind of SPEC section 7 (OperationWord).
//   2. withdraw, transfer and backstop extend the chain of a key of the account, before their
//      deadline (SignedOperation).
//   3. withdraw, forcedWithdraw and transfer are executed exactly if the account is covered and
//      its cash not negative afterwards (and, for a transfer, the recipient is another account
//      with an owner); else nothing but the chain changes.
//   4. A deposit adds its amount to an account of its owner (or an unused one).
//   5. Owners named by queue operations and withdrawals are the account's owner.
//   6. Listing, opening, settling and registering keep their conditions and do what SPEC says; no
//      book is opened in the place of the one that a carried order is in.
//   7. A takeover keeps T1 to T8 and moves lots at the mark, and the amount, between two different
//      accounts (Takeover, Bearable, Admissible, TopOfRanking).
//   8. absorb pays an amount above 0 to another account, whose equity afterwards is not positive,
//      out of a fund that is covered afterwards.
//   9. rank counts a holder of the slot; takeovers end the ranking (Rank).
//  10. release unlocks an account that is below maintenance in no scenario.
//  11. collectFees moves all fees to the fee account and states how much.
//  12. forcedCancelAll sets the watermark of the account to nextSeq, and only that.
//  13. forcedClose, of an account of the owner that is named, is executed exactly if F1 to F4
//      hold; else nothing changes. It moves lots to the fund, or pays a position of an expired
//      series out and settles that (ExpiredClose, ForcedClose, WithinLimits).
// Assumes: the working set is what the batch opened or the operation before left.
// Twin: sequencer/engine/ledger.ts and sequencer/engine/transactions/*.ts
template LedgerOperation(A, G, M, S, D, bookLevels, unit) {
    signal input words[LEDGER_OP_WORDS()];
    input OperationHints(bookLevels, BookSidesTold(D)) hints;
    input LedgerFixed(A, G, M, S) fixed;
    input LedgerWorking(A, G, M, S) before;
    output LedgerWorking(A, G, M, S) after;

    // 1. Kind and fields.
    OperationFields() op <== OperationWord()(words);

    // 2. The chain of the key that signs.
    component signed = SignedOperation(G);
    signed.op <== op;
    signed.signer <== hints.signer;
    signed.deadline <== hints.deadline;
    signed.time <== fixed.time;
    signed.signerAccount <== fixed.signerAccount;
    signed.head <== before.head;
    after.head <== signed.headAfter;

    // 3. The slot, the account, and the other one if there is one. Where a forced close pays out,
    // the closer is the account, and there is no other.
    signal isSlot[M] <== SelectByIndex(M)(op.slot, op.hasSlot);
    component slot = ReadSlot(M);
    slot.isSlot <== isSlot;
    slot.table <== before.table;
    slot.isFinal <== fixed.isFinal;
    component expired = ExpiredClose();
    expired.isClose <== op.isClose;
    expired.isListed <== slot.fields.listed;
    expired.isSettled <== slot.fields.settled;
    expired.isUnexpired <== slot.isUnexpired;
    expired.isFinal <== slot.final;
    signal pays <== expired.pays;
    signal account <== op.account + pays * (op.to - op.account);
    signal isAccount[A] <== SelectById(A)(fixed.accountIds, account, op.hasAccount);
    signal isTo[A] <== SelectById(A)(fixed.accountIds, op.to, op.hasTo - pays);
    signal isSelf <== IsEqual()([op.to, op.account]);
    (op.isTakeover + op.isAbsorb + op.isClose) * isSelf === 0;
    signal owner <== Dot(A)(isAccount, before.owner);
    signal toOwner <== Dot(A)(isTo, before.owner);
    signal cash <== Dot(A)(isAccount, before.cash);
    signal cashOfTo <== Dot(A)(isTo, before.cash);
    signal at[A] <== PositionsAt(A, M)(isSlot, before.positions);
    signal held <== Dot(A)(isAccount, at);
    signal heldByTo <== Dot(A)(isTo, at);
    component room[S + 1];
    component roomOfTo[S + 1];
    for (var s = 0; s <= S; s++) {
        room[s] = Dot(A);
        roomOfTo[s] = Dot(A);
        room[s].a <== isAccount;
        roomOfTo[s].a <== isTo;
        for (var a = 0; a < A; a++) {
            room[s].b[a] <== before.headroom[a][s];
            roomOfTo[s].b[a] <== before.headroom[a][s];
        }
    }

    // 4. What a takeover demands of the account that is liquidated. `gain` is what the account
    // would receive of the other, besides the worth of lots.
    signal change5[S] <== SlotChanges(M, S)(isSlot, fixed.changes);
    component close = ForcedClose(unit);
    close.isClose <== op.isClose;
    close.pays <== pays;
    signal closedOut <== pays * held;
    close.paidOut <== closedOut;
    close.lots <== op.lots;
    close.amount <== op.amount;
    close.position <== heldByTo;
    close.isUnexpired <== slot.isUnexpired;
    close.minimum5 <== change5[S - 1];
    signal stated <== op.amount
        * (op.isTakeover - 2 * op.isSubsidy - op.isAbsorb - op.isTested);
    signal gain <== stated + close.paid;
    signal takeoverLots <== op.isTakeover * op.lots;
    component takeover = Takeover(S, unit);
    takeover.isTakeover <== op.isTakeover;
    takeover.isInsure <== op.isInsure;
    takeover.isDeleverage <== op.isDeleverage;
    takeover.isAbsorb <== op.isAbsorb;
    takeover.isSubsidy <== op.isSubsidy;
    takeover.scenario <== hints.scenario;
    takeover.lots <== takeoverLots;
    takeover.amount <== op.amount;
    takeover.gain <== gain;
    takeover.position <== heldByTo;
    takeover.lockedSince <== Dot(A)(isTo, before.lockedSince);
    takeover.seconds <== fixed.seconds;
    takeover.change5 <== change5;
    for (var s = 0; s <= S; s++) {
        takeover.room[s] <== roomOfTo[s].out;
    }
    component top = TopOfRanking();
    top.enabled <== op.isDeleverage;
    top.account <== op.account;
    top.slot <== op.slot;
    top.isLong <== takeover.isShort;
    top.holders <== slot.fields.holders;
    top.lots <== op.lots;
    top.ranking <== before.ranking;

    // 5. Lots move, or are paid out, at the mark; the account must bear it, and the other one,
    //    which is liquidated, be relieved.
    signal paidOut <== op.isPayOut * held + closedOut;
    signal given <== -takeover.direction * op.lots;
    signal lots <== given - paidOut + close.taken;
    signal worth <== (unit * lots) * slot.fields.mark;
    component bearable = Bearable(S);
    bearable.isTested <== op.isTested;
    bearable.isAbsorb <== op.isAbsorb;
    bearable.isTakeover <== op.isTakeover;
    bearable.isInsure <== op.isInsure;
    bearable.isRelease <== op.isRelease;
    bearable.isClose <== op.isClose - pays;
    bearable.cashAfter <== cash + gain - worth;
    bearable.cashChange <== gain - worth;
    component toBears = Admissible(S + 1, HEALTH_BITS());
    toBears.enabled <== op.isTakeover + op.isClose - pays;
    signal shift[S + 1];
    shift[S] <== 0;
    for (var s = 0; s < S; s++) {
        shift[s] <== (unit * lots) * change5[s];
    }
    for (var s = 0; s <= S; s++) {
        bearable.room[s] <== room[s].out;
        bearable.change[s] <== shift[s] + MARGIN_VALUE_FACTOR() * gain;
    }
    // Of the account that is liquidated, 20 times maintenance less what is exhibited of it.
    for (var s = 0; s <= S; s++) {
        toBears.headroom[s] <== MARGIN_VALUE_FACTOR() * roomOfTo[s].out + roomOfTo[S].out
            - takeover.maintenance;
        toBears.change[s] <== -MARGIN_VALUE_FACTOR() * shift[s] - shift[S]
            - MARGIN_VALUE_FACTOR() * (MARGIN_VALUE_FACTOR() + 1) * gain;
    }
    signal hasNoRecipient <== IsZero()(toOwner);
    signal isRecipient <== (1 - hasNoRecipient) * (1 - isSelf);
    signal isMisdirected <== op.isTransfer * (1 - isRecipient);
    signal leaves <== op.isTested * bearable.passes;
    signal isPaid <== leaves * (1 - isMisdirected);
    op.isTakeover * toBears.fails === 0;
    component limits = WithinLimits();
    signal worthOfTo <== (1 - pays) * worth;
    limits.cash <== [cash + gain - worth, cashOfTo - gain + worthOfTo];
    limits.position <== held + lots;
    signal bothBear <== bearable.passes * toBears.passes;
    signal isAllowed <== limits.out * (bothBear + pays);
    signal isClosed <== isAllowed * close.isDue;
    op.executed === op.isUnconditional + isPaid + isClosed;
    // What a close that is refused would have done is not done.
    signal isDone <== 1 - op.isClose + isClosed;
    component move = MoveLots(A, M);
    move.isAccount <== isAccount;
    move.isOther <== isTo;
    move.hasOther <== op.isTakeover + op.isClose - pays;
    move.isSlot <== isSlot;
    move.lots <== isDone * lots;
    move.held <== held;
    move.otherHeld <== heldByTo;
    move.positions <== before.positions;
    after.positions <== move.after;
    (op.isPayOut + op.isRank) * move.heldNothing === 0;
    after.ranking <== Rank()(op.isRank, op.isTakeover + isClosed, op.account, op.slot, op.isLong,
        held, before.ranking);

    // 6. Cash, headrooms, fees, locks and owners.
    signal kept <== op.amount * (op.isTested - isPaid);
    signal added <== op.amount * (op.isDeposit + op.isCollect);
    signal received <== gain + kept + added;
    op.isCollect * (op.amount - before.fees) === 0;
    after.fees <== before.fees - op.isCollect * before.fees;
    signal mover[A];
    signal isReleased[A];
    signal isVoided[A];
    signal ownerChange[A];
    for (var a = 0; a < A; a++) {
        mover[a] <== isDone * (isAccount[a] - isTo[a]);
        after.cash[a] <== before.cash[a] + mover[a] * (received - worth);
        for (var s = 0; s <= S; s++) {
            after.headroom[a][s] <== before.headroom[a][s] + mover[a]
                * (shift[s] + MARGIN_VALUE_FACTOR() * received);
        }
        isReleased[a] <== op.isRelease * isAccount[a];
        after.lockedSince[a] <== before.lockedSince[a] - isReleased[a] * before.lockedSince[a];
        isVoided[a] <== op.isCancel * isAccount[a];
        after.watermark[a] <== before.watermark[a]
            + isVoided[a] * (fixed.nextSeq - before.watermark[a]);
        ownerChange[a] <== op.isDeposit * isAccount[a];
        after.owner[a] <== before.owner[a] + ownerChange[a] * (words[1] - before.owner[a]);
    }
    signal isOtherOwner <== (owner - words[1]) * owner;
    op.isDeposit * isOtherOwner === 0;
    (op.hasOwner - op.isDeposit) * (owner - words[1]) === 0;
    signal closedOwner <== pays * owner;
    op.isClose * (toOwner + closedOwner - words[1]) === 0;

    // 7. The series table.
    var termWidths[3];
    termWidths[0] = SERIES_TERMS_IS_CALL_BITS();
    termWidths[1] = SERIES_TERMS_STRIKE_BITS();
    termWidths[2] = SERIES_TERMS_EXPIRY_BITS();
    component terms = Unpack(3, termWidths);
    terms.word <== op.isList * words[1];
    op.isList * slot.fields.listed === 0;
    op.isList * slot.fields.holders === 0;
    InRange(SERIES_EXPIRY_BITS())(op.isList * (terms.fields[2] - fixed.seconds - 1));
    InRange(SERIES_GENERATION_BITS())(op.isList * (slot.fields.generation + 1));
    op.isSettle * (1 - slot.fields.listed) === 0;
    op.isSettle * (1 - slot.final) === 0;
    op.isSettle * (slot.fields.mark - op.amount) === 0;
    InRange(39)(op.isSettle * (fixed.seconds - slot.fields.expiry));
    op.isPayOut * (1 - slot.fields.settled) === 0;
    signal isSettledByClose <== isClosed * expired.settles;
    component change = ChangeSlot(M);
    change.isSlot <== isSlot;
    change.list <== op.isList;
    change.settle <== op.isSettle + isSettledByClose;
    change.holdersChange <== move.holdersChange;
    change.isCall <== terms.fields[0];
    change.strike <== terms.fields[1];
    change.expiry <== terms.fields[2];
    change.table <== before.table;
    after.table <== change.after;

    // 8. Keys and books.
    signal hasNoX <== IsZero()(words[2]);
    signal hasNoY <== IsZero()(words[3]);
    signal hasNoKey <== hasNoX * hasNoY;
    signal bringsKey <== op.isDeposit * (1 - hasNoKey);
    signal isCarriedBook <== IsEqual()([op.book, fixed.carriedBook]);
    signal takesCarriedBook <== isCarriedBook * fixed.isCarried;
    op.isOpenBook * takesCarriedBook === 0;
    component book = OpenBook(M, D);
    book.enabled <== op.isOpenBook;
    book.weightWords <== [op.isOpenBook * words[1], op.isOpenBook * words[2]];
    book.fees <== op.isOpenBook * words[3];
    book.table <== before.table;
    book.oldExists <== hints.oldBookExists;
    book.oldWeights <== hints.oldBookWeights;
    book.oldGeneration <== hints.oldBookGeneration;
    book.oldFees <== hints.oldBookFees;
    book.oldSides <== hints.oldBookSides;
    component key = RegisterKey(A, bookLevels);
    key.enabled <== op.isRegister + bringsKey;
    key.isAccount <== isAccount;
    key.account <== op.account;
    key.keyIndex <== op.keyIndex;
    key.key <== [words[2], words[3]];
    key.expiry <== op.keyExpiry;
    key.domain <== fixed.domain;
    key.oldKey <== hints.oldKey;
    key.oldHead <== hints.oldHead;
    key.oldMeta <== hints.oldMeta;
    key.keyHashes <== before.keyHashes;
    key.id <== op.book;
    key.leafBefore <== book.leafBefore;
    key.leafAfter <== book.leafAfter;
    key.siblings <== hints.bookSiblings;
    after.keyHashes <== key.keyHashesAfter;
    op.isOpenBook * (key.rootBefore - before.booksRoot) === 0;
    after.booksRoot <== before.booksRoot + op.isOpenBook * (key.rootAfter - before.booksRoot);
}
