// The shapes of the inbox's API. Ids are texts: they outgrow a browser's integers. Times are ISO 8601.
import type { Names } from "../boot";

export type Verb = "sign" | "handle" | "return" | "extend" | "suspend" | "forward";

export type Row = {
  id: string; case_id: string; case_no: string; status: string; case_status: string; version: number; lead: boolean; joint: boolean; final: boolean; urgency: string; problems: string[]; area: string; summary: string; title: string; address: string;
  items: number; due_at: string; sign_due_at: string | null; dispatched_at: string; signed_at: string | null; handled_at: string | null; wanted_at: string | null; reworks: number; extensions: number; refused: boolean; photos: number; may: Verb[];
};

export type Photo = { n: number; stage: Stage; width: number; height: number; at: string };
export type Stage = "before" | "after";
export type Reason = { label: string; start: number; end: number };
export type Asked = { what: string; note: string; amount: number; unit: string; state: string; asked_at: string; answered_at: string | null; answer: string };
export type Returned = { reason: string; note: string; proposed: string; state: string; at: string };
export type Paper = { number: string; level: string; title: string; at: string; reply_by: string | null; state: string; reply: string };

export type Detail = Omit<Row, "photos"> & {
  text: string; point: string; reasons: Reason[]; history: { at: string; what: string; who: string; why: string }[]; requests: Asked[]; returns: Returned[]; supervisions: Paper[]; photos: Photo[]; told: Record<string, number>; reveals: boolean;
};

export type Letter = { id: string; case_no: string; title: string; reply_by: string | null; lines: [text: string, style: string][] };
export type Original = { name: string; phone: string; email: string; title: string; text: string; address: string };
export type Page = { rows: Row[]; next: string; counts: Record<string, number>; documents: number; now: string };

export type Boot = {
  user: string; display: string; office: string; scope: string; zone: string; views: Names; labels: Names; areas: Names; offices: Names; initials: Names; statuses: Names; levels: Names; reasons: Names; longest: { amount: number; unit: string }; keys?: boolean;
};
