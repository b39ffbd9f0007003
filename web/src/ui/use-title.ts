import { useEffect } from "react";
import { useLanguage } from "../language/language.tsx";

/** Names the page in the browser's tab and for who hears it. */
export function useTitle(title: string | undefined): void {
  const { t } = useLanguage();
  const { brand } = t;
  useEffect(() => {
    document.title = title === undefined ? brand : `${title} · ${brand}`;
  }, [title, brand]);
}
