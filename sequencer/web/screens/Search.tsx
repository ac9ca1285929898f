/** Finds an instrument by any part of its name. */
import { useEffect, useId, useRef, useState } from "react";
import { number } from "../math/format.ts";
import { useStore } from "../state/store.ts";
import { catalogue, tickers } from "../state/venue.ts";
import { prepare, view } from "../state/view.ts";

const SHOWN = 12;

/** All parts of the text are somewhere in the name: `3000 c` finds the calls of that strike. */
function matches(name: string, text: string): boolean {
  const parts = text
    .toUpperCase()
    .split(/[\s-]+/)
    .filter(Boolean);
  return parts.every((part) => name.includes(part));
}

export function Search() {
  const { isSearching } = useStore(view);
  return isSearching ? <SearchBox /> : null;
}

function SearchBox() {
  const { byName } = useStore(catalogue);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const [inputId, listId] = [useId(), useId()];
  useEffect(() => {
    box.current?.showModal();
  }, []);
  const found = [...byName.keys()].filter((name) => matches(name, text)).slice(0, SHOWN);
  const close = (): void => view.patch({ isSearching: false });
  const choose = (name: string | undefined): void => {
    if (name === undefined) return;
    const expiry = byName.get(name)?.expiration_timestamp;
    close();
    prepare(name);
    view.patch({ screen: "chain", part: "main", expiry });
  };
  const chosen = Math.min(at, found.length - 1);
  return (
    <dialog ref={box} className="finder" aria-label="Search" onCancel={close}>
      <label htmlFor={inputId} className="hidden">
        Instrument
      </label>
      <input
        id={inputId}
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={found.length === 0 ? undefined : `${listId}-${chosen}`}
        placeholder="Strike, expiry, C or P, CS, STRD…"
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(chosen + 1, found.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(chosen - 1, 0));
          else if (event.key === "Enter") choose(found[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <div role="listbox" id={listId} aria-label="Instruments">
        {found.map((name, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keys
          <div
            key={name}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => choose(name)}
          >
            <span>{name}</span>
            <span>{number(tickers.get(name)?.mark_price, 1)}</span>
          </div>
        ))}
      </div>
      {found.length === 0 ? <p className="note">Nothing is listed by that name.</p> : null}
    </dialog>
  );
}
