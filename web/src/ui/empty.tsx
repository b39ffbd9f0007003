import type { ReactNode } from "react";

type EmptyProps = {
  title: string;
  advice: string;
  /** Whether the page holds nothing else. */
  isPage?: boolean;
  children?: ReactNode;
};

/** A box with a sentence and what to do next, where there is nothing else to show. */
export function Empty({ title, advice, isPage = false, children }: EmptyProps) {
  const Heading = isPage ? "h1" : "h2";
  return (
    <div className="empty">
      <Heading>{title}</Heading>
      <p>{advice}</p>
      {children && <div className="empty-acts">{children}</div>}
    </div>
  );
}
