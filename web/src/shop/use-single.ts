import { useRef } from "react";

/**
 * Lets one act through at a time. A second click can come before the page has been drawn anew, when a button that
 * is disabled by then still takes it.
 */
export function useSingle(): { begin(): boolean; end(): void } {
  const isUnderWay = useRef(false);
  return {
    /** @returns whether the act may begin: not while another is under way */
    begin() {
      if (isUnderWay.current) return false;
      isUnderWay.current = true;
      return true;
    },
    end() {
      isUnderWay.current = false;
    },
  };
}
