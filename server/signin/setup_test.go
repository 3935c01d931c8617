package signin_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func setup(c *servertest.Client, token, email string) *servertest.Answer {
	return c.Do("POST", "/api/v1/setup", map[string]string{"token": token, "name": "Ada", "email": email, "password": servertest.Password})
}

func TestRow9FirstAdministrator(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		browser := in.Browser(servertest.Firefox)
		noAdministrator := func(t *testing.T) {
			t.Helper()
			if found := in.Column("SELECT id FROM users"); len(found) != 0 {
				t.Fatalf("%d people", len(found))
			}
		}
		t.Run("no account is there by default", func(t *testing.T) {
			for _, name := range []string{"admin", "administrator", "root", "admin@example.test", "admin@localhost"} {
				for _, password := range []string{"admin", "password", "secondstep", ""} {
					if answer := guess(in.Browser(servertest.Firefox), name, password); answer.Status != http.StatusUnauthorized && answer.Status != http.StatusTooManyRequests {
						t.Errorf("%s/%s: %d %s", name, password, answer.Status, answer.Raw)
					}
				}
			}
			noAdministrator(t)
		})
		t.Run("a link that was never given out opens nothing and hashes nothing", func(t *testing.T) {
			in.On(0).SetupToken()
			before := in.Runs()
			for _, token := range []string{"", "x", base64.RawURLEncoding.EncodeToString(make([]byte, 32)), strings.Repeat("A", 100)} {
				setup(browser, token, "ada@example.test").Refused(http.StatusGone, "setup_link_expired")
			}
			for _, stored := range in.Column("SELECT token_hash FROM setup_links") {
				setup(browser, base64.RawURLEncoding.EncodeToString([]byte(stored)), "ada@example.test").Refused(http.StatusGone, "setup_link_expired")
			}
			if in.Runs() != before {
				t.Error("a password was hashed for a stranger")
			}
			noAdministrator(t)
		})
		t.Run("a link is good for an hour", func(t *testing.T) {
			old := in.On(0).SetupToken()
			in.Clock.Advance(time.Hour)
			before := in.Runs()
			setup(browser, old, "ada@example.test").Refused(http.StatusGone, "setup_link_expired")
			if in.Runs() != before {
				t.Error("a password was hashed for an old link")
			}
			noAdministrator(t)
		})
		token, another := in.On(0).SetupToken(), in.On(1).SetupToken()
		t.Run("what is refused spends nothing", func(t *testing.T) {
			for field, body := range map[string]map[string]string{
				"name required":               {"name": " ", "email": "ada@example.test", "password": servertest.Password},
				"name too_long":               {"name": strings.Repeat("n", 101), "email": "ada@example.test", "password": servertest.Password},
				"email email_invalid":         {"name": "Ada", "email": "ada", "password": servertest.Password},
				"password password_too_short": {"name": "Ada", "email": "ada@example.test", "password": "short"},
				"password password_too_long":  {"name": "Ada", "email": "ada@example.test", "password": strings.Repeat("long", 300)},
			} {
				body["token"] = token
				refused := browser.Do("POST", "/api/v1/setup", body).Refused(http.StatusUnprocessableEntity, "invalid_input")
				fields, _ := refused.Body["fields"].([]any)
				if len(fields) != 1 {
					t.Fatalf("%s: %s", field, refused.Raw)
				}
				if got := fields[0].(map[string]any); fmt.Sprint(got["name"], " ", got["code"]) != field {
					t.Errorf("%s: %s", field, refused.Raw)
				}
			}
			noAdministrator(t)
		})
		t.Run("of many at once exactly one is made", func(t *testing.T) {
			var mu sync.Mutex
			var made []*servertest.Client
			servertest.Together(16, func(n int) {
				own := in.Browser(servertest.Firefox).On(in.On(n))
				answer, err := own.Try("POST", "/api/v1/setup", map[string]string{
					"token": []string{token, another}[n/2%2], "name": "Ada", "email": fmt.Sprintf("ada%d@example.test", n), "password": servertest.Password,
				})
				switch {
				case err != nil:
					t.Error(err)
				case answer.Status == http.StatusOK:
					mu.Lock()
					made = append(made, own)
					mu.Unlock()
				case answer.Body["code"] != "setup_link_expired":
					t.Errorf("%d: %s", answer.Status, answer.Raw)
				}
			})
			if roles := in.Column("SELECT role FROM users"); len(made) != 1 || !slices.Equal(roles, []string{"administrator"}) {
				t.Fatalf("%d were told that it is done, and there are %v", len(made), roles)
			}
			session := made[0].Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			if user := session.Body["user"].(map[string]any); user["role"] != "administrator" || session.Body["fresh_until"] == nil {
				t.Errorf("%s", session.Raw)
			}
			made[0].Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated) // offered right away
		})
		t.Run("after that no link works and no start makes one", func(t *testing.T) {
			for _, link := range []string{token, another} {
				setup(browser, link, "eve@example.test").Refused(http.StatusGone, "setup_link_expired")
			}
			if fresh := in.On(0).SetupToken() + in.On(1).SetupToken(); fresh != "" {
				t.Error("a start made another link")
			}
			if links := in.Column("SELECT token_hash FROM setup_links"); len(links) != 0 {
				t.Errorf("%d links are kept", len(links))
			}
			// A start that looked just before the first administrator was made writes its link just after.
			late := bytes.Repeat([]byte{9}, 32)
			hash := sha256.Sum256(late)
			in.Change("INSERT INTO setup_links (token_hash, created_at, expires_at) VALUES (?, 0, ?)", hash[:], in.Clock.Now().Add(time.Hour).UnixMilli())
			setup(browser, base64.RawURLEncoding.EncodeToString(late), "eve@example.test").Refused(http.StatusGone, "setup_link_expired")
			noSession(t, browser)
		})
		t.Run("it is an event", func(t *testing.T) {
			if done := in.Column("SELECT id FROM events WHERE kind = 'setup.completed' AND result = 'ok'"); len(done) != 1 {
				t.Errorf("%d events", len(done))
			}
		})
	})
}

func TestRow9AdministratorOfTheConsoleVoidsTheLinks(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		token := in.First().SetupToken()
		in.AddPerson("Bob", "bob@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		t.Run("a member's address stays the member's, and the link good", func(t *testing.T) {
			setup(browser, token, "BOB@example.test").Refused(http.StatusConflict, "email_taken")
			if in.First().SetupToken() == "" {
				t.Error("the installation counts as set up")
			}
		})
		in.AddPerson("Ada", "ada@example.test", "administrator")
		setup(browser, token, "eve@example.test").Refused(http.StatusGone, "setup_link_expired")
		noSession(t, browser)
	})
}
