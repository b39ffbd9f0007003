import { type RefObject, useEffect, useRef } from "react";
import { useLocation } from "wouter";

/**
 * A new page begins at its top, for eyes, keyboard and reader alike. The first one is left as the browser has it,
 * and who goes back finds the place where they were.
 */
export function useFocusOnArrival(): RefObject<HTMLElement | null> {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const last = useRef(path);
  const wentBack = useRef(false);
  useEffect(() => {
    const note = () => {
      wentBack.current = true;
    };
    addEventListener("popstate", note);
    return () => removeEventListener("popstate", note);
  }, []);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    main.current?.focus({ preventScroll: true });
    if (!wentBack.current) scrollTo(0, 0);
    wentBack.current = false;
  }, [path]);
  return main;
}
