/** Who trades: a wallet, or on a chain of developers a key that everybody has. */
import { useEffect, useId, useState } from "react";
import { KEYS_PER_ACCOUNT } from "../../protocol/constants.ts";
import { isDevelopmentChain } from "../../protocol/developmentChain.ts";
import { shortHex } from "../math/format.ts";
import { Dialog } from "../parts/Dialog.tsx";
import { Loading } from "../parts/State.tsx";
import { connectError, session } from "../state/account.ts";
import { useStore } from "../state/store.ts";
import { catalogue } from "../state/venue.ts";
import { view } from "../state/view.ts";
import { type FoundWallet, findWallets, wallets } from "../state/wallets.ts";
import { DepositForm } from "./Funds.tsx";

/** The ready-made accounts that devnets leave alone come first. */
const DEVELOPMENT_INDEX = 0;

export function Connect() {
  const state = useStore(session);
  const close = (): void => view.patch({ dialog: undefined });
  return (
    <Dialog title="Connect" onClose={close}>
      {state.phase === "none" ? <Ways /> : null}
      {state.phase === "connecting" ? <Loading what={`— ${state.what.toLowerCase()}`} /> : null}
      {state.phase === "noAccount" ? (
        <>
          <p>
            <code>{shortHex(state.identity.address)}</code> has no account here. A deposit opens one
            and registers your trading key.
          </p>
          <DepositForm keyIndex={state.keyIndex} />
        </>
      ) : null}
      {state.phase === "noKey" ? (
        <KeyForm account={state.account} keyIndex={state.keyIndex} />
      ) : null}
      {state.phase === "ready" ? (
        <>
          <p>Connected to account {state.account}.</p>
          <button type="button" className="main" onClick={close}>
            Start trading
          </button>
        </>
      ) : null}
    </Dialog>
  );
}

function Ways() {
  const { info } = useStore(catalogue);
  const error = useStore(connectError);
  const [index, setIndex] = useState(String(DEVELOPMENT_INDEX));
  const [keyIndex, setKeyIndex] = useState("0");
  const [indexId, keyId] = [useId(), useId()];
  const isDevelopment = info !== undefined && isDevelopmentChain(info.chainId);
  const found = useStore(wallets);
  useEffect(findWallets, []);
  const begin = async (from: FoundWallet | number): Promise<void> => {
    connectError.set(undefined);
    const { connect } = await import("../account/session.ts");
    await connect({ from, keyIndex: Number(keyIndex) });
    if (session.get().phase === "ready") view.patch({ dialog: undefined });
  };
  return (
    <div className="ways">
      <p>
        Your wallet signs once (EIP-712). From that signature this page derives a trading key, which
        stays in this tab and can trade, but is worth nothing without your account.
      </p>
      <div className="field">
        <label htmlFor={keyId}>Trading key</label>
        <select id={keyId} value={keyIndex} onChange={(event) => setKeyIndex(event.target.value)}>
          {Array.from({ length: KEYS_PER_ACCOUNT }, (_, at) => (
            <option key={String(at)} value={at}>
              {at + 1} of {KEYS_PER_ACCOUNT}
            </option>
          ))}
        </select>
      </div>
      {found.map((each) => (
        <button type="button" className="main" key={each.id} onClick={() => void begin(each)}>
          Connect {each.name ?? "wallet"}
        </button>
      ))}
      {found.length > 0 ? null : (
        <button type="button" className="main" disabled>
          No wallet in this browser
        </button>
      )}
      {isDevelopment ? (
        <div className="development">
          <p>
            <strong>Development chain.</strong> Its ready-made accounts have keys that everybody
            knows: never send anything of value to them.
          </p>
          <div className="field">
            <label htmlFor={indexId}>Account no.</label>
            <input
              id={indexId}
              inputMode="numeric"
              value={index}
              onChange={(event) => setIndex(event.target.value.replace(/\D/g, "").slice(0, 2))}
            />
          </div>
          <button type="button" onClick={() => void begin(Number(index))}>
            Use a development key
          </button>
        </div>
      ) : null}
      {error === undefined ? null : (
        <p role="alert" className="refusal">
          {error}
        </p>
      )}
    </div>
  );
}

function KeyForm({ account, keyIndex }: { readonly account: number; readonly keyIndex: number }) {
  const [step, setStep] = useState<string>();
  const [fault, setFault] = useState<string>();
  const register = async (): Promise<void> => {
    setFault(undefined);
    try {
      const { registerKey } = await import("../account/funds.ts");
      await registerKey(keyIndex, setStep);
      view.patch({ dialog: undefined });
    } catch (error) {
      setFault((await import("../state/errors.ts")).errorText(error));
    } finally {
      setStep(undefined);
    }
  };
  return (
    <>
      <p>
        Account {account} is yours, but this trading key is not registered with it, or has expired.
      </p>
      <button
        type="button"
        className="main"
        disabled={step !== undefined}
        onClick={() => void register()}
      >
        {step ?? "Register the key on layer one"}
      </button>
      {fault === undefined ? null : (
        <p role="alert" className="refusal">
          {fault}
        </p>
      )}
    </>
  );
}
