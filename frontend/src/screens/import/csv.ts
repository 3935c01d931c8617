import Papa from 'papaparse';

/** What a spreadsheet takes for the beginning of a formula. */
const formula = /^[=+\-@\t\r\n]/;

/**
 * Text of a CSV file that spreadsheets open as it is: with a byte order mark, so that they read it as UTF-8; with an
 * apostrophe before each cell that begins like a formula, so that they compute nothing; and with every cell in quotes,
 * so that one that parts cells by semicolons finds no formula behind a semicolon either.
 */
export function written(rows: string[][]): string {
  return `\ufeff${Papa.unparse(rows, { escapeFormulae: formula, quotes: true, newline: '\r\n' })}\r\n`;
}

export function csv(rows: string[][]): Blob {
  return new Blob([written(rows)], { type: 'text/csv;charset=utf-8' });
}
