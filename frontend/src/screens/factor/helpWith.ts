import { fix } from '../fix/ways';
import type { Kind } from './attempt.svelte';
import type { Where } from './explain';

/** Marks a link for the test that holds all of them to the articles (server/help). */
const help = (article: string) => article;

const paragraphs: Record<string, string> = {
  wrong_code: help('code-not-accepted#entry'),
  already_used: help('code-not-accepted#used'),
  older_than_last: help('code-not-accepted#used'),
  clock_behind: help('code-not-accepted#clock'),
  clock_ahead: help('code-not-accepted#clock'),
  previous_setup: help('code-not-accepted#entry'),
  setup_not_finished: help('code-not-accepted#unfinished'),
  malformed: help('code-not-accepted#shape'),
  enrolment_expired: help('code-not-accepted#setup'),
  sign_in_expired: help('sign-in#second-step'),
  too_many_attempts: help('code-not-accepted#too-many'),
  backup_code_used: help('backup-code-not-accepted#used'),
  backup_code_replaced: help('backup-code-not-accepted#older'),
  no_backup_codes_left: help('backup-code-not-accepted#none'),
};

/** The paragraph of the help about a refused code. */
export function helpWith(reason: string, where: Where, typed?: Kind): string {
  if (reason === 'setup_not_finished' && typed === 'backup_code') return help('backup-code-not-accepted#not-saved');
  const fits = paragraphs[reason] ?? help('code-not-accepted');
  return where === 'enrolment' && reason === 'wrong_code' ? help('code-not-accepted#setup') : fits;
}

/** The path of the troubleshooter that finds out about a refused code. */
export function fixWith(reason: string, typed: Kind): string {
  if (reason === 'no_backup_codes_left') return fix.phone;
  return typed === 'backup_code' ? fix.backup : fix.code;
}
