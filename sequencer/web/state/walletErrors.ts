/** What a wallet refuses, by the numbers of EIP-1193, EIP-1474 and EIP-3326, for people. */

export const WALLET_CODES = { declined: 4001, unknownChain: 4902 } as const;

const TEXTS: Readonly<Record<number, string>> = {
  4001: "You declined this in the wallet: nothing was signed or sent",
  4100: "The wallet has not allowed this page to use the account: connect it again",
  4200: "This wallet cannot do that",
  4900: "The wallet has no connection to any network just now",
  4901: "The wallet has no connection to this venue's network just now",
  4902: "The wallet does not know this venue's network",
  [-32002]: "The wallet is still asking you something: open it and answer",
};

/** Causes that are looked through. */
const DEPTH_MAX = 8;

interface Said {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly data?: { readonly originalError?: unknown };
}

/** The number that the wallet gave, however its error was wrapped. */
export function codeOf(error: unknown): number | undefined {
  let said = error as Said | null | undefined;
  for (let depth = 0; depth < DEPTH_MAX && typeof said === "object" && said !== null; depth++) {
    const { code, data, cause } = said;
    // Some wrap the number that counts in their own.
    const inner = (data?.originalError as Said | undefined)?.code;
    for (const each of [inner, code]) {
      if (typeof each === "number" && each in TEXTS) return each;
    }
    said = cause as Said | null | undefined;
  }
  return undefined;
}

/** Undefined where the wallet has said nothing that people know by its number. */
export function walletText(error: unknown): string | undefined {
  const code = codeOf(error);
  return code === undefined ? undefined : TEXTS[code];
}
