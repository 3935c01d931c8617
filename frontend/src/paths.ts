/** Every address of this site that a link leads to; `routes.ts` says what is shown there. */

/** A parameter in an address; the `:id` of a pattern stays what it is. */
const part = (text: string) => (text.startsWith(':') ? text : encodeURIComponent(text));
const security = (id: string) => `${paths.person(id)}/security`;

export const paths = {
  home: '/',
  setup: '/setup',
  welcome: '/welcome',
  join: '/join',
  email: '/email',
  stop: '/stop',
  signIn: '/sign-in',
  forgotten: '/forgotten-password',
  newPassword: '/new-password',
  secondStep: '/second-step',
  /** Where the mailed link leads that proves a request to be let back in. */
  recovery: '/recovery',
  backupStep: '/second-step/backup-code',
  cannotGetIn: '/second-step/cannot-get-in',
  enrol: '/enrol',
  linkStep: '/second-step/enrolment-link',
  afterBackupCode: '/signed-in/backup-code',
  reminder: '/signed-in/reminder',
  users: '/parameters/users',
  protection: '/parameters/protection',
  /** "Turn it on for everybody", and what became of it. */
  rollOut: '/parameters/protection/roll-out',
  run: (id: string) => `/parameters/protection/roll-outs/${part(id)}`,
  settings: '/parameters/settings',
  importUsers: '/parameters/users/import',
  person: (id: string) => `/parameters/users/${part(id)}`,
  security,
  newCodes: (id: string) => `${security(id)}/backup-codes`,
  password: (id: string) => `${security(id)}/password`,
  lostPhone: (id: string) => `${security(id)}/lost-phone`,
  tickets: '/parameters/tickets',
  ticket: (id: string) => `${paths.tickets}/${part(id)}`,
  recoveryTicket: (id: string) => `${paths.ticket(id)}/recovery`,
  audit: '/parameters/audit',
  helpVotes: '/parameters/help',
  helpHome: '/help',
  /** An article of the help, or a paragraph of one: a page that the server makes itself. */
  help: (article: string) => `/help/${article}`,
  /** Where one writes to the support; it needs no signing in. */
  contact: '/help/contact',
  /** "This wasn't me": of one event, or from a link that names none. */
  notMe: (id: string, event?: string) => `${security(id)}/not-me${event ? `?event=${part(event)}` : ''}`,
  /** What is left of it; `done` where the last of that may just have been done. */
  secure: (id: string, after = '') => `${security(id)}/not-me?go-on=${part(after)}`,
  /** A step of the wizard; `replaces` is the app in whose place the new one comes, `lost` says that its phone is gone. */
  enable: (id: string, step = 'app', replaces?: string | null, lost = false) =>
    `${security(id)}/enable/${part(step)}${replaces ? `?replaces=${part(replaces)}${lost ? '&lost=yes' : ''}` : ''}`,
};

/** Is this a step of the wizard: all that a session for enrolling may see? */
export const inWizard = (path: string) => path.includes('/security/enable/');
