import type { ReactNode } from "react";

/** A table may be wider than the screen: then it is moved inside this frame, by touch, mouse or arrow keys. */
export function TableFrame({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without focus no key could move it
    <section className="table-frame" aria-label={label} tabIndex={0}>
      <table>{children}</table>
    </section>
  );
}
