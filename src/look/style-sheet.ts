/**
 * The one style sheet of every page for people: system font, light and dark, phone first. Every text has at least 4.5:1
 * contrast; what can be pressed is at least 2rem high.
 */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f1; --glow: #e3eee7; --card: #ffffff; --line: #dcdfd8; --text: #1b211d; --quiet: #5a645d;
  --accent: #14674a; --accent-over: #0e5039; --on-accent: #ffffff; --tint: #e8f2ec; --field: #ffffff; --field-line: #868f89;
  --code: #f5f7f4; --warn: #7a4a00; --warn-tint: #fdf3df; --bad: #a1261c;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1311; --glow: #16211c; --card: #181d1a; --line: #2c342f; --text: #e9eeea; --quiet: #a3afa8;
    --accent: #6cd3a4; --accent-over: #8be3ba; --on-accent: #06281a; --tint: #1d3229; --field: #121714; --field-line: #717d77;
    --code: #121714; --warn: #f2c879; --warn-tint: #33290f; --bad: #ff9d92;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center; gap: 1.25rem;
  padding: 1.5rem 1rem; background: radial-gradient(60rem 24rem at 50% -6rem, var(--glow), transparent) no-repeat, var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.brand { display: flex; align-items: center; gap: .6rem; margin: 0; font-weight: 650; letter-spacing: -.01em; overflow-wrap: anywhere; }
.brand svg { flex: none; color: var(--accent); }
.card {
  width: 100%; max-width: 28rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: 1.5rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px rgb(0 0 0 / .06); overflow-wrap: anywhere;
}
.card.wide { max-width: 44rem; }
.card.broad { max-width: 54rem; }
footer { color: var(--quiet); font-size: .8125rem; text-align: center; text-wrap: balance; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; letter-spacing: -.005em; }
h3 { margin: 0; font-size: 1rem; }
p { margin: 0 0 1rem; text-wrap: pretty; }
a { color: var(--accent); text-underline-offset: .15em; }
code { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
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
.button.slight { flex: none; padding: .35rem .8rem; font-size: .875rem; }
.button.full { width: 100%; margin-top: 1rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap-reverse; gap: .75rem; margin-top: 1.5rem; }
.actions > * { flex: 1 1 9rem; }
.actions .button { width: 100%; }
.after { margin: 1rem 0 0; text-align: center; text-wrap: balance; }
.facts { margin: 0; padding: .25rem 0; border-block: 1px solid var(--line); }
.facts div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .5rem 0; }
.facts dt { flex: 0 0 6.5rem; color: var(--quiet); font-size: .875rem; line-height: 1.5rem; }
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
.plan h3 { display: flex; justify-content: space-between; margin: 0 0 .5rem; text-transform: capitalize; }
.plan form { margin-top: auto; padding-top: .25rem; }
.plan h3 span + span { color: var(--accent); font-size: .8125rem; text-transform: none; }
.plans + p { margin-top: .75rem; }
.rows { list-style: none; margin: 0; padding: 0; border-block: 1px solid var(--line); }
.rows li { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .7rem 0; }
.rows li + li { border-top: 1px solid var(--line); }
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
.aside { position: absolute; left: -9999px; }
.lead { max-width: 38rem; font-size: 1.0625rem; color: var(--quiet); }
.copy { position: relative; display: flex; align-items: flex-start; gap: .5rem; margin: 0 0 1rem; background: var(--code); border: 1px solid var(--line); border-radius: .6rem; }
.copy pre { flex: 1; min-width: 0; margin: 0; padding: .6rem .8rem; font: .875rem/1.55 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.copy pre code { font-size: inherit; }
.copy button { margin: .3rem .3rem .3rem 0; min-width: 4.75rem; background: var(--card); }
.copy.main { border-color: var(--field-line); }
.copy.main pre { font-size: 1rem; font-weight: 550; }
.clients { margin: 0; padding: 0; border: 0; min-width: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
.clients legend { padding: 0; margin: 2rem 0 .6rem; font-size: 1rem; font-weight: 700; letter-spacing: -.005em; }
.clients input { position: absolute; opacity: 0; pointer-events: none; }
.clients label { margin: 0; padding: .4rem .8rem; border: 1px solid var(--field-line); border-radius: .6rem; font-size: .9375rem; font-weight: 550; cursor: pointer; }
.clients label:hover { background: var(--tint); }
.clients input:checked + label { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.clients input:focus-visible + label { outline: 3px solid var(--accent); outline-offset: 2px; }
.clients section { order: 1; flex: 1 0 100%; min-width: 0; display: none; padding-top: 1rem; }
.clients input:checked + label + section { display: block; }
.clients section > :last-child { margin-bottom: 0; }
.clients h2 { margin: 0 0 .75rem; font-size: 1.1875rem; }
.clients h3 { margin: 1.25rem 0 .4rem; font-size: .875rem; color: var(--quiet); font-weight: 600; }
.clients h2 + h3 { margin-top: 0; }
.clients details { margin: 0 0 1rem; }
.clients details[open] summary { margin-bottom: .4rem; }
.clients ol { margin: 0 0 1rem; padding-left: 1.4rem; }
.clients li { padding: .15rem 0; }
.places { margin: -.35rem 0 .6rem; font-size: .8125rem; color: var(--quiet); }
.places div { display: flex; flex-wrap: wrap; gap: 0 .5rem; }
.places dt { flex: 0 0 5.25rem; }
.places dd { margin: 0; }
.then { display: grid; gap: .75rem 1.5rem; margin: 2rem 0 0; padding: 1.25rem 0 0; border-top: 1px solid var(--line); list-style: none; counter-reset: step; font-size: .9375rem; }
.then li { counter-increment: step; padding-left: 2.25rem; position: relative; color: var(--quiet); }
.then li::before { content: counter(step); position: absolute; left: 0; top: .05rem; width: 1.5rem; height: 1.5rem; border-radius: 50%; background: var(--tint); color: var(--accent); font-size: .8125rem; font-weight: 650; line-height: 1.5rem; text-align: center; }
.then strong { color: var(--text); font-weight: 600; }
@media (max-width: 35.99rem) {
  .copy { flex-direction: column; align-items: stretch; gap: 0; }
  .copy button { margin: 0 .4rem .4rem auto; }
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
  .plans { grid-template-columns: 1fr 1fr; }
}
@media (min-width: 52rem) {
  .card.broad { padding: 2.5rem; }
  .broad h1 { font-size: 1.875rem; }
  .clients { display: grid; grid-template-columns: 11rem minmax(0, 1fr); grid-auto-rows: min-content; gap: 0; }
  .clients label { grid-column: 1; margin-bottom: .2rem; border-color: transparent; }
  .clients input:checked + label { background: var(--tint); border-color: transparent; color: var(--accent); }
  .clients section { grid-column: 2; grid-row: 1 / span 40; padding: .25rem 0 0 2rem; margin-left: 1rem; border-left: 1px solid var(--line); }
  .then { grid-template-columns: repeat(3, 1fr); }
}
@media (prefers-contrast: more) { :root { --line: var(--field-line); } }
@media (forced-colors: active) { .clients input:checked + label { outline: 2px solid Highlight; } }
`;
