import { tick } from 'svelte';

/** Puts the focus on the first field that is marked wrong, so that it and its error are read out. */
export async function focusFirstError(form: HTMLElement | undefined) {
  await tick();
  form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}

/**
 * On a new screen: the field marked to have it, else the heading, so that reading starts at the top. The screen is shown
 * from its top too, unless the window is so low, as at 400 %, that the field would be typed into unseen.
 */
export function focusScreen() {
  const main = document.querySelector('main');
  const first = main?.querySelector<HTMLElement>('[data-focus-first]') ?? main?.querySelector<HTMLElement>('h1');
  if (first === null || first === undefined) return;
  if (first.tagName === 'H1') first.tabIndex = -1;
  first.focus({ preventScroll: true });
  // Whoever has come here by a link is at the top only once the screen is there.
  if (first.tagName === 'H1') return;
  requestAnimationFrame(() => {
    if (first === document.activeElement) first.scrollIntoView({ block: 'nearest' });
  });
}
