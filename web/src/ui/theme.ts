import { keep, kept } from "./kept.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "boxoffice.theme";

export function chosenTheme(): Theme {
  const chosen = kept("local", KEY);
  return THEMES.find((theme) => theme === chosen) ?? "system";
}

/** Colours follow `color-scheme`: see styles/tokens.css. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function rememberTheme(theme: Theme): void {
  keep("local", KEY, theme === "system" ? undefined : theme);
}
