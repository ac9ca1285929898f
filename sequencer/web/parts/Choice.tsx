/** One of a few: a row of buttons, of which one is pressed. */
export function Choice<T extends string>({
  label,
  options,
  value,
  onChange,
  className = "",
}: {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (next: T) => void;
  readonly className?: string;
}) {
  return (
    <fieldset className={`choice ${className}`}>
      <legend className="hidden">{label}</legend>
      {options.map(([key, text]) => (
        <button
          type="button"
          key={key}
          aria-pressed={key === value}
          data-key={key}
          onClick={() => onChange(key)}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}
