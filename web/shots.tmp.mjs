// private: node shots.tmp.mjs
import { chromium } from "playwright-core";

const base = process.env.BASE ?? "http://127.0.0.1:18080";
const which = process.argv[2]?.split(",");
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
export async function shoot(
  name,
  path,
  { width = 1440, height = 900, dark = false, lang = "en-GB", act, full = true } = {},
) {
  if (which && !which.some((w) => name.startsWith(w))) return;
  const ctx = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    locale: lang,
    reducedMotion: "reduce",
  });
  const page = await ctx.newPage();
  page.on("console", (m) => {
    if (["error", "warning"].includes(m.type())) console.log(name, m.type(), m.text());
  });
  page.on("pageerror", (e) => console.log(name, "pageerror", e.message));
  await page.goto(base + path, { waitUntil: "networkidle" }).catch((e) => console.log(e.message));
  try {
    await act?.(page);
  } catch (e) {
    console.log(name, "act:", e.message.slice(0, 600));
  }
  await page.waitForTimeout(300);
  await page.screenshot({ path: `/tmp/shots/${name}.png`, fullPage: full });
  await ctx.close();
}
const choose = async (page) => {
  await page.getByRole("link", { name: /Northern/ }).click();
  await page.getByRole("button", { name: /One more: Standing|Eine mehr: Standing/ }).click();
  await page.getByRole("button", { name: /One more: Standing|Eine mehr: Standing/ }).click();
  await page.getByRole("button", { name: /One more: Backstage|Eine mehr: Backstage/ }).click();
};
const reserve = async (page) => {
  await choose(page);
  await page.getByRole("button", { name: /^(Reserve|Reservieren)$/ }).click();
  await page.getByRole("timer").waitFor();
  await page.waitForTimeout(500);
};
const pay = async (page, card) => {
  await reserve(page);
  if (card) await page.getByRole("radio", { name: card }).check();
  await page.getByRole("button", { name: /^Pay |bezahlen/ }).click();
  await page.waitForTimeout(1500);
};
const V = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
for (const [v, vp] of Object.entries(V)) {
  for (const dark of [false, true]) {
    const s = `${v}-${dark ? "dark" : "light"}`;
    await shoot(`list-${s}`, "/", { ...vp, dark });
    await shoot(`event-${s}`, "/", { ...vp, dark, act: choose });
    await shoot(`hold-${s}`, "/", { ...vp, dark, act: reserve });
    await shoot(`paid-${s}`, "/", { ...vp, dark, act: pay });
    if (!dark) {
      await shoot(`opening-${s}`, "/", {
        ...vp,
        act: async (p) => {
          await p.getByRole("link", { name: /Midsummer/ }).click();
          await p.getByRole("timer").waitFor();
        },
      });
      await shoot(`few-${s}`, "/", {
        ...vp,
        act: async (p) => {
          await p.getByRole("link", { name: /Blue Room/ }).click();
          await p.getByText("Only").first().waitFor();
        },
      });
      await shoot(`cancelled-${s}`, "/", {
        ...vp,
        act: async (p) => {
          await p.getByRole("link", { name: /Harbour/ }).click();
          await p.waitForTimeout(500);
        },
      });
      await shoot(`declined-${s}`, "/", { ...vp, act: (p) => pay(p, /declined/) });
      await shoot(`dialog-${s}`, "/", {
        ...vp,
        full: false,
        act: async (p) => {
          await reserve(p);
          await p.getByRole("button", { name: /Give the/ }).click();
          await p.getByRole("alertdialog").waitFor();
        },
      });
      await shoot(`tickets-${s}`, "/", {
        ...vp,
        act: async (p) => {
          await reserve(p);
          await p.getByRole("link", { name: "Your tickets" }).click();
          await p.waitForTimeout(500);
        },
      });
      await shoot(`german-${s}`, "/", { ...vp, lang: "de-DE", act: reserve });
      await shoot(`germanlist-${s}`, "/", { ...vp, lang: "de-DE" });
      await shoot(`nomatch-${s}`, "/?q=zzz", { ...vp });
      await shoot(`notfound-${s}`, "/nowhere", { ...vp });
      await shoot(`nores-${s}`, "/reservation", { ...vp });
      await shoot(`badevent-${s}`, "/events/01a210e3-1356-7653-a839-2a8e7cb49d00", { ...vp });
    }
  }
}
await browser.close();
