package cli

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestFixedTellsNoSecret: administrators see what flags have set, and neither a password nor where things are (row 60).
func TestFixedTellsNoSecret(t *testing.T) {
	c := serveCommand{
		storage:      storage{DatabaseURL: "postgres://canary:canary@canary/canary", Data: "/canary", Keyring: "canary"},
		TrustedProxy: networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")},
		SecurityKeys: true, TOTPWindow: 1, SessionIdle: 30 * time.Minute, SessionLife: 12 * time.Hour,
		AdministratorSessionIdle: 90 * time.Second, AdministratorSessionLife: 8 * time.Hour,
		RecoveryDelay: 36 * time.Hour, RecoveryApprovals: 2,
	}
	var told []string
	for _, one := range c.fixed(&url.URL{Scheme: "https", Host: "id.example.test"}) {
		told = append(told, fmt.Sprintf("%s=%s", one.Name, one.Value))
	}
	const want = "public-url=https://id.example.test|database-url=PostgreSQL|trusted-proxy=10.0.0.0/8, 127.0.0.1|security-keys=true|" +
		"totp-window=1|session-idle=30m|session-life=12h|administrator-session-idle=1m30s|administrator-session-life=8h|recovery-delay=36h|recovery-approvals=2|log-level=info"
	if got := strings.Join(told, "|"); got != want {
		t.Errorf("%s", got)
	}
}
