import type { paths } from './generated/schema';

/** What an operation answers, taken from the generated types so that nothing is copied by hand. */
type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : never;
type Responses<O> = O extends { responses: infer R } ? R : never;
type Success<R> = { [S in keyof R]: S extends 200 | 201 ? Json<R[S]> : never }[keyof R];
type Answered<P extends keyof paths, M extends keyof paths[P]> = Success<Responses<NonNullable<paths[P][M]>>>;

export type SignInState = Answered<'/api/v1/sign-in', 'post'>;
export type RecoveryView = Answered<'/api/v1/sign-in/recovery', 'post'>;
type PendingRecovery = Answered<'/api/v1/sign-in/recovery', 'get'>;
export type OwnRecovery = Omit<PendingRecovery, 'recovery'> & { recovery: RecoveryView | null };
export type AskedRecovery = Answered<'/api/v1/users/{id}/security/recovery', 'get'>['recovery'];
type RecoveryFacts = Answered<'/api/v1/tickets/{id}/recovery', 'get'>;
export type RecoveryTicket = Omit<RecoveryFacts, 'refused'> & { refused: RecoveryFacts['refused'] | null };
export type RecoveryDecided = Answered<'/api/v1/tickets/{id}/decision', 'post'>;
export type SecondStepAnswer = Answered<'/api/v1/sign-in/totp', 'post'>;
export type CheckedCode = Answered<'/api/v1/session/code-check', 'post'>;
export type SessionView = Answered<'/api/v1/session', 'get'>;
type Person = Answered<'/api/v1/users/{id}', 'get'>;
type SecurityPage = Answered<'/api/v1/users/{id}/security', 'get'>;
type Absent = 'enrolment' | 'codes_waiting' | 'reset' | 'alarm' | 'codes_blocked' | 'email_change';
/** The document cannot say of a described object that it may be null: the server's text does. */
export type SecurityView = Omit<SecurityPage, Absent> & { [K in Absent]: SecurityPage[K] | null };
export type UserView = Omit<Person, 'email_change'> & { email_change: Person['email_change'] | null };
export type ResetAnswer = Answered<'/api/v1/users/{id}/security/reset', 'post'>;
export type EnrolmentView = Answered<'/api/v1/users/{id}/security/enrolments/current', 'get'>;
export type UserList = Answered<'/api/v1/users', 'get'>;
export type ProtectionFigures = Answered<'/api/v1/protection', 'get'>;
export type Warning = Answered<'/api/v1/protection/warnings', 'get'>['warnings'][number];
export type SettingsView = Answered<'/api/v1/settings', 'get'>;
export type MailView = Answered<'/api/v1/mail', 'get'>;
export type MailSender = Answered<'/api/v1/mail/sender', 'get'>;
export type MailTested = Answered<'/api/v1/mail/test', 'post'>;
export type Refusals = Answered<'/api/v1/protection/refusals', 'get'>;
export type Outlook = Answered<'/api/v1/users/requirement/look', 'post'>;
export type AskedOfMany = NonNullable<
  paths['/api/v1/users/requirement/look']['post']['requestBody']
>['content']['application/json'];
export type Run = Answered<'/api/v1/roll-outs/{roll_out}', 'get'>;
export type Runs = Answered<'/api/v1/roll-outs', 'get'>;
export type ListedUser = NonNullable<UserList['users']>[number];
export type ImportedLine = Answered<'/api/v1/users/import', 'post'>['lines'][number];
export type Factor = NonNullable<SecurityView['mfa']['factors']>[number];
export type OpenSession = Answered<'/api/v1/users/{id}/sessions', 'get'>['sessions'][number];
export type HelpTallies = Answered<'/api/v1/help/votes', 'get'>;
export type HelpTally = HelpTallies['articles'][number];
export type HelpSentences = Answered<'/api/v1/help/sentences', 'get'>;
export type HelpSentence = HelpSentences['sentences'][number];
export type TicketPage = Answered<'/api/v1/tickets', 'get'>;
export type TicketRow = Pick<TicketPage['tickets'][number], 'kind' | 'state' | 'subject' | 'recovery'>;
export type TicketView = Answered<'/api/v1/tickets/{id}', 'get'>;
export type TicketTold = Answered<'/api/v1/tickets/{id}/reply', 'post'>;
export type LogPage = Answered<'/api/v1/audit', 'get'>;
export type LogEntry = LogPage['events'][number];
export type EventPage = Answered<'/api/v1/users/{id}/security/events', 'get'>;
export type SecurityEvent = EventPage['events'][number];
export type Invitation = Answered<'/api/v1/users', 'post'>;
export type EmailAsked = Answered<'/api/v1/users/{id}/email', 'post'>;
export type Stoppable = Answered<'/api/v1/stop/link', 'post'>;
export type Stopped = Answered<'/api/v1/stop', 'post'>;
export type PasswordLinkView = Answered<'/api/v1/forgotten-password/link', 'post'>;
export type InvitedView = Answered<'/api/v1/join/invitation', 'post'>;
