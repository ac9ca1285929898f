/** ccxt's unified methods that move money: USDC, between accounts and to layer one. */
import ccxt, { type Account, type Transaction } from "ccxt";
import { parseUsdc } from "../market/decimal.ts";
import { USDC_DECIMALS } from "../protocol/usdc.ts";
import type { Dict } from "./access.ts";
import { SETTLE } from "./markets.ts";
import { StraddleTrading } from "./trading.ts";

const { BadRequest, InvalidAddress } = ccxt;

export class StraddleFunds extends StraddleTrading {
  /** The account of the trading key; an owner's other accounts have keys of their own. */
  override async fetchAccounts(): Promise<Account[]> {
    const info = await this.ownAccount();
    const id = this.safeString(info, "account");
    return [{ id, type: "trading", code: SETTLE, info } as unknown as Account];
  }

  /** To another account, by its id. `fromAccount` must be the trading key's own. */
  override async transfer(
    code: string,
    amount: number,
    fromAccount: string,
    toAccount: string,
    params: Dict = {},
  ) {
    const { account } = this.credentials();
    if (Number(fromAccount) !== account) {
      throw new BadRequest(`${this.id} the key is of account ${account}, not ${fromAccount}`);
    }
    if (!/^\d{1,7}$/.test(toAccount)) {
      throw new BadRequest(`${this.id} \`toAccount\` must be an account id. Got \`${toAccount}\`.`);
    }
    const message = { to: Number(toAccount), deadline: this.deadline(params) };
    const micros = this.micros(code, amount);
    const receipt = await this.submitWord({ kind: "transfer", amount: micros, ...message });
    const status = receipt.outcome === "executed" ? "ok" : "failed";
    return { ...this.moved(receipt, amount), fromAccount, toAccount, status };
  }

  /** To the owner on layer one: nobody else can be paid. */
  override async withdraw(
    code: string,
    amount: number,
    address: string,
    _tag?: string,
    params: Dict = {},
  ) {
    const owner = this.safeString(await this.ownAccount(), "owner") ?? "";
    if (BigInt(address) !== BigInt(owner)) {
      throw new InvalidAddress(`${this.id} withdrawals go to the owner, ${owner}. Got ${address}.`);
    }
    const micros = this.micros(code, amount);
    const deadline = this.deadline(params);
    const receipt = await this.submitWord({ kind: "withdraw", amount: micros, deadline });
    const status = receipt.outcome === "executed" ? "pending" : "failed";
    return {
      ...this.moved(receipt, amount),
      type: "withdrawal",
      address,
      status,
    } as unknown as Transaction;
  }

  override async fetchWithdrawals(
    _code?: string,
    since?: number,
    limit?: number,
    params: Dict = {},
  ) {
    const owner = this.safeString(await this.ownAccount(), "owner");
    const request = this.extend({ owner }, params);
    const { result } = await this.request("get_withdrawals", "straddle", "GET", request);
    const parsed = (result as Dict[]).map((info) => {
      const isDone = info.stage === "anchored";
      return {
        ...{ info, id: this.safeString(info, "log_position"), currency: SETTLE },
        ...{ type: "withdrawal", address: this.safeString(info, "owner") },
        ...{ amount: this.safeNumber(info, "amount"), status: isDone ? "ok" : "pending" },
        ...{ txid: this.safeString(info, "transaction"), timestamp: undefined },
      };
    });
    return this.filterBySinceLimit(parsed, since, limit) as Transaction[];
  }

  private async ownAccount(): Promise<Dict> {
    const { account } = this.credentials();
    const { result } = await this.request("get_account", "straddle", "GET", { account });
    return result as Dict;
  }

  private moved(receipt: Dict, amount: number) {
    const timestamp = this.safeInteger(receipt, "time");
    const id = this.safeString(receipt, "logPosition");
    const at = { timestamp, datetime: this.iso8601(timestamp) };
    return { info: receipt, id, currency: SETTLE, amount, ...at };
  }

  private micros(code: string, amount: number): number {
    if (code !== SETTLE) throw new BadRequest(`${this.id} only ${SETTLE} can be moved`);
    const text = this.decimalToPrecision(amount, ccxt.TRUNCATE, USDC_DECIMALS, ccxt.DECIMAL_PLACES);
    return parseUsdc(text);
  }
}
