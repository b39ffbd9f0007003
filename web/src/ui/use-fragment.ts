import { useSyncExternalStore } from "react";

/** What stands after the # of the address; "pushState" and "replaceState" are told by the router. */
export function useFragment(): string {
  return useSyncExternalStore(subscribe, () => location.hash.slice(1));
}

const TOLD_BY = ["hashchange", "popstate", "pushState", "replaceState"];

function subscribe(onChange: () => void): () => void {
  for (const name of TOLD_BY) addEventListener(name, onChange);
  return () => {
    for (const name of TOLD_BY) removeEventListener(name, onChange);
  };
}
