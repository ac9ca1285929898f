pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Health.circom";
include "../gadgets/Select.circom";

// Rows 6 to 8 of SPEC section 6: whether maker and taker can bear the fill and its fees.
//
// Proves:
//   1. Of makerFails, takerFails and fills exactly one is 1 if isTested, none else: the maker is
//      tested first, the taker only if the maker passes.
//   2. takerPays = lots * (direction * price + takerFee),
//      makerPays = lots * (-direction * price + makerFee).
//   3. What is tested is, for each s, the taker's change direction * lots * rates[s]
//      - 4 takerPays, the maker's -direction * lots * rates[s] - 4 makerPays.
//   4. If isRelief, the taker's test is that of SPEC section 6: with room and change those of 20
//      times its maintenance, in every scenario it is at least `level` afterwards, or not lower.
// Assumes: rooms and changes below 2^100 in size; isTested and isRelief are 0 or 1; direction is 1
//   if the taker buys, -1 if it sells; level is 0 where not isRelief.
// Signals: rooms and payments in lot ticks, rooms rounded down (HeadroomLotTicks). Payments are
//   whole lot ticks, so that signs and differences are those of the exact numbers.
// Twin: sequencer/engine/risk.ts (admissibility, firstUnrelieved), sequencer/engine/book/book.ts
template FillVerdict(scenarios) {
    signal input isTested;
    signal input rates[scenarios + 1];
    signal input takerRoom[scenarios + 1];
    signal input makerRoom[scenarios + 1];
    signal input price;
    signal input lots;
    signal input direction;
    signal input takerFee;
    signal input makerFee;
    signal input isRelief;
    signal input level;
    signal output takerPays;
    signal output makerPays;
    signal output makerFails;
    signal output takerFails;
    signal output fills;

    signal signedLots <== direction * lots;
    signal premium <== signedLots * price;
    signal takerFees <== lots * takerFee;
    signal makerFees <== lots * makerFee;
    takerPays <== premium + takerFees;
    makerPays <== makerFees - premium;
    signal worth[scenarios + 1];
    signal moreRoom[scenarios + 1];
    signal moreChange[scenarios + 1];
    component maker = Admissible(scenarios + 1, HEALTH_LOT_TICKS_BITS());
    component taker = Admissible(scenarios + 1, HEALTH_LOT_TICKS_BITS());
    for (var s = 0; s <= scenarios; s++) {
        worth[s] <== signedLots * rates[s];
    }
    for (var s = 0; s <= scenarios; s++) {
        // 20 times maintenance is 4 headroom_s + headroom_S.
        moreRoom[s] <== isRelief * (3 * takerRoom[s] + takerRoom[scenarios]);
        taker.headroom[s] <== takerRoom[s] + moreRoom[s] - level;
        moreChange[s] <== isRelief * (3 * worth[s] + worth[scenarios]
            - 4 * MARGIN_VALUE_FACTOR() * takerPays);
        taker.change[s] <== worth[s] - MARGIN_VALUE_FACTOR() * takerPays + moreChange[s];
        maker.headroom[s] <== makerRoom[s];
        maker.change[s] <== -worth[s] - MARGIN_VALUE_FACTOR() * makerPays;
    }
    maker.enabled <== isTested;
    taker.enabled <== maker.passes;
    makerFails <== maker.fails;
    takerFails <== taker.fails;
    fills <== taker.passes;
}

// Moves lots, cash and fees, or undoes what an aborted order's steps have moved. Either way an
// account's lots change in the step's book alone, so that its headrooms follow from what lots and
// cash change by: no headroom need be kept for an abort.
//
// Proves:
//   1. If `signedLots` (positive: the taker buys) is not 0, lots of taker and maker change by it,
//      opposite to one another; each pays its part in cash, `unit` for each lot tick; nobody else's
//      change.
//   2. If `restore`, every account's lots and cash change instead by what savedLots and savedCash
//      say, taken back.
//   3. savedAfter = saved and what this step moved if `isKept`, else 0.
//   4. headroomAfter[s] - headroom[s] = (change of lots) * rates[s] + 4 (change of cash), in lot
//      ticks.
//   5. fees and all cash together stay the same.
// Assumes: selectors one-hot or zero; restore, isKept 0 or 1; payments 0 where signedLots is 0;
//   what is saved was moved in the step's book.
// Signals: headroom, payments and savedCash in lot ticks, cash and fees in 1e-6 USDC.
// Twin: sequencer/engine/book/book.ts (settleFill), sequencer/engine/transactions/place.ts
template ApplyFill(accounts, books, scenarios, unit) {
    signal input isTaker[accounts];
    signal input isMaker[accounts];
    signal input isBook[books];
    signal input rates[scenarios + 1];
    signal input signedLots;
    signal input takerPays;
    signal input makerPays;
    signal input restore;
    signal input isKept;
    signal input headroom[accounts][scenarios + 1];
    signal input cash[accounts];
    signal input net[accounts][books];
    signal input fees;
    signal input savedLots[accounts];
    signal input savedCash[accounts];
    signal output headroomAfter[accounts][scenarios + 1];
    signal output cashAfter[accounts];
    signal output netAfter[accounts][books];
    signal output feesAfter;
    signal output savedLotsAfter[accounts];
    signal output savedCashAfter[accounts];

    signal received[accounts];
    signal paidByTaker[accounts];
    signal paidByMaker[accounts];
    signal lotsChange[accounts];
    signal cashChange[accounts];
    signal worth[accounts][scenarios + 1];
    var paid = 0;
    for (var a = 0; a < accounts; a++) {
        received[a] <== (isTaker[a] - isMaker[a]) * signedLots;
        paidByTaker[a] <== isTaker[a] * takerPays;
        paidByMaker[a] <== isMaker[a] * makerPays;
        var earned = -paidByTaker[a] - paidByMaker[a];
        lotsChange[a] <== received[a] - restore * (received[a] + savedLots[a]);
        cashChange[a] <== earned - restore * (earned + savedCash[a]);
        savedLotsAfter[a] <== isKept * (savedLots[a] + lotsChange[a]);
        savedCashAfter[a] <== isKept * (savedCash[a] + cashChange[a]);
        cashAfter[a] <== cash[a] + unit * cashChange[a];
        paid -= cashChange[a];
        for (var b = 0; b < books; b++) {
            netAfter[a][b] <== net[a][b] + lotsChange[a] * isBook[b];
        }
        for (var s = 0; s <= scenarios; s++) {
            worth[a][s] <== lotsChange[a] * rates[s];
            headroomAfter[a][s] <== headroom[a][s] + worth[a][s]
                + MARGIN_VALUE_FACTOR() * cashChange[a];
        }
    }
    feesAfter <== fees + unit * paid;
}

// Proves: out = an account's exposure to a book now: positions . weights.
// Assumes: selectors one-hot or zero.
// Twin: sequencer/engine/bookState.ts (exposure)
template ExposureNow(accounts, books) {
    signal input isAccount[accounts];
    signal input isBook[books];
    signal input exposure[accounts][books];
    signal input net[accounts][books];
    signal input gram[books][books];
    signal output out;

    signal before[accounts][books];
    signal ofAccount[books];
    signal netPart[accounts][books];
    component row[books];
    signal atBook[books];
    signal traded[books];
    var sum = 0;
    for (var b = 0; b < books; b++) {
        var first = 0;
        var bought = 0;
        row[b] = Dot(books);
        for (var a = 0; a < accounts; a++) {
            before[a][b] <== isAccount[a] * exposure[a][b];
            first += before[a][b];
            netPart[a][b] <== isAccount[a] * net[a][b];
            bought += netPart[a][b];
        }
        ofAccount[b] <== first;
        for (var c = 0; c < books; c++) {
            row[b].a[c] <== isBook[c];
            row[b].b[c] <== gram[b][c];
        }
        atBook[b] <== isBook[b] * ofAccount[b];
        traded[b] <== bought * row[b].out;
        sum += atBook[b] + traded[b];
    }
    out <== sum;
}
