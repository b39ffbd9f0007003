/** A place in the product where a bug is put back. */
export type Edit = {
  /** The file, from the root of the product. */
  module: string;
  /** What stands there once, and only once. */
  text: string;
  replacement: string;
};

/** A bug that the product does not have, because somebody thought of it: the simulation has to find it. */
export type KnownBug = {
  name: string;
  /** What is wrong about it. */
  why: string;
  edits: readonly Edit[];
  /** A seed that has found it. Seeds are tried from here where there is little time; the product may have moved on. */
  foundBy: number;
};
