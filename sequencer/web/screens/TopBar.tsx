/** Name, screens, the market's state, and who is connected. */
import { number } from "../math/format.ts";
import { Choice } from "../parts/Choice.tsx";
import { session } from "../state/account.ts";
import { useStore } from "../state/store.ts";
import { catalogue, link, platform, spot } from "../state/venue.ts";
import { setTheme, view } from "../state/view.ts";

const THEMES = { system: "dark", dark: "light", light: "system" } as const;

export function TopBar() {
  const { screen, theme } = useStore(view);
  return (
    <header className="top">
      <h1>
        <img src="/icon.svg" alt="" width="20" height="20" /> <span>Straddle</span>
      </h1>
      <nav aria-label="Screens">
        <Choice
          label="Screen"
          className="tabs"
          value={screen}
          options={[
            ["chain", "Chain"],
            ["strategy", "Strategy"],
            ["volatility", "Volatility"],
            ["batches", "Batches"],
          ]}
          onChange={(next) => view.patch({ screen: next, part: "main" })}
        />
      </nav>
      <button
        type="button"
        className="search"
        aria-keyshortcuts="/"
        onClick={() => view.patch({ isSearching: true })}
      >
        Search <kbd>/</kbd>
      </button>
      <Spot />
      <LinkLight />
      <button
        type="button"
        className="plain"
        aria-label={`Colours: ${theme}. Change them`}
        title={`Colours: ${theme}`}
        onClick={() => setTheme(THEMES[theme])}
      >
        {theme === "system" ? "◐" : theme === "dark" ? "☾" : "☀"}
      </button>
      <button
        type="button"
        className="plain keys"
        aria-label="Keys"
        aria-keyshortcuts="?"
        onClick={() => view.patch({ dialog: "keys" })}
      >
        ?
      </button>
      <AccountButton />
    </header>
  );
}

function Spot() {
  const price = useStore(spot);
  const { info } = useStore(catalogue);
  return (
    <span className="spot">
      <span>{info?.underlying ?? ""}</span> <b>{number(price, 1)}</b>
    </span>
  );
}

function LinkLight() {
  const state = useStore(link);
  const trading = useStore(platform);
  const [text, tone] =
    state.phase !== "open"
      ? [state.phase === "lost" ? "Disconnected" : "Connecting", "bad"]
      : trading === undefined
        ? ["Connected", "plain"]
        : trading.halted !== null
          ? ["Halted", "bad"]
          : trading.mode === "open"
            ? [trading.overloaded ? "Busy" : "Live", trading.overloaded ? "warn" : "good"]
            : [trading.mode === "paused" ? "Paused" : "Cancel only", "warn"];
  return (
    <output className={`light ${tone}`} aria-label={`Venue: ${text}`}>
      <i aria-hidden="true" />
      <span>{text}</span>
    </output>
  );
}

function AccountButton() {
  const state = useStore(session);
  if (state.phase === "ready") {
    return (
      <button type="button" className="account" onClick={() => view.patch({ dialog: "funds" })}>
        Account {state.account}
        {state.identity.isDevelopment ? <em>dev key</em> : null}
      </button>
    );
  }
  return (
    <button
      type="button"
      className="account connect"
      onClick={() => view.patch({ dialog: "connect" })}
    >
      {state.phase === "connecting" ? "Connecting…" : state.phase === "none" ? "Connect" : "Set up"}
    </button>
  );
}
