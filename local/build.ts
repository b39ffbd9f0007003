/** npm run build: the web pages into web/dist, where they are not up to date; `npm start` does it by itself. */
import { ensurePages } from "./web.ts";

await ensurePages((line) => console.log(line));
