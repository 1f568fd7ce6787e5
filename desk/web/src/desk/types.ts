// The shapes of the desk's API. Ids are texts: they outgrow a browser's integers. Times are ISO 8601.
import type { Names } from "../boot";

export type Axis = "problems" | "campaigns";
export type Labels = { kind: string; urgency: string; problems: string[]; campaigns: string[] };
export type Claim = { user: string; name: string; until: string; kept: boolean };

export type Row = Labels & {
  id: string; case_no: string; status: string; version: number; channel: string; decision: string; confidence: number; department: string; suggested: string; area: string; summary: string;
  received_at: string; due_at: string | null; stage_due_at?: string | null; snoozed_until?: string | null; items: number; joint?: boolean; returns: number; claim?: Claim | null;
};

export type Reason = { label: string; start: number; end: number };
export type Order = { id: string; department: string; lead: boolean; status: string; due_at: string; proposed?: string };
export type Runner = { department: string; why: string };
export type Beside = { id: string; case_no: string; status: string; summary: string };
export type Similar = Beside & { score: number; relapse: boolean; received_at: string; area?: string; reasons: { text: string; against: boolean }[] };
export type Near = Beside & { area: string; channel: string; received_at: string; distance_m?: number | null };
export type Around = { citizen: Near[]; nearby: Near[] };
export type Supervision = { number: string; level: string; addressee: string; at: string; state: string; reply: string };

export type Detail = Row & {
  rule: string; point: string; placed: number; title?: string; text?: string; address?: string; url?: string; media?: number; gone_at?: string | null; reasons: Reason[]; scores: Record<string, unknown>; model: string;
  orders: Order[]; history: { at: string; what: string; who: string; why: string }[]; charges: { level: string; holder: string }[]; joined: Beside[]; joined_to: string; relapsed: string; supervisions: Supervision[];
  wanted_at: string | null; closed_at: string | null; final: boolean; reworks: number;
  notes?: { who: string; text: string; at: string }[]; runners?: Runner[]; why?: string; split_from?: string; split_from_no?: string; splits?: Beside[]; proposed?: { department: string; by: string; note: string } | null; similar?: Similar[];
};

export type SavedView = { id: string; name: string; query: string; shared: boolean; mine: boolean; position: number };
export type Person = { user: string; name: string; case_id: string | null; idle: boolean };

export type Boot = {
  user: string; display: string; labels: Names; problems: string[]; campaigns: string[]; kinds: string[]; urgencies: string[]; departments: Names; outside: string; areas: Names; initials: Names; statuses: Names; orders: Names; views: Names;
  holds: Record<string, string[]>; channels: Names; rules: Names; zone: string; reopens: Names; undo_s: number; levels: Names; documents: string[]; may_dispatch: boolean; may_supervise: boolean; keys: boolean;
};
