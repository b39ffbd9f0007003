/** Who calls, after their token was verified. */
export type Caller = Anonymous | Operator | Service;

/** Nobody said who they are. */
export type Anonymous = { kind: "anonymous" };

/** A person who runs the box office. `subject` is the audit's actor; `token` is what to forward, never to log. */
export type Operator = { kind: "operator"; subject: string; token: string };

/** Another service of the box office, by name. */
export type Service = { kind: "service"; service: string };

export const ANONYMOUS: Anonymous = { kind: "anonymous" };
