// Before and after, side by side; a phone opens its camera.
import { useSignal } from "@preact/signals";
import { addPhotos, dropPhoto } from "./acts";
import type { Detail, Stage } from "./types";

const STAGES: Record<Stage, string> = { before: "处置前", after: "处置后" };
const TAKEN = "image/jpeg,image/png,image/webp,image/gif";

function Adding({ one, stage }: { one: Detail; stage: Stage }) {
  const busy = useSignal(false);
  async function add(input: HTMLInputElement): Promise<void> {
    busy.value = true;
    await addPhotos(one, stage, [...(input.files ?? [])]);
    input.value = "";
    busy.value = false;
  }
  const field = (name: string, camera: boolean) => (
    <label class={camera ? "take camera" : "take"}>{busy.value ? "正在上传…" : name}
      <input type="file" accept={camera ? "image/*" : TAKEN} capture={camera ? "environment" : undefined} multiple={!camera} disabled={busy.value} aria-label={`${STAGES[stage]}照片：${name}`} onChange={(event) => void add(event.currentTarget)} />
    </label>
  );
  return <div class="takes">{field("拍照", true)}{field("选择照片", false)}</div>;
}

export function Photos({ one }: { one: Detail }) {
  const open = one.status === "signed";
  if (!open && one.photos.length === 0) return null;
  const stages: Stage[] = ["before", "after"];
  return (
    <section class="card">
      <h2>现场照片（最多 6 张）</h2>
      <div class="pair">{stages.map((stage) => (
        <div key={stage} class="stage" data-stage={stage}>
          <h3>{STAGES[stage]}</h3>
          <div class="thumbs">{one.photos.filter((photo) => photo.stage === stage).map((photo, n) => {
            const src = `/inbox/api/orders/${one.id}/photos/${photo.n}`;
            return <figure key={photo.n}><a href={src} target="_blank" rel="noopener"><img src={src} alt={`${STAGES[stage]}照片 ${n + 1}`} loading="lazy" /></a>{open && <button class="plain small" aria-label={`删除${STAGES[stage]}照片 ${n + 1}`} onClick={() => void dropPhoto(one, photo.n)}>删除</button>}</figure>;
          })}</div>
          {open && <Adding one={one} stage={stage} />}
        </div>))}
      </div>
    </section>
  );
}
