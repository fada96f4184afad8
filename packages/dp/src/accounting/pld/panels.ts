/**
 * Gauss–Legendre nodes on panels of the output axis, for laws with a density.
 *
 * @module
 */

const threePoints = {
  at: [-Math.sqrt(0.6), 0, Math.sqrt(0.6)],
  weight: [5 / 9, 8 / 9, 5 / 9],
} as const;

const fivePoints = {
  at: [-0.906179845938664, -0.5384693101056831, 0, 0.5384693101056831, 0.906179845938664],
  weight: [0.23692688505618908, 0.47862867049936647, 0.5688888888888889, 0.47862867049936647, 0.23692688505618908],
} as const;

/** Nodes on an axis with the weights of their rule. */
export interface AxisNodes {
  readonly x: Float64Array;
  readonly weight: Float64Array;
}

/**
 * Nodes over [edges[0], edges[last]], ascending: every interval between neighbouring edges is cut into equal panels no
 * wider than `widest`, with 5 nodes each, or 3 where the panel is a small fraction (1/20) of it.
 */
export function panelNodes(edges: Float64Array, widest: number): AxisNodes {
  const narrow = widest / 20;
  let total = 0;
  for (let i = 1; i < edges.length; i++) {
    const width = edges[i]! - edges[i - 1]!;
    if (width > 0) total += width <= narrow ? 3 : 5 * Math.ceil(width / widest);
  }
  const x = new Float64Array(total);
  const weight = new Float64Array(total);
  let at = 0;
  for (let i = 1; i < edges.length; i++) {
    const start = edges[i - 1]!;
    const width = edges[i]! - start;
    if (!(width > 0)) continue;
    const panels = width <= narrow ? 1 : Math.ceil(width / widest);
    const rule = width <= narrow ? threePoints : fivePoints;
    const half = width / panels / 2;
    for (let k = 0; k < panels; k++) {
      const centre = start + (2 * k + 1) * half;
      for (let j = 0; j < rule.at.length; j++) {
        x[at] = centre + half * rule.at[j]!;
        weight[at++] = half * rule.weight[j]!;
      }
    }
  }
  return { x, weight };
}
