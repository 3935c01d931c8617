import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import * as common from '@zxcvbn-ts/language-common';
import * as english from '@zxcvbn-ts/language-en';

const estimator = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
});

/** What is looked at of a very long password: more would only take time. */
const most = 48;

/** How hard a password would be to guess, 0 to 4, for somebody who knows the words of its context. */
export function estimate(password: string, context: string[]): number {
  return estimator.check(password.slice(0, most), context).score;
}
