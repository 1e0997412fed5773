/** The one style sheet: system font, light and dark, phone first. Every text has at least 4.5:1 contrast. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f1; --card: #ffffff; --line: #dcdfd8; --text: #1b211d; --quiet: #5b655e;
  --accent: #14674a; --accent-over: #0e5039; --on-accent: #ffffff; --tint: #e8f2ec; --field: #ffffff; --field-line: #8a948d;
  --warn: #7a4a00; --warn-tint: #fdf3df; --bad: #a1261c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111513; --card: #1a201d; --line: #2f3833; --text: #e9eeea; --quiet: #a3afa8;
    --accent: #6cd3a4; --accent-over: #8be3ba; --on-accent: #06281a; --tint: #1d3229; --field: #121714; --field-line: #6e7b74;
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
.brand svg { color: var(--accent); }
.card {
  width: 100%; max-width: 28rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: 1.5rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px rgb(0 0 0 / .06); overflow-wrap: anywhere;
}
.card.wide { max-width: 40rem; }
footer { color: var(--quiet); font-size: .8125rem; text-align: center; text-wrap: balance; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
.card > p:last-child { margin-bottom: 0; }
.quiet { color: var(--quiet); font-weight: 400; }
.small { font-size: .875rem; }
label { display: block; margin-bottom: .375rem; font-weight: 600; }
input[type=email] {
  width: 100%; padding: .7rem .8rem; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--field-line); border-radius: .6rem;
}
input[aria-invalid=true] { border-color: var(--bad); }
.problem { color: var(--bad); font-size: .875rem; margin: .375rem 0 0; }
.button {
  display: inline-block; max-width: 100%; padding: .7rem 1.1rem; font: inherit; font-weight: 600; text-align: center; cursor: pointer;
  text-decoration: none; border-radius: .6rem; border: 1px solid transparent; background: var(--accent); color: var(--on-accent);
}
.button:hover { background: var(--accent-over); }
.button.plain { background: transparent; color: var(--text); border-color: var(--field-line); }
.button.plain:hover { background: var(--tint); }
.button.slight { flex: none; padding: .35rem .7rem; font-size: .875rem; }
.button.full { width: 100%; margin-top: 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1.5rem; }
.after { margin: 1rem 0 0; text-align: center; text-wrap: balance; }
.facts { margin: 0; padding: .25rem 0; border-block: 1px solid var(--line); }
.facts div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .5rem 0; }
.facts dt { flex: 0 0 6rem; color: var(--quiet); font-size: .875rem; line-height: 1.5rem; }
.facts dd { flex: 1 1 14rem; margin: 0; font-weight: 550; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list li { display: flex; gap: .6rem; padding: .3rem 0; }
ul.list li::before { content: ""; flex: none; width: .45rem; height: .8rem; margin: .22em .2rem 0 .15rem; border: solid var(--accent); border-width: 0 2px 2px 0; transform: rotate(40deg) scale(.85); }
ul.list.later li { color: var(--quiet); }
ul.list.later li::before { width: .6rem; margin-left: .1rem; border-color: var(--quiet); border-width: 0 0 2px 0; transform: none; height: .55rem; }
.note { margin: 1.25rem 0 0; padding: .75rem .9rem; border-radius: .6rem; background: var(--warn-tint); color: var(--warn); font-size: .875rem; }
.plans { display: grid; gap: .75rem; grid-template-columns: 1fr; }
.plan { display: flex; flex-direction: column; border: 1px solid var(--line); border-radius: .8rem; padding: 1rem; }
.plan.current { border-color: var(--accent); background: var(--tint); }
.plan h3 { display: flex; justify-content: space-between; margin: 0 0 .5rem; font-size: 1rem; text-transform: capitalize; }
.plan form { margin-top: auto; padding-top: .25rem; }
.plans + p { margin-top: .75rem; }
.badge { color: var(--accent); font-size: .8125rem; text-transform: none; }
.rows { list-style: none; margin: 0; padding: 0; border-block: 1px solid var(--line); }
.rows li { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .7rem 0; }
.rows li + li { border-top: 1px solid var(--line); }
.top { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; }
.aside { position: absolute; left: -9999px; }
@media (min-width: 36rem) {
  body { padding-top: 12vh; }
  .card { padding: 2rem; }
  .plans { grid-template-columns: 1fr 1fr; }
}
@media (prefers-contrast: more) { :root { --line: var(--field-line); } }
`;
