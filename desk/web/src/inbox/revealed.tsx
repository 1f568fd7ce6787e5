// The original and the contact under a watermark, for a minute, and only while the page is looked at.
import { useEffect, useState } from "preact/hooks";
import { clockTime } from "../clock";
import { Watermark } from "../watermark";
import * as S from "./state";
import type { Original } from "./types";

const OPEN_S = 60;

export function Revealed({ said, at }: { id: string; said: Original; at: string }) {
  const [left, setLeft] = useState(OPEN_S);
  useEffect(() => {
    const hide = (): void => { S.revealed.value = null; };
    const away = (): void => { if (document.hidden) hide(); };
    const timer = setInterval(() => setLeft((now) => now - 1), 1000);
    document.addEventListener("visibilitychange", away);
    addEventListener("pagehide", hide);
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", away); removeEventListener("pagehide", hide); };
  }, [said]);
  useEffect(() => { if (left <= 0) S.revealed.value = null; }, [left]);
  const phone = said.phone.replace(/[^\d+]/g, "");
  return (
    <div id="original" class="revealed">
      <Watermark words={`${S.names.display} ${S.names.office} ${clockTime(at)}`} />
      <p class="text sealed">{said.title ? `${said.title}\n` : ""}{said.text}</p>
      <p class="meta">联系人 {said.name || "—"}　电话 {phone ? <a href={`tel:${phone}`}>{said.phone}</a> : "—"}　邮箱 {said.email || "—"}</p>
      {said.address && <p class="meta">地址 {said.address}</p>}
      <p class="meta"><span aria-hidden="true">{left} 秒后隐藏</span> <button class="plain" onClick={() => { S.revealed.value = null; }}>立即隐藏</button></p>
    </div>
  );
}
