// The original and the contact, under a watermark, for a minute.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api";
import { Watermark } from "../watermark";
import type { Original } from "./more";
import * as S from "./state";
import type { Detail } from "./types";

const OPEN_S = 60;
type Picture = { n: number; content_type: string };

export function Revealed({ one, said }: { one: Detail; said: Original }) {
  const [left, setLeft] = useState(OPEN_S);
  const [pictures, setPictures] = useState<Picture[]>([]);
  useEffect(() => {
    setLeft(OPEN_S);
    ask<{ media: Picture[] }>(`/desk/api/cases/${one.id}/media`).then(({ media }) => setPictures(media), () => undefined);
    const timer = setInterval(() => setLeft((now) => now - 1), 1000);
    return () => clearInterval(timer);
  }, [said]);
  if (left <= 0) return <p class="meta">原文与联系方式已隐藏。</p>;
  const base = `/desk/api/cases/${one.id}/media`;
  return (
    <div id="original" class="revealed">
      <Watermark words={`${S.names.display} ${new Date().toLocaleDateString("zh-CN")}`} />
      <p class="text sealed">{said.title ? `${said.title}\n` : ""}{said.text}</p>
      <p class="meta">联系人 {said.name || "—"}　电话 {said.phone || "—"}　邮箱 {said.email || "—"}</p>
      {pictures.length > 0 && <div class="thumbs">{pictures.map((it, n) => it.content_type.startsWith("image/")
        ? <a key={n} href={`${base}/${n}`} target="_blank" rel="noopener"><img src={`${base}/${n}`} alt={`照片 ${n + 1}`} /></a> : <a key={n} href={`${base}/${n}`}>附件 {n + 1}</a>)}</div>}
      <p class="meta">{left} 秒后隐藏</p>
    </div>
  );
}
