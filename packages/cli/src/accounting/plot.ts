/**
 * A line chart as a self-contained SVG file.
 *
 * @module
 */

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly series: readonly PlotSeries[];
}

const WIDTH = 720;
const HEIGHT = 440;
const MARGIN = { left: 76, right: 24, top: 64, bottom: 56 };
/** Okabe and Ito's palette: told apart with any kind of colour vision. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#444444'];

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

function label(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e5 || magnitude < 1e-3) {
    const [digits, exponent] = value.toExponential(3).split('e') as [string, string];
    return `${digits.replace(/\.?0+$/, '')}e${Number(exponent)}`;
  }
  return String(Number(value.toPrecision(6)));
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((size) => size >= rough)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step);
  return ticks;
}

function logTicks(low: number, high: number): number[] {
  const from = Math.floor(Math.log10(low) + 1e-9);
  const to = Math.ceil(Math.log10(high) - 1e-9);
  const every = Math.max(1, Math.ceil((to - from) / 8));
  const ticks: number[] = [];
  for (let e = from; e <= to; e += every) ticks.push(10 ** e);
  if (to - from <= 1) return [...new Set([...ticks, 2 * 10 ** from, 5 * 10 ** from])].sort((a, b) => a - b);
  return ticks;
}

function axis(values: readonly number[], log: boolean, from: number, to: number): Axis {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!log && low > 0 && low < high / 2) low = 0;
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 1, high + 1];
  const scale = (value: number): number => (log ? Math.log10(value) : value);
  const span = scale(high) - scale(low);
  const at = (value: number): number => from + ((scale(value) - scale(low)) / span) * (to - from);
  const ticks = (log ? logTicks(low, high) : linearTicks(low, high)).filter(
    (tick) => tick >= low * (log ? 0.999 : 1) - 1e-12 && tick <= high * 1.001,
  );
  return { at, ticks };
}

/** Draws the plot. Points that are not finite, or not positive on a logarithmic axis, are left out. */
export function plotSvg(plot: Plot): string {
  const usable = (value: number, log: boolean): boolean => Number.isFinite(value) && (!log || value > 0);
  const series = plot.series.map((one) => ({
    ...one,
    points: one.points.filter(([x, y]) => usable(x, plot.xLog) && usable(y, plot.yLog)),
  }));
  const all = series.flatMap((one) => one.points);
  const drawable = all.length > 0 ? all : [[1, 1] as const];
  const x = axis(
    drawable.map(([value]) => value),
    plot.xLog,
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = axis(
    drawable.map(([, value]) => value),
    plot.yLog,
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(`${plot.title}. ${plot.subtitle}`)}">`,
    `<style>text{font:13px system-ui,sans-serif;fill:#222}.t{font-size:17px;font-weight:600}.s{fill:#555}.g{stroke:#ddd}.a{stroke:#222}path{fill:none;stroke-width:2}</style>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text class="t" x="${MARGIN.left}" y="26">${escape(plot.title)}</text><text class="s" x="${MARGIN.left}" y="46">${escape(plot.subtitle)}</text>`,
  ];
  for (const tick of x.ticks) {
    const at = x.at(tick).toFixed(1);
    parts.push(`<line class="g" x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/>`);
    parts.push(`<text class="s" x="${at}" y="${HEIGHT - MARGIN.bottom + 20}" text-anchor="middle">${label(tick)}</text>`);
  }
  for (const tick of y.ticks) {
    const at = y.at(tick).toFixed(1);
    parts.push(`<line class="g" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/>`);
    parts.push(`<text class="s" x="${MARGIN.left - 8}" y="${Number(at) + 4}" text-anchor="end">${label(tick)}</text>`);
  }
  parts.push(`<path class="a" d="M${MARGIN.left} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}H${WIDTH - MARGIN.right}"/>`);
  series.forEach(({ points, dashed, name }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const d = points.map(([px, py], j) => `${j === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${y.at(py).toFixed(1)}`).join('');
    const dash = dashed === true ? ' stroke-dasharray="6 4"' : '';
    if (d !== '') parts.push(`<path stroke="${colour}"${dash} d="${d}"/>`);
    const row = MARGIN.top + 18 + i * 18;
    parts.push(
      `<line stroke="${colour}" stroke-width="2"${dash} x1="${WIDTH - 190}" x2="${WIDTH - 166}" y1="${row - 4}" y2="${row - 4}"/>`,
    );
    parts.push(`<text x="${WIDTH - 160}" y="${row}">${escape(name)}</text>`);
  });
  parts.push(
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escape(plot.xLabel)}</text>`,
  );
  const middle = (MARGIN.top + HEIGHT - MARGIN.bottom) / 2;
  parts.push(
    `<text transform="translate(20 ${middle}) rotate(-90)" text-anchor="middle">${escape(plot.yLabel)}</text>`,
    '</svg>',
  );
  return `${parts.join('\n')}\n`;
}
