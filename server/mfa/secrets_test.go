package mfa_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// everyWayToRead are the addresses of all routes that answer GET, for somebody.
func everyWayToRead(t *testing.T, browser *servertest.Client, who string) []string {
	t.Helper()
	var document struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(browser.Do("GET", "/api/openapi.json", nil).Want(200).Raw, &document); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/api/v1/users?query=member&sort=email", "/api/v1/audit/export?format=csv", "/api/v1/nothing"}
	for path, methods := range document.Paths {
		if methods["get"] != nil {
			paths = append(paths, strings.ReplaceAll(path, "{id}", who))
		}
	}
	if len(paths) < 15 {
		t.Fatalf("%v", paths)
	}
	return paths
}

// No answer carries what a secret column holds: after all of them were read or planted, every way to read is asked.
func TestRow60NoAnswerCarriesASecretColumn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected("chief@example.test", "administrator")
		chief := in.SignedIn("chief@example.test", app, servertest.Firefox)
		email, other, member := protected(in, "member")
		begin(in, member, body{"replaces": other.ID}) // a retired secret, a pending one and a pending set
		id, _ := begin(in, member, body{"replaces": other.ID})
		chief.Do("POST", codesPath, password).Want(200)
		pending := in.Browser(servertest.Safari)
		pending.Password(email).Want(200)
		memberID := in.Column("SELECT id FROM users WHERE email = ?", email)[0]

		columns := []struct{ table, column string }{
			{"sessions", "token_hash"}, {"sessions", "browser_id"}, {"pending_sign_ins", "token_hash"}, {"totp_apps", "secret"},
			{"totp_enrolments", "secret"}, {"totp_retired", "secret"}, {"totp_spent_steps", "browser_id"},
		}
		var canaries [][]byte
		for _, from := range columns {
			text := "lower(hex(" + from.column + "))"
			if in.Postgres {
				text = "encode(" + from.column + ", 'hex')"
			}
			found := in.Column("SELECT " + text + " FROM " + from.table + " WHERE " + from.column + " IS NOT NULL")
			if len(found) == 0 {
				t.Fatalf("nothing in %s.%s", from.table, from.column)
			}
			for _, value := range found {
				raw, err := hex.DecodeString(value)
				if err != nil {
					t.Fatal(err)
				}
				canaries = append(canaries, []byte(value), raw, []byte(base64.RawStdEncoding.EncodeToString(raw)), []byte(base64.RawURLEncoding.EncodeToString(raw)))
			}
		}
		in.Change("UPDATE users SET password_hash = 'canary-of-a-password'")
		in.Change("UPDATE backup_codes SET hash = 'canary-of-a-code'")
		canaries = append(canaries, []byte("canary-of"))

		var tokens [][]byte
		for _, browser := range []*servertest.Client{chief, member, pending} {
			for _, cookie := range []string{servertest.SessionCookie, servertest.PendingCookie, "secondstep_browser"} {
				if value := browser.Cookie(cookie); value != "" {
					tokens = append(tokens, []byte(value))
				}
			}
		}
		if len(tokens) < 6 {
			t.Fatalf("%d tokens", len(tokens))
		}
		canaries = append(canaries, tokens...)

		for name, browser := range map[string]*servertest.Client{"administrator": chief, "member": member, "pending": pending, "nobody": in.Browser(servertest.Firefox)} {
			for _, path := range append(everyWayToRead(t, chief, memberID), everyWayToRead(t, chief, "me")...) {
				answer := browser.Do("GET", path, nil)
				for _, canary := range canaries {
					if bytes.Contains(answer.Raw, canary) {
						t.Errorf("%s reads a secret at %s", name, path)
					}
				}
			}
			for _, refused := range []*servertest.Answer{
				browser.Code(app.Wrong(0)), browser.Confirm(id, app.Wrong(0)), browser.Prove(app.Wrong(0)), browser.Do("POST", disablePath, password),
			} {
				for _, canary := range canaries {
					if bytes.Contains(refused.Raw, canary) {
						t.Errorf("%s reads a secret in %s", name, refused.Raw)
					}
				}
			}
		}
	})
}
