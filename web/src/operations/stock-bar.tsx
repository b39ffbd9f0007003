type StockBarProps = { paid: bigint; held: bigint; quantity: bigint };

/** How much of a stock is paid and held, at a glance; the figures stand beside it for who cannot see it. */
export function StockBar({ paid, held, quantity }: StockBarProps) {
  return (
    <span className="stock" aria-hidden="true">
      <span className="stock-paid" style={{ width: percentOf(paid, quantity) }} />
      <span className="stock-held" style={{ width: percentOf(held, quantity) }} />
    </span>
  );
}

function percentOf(part: bigint, whole: bigint): string {
  return whole === 0n ? "0" : `${(Number(part) / Number(whole)) * 100}%`;
}
