import { pseudoCatalogue } from '../build/pseudo';
import { goesRound, isNamed, isStill } from './kit/access';
import { looksWell, textsOf } from './kit/layout';
import { pseudoBinary } from './kit/secondstep';
import { test as base, expect, password } from './kit/test';
import * as tour from './kit/tour';
import { messages, sayer } from './kit/words';

/**
 * All screens in two languages that nobody speaks (build/pseudo.ts), one of them written from right to left: whatever
 * is in plain letters is no word of a catalogue, and words that are two fifths longer still have their room. The
 * languages are added as any other: files, and a browser that asks for them.
 *
 * The first of them is walked as people have the screens who need them otherwise: enlarged to 400 %, in colours of their
 * own, without movement, without a mouse, by name alone.
 */
const languages = [
  { locale: 'el-GR', direction: 'ltr', colours: 'active' },
  { locale: 'ar-EG', direction: 'rtl', colours: 'none' },
] as const;

/** A window of 1280 × 1024 at 400 %. */
const enlarged = { width: 320, height: 256 };

/** What is in plain letters and figures with good reason. */
const data = [
  /MailMachine/g, // the brand, which the installation sets
  /[\w.+-]+@example\.test( \(\d\))?/g, // who has an account …
  /Augusta Ada King, Countess of Lovelace|Ada Lovelace|(Root|First) Of All|(Overdue|Required|Forbidden|Disabled) One|One Of Many|Lost Phone/g,
  /\b(Phone|Office|Travel phone)\b/g, // … what they call their devices
  /\b(Chrome|Firefox|Linux|Windows)\b/g, // names of browsers and systems are names everywhere
  /\b127\.0\.0\.1\b/g,
  /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/g, // the reference of a ticket
  /-\d{4}-\d\d-\d\d\.txt/g, // the day in the name of a file
  /\bSHA1\b/g, // as an app writes it
];
/** Where all that is said is data: initials, codes, keys, what was typed. */
const carriers = /^(span\.avatar|bdi\.value|span\.mono|span\.box|p\.said)$/;

type Tour = (guide: tour.Guide) => Promise<void>;
type Fixtures = { walk: (go: Tour, ...refusals: number[]) => Promise<void> };

const test = base.extend<Fixtures>({
  walk: async ({ page, context, locale, someone, tidy }, use) => {
    const say = sayer(pseudoCatalogue(messages, locale ?? ''), locale ?? '');
    // English has the same figures as Greek, so only the other language tells whether they are by locale.
    const plain = locale === 'ar-EG' ? /[A-Za-z0-9]/ : /[A-Za-z]/;
    const direction = languages.find((one) => one.locale === locale)?.direction;
    const look = async (stop: string) => {
      await expect.soft(page.locator('html'), stop).toHaveAttribute('dir', direction ?? '');
      const foreign = (await textsOf(page)).filter(({ text, where }) => {
        const rest = data.reduce((left, one) => left.replace(one, ''), text);
        return plain.test(rest) && !carriers.test(where);
      });
      expect.soft(foreign, `no word of the catalogue: ${stop}`).toEqual([]);
      await looksWell(page, stop);
      if (direction === 'rtl') return;
      await looksWell(page, stop, [enlarged]);
      await isStill(page, stop);
      await isNamed(page, stop);
      await goesRound(page, stop);
    };
    await use(async (go, ...refusals) => {
      tidy.expectRefusals(...refusals);
      await go({ page, context, say, someone, look });
    });
  },
});

test.use({ program: pseudoBinary });

for (const { locale, direction, colours } of languages) {
  test.describe(direction, () => {
    test.use({ locale, contextOptions: { forcedColors: colours, reducedMotion: 'reduce' } });
    test('setup', ({ walk, empty }) => walk((guide) => tour.setup(guide, empty, password)));
    test('signing in', ({ walk }) => walk(tour.signingIn, 401, 422, 429));
    test('the troubleshooter', ({ walk }) => walk(tour.fixing, 401, 422));
    test('enrolling', ({ walk }) => walk(tour.enrolling, 422));
    test('managing', ({ walk }) => walk(tour.managing, 403, 422));
    test('administering', ({ walk }) => walk(tour.administering));
  });
}

test.describe('a language that there is no catalogue for', () => {
  test.use({ locale: 'fr-FR' });
  test('is answered in English', async ({ page }) => {
    await page.goto('/sign-in');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    await expect(page.locator('html')).toHaveAttribute('dir', 'ltr');
  });
});
