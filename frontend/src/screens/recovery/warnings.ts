import { m } from '../../paraglide/messages';

type Words = { title: () => string; body: () => string };

/** What speaks against a request, by the server's code: what it is, and what to think of. */
export const warningWords: Record<string, Words> = {
  password_changed: { title: m.recovery_warn_password_changed, body: m.recovery_warn_password_changed_body },
  password_by_mailbox: { title: m.recovery_warn_password_by_mailbox, body: m.recovery_warn_password_by_mailbox_body },
  email_changed: { title: m.recovery_warn_email_changed, body: m.recovery_warn_email_changed_body },
  role_changed: { title: m.recovery_warn_role_changed, body: m.recovery_warn_role_changed_body },
  wrong_codes: { title: m.recovery_warn_wrong_codes, body: m.recovery_warn_wrong_codes_body },
  codes_locked: { title: m.recovery_warn_codes_locked, body: m.recovery_warn_codes_locked_body },
  new_browser: { title: m.recovery_warn_new_browser, body: m.recovery_warn_new_browser_body },
  new_network: { title: m.recovery_warn_new_network, body: m.recovery_warn_new_network_body },
  proved_by_nothing: { title: m.recovery_warn_proved_by_nothing, body: m.recovery_warn_proved_by_nothing_body },
  stopped_before: { title: m.recovery_warn_stopped_before, body: m.recovery_warn_stopped_before_body },
  refused_before: { title: m.recovery_warn_refused_before, body: m.recovery_warn_refused_before_body },
  several_requests: { title: m.recovery_warn_several_requests, body: m.recovery_warn_several_requests_body },
};
