export const styleSheetPath = '/link/style.css';

/** The one style sheet: system font, light and dark, phone first. Every text has at least 4.5:1 contrast. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f1; --card: #ffffff; --line: #dcdfd8; --text: #1b211d; --quiet: #5b655e;
  --accent: #14674a; --accent-over: #0e5039; --on-accent: #ffffff; --tint: #e8f2ec; --field-line: #8a948d;
  --warn: #7a4a00; --warn-tint: #fdf3df; --bad: #a1261c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111513; --card: #1a201d; --line: #2f3833; --text: #e9eeea; --quiet: #a3afa8;
    --accent: #6cd3a4; --accent-over: #8be3ba; --on-accent: #06281a; --tint: #1d3229; --field-line: #6e7b74;
    --warn: #f2c879; --warn-tint: #33290f; --bad: #ff9d92;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center; gap: 1.25rem;
  padding: 1.5rem 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.brand { display: flex; align-items: center; gap: .6rem; font-weight: 650; letter-spacing: -.01em; }
.brand svg { flex: none; color: var(--accent); }
.card {
  width: 100%; max-width: 28rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: 1.5rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px rgb(0 0 0 / .06); overflow-wrap: anywhere;
}
.card.wide { max-width: 44rem; }
footer { color: var(--quiet); font-size: .8125rem; text-align: center; text-wrap: balance; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
h3 { margin: 0; font-size: 1rem; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
.card > p:last-child { margin-bottom: 0; }
.quiet { color: var(--quiet); font-weight: 400; }
.small { font-size: .875rem; }
.button {
  display: inline-block; max-width: 100%; padding: .7rem 1.1rem; font: inherit; font-weight: 600; text-align: center; cursor: pointer;
  text-decoration: none; border-radius: .6rem; border: 1px solid transparent; background: var(--accent); color: var(--on-accent);
}
.button:hover { background: var(--accent-over); }
.button.plain { background: transparent; color: var(--text); border-color: var(--field-line); }
.button.plain:hover { background: var(--tint); }
.button.slight { flex: none; padding: .35rem .8rem; font-size: .875rem; }
.button.full { width: 100%; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap-reverse; gap: .75rem; margin-top: 1.5rem; }
.actions > * { flex: 1 1 9rem; }
.actions .button { width: 100%; }
.facts { margin: 0; padding: .25rem 0; border-block: 1px solid var(--line); }
.facts div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .5rem 0; }
.facts dt { flex: 0 0 7rem; color: var(--quiet); font-size: .875rem; line-height: 1.5rem; }
.facts dd { flex: 1 1 14rem; margin: 0; font-weight: 550; }
.note { margin: 1.25rem 0 0; padding: .75rem .9rem; border-radius: .6rem; background: var(--warn-tint); color: var(--warn); font-size: .875rem; }
.top { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .25rem 1rem; }
.top h1 { margin: 0; }
.top + p { margin-top: .25rem; }
.sign { display: flex; align-items: center; justify-content: center; width: 3rem; height: 3rem; margin-bottom: 1rem; border-radius: 50%; background: var(--tint); color: var(--accent); }
.servers { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
.servers > li { border: 1px solid var(--line); border-radius: .8rem; padding: 1rem; }
.servers .top { align-items: flex-start; }
.servers .facts { margin-top: .75rem; border: 0; padding: 0; font-size: .875rem; }
.servers .facts div { padding: .1rem 0; }
.servers .facts dt { flex-basis: 5.75rem; }
.servers .facts dd { flex-basis: 9.5rem; font-weight: 400; line-height: 1.5rem; }
.badge { display: inline-flex; align-items: center; gap: .4rem; font-size: .875rem; color: var(--quiet); }
.badge::before { content: ""; width: .55rem; height: .55rem; border-radius: 50%; border: 2px solid currentColor; }
.badge.good { color: var(--accent); }
.badge.good::before { background: currentColor; }
.badge.bad { color: var(--bad); }
.row { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .5rem .75rem; margin-top: .9rem; }
details { font-size: .875rem; }
summary { padding: .35rem .3rem; cursor: pointer; color: var(--quiet); border-radius: .3rem; border: 1px solid transparent; }
details[open] { flex-basis: 100%; }
details p { margin: .5rem 0 .75rem; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
caption { text-align: left; }
th { text-align: left; font-weight: 600; color: var(--quiet); }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td time { white-space: nowrap; }
td.number, th.number { text-align: right; padding-right: 0; white-space: nowrap; }
td.bad { color: var(--bad); }
@media (max-width: 35.99rem) {
  table, tbody, caption { display: block; }
  thead { position: absolute; left: -9999px; }
  tr { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  td { padding: 0; border: 0; color: var(--quiet); }
  td.main { color: var(--text); font-weight: 550; }
  td:nth-child(even) { text-align: right; }
}
@media (min-width: 36rem) {
  body { padding-top: 8vh; }
  .card { padding: 2rem; }
}
@media (prefers-contrast: more) { :root { --line: var(--field-line); } }
`;
