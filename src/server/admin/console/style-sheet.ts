/** The one style sheet of the console: system font, light and dark, phone first. Every text has at least 4.5:1 contrast. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f1; --card: #ffffff; --line: #dfe2db; --text: #1b211d; --quiet: #5a645d; --side: #ffffff;
  --accent: #14674a; --accent-over: #0e5039; --on-accent: #ffffff; --tint: #e8f2ec; --field-line: #868f89;
  --good: #14674a; --good-tint: #e3f1e9; --warn: #7a4a00; --warn-tint: #fdf1da; --bad: #a1261c; --bad-tint: #fce8e5;
  --calls: #a9c7b8; --errors: #cf4436; --band: #cfe4d9; --median: #14674a;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1311; --card: #181d1a; --line: #2c342f; --text: #e9eeea; --quiet: #a3afa8; --side: #141917;
    --accent: #6cd3a4; --accent-over: #8be3ba; --on-accent: #06281a; --tint: #1d3229; --field-line: #717d77;
    --good: #6cd3a4; --good-tint: #183026; --warn: #f2c879; --warn-tint: #33290f; --bad: #ff9d92; --bad-tint: #3b1a17;
    --calls: #3f6553; --errors: #ef6a5c; --band: #21382e; --median: #6cd3a4;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--text); font: .9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .6rem; font-size: 1.0625rem; letter-spacing: -.01em; }
h3 { margin: 0 0 .3rem; font-size: .8125rem; color: var(--quiet); font-weight: 600; }
p { margin: 0 0 .75rem; max-width: 75ch; }
a { color: var(--accent); text-underline-offset: .15em; }
code, .mono { font-family: var(--mono); font-size: .9em; }
code { overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-weight: 400; }
.small { font-size: .8125rem; }
.bad { color: var(--bad); }
.lead { font-size: 1.0625rem; font-weight: 600; overflow-wrap: anywhere; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.hidden { padding: 0 .25em; border-radius: .25rem; background: var(--bad-tint); color: var(--bad); font: .8em var(--mono); }
.skip { position: absolute; left: -999px; top: .5rem; padding: .5rem 1rem; background: var(--card); z-index: 2; border-radius: .5rem; }
.skip:focus { left: .5rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .2rem; }
main:focus { outline: none; }
.brand { display: flex; align-items: center; gap: .6rem; margin: 0; font-weight: 650; letter-spacing: -.01em; }
.brand svg { flex: none; color: var(--accent); }
.side { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: .75rem 1rem 0; background: var(--side); border-bottom: 1px solid var(--line); }
.side nav { order: 3; flex: 1 0 100%; overflow-x: auto; margin: 0 -1rem; padding: 0 .5rem; scrollbar-width: none; }
.side ul { display: flex; gap: .125rem; list-style: none; margin: 0; padding: .25rem 0; }
.side nav a { display: flex; align-items: center; gap: .6rem; padding: .5rem .7rem; border-radius: .5rem; color: var(--quiet); text-decoration: none; white-space: nowrap; font-weight: 550; }
.side nav svg { flex: none; fill: currentColor; }
.side nav a:hover { background: var(--tint); color: var(--text); }
.side nav a[aria-current] { background: var(--tint); color: var(--accent); }
.who { display: flex; align-items: center; gap: .75rem; margin-left: auto; font-size: .8125rem; }
.who p { margin: 0; }
.role { padding: .05rem .45rem; border-radius: 1rem; border: 1px solid var(--line); color: var(--quiet); }
main { padding: 1.25rem 1rem 3rem; max-width: 84rem; }
.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; margin-bottom: 1.25rem; }
.pulse { display: flex; align-items: center; gap: .75rem; margin: 0; font-size: .8125rem; color: var(--quiet); }
#pulse::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .45rem; border-radius: 50%; background: var(--field-line); }
[data-pulse="live"] #pulse::before { background: var(--good); box-shadow: 0 0 0 3px var(--good-tint); }
[data-pulse="waiting"] #pulse::before { background: var(--warn); }
.scripted .refresh { display: none; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; }
.panel > :last-child { margin-bottom: 0; }
.panel + .panel, form + .panel, main > div + div:not(:empty) { margin-top: .75rem; }
.panel:has(> table) { padding-block: .3rem .4rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; margin: 2rem 0 .6rem; }
.bar h2 { margin: 0; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1rem; margin-top: .75rem; }
.button { display: inline-block; padding: .5rem .9rem; font: inherit; font-weight: 600; cursor: pointer; border-radius: .5rem; border: 1px solid transparent; background: var(--accent); color: var(--on-accent); }
.button:hover { background: var(--accent-over); }
.button.plain { background: transparent; color: var(--text); border-color: var(--field-line); }
.button.plain:hover { background: var(--tint); }
.button.danger { background: #a1261c; color: #ffffff; }
.link { padding: 0; font: inherit; color: var(--accent); background: none; border: 0; text-decoration: underline; text-underline-offset: .15em; cursor: pointer; }
label { display: block; font-size: .8125rem; font-weight: 600; color: var(--quiet); }
input, select { display: block; width: 100%; margin-top: .25rem; padding: .5rem .65rem; font: inherit; font-size: .9375rem; font-weight: 400; color: var(--text); background: var(--card); border: 1px solid var(--field-line); border-radius: .5rem; min-height: 2.5rem; }
input[type="hidden"] { display: none; }
.filter { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; align-items: end; margin-bottom: 1rem; }
.filter .row { margin: 0; min-height: 2.5rem; }
.find { display: flex; gap: .5rem; flex: 0 1 22rem; }
.find input { margin: 0; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: .75rem; margin-bottom: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(9.5rem, 21%), 1fr)); gap: .75rem; list-style: none; margin: 0; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .85rem 1rem; display: flex; flex-direction: column; }
.tile.broad { grid-column: span 2; }
.tile p { margin: 0; }
.tile .label { color: var(--quiet); font-size: .8125rem; overflow-wrap: anywhere; }
.tile .value { font-size: 1.75rem; font-weight: 650; line-height: 1.3; letter-spacing: -.03em; font-variant-numeric: tabular-nums; }
.tile .unit { font-size: .9375rem; font-weight: 400; letter-spacing: 0; color: var(--quiet); }
.tile .below { margin-top: auto; font-size: .8125rem; }
.tile.warn .value { color: var(--warn); }
.tile.bad .value { color: var(--bad); }
.tile .chart { height: 2.5rem; margin-top: .35rem; }
.troubles, .note { list-style: none; margin: 0 0 1rem; padding: .7rem 1rem; border-radius: .6rem; background: var(--bad-tint); color: var(--bad); font-weight: 550; }
.note { background: var(--warn-tint); color: var(--warn); }
.chart { display: block; width: 100%; height: 2rem; overflow: visible; }
.chart .calls { fill: var(--calls); }
.chart .errors { fill: var(--errors); }
.chart .band { fill: var(--band); stroke: var(--band); stroke-width: 1; vector-effect: non-scaling-stroke; }
.chart .median { fill: none; stroke: var(--median); stroke-width: 1.75; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke-linecap: round; }
.chart .now { fill: none; stroke: var(--median); stroke-width: 5; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.chart .rest { fill: none; stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.figure { display: flex; align-items: center; gap: .75rem; }
.figure .chart { flex: 1 1 6rem; min-width: 4.5rem; max-width: 11rem; }
.figure > span { flex: none; min-width: 3.25rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: .75rem; margin-top: .75rem; align-items: start; }
.pair .panel { margin: 0; }
.pair h2 { margin: 0 0 .3rem; }
figure .chart { height: 6.5rem; margin-top: .75rem; }
.axis { display: flex; justify-content: space-between; margin: .25rem 0 0; }
.badge { display: inline-flex; align-items: center; gap: .4rem; font-weight: 550; }
.badge::before { content: ""; flex: none; width: .5rem; height: .5rem; border-radius: 50%; background: var(--field-line); }
.badge.good { color: var(--good); } .badge.good::before { background: var(--good); }
.badge.warn { color: var(--warn); } .badge.warn::before { background: var(--warn); border-radius: .1rem; transform: rotate(45deg); }
.badge.bad { color: var(--bad); } .badge.bad::before { background: var(--bad); border-radius: .1rem; }
.why { display: block; overflow-wrap: anywhere; }
.took-for { white-space: nowrap; }
.chip { display: inline-block; margin: .1rem 0; padding: .05rem .5rem; border-radius: .4rem; border: 1px solid var(--line); font: .8125rem var(--mono); overflow-wrap: anywhere; }
.chip.added { background: var(--good-tint); color: var(--good); border-color: transparent; }
.chip.removed { background: var(--bad-tint); color: var(--bad); border-color: transparent; }
.chip.changed { background: var(--warn-tint); color: var(--warn); border-color: transparent; }
.chip a { color: inherit; }
.names, .changes, .gone, .accounts { list-style: none; margin: 0; padding: 0; }
.panel.changes, .panel.gone { padding: .25rem 1rem; }
.names { display: flex; flex-wrap: wrap; gap: .35rem; }
.changes li, .gone li { padding: .6rem 0; border-bottom: 1px solid var(--line); }
.changes li:last-child, .gone li:last-child { border: 0; }
.changes p { margin: 0; }
.gone li { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.gone form { margin-left: auto; }
.facts { margin: 0; padding: .25rem 1rem; }
.facts div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
.facts div:last-child { border: 0; }
.facts dt { flex: 0 0 9rem; color: var(--quiet); font-size: .8125rem; line-height: 1.4rem; }
.facts dd { flex: 1 1 14rem; margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; overflow: auto; max-height: 32rem; font: .8125rem/1.55 var(--mono); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.item { margin-top: .75rem; }
.item h2 { margin: 0 0 .25rem; overflow-wrap: anywhere; }
.change { padding: .75rem 0; border-top: 1px solid var(--line); }
.change .text { margin: 0; }
.item footer { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: start; gap: .5rem 1rem; padding-top: .75rem; border-top: 1px solid var(--line); }
ins { background: var(--good-tint); color: var(--good); text-decoration-thickness: 1px; text-underline-offset: .2em; }
del { background: var(--bad-tint); color: var(--bad); }
summary { cursor: pointer; font-weight: 600; color: var(--accent); }
details[open] summary { margin-bottom: .75rem; }
details .button { margin-top: .75rem; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--quiet); font-size: .8125rem; white-space: nowrap; }
th, td { padding: .55rem .9rem .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 500; overflow-wrap: anywhere; }
tbody th .quiet { display: block; }
.about { white-space: nowrap; }
.records th, .records td { padding-block: .4rem; }
.name { font-weight: 650; }
.number { text-align: right; padding-right: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
.plan { text-align: center; }
.tick { color: var(--good); font-weight: 700; }
time { white-space: nowrap; }
.path .wide { width: 32%; }
.path .passed { color: var(--good); }
.path th, .path td { vertical-align: middle; }
.path .end > * { border-top: 2px solid var(--line); }
.time { display: block; width: 100%; height: .6rem; }
.time .track { fill: var(--line); }
.time .took { fill: var(--median); }
.door { display: grid; place-items: center; padding: 1rem; }
.door main { width: 100%; max-width: 25rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px rgb(0 0 0 / .06); }
.door .brand { margin-bottom: 1.5rem; }
.door h1 { margin-bottom: 1rem; }
.door .button { width: 100%; margin: 1rem 0; }
.door p:last-child { margin: 0; }
@media (max-width: 51.99rem) {
  .cards, .cards tbody { display: block; }
  .cards thead { position: absolute; left: -9999px; }
  .cards tr { display: grid; grid-template-columns: minmax(5.5rem, auto) 1fr; gap: .15rem 1rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
  .cards tbody tr:last-child { border-bottom: 0; }
  .cards th, .cards td { padding: 0; border: 0; }
  .cards th { grid-column: 1 / -1; }
  .cards td { display: contents; }
  .cards td::before { content: attr(data-label); color: var(--quiet); font-size: .8125rem; line-height: 1.4rem; }
  .cards td > * { grid-column: 2; }
  .cards .number, .cards .plan { text-align: left; }
  .cards .plan::before { text-align: left; }
  .records, .records tbody { display: block; }
  .records thead { position: absolute; left: -9999px; }
  .records tr { display: grid; grid-template: "what what number" "time outcome user" / 4.5rem 1fr auto; gap: .1rem .75rem; padding: .55rem 0; border-bottom: 1px solid var(--line); }
  .records tbody tr:last-child { border-bottom: 0; }
  .records th, .records td { padding: 0; border: 0; }
  .records .what { grid-area: what; font-weight: 600; overflow-wrap: anywhere; }
  .records .outcome { grid-area: outcome; }
  .records .user { grid-area: user; }
  .records .number { grid-area: number; }
  .records th { grid-area: time; }
  .records .why { display: inline; margin-left: .4rem; }
  .records .agent, .records .from { display: none; }
  .path thead { position: absolute; left: -9999px; }
  .path tr { display: grid; grid-template-columns: 1fr auto; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .path th, .path td { padding: 0; border: 0; width: auto; }
  .path tr > :nth-child(2) { grid-column: 1 / -1; grid-row: 2; color: var(--quiet); font-size: .8125rem; }
  .path tr > :nth-child(3) { grid-column: 1 / -1; grid-row: 3; width: 100%; padding: .25rem 0; }
  .path tbody .wide { width: 100%; }
  .path .end > * { border-top: 0; }
}
@media (min-width: 64rem) {
  body:not(.door) { display: grid; grid-template-columns: 14.5rem minmax(0, 1fr); }
  .side { position: sticky; top: 0; height: 100vh; flex-direction: column; flex-wrap: nowrap; align-items: stretch; padding: 1.25rem .75rem; border-bottom: 0; border-right: 1px solid var(--line); overflow-y: auto; }
  .side .brand { padding: 0 .7rem .75rem; }
  .side nav { order: 0; flex: 1; margin: 0; padding: 0; overflow: visible; }
  .side ul { flex-direction: column; }
  .who { flex-wrap: wrap; margin: 0; padding: .75rem .7rem 0; border-top: 1px solid var(--line); }
  main { padding: 2rem 2.5rem 4rem; }
}
@media (prefers-contrast: more) { :root { --line: var(--field-line); } }
@media (prefers-reduced-motion: no-preference) { [data-pulse="live"] #pulse::before { animation: beat 2s ease-in-out infinite; } }
@keyframes beat { 50% { opacity: .45; } }
`;
