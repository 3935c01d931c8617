import { api, read, send } from '../../api/client';
import type { Problem } from '../../api/problem';
import { session } from '../../api/session.svelte';
import type { EnrolmentView, SecurityView } from '../../api/shapes';
import { place } from '../../navigation.svelte';
import { m } from '../../paraglide/messages';
import { paths } from '../../paths';
import { appsOf, mostApps } from './held';
import { declined, proof } from './proof.svelte';

export const steps = ['app', 'scan', 'code', 'save', 'done'] as const;
export type Step = (typeof steps)[number];

/** What the address says: which app the new one comes in the place of, whether its phone is lost, and the step. */
type Asked = { replaces: string | null; lost: boolean; step: string };

/** What an enrolment was for, and what it ended in. */
type Done = { at: number; nextCodeIn: number; codesSaved: boolean; purpose: 'enable' | 'add' | 'replace' };

/**
 * One enrolment as it stands on the server. Each step has its own address; which of them can be shown follows from
 * that state, so a reload and a second tab go on where one was.
 */
export class Enrolment {
  view = $state.raw<SecurityView | undefined>();
  current = $state.raw<EnrolmentView | undefined>();
  /** The unsaved backup codes: shown once, kept only here. */
  codes = $state.raw<string[] | undefined>();
  /** Names the set that is shown, so that no newer one of another tab comes into force unseen. */
  #set: string | undefined;
  /** The set was made anew because the page had forgotten it. */
  fresh = $state(false);
  done = $state.raw<Done | undefined>();
  problem = $state.raw<Problem | undefined>();
  /** The enrolment ran out, or a newer one took its place. */
  expired = $state(false);
  busy = $state(false);

  constructor(
    readonly id: string,
    private readonly asked: Asked,
  ) {}

  get path() {
    return { params: { path: { id: this.id } } };
  }

  /** What is under way, whatever it was begun for: a person has one at most. */
  get #underWay() {
    return this.current ?? this.view?.enrolment ?? undefined;
  }

  /**
   * The app that it replaces, as the address says. Whoever asks for a later step and names none goes on with what is under
   * way; and what waits for its codes alone is finished before anything else.
   */
  get replaces(): string | null {
    const { asked } = this;
    const one = this.#underWay;
    if (one?.state === 'confirmed' || (asked.replaces === null && asked.step !== 'app')) return one?.replaces ?? null;
    return asked.replaces;
  }

  /** What is under way, where it is for what is asked: an app is never put in the place of another than the page says. */
  get begun() {
    const one = this.#underWay;
    return one && one.replaces === this.replaces ? one : undefined;
  }

  /** Is something else under way, which starting ends? */
  get another(): boolean {
    return this.#underWay !== undefined && this.begun === undefined;
  }

  /** Is the phone of the app that it replaces lost? */
  get lost(): boolean {
    return this.begun?.lost === true || (this.asked.lost && this.asked.replaces === this.replaces);
  }

  /** Does it replace an app, add one, or turn protection on? */
  get purpose(): 'enable' | 'add' | 'replace' {
    if (this.done) return this.done.purpose;
    if (this.replaces) return 'replace';
    return this.view?.mfa.state === 'on' ? 'add' : 'enable';
  }

  /**
   * Are there codes to save at the end? Where none are in force, and where a backup code proved it last: whoever lost
   * the phone may have lost the paper too.
   */
  get saves(): boolean {
    if (this.purpose === 'enable' || session.current?.fresh_with === 'backup_code') return true;
    return this.view?.mfa.backup_codes.total === 0;
  }

  /** The app is in use, and only the codes were to be saved: there is nothing to start again. */
  get inUse(): boolean {
    return this.view?.mfa.state === 'on' && this.current?.state === 'confirmed';
  }

  /** Are there as many apps as there can be? Then none can be added, only put in the place of another. */
  get full(): boolean {
    if (this.begun || this.purpose !== 'add') return false;
    return appsOf(this.view?.mfa.factors).length >= mostApps;
  }

  /** Begun in another session: its secret is not shown here, and it is taken up again only by a code of its app. */
  get elsewhere(): boolean {
    return this.view?.enrolment !== null && this.view?.enrolment?.here === false;
  }

  /**
   * Is there nothing left to go on with, though it was begun: the app that it was to replace is gone, or a step is
   * asked for that only an open setup has? Another tab has finished it, then, or it has run out.
   */
  over(wanted: string): boolean {
    const { view, done, begun, replaces } = this;
    if (done || begun || view?.mfa.state !== 'on') return false;
    return this.#replaced(replaces) || ['scan', 'code', 'save'].includes(wanted);
  }

  #replaced(app: string | null): boolean {
    return app !== null && !(this.view?.mfa.factors ?? []).some(({ id }) => id === app);
  }

  /** The step that the state allows, given the one that the address asks for. */
  allowed(wanted: string): Step {
    if (this.done) return 'done';
    const { begun } = this;
    if (begun === undefined || this.expired) return wanted === 'done' && this.view?.mfa.state === 'on' ? 'done' : 'app';
    if (begun.state === 'confirmed') return this.elsewhere && this.codes === undefined ? 'code' : 'save';
    if (this.elsewhere || this.current === undefined) return 'app';
    return wanted === 'scan' || wanted === 'code' ? wanted : 'app';
  }

  /** Does it go on under this name? Then the code that may have been scanned stays good. */
  goesOn(name: string): boolean {
    const { begun, current } = this;
    return begun !== undefined && begun === current && current.state === 'pending' && current.name === name;
  }

  async load(signal?: AbortSignal) {
    this.problem = undefined;
    const seen = await read(() => api.GET('/api/v1/users/{id}/security', this.path), signal);
    if (signal?.aborted) return;
    if (!seen.ok) {
      this.problem = seen.problem;
      return;
    }
    const found = seen.value.enrolment;
    if (found?.here) {
      const outcome = await read(() => api.GET('/api/v1/users/{id}/security/enrolments/current', this.path), signal);
      if (signal?.aborted) return;
      if (outcome.ok) this.current = outcome.value;
      else if (outcome.problem.status !== 404) this.problem = outcome.problem;
    }
    this.view = seen.value;
  }

  /** Starts, or starts again: a new secret, in place of an unfinished one. */
  async start(name: string): Promise<boolean> {
    this.busy = true;
    this.problem = undefined;
    const { replaces, lost } = this;
    const body = { ...(name === '' ? {} : { name }), ...(replaces ? { replaces, lost } : {}) };
    // Whoever found the paper gets no app of their own beside the one that is there.
    const appOnly = this.purpose === 'add';
    const outcome = await proof.having(
      m.act_enable(),
      () => send(() => api.POST('/api/v1/users/{id}/security/enrolments', { ...this.path, body })),
      { appOnly },
    );
    this.busy = false;
    if (!outcome.ok) {
      if (!declined(outcome)) this.problem = outcome.problem;
      return false;
    }
    this.current = outcome.value;
    if (this.view) this.view = { ...this.view, enrolment: null };
    this.codes = undefined;
    this.expired = false;
    return true;
  }

  confirm(body: { code: string; browser_now: string }) {
    return send(() => api.POST('/api/v1/users/{id}/security/enrolments/{enrolment}/confirm', { ...this.#one(), body }));
  }

  /** The app's code was right. Codes to save come with it, unless the account has a set already. */
  confirmed(codes: string[], set: string | undefined, nextCodeIn: number) {
    if (codes.length === 0) return this.#finish(nextCodeIn, false);
    this.codes = codes;
    this.#set = set;
    if (this.current) this.current = { ...this.current, state: 'confirmed' };
    else if (this.view?.enrolment)
      this.view = { ...this.view, enrolment: { ...this.view.enrolment, state: 'confirmed' } };
  }

  /** The codes are shown once; a page that has forgotten them gets a fresh set. */
  async freshCodes() {
    if (this.busy || this.codes !== undefined) return;
    this.busy = true;
    this.problem = undefined;
    const outcome = await send(() =>
      api.POST('/api/v1/users/{id}/security/enrolments/{enrolment}/backup-codes', this.#one()),
    );
    this.busy = false;
    if (outcome.ok) {
      this.codes = outcome.value.backup_codes;
      this.#set = outcome.value.backup_code_set;
      this.fresh = true;
    } else {
      this.#fail(outcome.problem);
    }
  }

  /** Another tab has made a newer set: this one makes the newest. */
  async renewCodes() {
    this.codes = undefined;
    await this.freshCodes();
  }

  /** "I have saved them": the only thing that turns 2-step verification on. */
  async activate() {
    if (this.busy) return;
    this.busy = true;
    this.problem = undefined;
    const body = { backup_code_set: this.#set };
    const outcome = await send(() =>
      api.POST('/api/v1/users/{id}/security/enrolments/{enrolment}/activate', { ...this.#one(), body }),
    );
    this.busy = false;
    if (outcome.ok) this.#finish(outcome.value.next_code_in_seconds, true);
    else this.#fail(outcome.problem);
  }

  #one() {
    const enrolment = this.current?.id ?? this.view?.enrolment?.id ?? '';
    return { params: { path: { id: this.id, enrolment } } };
  }

  #fail(problem: Problem) {
    const why = problem.diagnosis;
    if (why?.reason === 'enrolment_expired' || why?.start_again || problem.code === 'no_enrolment') this.expired = true;
    else this.problem = problem;
  }

  #finish(nextCodeIn: number, codesSaved: boolean) {
    const was = this.purpose;
    // Turned on elsewhere meanwhile, it has added an app to what there is.
    const purpose = was === 'enable' && !codesSaved ? 'add' : was;
    this.done = { at: Date.now(), nextCodeIn, codesSaved, purpose };
    this.codes = undefined;
    void session.load();
  }

  go(step: Step, options: { replace?: boolean } = {}) {
    place.go(paths.enable(this.id, step, this.replaces, this.lost), options);
  }
}
