import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A user of this machine, as whom root can run programs. */
export type Account = { name: string; uid: number; gid: number };

/** Whom root runs PostgreSQL as: `postgres` where there is such a user, else `nobody`. */
export function unprivilegedAccount(passwd: string = readFileSync("/etc/passwd", "utf8")): Account {
  const accounts = passwd.split("\n").map((line) => {
    const [name = "", , uid, gid] = line.split(":");
    return { name, uid: Number(uid), gid: Number(gid) };
  });
  for (const wanted of ["postgres", "nobody"]) {
    const found = accounts.find(({ name, uid }) => name === wanted && uid > 0);
    if (found !== undefined) return found;
  }
  throw new Error(
    "PostgreSQL does not run as root, and there is no user postgres or nobody: start as another user.",
  );
}

/** Whether this user can enter the folder, or run the program, at `path`. Takes root. */
export function canReach(path: string, { uid, gid }: Account): boolean {
  const { status } = spawnSync("/bin/sh", ["-c", 'test -x "$1"', "sh", path], { cwd: "/", uid, gid });
  return status === 0;
}
