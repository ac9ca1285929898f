/** Money in and out, and the end of the connection. */
import { useEffect, useId, useState } from "react";
import type { Methods } from "../../client/generated/api.ts";
import { DecimalError, parseUsdc } from "../../market/decimal.ts";
import { USDC } from "../../protocol/usdc.ts";
import { number, shortHex } from "../math/format.ts";
import { Dialog } from "../parts/Dialog.tsx";
import { type Identity, session, summary, tell } from "../state/account.ts";
import { errorText, outcomeText, sentence } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { rpc } from "../state/venue.ts";
import { view } from "../state/view.ts";

const POLL_MS = 3000;

export function Funds() {
  const state = useStore(session);
  const close = (): void => view.patch({ dialog: undefined });
  if (state.phase !== "ready") return null;
  const leave = async (): Promise<void> => {
    close();
    await (await import("../account/session.ts")).disconnect();
  };
  return (
    <Dialog title={`Account ${state.account}`} onClose={close}>
      <p className="note">
        Owner <code title={state.identity.address}>{shortHex(state.identity.address)}</code>,
        trading key {state.keyIndex + 1}
        {state.identity.isDevelopment ? ": a development key, which everybody has" : ""}.
      </p>
      <h3>Deposit</h3>
      <DepositForm keyIndex={undefined} />
      <h3>Withdraw</h3>
      <WithdrawForm identity={state.identity} />
      <button type="button" onClick={() => void leave()}>
        Disconnect
      </button>
    </Dialog>
  );
}

interface Step {
  readonly text: string;
  readonly isFault: boolean;
}

/** Runs something that takes a while, and says how far it is. */
function useSteps() {
  const [step, setStep] = useState<Step>();
  const [isBusy, setBusy] = useState(false);
  const run = async (act: (say: (text: string) => void) => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      setStep(undefined);
      await act((text) => setStep({ text, isFault: false }));
    } catch (error) {
      setStep({ text: errorText(error), isFault: true });
    } finally {
      setBusy(false);
    }
  };
  const note =
    step === undefined ? null : (
      <p role={step.isFault ? "alert" : "status"} className={step.isFault ? "refusal" : "note"}>
        {step.text}
      </p>
    );
  return { isBusy, run, note };
}

function amountOf(text: string): number {
  const amount = parseUsdc(text);
  if (amount <= 0) throw new DecimalError("the amount must be above 0");
  return amount;
}

function AmountField({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        inputMode="decimal"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <span className="unit">USDC</span>
    </div>
  );
}

/** With a key's index, the deposit registers that key and the page connects. */
export function DepositForm({ keyIndex }: { readonly keyIndex: number | undefined }) {
  const [amount, setAmount] = useState("1000");
  const [held, setHeld] = useState<number>();
  const { isBusy, run, note } = useSteps();
  const state = useStore(session);
  const isDevelopment = "identity" in state && state.identity.isDevelopment;
  const read = async (): Promise<void> => {
    const { readFunds } = await import("../account/funds.ts");
    setHeld((await readFunds()).held);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the form opens
  useEffect(() => void read().catch(() => undefined), []);
  const send = (): Promise<void> =>
    run(async (say) => {
      const wanted = amountOf(amount);
      const funds = await import("../account/funds.ts");
      if (isDevelopment && (await funds.readFunds()).held < wanted) {
        say("Minting test tokens");
        await funds.mint(wanted);
      }
      await funds.deposit(wanted, keyIndex, say);
      say("Deposited; it counts with the next batch.");
      tell(`Deposited ${amount} USDC.`, "good");
      if (keyIndex !== undefined) view.patch({ dialog: undefined });
      else await read();
    });
  return (
    <div className="money">
      <AmountField label="Deposit" value={amount} onChange={setAmount} />
      <button type="button" className="buy" disabled={isBusy} onClick={() => void send()}>
        {isBusy ? "Depositing…" : "Deposit"}
      </button>
      <p className="note">
        In the wallet: {number(held === undefined ? undefined : held / USDC, 2)} USDC
        {isDevelopment ? "; test tokens are minted as needed" : ""}
      </p>
      {note}
    </div>
  );
}

type Withdrawal = Methods["straddle/get_withdrawals"]["result"][number];

function WithdrawForm({ identity }: { readonly identity: Identity }) {
  const [amount, setAmount] = useState("");
  const [list, setList] = useState<readonly Withdrawal[]>([]);
  const [pending, setPending] = useState(0);
  const figures = useStore(summary);
  const { isBusy, run, note } = useSteps();
  useEffect(() => {
    const read = async (): Promise<void> => {
      setList(await rpc.call("straddle/get_withdrawals", { owner: identity.address }));
      const { readFunds } = await import("../account/funds.ts");
      setPending((await readFunds()).pending);
    };
    const again = (): void => void read().catch(() => undefined);
    again();
    const timer = setInterval(again, POLL_MS);
    return () => clearInterval(timer);
  }, [identity]);
  const send = (): Promise<void> =>
    run(async (say) => {
      const wanted = amountOf(amount);
      const { withdraw } = await import("../account/session.ts");
      const { outcome } = await withdraw(wanted);
      say(
        outcome === "executed"
          ? "On its way: to be claimed here once its batch is anchored."
          : sentence(outcomeText(outcome)),
      );
    });
  const claim = (): Promise<void> =>
    run(async (say) => {
      const { claim: take } = await import("../account/funds.ts");
      say(`${number((await take()) / USDC, 2)} USDC are in the wallet.`);
    });
  return (
    <div className="money">
      <AmountField label="Withdraw" value={amount} onChange={setAmount} />
      <button type="button" className="sell" disabled={isBusy} onClick={() => void send()}>
        Withdraw
      </button>
      <p className="note">
        At most {number(figures?.available_withdrawal_funds, 2)} USDC can leave now.
      </p>
      {list.length === 0 ? null : (
        <ul className="plainlist" aria-label="Withdrawals">
          {list.slice(0, 5).map((each) => (
            <li key={each.log_position}>
              {number(each.amount, 2)} USDC: {each.stage}
            </li>
          ))}
        </ul>
      )}
      {pending === 0 ? null : (
        <button type="button" disabled={isBusy} onClick={() => void claim()}>
          Claim {number(pending / USDC, 2)} USDC
        </button>
      )}
      {note}
    </div>
  );
}
