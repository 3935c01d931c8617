import { expect, type Page } from '@playwright/test';

/** Sizes of the window that every screen is looked at in. */
const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

export type Text = { text: string; where: string };

/** In a large window and a small one: nothing is wider than it, cut off, spilt over its edge, or in another's place. */
export async function looksWell(page: Page, name: string, windows = [desktop, phone]): Promise<void> {
  for (const size of windows) {
    await page.setViewportSize(size);
    expect.soft(await faults(page), `${name}, ${size.width} px wide`).toEqual([]);
  }
}

/** Everything that a page says, for the eye and for the ear. */
export function textsOf(page: Page): Promise<Text[]> {
  return page.evaluate(() => {
    const spoken = ['aria-label', 'aria-description', 'aria-valuetext', 'title', 'placeholder', 'alt'];
    const nameOf = (one: Element) =>
      `${one.tagName.toLowerCase()}${one.classList.length > 0 ? `.${one.classList[0]}` : ''}`;
    const found = [{ text: document.title, where: 'title' }];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent?.trim() ?? '';
      if (text === '' || parent === null || parent.closest('script, style, noscript')) continue;
      found.push({ text, where: nameOf(parent) });
    }
    for (const name of spoken) {
      for (const one of document.body.querySelectorAll(`[${name}]`)) {
        found.push({ text: one.getAttribute(name) ?? '', where: `${nameOf(one)} ${name}` });
      }
    }
    return found;
  });
}

/** What is wrong with the arrangement of a page, in words. */
function faults(page: Page): Promise<string[]> {
  return page.evaluate(async (width) => {
    // The window has its size at once, the rules that ask for its width a frame or two later.
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    while (window.innerWidth !== width) await frame();
    await frame();
    await frame();
    const found: string[] = [];
    // Of two, the one on top.
    const modal = [...document.querySelectorAll('dialog:modal')].at(-1);
    const top = modal ?? document.body;
    const nameOf = (one: Element) => {
      const text = one.textContent?.trim().replace(/\s+/g, ' ').slice(0, 40);
      return `${one.tagName.toLowerCase()}${one.id && `#${one.id}`}.${[...one.classList].join('.')} "${text}"`;
    };
    // For screen readers only: one pixel on purpose.
    const unseen = [...document.querySelectorAll('body *')].filter(
      (one) => getComputedStyle(one).clipPath === 'inset(50%)',
    );
    const hidden = (one: Element) =>
      !one.checkVisibility({ visibilityProperty: true }) || unseen.some((part) => part.contains(one));

    for (const frame of [document.documentElement, ...(modal ? [modal] : [])]) {
      if (frame.scrollWidth > frame.clientWidth) {
        const { left } = frame.getBoundingClientRect();
        const right = left + frame.clientWidth;
        const wide = [...frame.querySelectorAll('*')].filter((one) => {
          const box = one.getBoundingClientRect();
          return !hidden(one) && box.width > 0 && (box.right > right + 0.5 || box.left < left - 0.5);
        });
        found.push(`${frame.tagName} is ${frame.scrollWidth} px: ${wide.slice(0, 4).map(nameOf).join(' | ')}`);
      }
    }

    const saysSomething = (one: Element) =>
      [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '');
    for (const one of top.querySelectorAll<HTMLElement>('*')) {
      // A field that is too short for what is typed is moved through, and a list opens to its own width.
      if (one instanceof SVGElement || one.matches('input, select, textarea') || hidden(one)) continue;
      const style = getComputedStyle(one);
      if (style.display.startsWith('inline') && !/block|flex|grid/.test(style.display)) continue;
      const cuts = style.overflowX !== 'visible' && style.overflowX !== 'auto';
      if (!cuts && !saysSomething(one)) continue;
      // A name that is too long ends in dots on purpose; it is whole in the menu that it opens.
      if (style.textOverflow === 'ellipsis' && one.closest('.opener')) continue;
      const sideways = one.scrollWidth > one.clientWidth + 1;
      const below = cuts && style.overflowY === 'hidden' && one.scrollHeight > one.clientHeight + 1;
      if (sideways || below)
        found.push(`${cuts ? 'cut off' : 'spilt'}, ${one.scrollWidth} px in ${one.clientWidth}: ${nameOf(one)}`);
    }

    const controls = [...top.querySelectorAll<HTMLElement>('a[href], button, input, select, summary, textarea')].filter(
      (one) => !hidden(one),
    );
    // What stays while the page moves under it is compared with its like only.
    const layer = (one: Element) => {
      for (let at: Element | null = one; at !== null && at !== top; at = at.parentElement) {
        if (/fixed|sticky/.test(getComputedStyle(at).position)) return at;
      }
      return top;
    };
    const placed = controls.map((one) => ({ one, box: one.getBoundingClientRect(), layer: layer(one) }));
    placed.forEach((a, i) => {
      for (const b of placed.slice(i + 1)) {
        if (a.layer !== b.layer) continue;
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (wide <= 1 || high <= 1 || a.one.contains(b.one) || b.one.contains(a.one)) continue;
        // The press that shows a password stands in the frame of its field, which leaves room for it.
        if (b.one.matches('.reveal') && a.one.parentElement === b.one.parentElement) continue;
        found.push(`one upon the other: ${nameOf(a.one)} and ${nameOf(b.one)}`);
      }
    });
    return found;
  }, page.viewportSize()?.width);
}
