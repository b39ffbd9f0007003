/** The look of every page: no file of its own, no font, no script, light or dark as the reader's system is. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f4ef, #14161b);
  --card: light-dark(#ffffff, #1d2027);
  --ink: light-dark(#1c1b19, #eceae5);
  --muted: light-dark(#615d55, #a8a59d);
  --line: light-dark(#e2ddd2, #31353f);
  --accent: light-dark(#9d2a1f, #ff8f7d);
  --good: light-dark(#1a6a3c, #74d69b);
  --warn: light-dark(#8d4b00, #f5b865);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
body > * { max-width: 68rem; margin-inline: auto; padding-inline: 1.25rem; }
header { padding-block: 2.5rem 1.5rem; }
.brand {
  margin: 0;
  color: var(--accent);
  font-size: .85rem;
  font-weight: 700;
  letter-spacing: .14em;
  text-transform: uppercase;
}
h1 { margin: .25rem 0 0; font-size: clamp(1.9rem, 5vw, 2.9rem); line-height: 1.1; letter-spacing: -.02em; }
main { padding-bottom: 3rem; }
.events {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr));
  gap: 1.25rem;
  margin: 0;
  padding: 0;
  list-style: none;
}
.event {
  display: flex;
  flex-direction: column;
  padding: 1.25rem 1.4rem;
  border: 1px solid var(--line);
  border-radius: .9rem;
  background: var(--card);
}
.event time { color: var(--accent); font-size: .92rem; font-weight: 600; }
h2 { margin: .2rem 0 0; font-size: 1.25rem; line-height: 1.25; overflow-wrap: anywhere; }
.venue, .description { margin: .2rem 0 0; color: var(--muted); overflow-wrap: anywhere; }
.description { margin-top: .6rem; font-size: .95rem; white-space: pre-line; }
.types { margin: 1rem 0 0; padding: 0; list-style: none; }
.types li {
  display: grid;
  grid-template-columns: 1fr auto;
  column-gap: 1rem;
  padding-block: .55rem;
  border-top: 1px solid var(--line);
}
.types .name { overflow-wrap: anywhere; }
.price { text-align: end; font-variant-numeric: tabular-nums; }
.state { grid-column: 1 / -1; color: var(--muted); font-size: .9rem; }
.state.left { color: var(--good); }
.state.few { color: var(--warn); font-weight: 600; }
.cancelled h2 { text-decoration: line-through; text-decoration-thickness: 1px; }
.notice { margin: .6rem 0 0; color: var(--warn); font-weight: 600; }
.message { padding: 2.5rem 1.5rem; border: 1px dashed var(--line); border-radius: .9rem; text-align: center; }
.message p { margin: .3rem 0 0; color: var(--muted); }
a { color: var(--accent); }
footer { padding-block: 1.25rem 2rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .9rem; }
`;
