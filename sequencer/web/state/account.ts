/** The trader on this page, as the screens follow it. What acts is in `account/session.ts`. */
import type { Methods } from "../../client/generated/api.ts";
import type { Order, Summary, UserTrade } from "../../client/ownEvents.ts";
import type { Trader } from "../../client/trader.ts";
import type { Receipt, StageInfo, Wire } from "../../exchangeService.ts";
import type { RiskReport } from "../../market/riskReport.ts";
import { createStore } from "./store.ts";

export type Position = Methods["private/get_positions"]["result"][number];

export interface Identity {
  readonly address: `0x${string}`;
  /** A key that everybody knows: chains of developers only. */
  readonly isDevelopment: boolean;
}

export type Session =
  | { readonly phase: "none" }
  | { readonly phase: "connecting"; readonly what: string }
  /** The wallet has no account here yet: a deposit opens one. */
  | { readonly phase: "noAccount"; readonly identity: Identity; readonly keyIndex: number }
  /** It has one, whose keys are others. */
  | {
      readonly phase: "noKey";
      readonly identity: Identity;
      readonly account: number;
      readonly keyIndex: number;
    }
  | {
      readonly phase: "ready";
      readonly identity: Identity;
      readonly account: number;
      readonly keyIndex: number;
      readonly trader: Trader;
    };

/** A message of this page, from its receipt on. */
export interface Sent {
  readonly what: string;
  readonly receipt: Wire<Receipt>;
  readonly stage: Wire<StageInfo> | undefined;
}

export interface Notice {
  readonly id: number;
  readonly tone: "good" | "bad" | "plain";
  readonly text: string;
}

export const session = createStore<Session>({ phase: "none" });
export const connectError = createStore<string | undefined>(undefined);
export const summary = createStore<Summary | undefined>(undefined);
export const positions = createStore<readonly Position[] | undefined>(undefined);
export const orders = createStore<readonly Order[] | undefined>(undefined);
export const fills = createStore<readonly UserTrade[] | undefined>(undefined);
export const risk = createStore<RiskReport | undefined>(undefined);
/** Why the node's risk report is not believed. */
export const riskFault = createStore<string | undefined>(undefined);
export const sent = createStore<readonly Sent[]>([]);
export const notices = createStore<readonly Notice[]>([]);

const NOTICES_MAX = 4;
const NOTICE_MS = 9000;
let noticeId = 0;

/** Seen, and read out. */
export function tell(text: string, tone: Notice["tone"] = "plain"): void {
  noticeId += 1;
  const id = noticeId;
  notices.set([...notices.get(), { id, tone, text }].slice(-NOTICES_MAX));
  setTimeout(() => dismiss(id), NOTICE_MS);
}

export function dismiss(id: number): void {
  notices.set(notices.get().filter((notice) => notice.id !== id));
}

export function clearAccount(): void {
  for (const store of [summary, positions, orders, fills, risk, riskFault]) store.set(undefined);
  sent.set([]);
}
