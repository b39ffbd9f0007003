import { useId, useState } from "react";
import { LANGUAGES, type Language } from "../language/choice.ts";
import { useLanguage } from "../language/language.tsx";
import { applyTheme, chosenTheme, rememberTheme, THEMES, type Theme } from "./theme.ts";

/** Language and colours, as whoever reads likes them. */
export function Preferences() {
  const { t, language, choose } = useLanguage();
  const [theme, setTheme] = useState(chosenTheme);
  const languageId = useId();
  const themeId = useId();
  const changeTheme = (chosen: Theme) => {
    applyTheme(chosen);
    rememberTheme(chosen);
    setTheme(chosen);
  };
  return (
    <div className="preferences">
      <span>
        <label htmlFor={languageId}>{t.language}</label>
        <select id={languageId} value={language} onChange={(event) => choose(event.target.value as Language)}>
          {LANGUAGES.map((one) => (
            <option key={one} value={one} lang={one}>
              {t.languages[one]}
            </option>
          ))}
        </select>
      </span>
      <span>
        <label htmlFor={themeId}>{t.theme}</label>
        <select id={themeId} value={theme} onChange={(event) => changeTheme(event.target.value as Theme)}>
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t.themes[one]}
            </option>
          ))}
        </select>
      </span>
    </div>
  );
}
