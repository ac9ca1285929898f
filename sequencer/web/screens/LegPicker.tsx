/** Adds a leg: an option of an expiry, bought or sold. */
import { useId, useState } from "react";
import { expiryLabel } from "../math/format.ts";
import { useStore } from "../state/store.ts";
import { catalogue } from "../state/venue.ts";
import { addLeg, view } from "../state/view.ts";

export function LegPicker() {
  const { options, expiries } = useStore(catalogue);
  const { expiry: shown } = useStore(view);
  const [expiry, setExpiry] = useState(shown || expiries[0] || 0);
  const [name, setName] = useState("");
  const [expiryId, nameId] = [useId(), useId()];
  const own = options
    .filter((each) => each.expiration_timestamp === expiry)
    .sort((a, b) => (a.strike ?? 0) - (b.strike ?? 0));
  const chosen = own.find((each) => each.instrument_name === name) ?? own[0];
  const add = (weight: number) => () => {
    if (chosen !== undefined) addLeg(chosen.instrument_name, weight);
  };
  return (
    <div className="picker">
      <label htmlFor={expiryId} className="hidden">
        Expiry of the leg
      </label>
      <select
        id={expiryId}
        value={expiry}
        onChange={(event) => setExpiry(Number(event.target.value))}
      >
        {expiries.map((each) => (
          <option key={each} value={each}>
            {expiryLabel(each)}
          </option>
        ))}
      </select>
      <label htmlFor={nameId} className="hidden">
        Option of the leg
      </label>
      <select
        id={nameId}
        value={chosen?.instrument_name ?? ""}
        onChange={(event) => setName(event.target.value)}
      >
        {own.map((each) => (
          <option key={each.instrument_id} value={each.instrument_name}>
            {each.strike === 0 ? "Forward" : `${each.strike} ${each.option_type}`}
          </option>
        ))}
      </select>
      <button type="button" className="buy" onClick={add(1)}>
        Add bought
      </button>
      <button type="button" className="sell" onClick={add(-1)}>
        Add sold
      </button>
    </div>
  );
}
