import { Failure } from "./failure.tsx";
import { Loading } from "./loading.tsx";

type PendingProps = {
  /** Null or undefined while it is still being loaded. */
  error: unknown;
  onRetry: () => void;
  /** How much room it is going to take. */
  lines: number;
};

/** Stands where something is about to be, or says why it could not be loaded. */
export function Pending({ error, onRetry, lines }: PendingProps) {
  return error ? <Failure error={error} onRetry={onRetry} /> : <Loading lines={lines} />;
}
