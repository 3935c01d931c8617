import type { SettingsView } from '../../api/shapes';
import { m } from '../../paraglide/messages';

type Flag = SettingsView['fixed'][number];

const names: Record<string, () => string> = {
  'public-url': m.settings_flag_public_url,
  'database-url': m.settings_flag_database_url,
  'trusted-proxy': m.settings_flag_trusted_proxy,
  'security-keys': m.settings_flag_security_keys,
  'totp-window': m.settings_flag_totp_window,
  'recovery-delay': m.settings_flag_recovery_delay,
  'recovery-approvals': m.settings_flag_recovery_approvals,
  'session-idle': m.settings_flag_session_idle,
  'session-life': m.settings_flag_session_life,
  'administrator-session-idle': m.settings_flag_administrator_session_idle,
  'administrator-session-life': m.settings_flag_administrator_session_life,
  'log-level': m.settings_flag_log_level,
};

/** What a flag is about; of one that this page does not know yet, nothing but its own name is shown. */
export const flagName = (flag: Flag) => names[flag.name]?.() ?? '';

/** What it is set to: as it is written for the program, but for what is on, off, or nothing. */
export function flagValue({ value }: Flag): string {
  if (value === 'true') return m.settings_flag_on();
  if (value === 'false') return m.settings_flag_off();
  return value === '' ? m.settings_flag_none() : value;
}
