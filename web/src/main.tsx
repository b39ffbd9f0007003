import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { chooseLanguage } from "./language/choice.ts";
import { loadMessages } from "./language/load.ts";
import { applyTheme, chosenTheme } from "./ui/theme.ts";

applyTheme(chosenTheme());
const language = chooseLanguage();
const messages = await loadMessages(language);
const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App initial={{ language, messages }} />);
