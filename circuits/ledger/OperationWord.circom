pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";

// What the first public word of an operation says, and the families of kinds that rules speak of.
bus OperationFields() {
    signal isDeposit;
    signal isRegister;
    signal isForced;
    signal isWithdraw;
    signal isTransfer;
    signal isList;
    signal isOpenBook;
    signal isSettle;
    signal isPayOut;
    signal isBackstop;
    signal isInsure;
    signal isDeleverage;
    signal isRank;
    signal isRelease;
    signal isCollect;
    signal isAbsorb;
    signal isCancel;
    signal isClose;
    // Signed by a trading key.
    signal isSigned;
    // Money leaves, or the operation is refused.
    signal isTested;
    signal isTakeover;
    signal hasOwner;
    signal hasAccount;
    signal hasTo;
    signal hasSlot;
    signal executed;
    signal account;
    signal to;
    signal slot;
    signal book;
    signal keyIndex;
    signal amount;
    signal keyExpiry;
    signal lots;
    signal isSubsidy;
    signal isLong;
    // 1 where the operation must be executed: not idle, tested, or a forced close.
    signal isUnconditional;
}

// The public words of an operation, read.
//
// Proves:
//   1. The first word is a kind of SPEC section 7 with its fields; fields and words that the kind
//      does not use are 0.
//   2. The insurance fund and the fee account stand where their kinds name them.
// Assumes: nothing.
// Twin: sequencer/engine/operation.ts (recordOf)
template OperationWord() {
    signal input words[LEDGER_OP_WORDS()];
    output OperationFields() op;

    var widths[12];
    widths[0] = LEDGER_OP_KIND_BITS();
    widths[1] = LEDGER_OP_EXECUTED_BITS();
    widths[2] = LEDGER_OP_ACCOUNT_BITS();
    widths[3] = LEDGER_OP_TO_BITS();
    widths[4] = LEDGER_OP_SLOT_BITS();
    widths[5] = LEDGER_OP_BOOK_BITS();
    widths[6] = LEDGER_OP_KEY_INDEX_BITS();
    widths[7] = LEDGER_OP_AMOUNT_BITS();
    widths[8] = LEDGER_OP_KEY_EXPIRY_BITS();
    widths[9] = LEDGER_OP_LOTS_BITS();
    widths[10] = LEDGER_OP_IS_SUBSIDY_BITS();
    widths[11] = LEDGER_OP_IS_LONG_BITS();
    component word = Unpack(12, widths);
    word.word <== words[0];
    op.executed <== word.fields[1];
    op.account <== word.fields[2];
    op.to <== word.fields[3];
    op.slot <== word.fields[4];
    op.book <== word.fields[5];
    op.keyIndex <== word.fields[6];
    op.amount <== word.fields[7];
    op.keyExpiry <== word.fields[8];
    op.lots <== word.fields[9];
    op.isSubsidy <== word.fields[10];
    op.isLong <== word.fields[11];

    var kinds = LEDGER_KIND_FORCED_CLOSE() + 1;
    signal isKind[kinds] <== SelectByIndex(kinds)(word.fields[0], 1);
    op.isDeposit <== isKind[LEDGER_KIND_DEPOSIT()];
    op.isRegister <== isKind[LEDGER_KIND_REGISTER_KEY()];
    op.isForced <== isKind[LEDGER_KIND_FORCED_WITHDRAW()];
    op.isWithdraw <== isKind[LEDGER_KIND_WITHDRAW()];
    op.isTransfer <== isKind[LEDGER_KIND_TRANSFER()];
    op.isList <== isKind[LEDGER_KIND_LIST_SERIES()];
    op.isOpenBook <== isKind[LEDGER_KIND_OPEN_BOOK()];
    op.isSettle <== isKind[LEDGER_KIND_SETTLE_SERIES()];
    op.isPayOut <== isKind[LEDGER_KIND_SETTLE_POSITION()];
    op.isBackstop <== isKind[LEDGER_KIND_BACKSTOP()];
    op.isInsure <== isKind[LEDGER_KIND_INSURE()];
    op.isDeleverage <== isKind[LEDGER_KIND_DELEVERAGE()];
    op.isRank <== isKind[LEDGER_KIND_RANK()];
    op.isRelease <== isKind[LEDGER_KIND_RELEASE()];
    op.isCollect <== isKind[LEDGER_KIND_COLLECT_FEES()];
    op.isAbsorb <== isKind[LEDGER_KIND_ABSORB()];
    op.isCancel <== isKind[LEDGER_KIND_FORCED_CANCEL_ALL()];
    op.isClose <== isKind[LEDGER_KIND_FORCED_CLOSE()];

    op.isSigned <== op.isWithdraw + op.isTransfer + op.isBackstop;
    op.isTested <== op.isForced + op.isWithdraw + op.isTransfer;
    op.isTakeover <== op.isBackstop + op.isInsure + op.isDeleverage;
    op.isUnconditional <== 1 - isKind[LEDGER_KIND_IDLE()] - op.isTested - op.isClose;
    var hasKeyWords = op.isDeposit + op.isRegister;
    op.hasOwner <== hasKeyWords + op.isForced + op.isWithdraw + op.isCancel;
    op.hasAccount <== op.hasOwner + op.isTransfer + op.isPayOut + op.isTakeover + op.isAbsorb
        + op.isRank + op.isRelease + op.isCollect + op.isClose;
    op.hasTo <== op.isTransfer + op.isTakeover + op.isAbsorb + op.isClose;
    op.hasSlot <== op.isList + op.isSettle + op.isPayOut + op.isTakeover + op.isRank
        + op.isClose;
    var hasAmount = op.isTested + op.isDeposit + op.isSettle + op.isTakeover + op.isAbsorb
        + op.isCollect + op.isClose;

    (1 - op.hasAccount) * op.account === 0;
    (1 - op.hasTo) * op.to === 0;
    (1 - op.hasSlot) * op.slot === 0;
    (1 - op.isOpenBook) * op.book === 0;
    (1 - hasKeyWords) * (op.keyIndex + op.keyExpiry) === 0;
    (1 - hasAmount) * op.amount === 0;
    (1 - op.isTakeover - op.isClose) * op.lots === 0;
    (1 - op.isInsure - op.isDeleverage) * op.isSubsidy === 0;
    (1 - op.isRank) * op.isLong === 0;
    (1 - op.hasOwner - op.isList - op.isOpenBook - op.isClose) * words[1] === 0;
    (1 - hasKeyWords - op.isOpenBook) * words[2] === 0;
    (1 - hasKeyWords - op.isOpenBook) * words[3] === 0;
    (op.isInsure + op.isAbsorb + op.isClose) * (op.account - INSURANCE_ACCOUNT()) === 0;
    op.isCollect * (op.account - FEE_ACCOUNT()) === 0;
}
