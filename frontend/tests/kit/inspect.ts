import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const wcag22aa = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const narrow = 320;

/**
 * Looks a screen over as it stands: axe finds nothing in light, nor in dark, where only the colours are others, and in
 * a window of 320 px nothing has to be moved sideways. `name` tells which state it was when something is found.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const found = (await look(page, colorScheme)).map(({ id, nodes }) => ({
      id,
      nodes: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
    }));
    expect.soft(found, `axe: ${name}, ${colorScheme}`).toEqual([]);
  }
  const size = page.viewportSize() ?? { width: 1280, height: 720 };
  await page.setViewportSize({ width: narrow, height: 640 });
  expect.soft(await sideways(page), `wider than ${narrow} px: ${name}`).toEqual([]);
  await page.setViewportSize(size);
}

/** Until no colour is on its way from one scheme to the other: what is half-way has no contrast that counts. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // A window behind another one may be drawn no more: then nothing in it is on its way either.
    const frame = () =>
      new Promise((resolve) => {
        requestAnimationFrame(resolve);
        setTimeout(resolve, 1_000);
      });
    const underWay = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
    await frame();
    await frame();
    for (let turn = 0; turn < 10 && underWay().length > 0; turn++) {
      await Promise.race([Promise.allSettled(underWay().map((one) => one.finished)), frame()]);
      await frame();
    }
  });
}

async function look(page: Page, colorScheme: 'dark' | 'light') {
  // To read axe takes a page longer than to run it: one that has it keeps it until it is left.
  const there = await page.evaluate(() => 'axe' in window);
  const axe = new AxeBuilder(there ? { page, axeSource: ';' } : { page });
  // In this order: the options replace the tags that were named before them.
  axe.options({ resultTypes: ['violations'] }).setLegacyMode(true);
  const asked = colorScheme === 'dark' ? axe.withRules('color-contrast') : axe.withTags(wcag22aa);
  const { violations } = await asked.analyze();
  return violations;
}

/** What makes the page, or an open dialog, wider than its window. */
function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const frames = [document.documentElement, ...document.querySelectorAll('dialog[open]')];
    return frames.flatMap((frame) => {
      if (frame.scrollWidth <= frame.clientWidth) return [];
      const edge = frame.getBoundingClientRect().left + frame.clientWidth;
      const wide = [...frame.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > edge + 0.5);
      return [
        `${frame.tagName} ${frame.scrollWidth} px`,
        ...wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 120)),
      ];
    });
  });
}
