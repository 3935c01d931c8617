import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import type axe from 'axe-core';

const wcag22aa = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const narrow = 320;
const source = readFileSync(join(import.meta.dirname, '../../../node_modules/axe-core/axe.min.js'), 'utf8');

/** A colour of axe's, which its types leave out. */
type Colour = { r: number; g: number; b: number; alpha: number; parseString(text: string): Colour };
declare global {
  interface Window {
    axe: typeof axe & { commons: { color: { Color: new (like: Colour) => Colour } } };
  }
}

/**
 * Looks a screen over as it stands: axe finds nothing in light, nor in dark, where only the colours are others, and in
 * a window of 320 px nothing has to be moved sideways. `name` tells which state it was when something is found.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const found = await look(page, colorScheme);
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
    for (let turn = 0; turn < 10 && underWay().length > 0; turn++) {
      await Promise.race([Promise.allSettled(underWay().map((one) => one.finished)), frame()]);
      await frame();
    }
  });
}

/** What axe finds, in words. */
async function look(page: Page, colorScheme: 'dark' | 'light') {
  // To read axe takes a page longer than to run it: one that has it keeps it until it is left.
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.evaluate(source);
    await page.evaluate(rememberColours);
  }
  const runOnly: axe.RunOnly =
    colorScheme === 'dark' ? { type: 'rule', values: ['color-contrast'] } : { type: 'tag', values: wcag22aa };
  // No rule among these reads stylesheets, but a film or a sound may be one's business.
  const options: axe.RunOptions = { runOnly, resultTypes: ['violations'], preload: { assets: ['media'] } };
  return page.evaluate(async (options) => {
    const { violations } = await window.axe.run(document, options);
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
    }));
  }, options);
}

/** In the page: axe reads a colour anew for each thing that has it, which is a third of its work; a page has a dozen. */
function rememberColours() {
  const { Color } = window.axe.commons.color;
  const read = Color.prototype.parseString;
  const known = new Map<string, Colour>();
  Color.prototype.parseString = function (this: Colour, text: string) {
    const same = known.get(text);
    if (same) return Object.assign(this, { r: same.r, g: same.g, b: same.b, alpha: same.alpha });
    read.call(this, text);
    known.set(text, new Color(this));
    return this;
  };
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
