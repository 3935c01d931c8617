import * as format from './format';
import { brand } from './installation';

/** Hands a file to the person. */
export function save(name: string, file: Blob) {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not before the browser has taken it.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}

/** What a file of this installation is called: by what is in it, and the day. */
export function named(what: string, ending: string): string {
  return `${brand().replace(/[^\p{L}\p{N}]+/gu, '-')}-${what}-${format.isoDay(new Date())}.${ending}`;
}
