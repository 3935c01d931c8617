import { expect, type Page } from '@playwright/test';

/** What one presses, types into or chooses from, with its name, and the address that a link leads to. */
const control =
  /^\s*- '?(button|link|textbox|searchbox|checkbox|radio|combobox|switch)\b(?: "((?:[^"\\]|\\.)*)")?[^\n]*(?:\n\s*- \/url: (\S+))?/gm;

/** Two events of one second, and two people of one name, are told apart by what stands beside them only. */
const alike = /:\d\d\)"$|^link "Ada Lovelace"$/;

/**
 * Every control has a name, and no two on a screen have the same unless they lead to the same place: by its name alone
 * one must know what it does, and to what.
 */
export async function isNamed(page: Page, stop: string): Promise<void> {
  const dialog = page.getByRole('dialog').last();
  const part = (await dialog.count()) > 0 ? dialog : page.locator('body');
  const controls = [...(await part.ariaSnapshot()).matchAll(control)].map(([, role, name, address]) => {
    return { said: `${role} "${name ?? ''}"`, address };
  });
  const nameless = controls.filter(({ said }) => said.endsWith('""'));
  expect.soft(nameless, `without a name: ${stop}`).toEqual([]);
  const twice = controls.filter(({ said, address }, i) => {
    if (alike.test(said)) return false;
    return controls.slice(0, i).some((one) => one.said === said && !(address && one.address === address));
  });
  expect.soft(twice, `a name twice: ${stop}`).toEqual([]);
}

type Visit = { name: string; shown: boolean; covered: string };

/**
 * Goes once round with Tab, as somebody without a mouse does: every control has its turn, in the order of the page, the
 * focus can be seen, nothing lies upon it, and an open dialog keeps it.
 */
export async function goesRound(page: Page, stop: string): Promise<void> {
  const { wanted, presses } = await page.evaluate(() => {
    const top = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
    const nameOf = (one: Element) =>
      `${one.tagName.toLowerCase()} ${one.id || one.getAttribute('aria-label') || one.textContent?.trim().replace(/\s+/g, ' ').slice(0, 40)}`;
    const reachable = [
      ...top.querySelectorAll<HTMLElement>('a[href], button:enabled, input:enabled, select, summary, textarea:enabled'),
    ].filter(
      (one) =>
        one.checkVisibility({ visibilityProperty: true }) &&
        one.tabIndex >= 0 &&
        !(one instanceof HTMLInputElement && one.type === 'radio' && !one.checked),
    );
    const visits: Visit[] = [];
    const lookAt = (one: Element) => {
      const drawn = (style: CSSStyleDeclaration) =>
        style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
      const parts = [one, ...(one.nextElementSibling ? [one.nextElementSibling] : [])];
      const shown = parts.some((part) => drawn(getComputedStyle(part)) || drawn(getComputedStyle(part, '::after')));
      const box = one.getBoundingClientRect();
      const at = document.elementFromPoint(box.left + box.width / 2, Math.min(box.top + box.height / 2, box.top + 20));
      const free = at !== null && (one.contains(at) || at.contains(one) || at === one.nextElementSibling);
      visits.push({ name: nameOf(one), shown, covered: free ? '' : at === null ? 'outside the window' : nameOf(at) });
    };
    const listen = (event: FocusEvent) => {
      if (event.target instanceof Element) lookAt(event.target);
    };
    document.addEventListener('focusin', listen);
    (document.activeElement as HTMLElement | null)?.blur();
    Object.assign(window, { secondstepTestVisits: visits, secondstepTestListen: listen });
    // From the beginning of the page, or of the dialog.
    const start = document.createElement('span');
    start.tabIndex = -1;
    top.prepend(start);
    start.focus();
    start.remove();
    visits.length = 0;
    // Within a date Tab goes from day to month to year to the calendar.
    const dates = reachable.filter((one) => one instanceof HTMLInputElement && one.type === 'date').length;
    return { wanted: reachable.map(nameOf), presses: reachable.length + 3 * dates };
  });
  for (let press = 0; press < presses; press++) await page.keyboard.press('Tab');
  const visits = await page.evaluate(() => {
    const held = window as unknown as {
      secondstepTestVisits: Visit[];
      secondstepTestListen: (event: FocusEvent) => void;
    };
    document.removeEventListener('focusin', held.secondstepTestListen);
    return held.secondstepTestVisits;
  });
  expect
    .soft(
      visits.map(({ name }) => name),
      `in turn by Tab: ${stop}`,
    )
    .toEqual(wanted);
  expect
    .soft(
      visits.filter(({ shown }) => !shown).map(({ name }) => name),
      `focus not seen: ${stop}`,
    )
    .toEqual([]);
  expect
    .soft(
      visits.filter(({ covered }) => covered !== '').map(({ name, covered }) => `${name} under ${covered}`),
      `focus covered: ${stop}`,
    )
    .toEqual([]);
}

/** Nothing moves by itself, or goes on moving: for people whom it makes ill. */
export async function isStill(page: Page, stop: string): Promise<void> {
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .filter(
        (one) =>
          Number(one.effect?.getComputedTiming().duration) > 50 ||
          one.effect?.getComputedTiming().iterations === Infinity,
      )
      .map((one) => (one.effect as KeyframeEffect).target?.className ?? ''),
  );
  expect.soft(moving, `moving: ${stop}`).toEqual([]);
}
