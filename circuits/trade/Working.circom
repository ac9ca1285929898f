pragma circom 2.2.0;

// What the steps and fills of a trade batch work on: opened once, changed by each, written back
// once.

// What steps change, of accounts, books and signers in their places. side 0 bids, 1 asks. isLocked:
// the account is being liquidated. savedSide: the side as it was when the fill-or-kill order that
// is being carried began.
bus Working(accounts, books, signers, depth) {
    signal watermark[accounts];
    signal isLocked[accounts];
    signal head[signers];
    signal sides[books][2][depth];
    signal nextSeq;
    signal savedSide[depth];
}

// What fills change. net[a][b]: lots that account a has bought, net, in book b during this batch.
// Headrooms are in lot ticks, rounded down (HeadroomLotTicks). savedLots, savedCash: what the
// fills of a fill-or-kill order that may abort have moved to each account and paid it so far, in
// lots and lot ticks; 0 where there is no such order.
bus Balances(accounts, books, scenarios) {
    signal headroom[accounts][scenarios + 1];
    signal cash[accounts];
    signal net[accounts][books];
    signal fees;
    signal savedLots[accounts];
    signal savedCash[accounts];
}

// An order on its way through several steps; all zero if there is none. `price` is offset.
bus Carried() {
    signal isActive;
    signal account;
    signal book;
    signal isSell;
    signal price;
    signal lots;
    signal isIoc;
    signal isFok;
    signal isPostOnly;
    signal isReduceOnly;
    signal seq;
    signal fokSteps;
    signal isDoomed;
}

// What does not change during a batch and steps look at. signersAccount: whose key each signer is,
// -1 of a signer that is not enabled.
bus Fixed(accounts, books, signers) {
    signal time;
    signal accountIds[accounts];
    signal signersAccount[signers];
    signal bookIds[books];
    signal isOpen[books];
    signal isPlain[books];
}

// What does not change during a batch and fills look at. exposure: positions . weights before the
// batch; gram[b][c]: weights of b . weights of c; feeRates are FeeRates'; excess is
// HeadroomLotTicks'.
bus Terms(accounts, books, scenarios) {
    signal accountIds[accounts];
    signal bookIds[books];
    signal excess[accounts];
    signal bookRisk[books][scenarios + 1];
    signal feeRates[books][3];
    signal exposure[accounts][books];
    signal gram[books][books];
}

// One step as the witness tells it. At most one kind's flag is set; `word` is the signed word, or
// names an order to purge or a liquidation; `isDoomed` foretells that a fill-or-kill order will
// abort.
bus StepInput() {
    signal isPlace;
    signal isCancel;
    signal isCancelAll;
    signal isProceed;
    signal isPurge;
    signal isLiquidate;
    signal signer;
    signal word;
    signal isDoomed;
}

// What the witness says that comes of a meeting, for a fill unit to find (FillUnit).
bus Outcome() {
    signal makerFails;
    signal fills;
    signal filledLots;
}

// What a step hands to a fill unit: places of taker, maker and book among those of the batch, the
// order and the entry that it meets (isMet), and what the step takes to come of it. `price` is the
// order's limit; both prices are offset. restores: a fill-or-kill order aborts here. isKept: one
// goes on, so that what it moves must be kept. stands: the fill is public.
bus Meeting() {
    signal taker;
    signal maker;
    signal book;
    signal isMet;
    signal isLiquidate;
    signal isReduceOnly;
    signal isSell;
    signal restores;
    signal isKept;
    signal makerFails;
    signal fills;
    signal stands;
    signal price;
    signal topPrice;
    signal orderLots;
    signal topLots;
    signal filledLots;
}
