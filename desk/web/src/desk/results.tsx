// What offices photographed, before and after, side by side.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api";
import { clockTime } from "../clock";
import * as S from "./state";
import type { Detail } from "./types";

type Photo = { order_id: string; n: number; stage: "before" | "after"; at: string; department: string };
const STAGES = { before: "处置前", after: "处置后" } as const;

export function Results({ one }: { one: Detail }) {
  const [photos, setPhotos] = useState<Photo[]>([]);
  const { id, version } = one;
  const asked = (S.names.may_dispatch || S.names.may_supervise) && one.orders.some((it) => it.status === "signed" || it.status === "handled");
  useEffect(() => {
    let here = true;
    setPhotos([]);
    if (asked) ask<{ photos: Photo[] }>(`/desk/api/cases/${id}/photos`).then((got) => { if (here) setPhotos(got.photos); }, () => undefined);
    return () => { here = false; };
  }, [id, version, asked]);
  if (photos.length === 0) return null;
  return (
    <section class="card">
      <h2>现场照片</h2>
      <div class="pair">{(["before", "after"] as const).map((stage) => (
        <div key={stage} class="stage" data-stage={stage}>
          <h3>{STAGES[stage]}</h3>
          <div class="thumbs">{photos.filter((it) => it.stage === stage).map((it) => {
            const src = `/desk/api/cases/${id}/photos/${it.order_id}/${it.n}`;
            return <figure key={`${it.order_id}:${it.n}`}><a href={src} target="_blank" rel="noopener"><img src={src} alt={`${STAGES[stage]}照片`} loading="lazy" /></a><figcaption class="meta">{S.office(it.department)}　{clockTime(it.at)}</figcaption></figure>;
          })}</div>
        </div>))}
      </div>
    </section>
  );
}
