import { goesRound, isNamed, isStill } from './kit/access';
import { looksWell } from './kit/layout';
import { test as base, password } from './kit/test';
import * as tour from './kit/tour';
import { say } from './kit/words';

/**
 * All screens as people have them who need them otherwise: enlarged to 400 % (a window of 1280 × 1024 is one of
 * 320 × 256 then), in colours of their own, without movement, without a mouse, by name alone.
 */
const enlarged = { width: 320, height: 256 };

type Tour = (guide: tour.Guide) => Promise<void>;
type Fixtures = { walk: (go: Tour, ...refusals: number[]) => Promise<void> };

const test = base.extend<Fixtures>({
  walk: async ({ page, context, someone, tidy }, use) => {
    const look = async (stop: string) => {
      await isStill(page, stop);
      await looksWell(page, stop, [enlarged]);
      await isNamed(page, stop);
      await goesRound(page, stop);
    };
    await use(async (go, ...refusals) => {
      tidy.expectRefusals(...refusals);
      await go({ page, context, say, someone, look });
    });
  },
});

test.use({ contextOptions: { forcedColors: 'active', reducedMotion: 'reduce' } });

test('setup', ({ walk, empty }) => walk((guide) => tour.setup(guide, empty, password)));
test('signing in', ({ walk }) => walk(tour.signingIn, 401, 422, 429));
test('the troubleshooter', ({ walk }) => walk(tour.fixing, 401, 422));
test('enrolling', ({ walk }) => walk(tour.enrolling, 422));
test('managing', ({ walk }) => walk(tour.managing, 403, 422));
test('administering', ({ walk }) => walk(tour.administering));
