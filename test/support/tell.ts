/** PostgreSQL's word about a connection that a test has ended, as tests do by the hundred. */
const EXPECTED = /FATAL: {2}terminating connection due to administrator command/;

/** Passes on what a run's own servers say, but for what would bury the rest. */
export function tell(line: string): void {
  if (!EXPECTED.test(line)) process.stderr.write(`${line}\n`);
}
