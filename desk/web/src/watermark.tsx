// Who looks at what must not spread, written across it.

const ROWS = 6;
const COLUMNS = 3;

/** Over its positioned parent: whose screen this is, so that a photograph of it tells. */
export const Watermark = ({ words }: { words: string }) => (
  <svg class="watermark" aria-hidden="true" width="100%" height="100%" preserveAspectRatio="none">
    {Array.from({ length: ROWS * COLUMNS }, (_, n) => {
      const x = `${(n % COLUMNS) * 36}%`;
      const y = `${12 + Math.floor(n / COLUMNS) * 18}%`;
      return <svg key={n} x={x} y={y} overflow="visible"><text transform="rotate(-14)" font-size="13" fill="currentColor" fill-opacity="0.16">{words}</text></svg>;
    })}
  </svg>
);
