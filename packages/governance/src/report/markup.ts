/**
 * HTML and SVG as text, with everything that comes from a ledger escaped.
 *
 * @module
 */

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it may stand in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => entities[char] ?? char);
}

/** A piece of markup, told apart from text by its type. */
export interface Markup {
  readonly markup: string;
}

/** What can stand in a template: text and numbers are escaped, markup is not, lists are joined, `undefined` is nothing. */
export type Piece = string | number | Markup | undefined | readonly Piece[];

function pieceText(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece === 'string') return escapeHtml(piece);
  if (typeof piece === 'number') return String(piece);
  return 'markup' in piece ? piece.markup : piece.map(pieceText).join('');
}

/** Builds markup; the values of the template are escaped. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: parts.map((part, i) => part + pieceText(pieces[i])).join('') };
}

/** A coordinate with at most two decimals, so that drawings are short and equal everywhere. */
export function at(coordinate: number): number {
  return Math.round(coordinate * 100) / 100;
}

/** A long hash that may break every eight characters. */
export function hashText(hash: string): Markup {
  const groups = hash.match(/.{1,8}/g) ?? [];
  return { markup: `<code class="hash">${groups.map(escapeHtml).join('<wbr>')}</code>` };
}
