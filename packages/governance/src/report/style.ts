/**
 * The style sheet of a report: paper first, dark where the reader's system is, print without colour tricks.
 *
 * @module
 */

/** CSS, inlined into the document. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf8; --card: #ffffff; --ink: #1d1c1a; --soft: #625e56; --rule: #dfdad0; --faint: #efebe3;
  --accent: #1c5d6a; --warn: #9c3a22; --good: #2c6a45;
  --c0: #1c6b78; --c1: #b06f14; --c2: #74488a; --c3: #3a67ad; --c4: #56792f; --c5: #a54a2a; --c6: #8a6d3b; --c7: #4c5a66;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --card: #1c1f23; --ink: #e9e6df; --soft: #a5a096; --rule: #363a40; --faint: #25282d;
    --accent: #7cc0cb; --warn: #eb9177; --good: #86c79f;
    --c0: #6dbac6; --c1: #dfa552; --c2: #b993cd; --c3: #86aee6; --c4: #a0c476; --c5: #e29174; --c6: #cdb183; --c7: #a3b1bd;
  }
}
@page { margin: 18mm 16mm; }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.58 Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif;
  font-feature-settings: "kern", "liga", "onum"; text-rendering: optimizeLegibility; hyphens: manual;
}
main { max-width: 62rem; margin: 0 auto; padding: 3.2rem 1.6rem 4rem; }
.sans, table, dl, figcaption, .chart, .eyebrow, .figures, .legend, footer, nav {
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-feature-settings: "kern", "tnum", "lnum";
}
.eyebrow { font-size: .78rem; letter-spacing: .09em; text-transform: uppercase; color: var(--accent); margin: 0 0 .5rem; font-weight: 600; }
h1 { font-size: 2.35rem; line-height: 1.14; font-weight: 600; margin: 0 0 .9rem; letter-spacing: -.012em; text-wrap: balance; }
.lead { font-size: 1.14rem; line-height: 1.55; max-width: 46rem; margin: 0 0 1.8rem; text-wrap: pretty; }
h2 { font-size: 1.38rem; line-height: 1.25; font-weight: 600; margin: 3.2rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.02rem; font-weight: 600; margin: 0 0 .15rem; }
p { margin: 0 0 .9rem; max-width: 44rem; text-wrap: pretty; }
.note { color: var(--soft); font-size: .95rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 1px; background: var(--rule); border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; }
.figure { background: var(--card); padding: .95rem 1.1rem 1rem; }
.figure b { display: block; white-space: nowrap; font-size: 1.7rem; line-height: 1.2; font-weight: 600; letter-spacing: -.015em; }
.figure span { display: block; color: var(--soft); font-size: .84rem; line-height: 1.4; }
.figure .of { display: inline; font-size: 1rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.verdict { border-left: 3px solid var(--good); padding: .1rem 0 .1rem 1rem; margin: 1.7rem 0 0; max-width: 46rem; }
.verdict.bad { border-color: var(--warn); }
.verdict p:last-child { margin: 0; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.2rem 1.6rem; margin: 1.2rem 0 .6rem; }
figure { margin: 0; }
figcaption { font-size: .88rem; margin-bottom: .2rem; display: flex; justify-content: space-between; gap: 1rem; }
figcaption b { font-weight: 600; }
figcaption span { color: var(--soft); }
svg.chart { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font-size: 11px; fill: var(--ink); }
svg .tick { fill: var(--soft); font-size: 10.5px; }
svg .label { font-size: 12px; }
svg .value { font-size: 11px; font-weight: 600; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--faint); fill: none; }
svg .axis { stroke: var(--rule); fill: none; }
svg .budget { stroke: var(--ink); stroke-dasharray: 4 3; fill: none; stroke-width: 1.1; }
svg .budget-label { fill: var(--soft); font-size: 10.5px; }
svg .line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; }
svg .area { fill: var(--series); opacity: .13; }
svg .bar { fill: var(--series); }
svg .dot, svg .summed { fill: var(--series); }
svg .lost { fill: none; stroke: var(--warn); stroke-width: 1.4; }
svg .released { stroke: var(--soft); stroke-width: 1.5; }
svg .aborted { stroke: var(--warn); stroke-dasharray: 2 3; opacity: .65; fill: none; }
.s0 { --series: var(--c0); } .s1 { --series: var(--c1); } .s2 { --series: var(--c2); } .s3 { --series: var(--c3); }
.s4 { --series: var(--c4); } .s5 { --series: var(--c5); } .s6 { --series: var(--c6); } .s7 { --series: var(--c7); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; font-size: .84rem; color: var(--soft); padding: 0; margin: .5rem 0 1.2rem; list-style: none; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; background: var(--series); margin-right: .45rem; vertical-align: -.05rem; }
.legend i.round { border-radius: 50%; width: .6rem; height: .6rem; }
.legend i.lost { background: none; border: 1.5px solid var(--warn); }
.legend i.released { height: 2px; background: var(--soft); vertical-align: .22rem; }
.legend i.aborted { width: 0; background: none; border-left: 1.5px dashed var(--warn); border-radius: 0; margin-left: .3rem; }
.legend i.ink { background: var(--soft); }
.scroll { overflow-x: auto; margin: 1rem 0 1.4rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.45; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .79rem; vertical-align: bottom; }
th, td { padding: .48rem .9rem .48rem 0; border-bottom: 1px solid var(--rule); }
td { vertical-align: top; }
tr > :last-child { padding-right: 0; }
tbody th { color: var(--ink); font-size: .875rem; vertical-align: top; }
.number { text-align: right; white-space: nowrap; }
.time { white-space: nowrap; }
.bad { color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.1rem; margin: 1.2rem 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 1.05rem 1.2rem 1.1rem; }
.card h3 { border-left: 3px solid var(--series); padding-left: .6rem; margin: 0 0 .7rem; }
dl { display: grid; grid-template-columns: minmax(7.2rem, max-content) 1fr; gap: .3rem 1rem; margin: 0; font-size: .875rem; line-height: 1.45; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.statements { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.1rem 2.4rem; margin: 1.1rem 0; }
.statements > div { min-width: 0; }
.statements p { font-size: .97rem; margin: 0; overflow-wrap: anywhere; }
.statements.wide { grid-template-columns: 1fr; }
code { font: .84em/1.5 ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-feature-settings: normal; }
.hash { overflow-wrap: anywhere; }
.fingerprint { display: block; background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: .8rem 1.1rem; margin: .8rem 0 1.2rem; font-size: .98rem; letter-spacing: .02em; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: .84rem; }
@media (max-width: 46rem) {
  body { font-size: 16px; }
  main { padding-top: 1.8rem; }
  h1 { font-size: 1.8rem; }
  .cards, .statements, .panels { grid-template-columns: 1fr; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #bbb; --faint: #eee; --accent: #134b56; --warn: #8a2f1a; --good: #215236;
    --c0: #1c6b78; --c1: #b06f14; --c2: #74488a; --c3: #3a67ad; --c4: #56792f; --c5: #a54a2a; --c6: #8a6d3b; --c7: #4c5a66;
  }
  html { font-size: 10pt; }
  body { font-size: 1.04rem; }
  .figure b { font-size: 1.3rem; }
  main { max-width: none; padding: 0; }
  section, figure, tr, .card, .figure { break-inside: avoid; }
  section.long { break-inside: auto; }
  h2 { break-after: avoid; }
}
`;
