import { shown } from '../../frames/shown.svelte';
import { nameIs } from '../../installation';
import { m } from '../../paraglide/messages';

/** Puts what was just set on this page, as its next load would have it. */
export function apply(brand: string, accent: string | null) {
  nameIs(brand);
  shown.changed();
  document.title = m.page_title_of({ name: m.settings_title(), brand });
  const before = document.getElementById('accent-sheet');
  if (accent === null) {
    before?.remove();
    return;
  }
  const href = `/accent/${accent.slice(1)}.css`;
  if (before?.getAttribute('href') === href) return;
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.id = 'accent-sheet';
  sheet.href = href;
  // The old one goes when the new one is there: in between, the page would have the product's own colour.
  sheet.onload = () => before?.remove();
  document.head.append(sheet);
}
