import type { ReactNode } from "react";

type NoticeProps = {
  kind: "error" | "warning" | "info" | "good";
  title: string;
  advice?: string | undefined;
  children?: ReactNode;
};

/** Something that happened, and what to do about it. Errors are read out at once, the rest when it suits. */
export function Notice({ kind, title, advice, children }: NoticeProps) {
  return (
    <div className={`notice notice-${kind}`} role={kind === "error" ? "alert" : "status"}>
      <p className="notice-title">{title}</p>
      {advice && <p>{advice}</p>}
      {children && <div className="notice-acts">{children}</div>}
    </div>
  );
}
