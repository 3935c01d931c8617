/**
 * What stands around a code that is typed or pasted, and is no part of it: white space and dashes, the minus sign that
 * phones make of a hyphen, soft hyphens and marks without width that copying brings along. The server's class, so that
 * both read alike (server/factor/typed).
 */
const around = /[\s\u0085\p{Pd}\u2212\u00ad\u200b\u2060\ufeff]/gu;

export function compact(code: string): string {
  return plain(code).replace(around, '');
}

/** The digits and letters of an Asian keyboard at full width are those of any other; the server takes the plain ones alone. */
export function plain(code: string): string {
  return code.normalize('NFKC');
}
