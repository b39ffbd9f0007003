import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { NamespaceNetwork } from "./namespaces.ts";

/**
 * A disk of its own for one process, in a file: small enough to be filled, and it can be told to hang. Takes root and a
 * loop device; only the process that it is for sees it.
 */
export class SmallDisk {
  readonly #network: NamespaceNetwork;
  readonly #label: string;
  readonly #folder: string;

  private constructor(network: NamespaceNetwork, label: string, folder: string) {
    this.#network = network;
    this.#label = label;
    this.#folder = folder;
  }

  /** Why there can be none here, or undefined where there can. */
  static obstacle(): string | undefined {
    for (const program of ["mkfs.ext4", "fsfreeze", "fallocate", "losetup"]) {
      if (spawnSync(program, ["-V"]).error) return `takes ${program}, of e2fsprogs and util-linux`;
    }
    const { status } = spawnSync("losetup", ["--find"]);
    return status === 0 ? undefined : "takes a loop device";
  }

  /** Puts what is in `folder` on a disk, where `label` sees it in the same place. Nobody may be using it. */
  static under(network: NamespaceNetwork, label: string, folder: string, megabytes: number): SmallDisk {
    const [image, at] = [`${folder}.image`, `${folder}.disk`];
    const script = `
      set -e
      truncate -s ${megabytes}M "$1" && mkfs.ext4 -q -m 0 "$1"
      mkdir "$2" && mount -o loop "$1" "$2" && rmdir "$2/lost+found"
      cp -a "$3/." "$2/" && chown --reference="$3" "$2" && chmod --reference="$3" "$2"
      mount --bind "$2" "$3"`;
    network.inside(label, "sh", "-c", script, "sh", image, at, folder);
    return new SmallDisk(network, label, folder);
  }

  /** Takes all the room there is. */
  fill(): void {
    const script = `
      room() { df --output=avail -B1 "$1" | tail -1; }
      fallocate -l "$(room "$1")" "$2" || true
      dd if=/dev/zero of="$2.rest" bs=64k 2>/dev/null || true`;
    this.#network.inside(this.#label, "sh", "-c", script, "sh", this.#folder, this.#ballast);
  }

  /** Gives it back. */
  free(): void {
    this.#network.inside(this.#label, "rm", "-f", this.#ballast, `${this.#ballast}.rest`);
  }

  /**
   * Whoever writes waits so long. A program of its own lets them go on: nothing could end who waits, not even
   * `kill -9`, if this process died meanwhile.
   */
  async hang(ms: number): Promise<void> {
    const script = 'fsfreeze -f "$1"; sleep "$2"; fsfreeze -u "$1"';
    const command = ["sh", "-c", script, "sh", this.#folder, String(ms / 1_000)];
    const [program = "", ...args] = this.#network.commandInside(this.#label, ...command);
    const child = spawn(program, args, { detached: true, stdio: "ignore" });
    await once(child, "exit");
  }

  get #ballast(): string {
    return join(this.#folder, "ballast");
  }
}
