/** Name, screens, the market's state, and who is connected. */
import { number } from "../math/format.ts";
import { Choice } from "../parts/Choice.tsx";
import { session } from "../state/account.ts";
import { useStore } from "../state/store.ts";
import { catalogue, link, platform, spot } from "../state/venue.ts";
import { setTheme, view } from "../state/view.ts";
import { useStop } from "./Banner.tsx";

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

/** A word for each state, and its colour. */
const LIGHTS = {
  disconnected: ["Disconnected", "bad"],
  frozen: ["Frozen", "bad"],
  halted: ["Halted", "bad"],
  paused: ["Paused", "warn"],
  cancelOnly: ["Cancel only", "warn"],
  overloaded: ["Overloaded", "warn"],
} as const;

function LinkLight() {
  const { phase } = useStore(link);
  const state = useStore(platform);
  const stop = useStop();
  const [text, tone] =
    stop !== undefined
      ? LIGHTS[stop.kind]
      : phase === "connecting"
        ? ["Connecting", "bad"]
        : state === undefined
          ? ["Connected", "plain"]
          : ["Live", "good"];
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
