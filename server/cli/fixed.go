package cli

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	installation "github.com/secondstep/secondstep/server/settings"
)

// fixed is what flags have set of what administrators ask about. There are neither secrets in it nor where things are on
// the machine: who takes over an administrator's browser learns no more than how people sign in.
func (c *serveCommand) fixed(public *url.URL) []installation.Fixed {
	database := "SQLite"
	if c.DatabaseURL != "" {
		database = "PostgreSQL"
	}
	texts := make([]string, len(c.TrustedProxy))
	for n, network := range c.TrustedProxy {
		texts[n] = network.String()
		if network.IsSingleIP() {
			texts[n] = network.Addr().String()
		}
	}
	return []installation.Fixed{
		{Name: "public-url", Value: public.String()},
		{Name: "database-url", Value: database},
		{Name: "trusted-proxy", Value: strings.Join(texts, ", ")},
		{Name: "security-keys", Value: strconv.FormatBool(c.SecurityKeys)},
		{Name: "totp-window", Value: strconv.Itoa(c.TOTPWindow)},
		{Name: "session-idle", Value: short(c.SessionIdle)},
		{Name: "session-life", Value: short(c.SessionLife)},
		{Name: "administrator-session-idle", Value: short(c.AdministratorSessionIdle)},
		{Name: "administrator-session-life", Value: short(c.AdministratorSessionLife)},
		{Name: "recovery-delay", Value: short(c.RecoveryDelay)},
		{Name: "recovery-approvals", Value: strconv.Itoa(c.RecoveryApprovals)},
		{Name: "log-level", Value: strings.ToLower(c.LogLevel.String())},
	}
}

// short is a time as it is written for a flag: 30m, and not 30m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
