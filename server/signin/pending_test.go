package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// pendingAt gives the password and leaves the second step open.
func pendingAt(in *servertest.Installation, email string) *servertest.Client {
	browser := in.Browser(servertest.Firefox)
	browser.Password(email).Want(http.StatusOK)
	return browser
}

// noSession fails the test when the browser holds a session that works.
func noSession(t *testing.T, browser *servertest.Client) {
	t.Helper()
	if browser.Cookie(servertest.SessionCookie) != "" {
		t.Error("there is a session cookie")
	}
	browser.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "not_signed_in")
}

type operation struct{ method, path, access string }

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// operations are all calls of the server, as its document has them, with something in place of every parameter.
func operations(t *testing.T, in *servertest.Installation) []operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Access string `json:"x-access"`
		} `json:"paths"`
	}
	answer := in.Browser(servertest.Firefox).Do("GET", "/api/openapi.json", nil).Want(http.StatusOK)
	if err := json.Unmarshal(answer.Raw, &document); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for path, methods := range document.Paths {
		path = strings.ReplaceAll(path, "{id}", "me")
		path = parameter.ReplaceAllString(path, "01JP0000000000000000000000")
		for method, about := range methods {
			all = append(all, operation{strings.ToUpper(method), path, about.Access})
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d operations", len(all))
	}
	return all
}

func TestRow1PendingSignInIsNoSession(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		browser := pendingAt(in, "ada@example.test")
		value := browser.Cookie(servertest.PendingCookie)
		if value == "" {
			t.Fatal("no pending cookie")
		}
		ways := map[string]func(*servertest.Client) (query string){
			"its own cookie": func(c *servertest.Client) string { return "" },
			"session cookie": func(c *servertest.Client) string { c.Plant(servertest.SessionCookie, value); return "" },
			"bearer":         func(c *servertest.Client) string { c.Header.Set("Authorization", "Bearer "+value); return "" },
			"basic": func(c *servertest.Client) string {
				c.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ada@example.test:"+value)))
				return ""
			},
			"query": func(c *servertest.Client) string {
				return "?token=" + value + "&access_token=" + value + "&session=" + value + "&" + servertest.SessionCookie + "=" + value
			},
		}
		all := operations(t, in)
		for name, way := range ways {
			t.Run(name, func(t *testing.T) {
				thief := in.Holding(servertest.PendingCookie, value)
				query := way(thief)
				closed := 0
				for _, call := range all {
					if call.access == "public" || call.access == "visitor" || call.access == "pending" {
						continue
					}
					closed++
					answer := thief.Do(call.method, call.path+query, map[string]any{})
					if answer.Status != http.StatusUnauthorized {
						t.Errorf("%s %s: %d %s", call.method, call.path, answer.Status, answer.Raw)
					}
				}
				if closed < 10 {
					t.Errorf("only %d calls were closed to it", closed)
				}
			})
		}
		t.Run("nor is a session a pending sign-in", func(t *testing.T) {
			browser.Code(ada.Code()).Want(http.StatusOK)
			thief := in.Holding(servertest.PendingCookie, browser.Cookie(servertest.SessionCookie))
			thief.Do("GET", "/api/v1/sign-in", nil).Diagnosed("sign_in_expired")
		})
	})
}

func TestRow3SecondStepIsDecidedWhenTheSessionOpens(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected("ada@example.test", "member")
		t.Run("the client has no say", func(t *testing.T) {
			browser := in.Browser(servertest.Firefox)
			browser.Do("POST", "/api/v1/sign-in", map[string]any{
				"email": "ada@example.test", "password": servertest.Password, "mfa_required": false,
			}).Refused(http.StatusBadRequest, "unknown_field")
			noSession(t, browser)
		})
		t.Run("turned on while the password is being checked", func(t *testing.T) {
			in.Change("UPDATE users SET mfa_since = NULL")
			release := in.Open("UPDATE users SET mfa_since = 1")
			defer release()
			browser := in.Browser(servertest.Firefox)
			var answer *servertest.Answer
			servertest.Together(2, func(n int) {
				if n == 0 {
					answer, _ = browser.Try("POST", "/api/v1/sign-in", map[string]string{"email": "ada@example.test", "password": servertest.Password})
					return
				}
				in.Blocked(1)
				release()
			})
			if answer == nil || answer.Body["state"] != "second_step" {
				t.Errorf("%+v", answer)
			}
			noSession(t, browser)
		})
		t.Run("turned on by the person elsewhere", func(t *testing.T) {
			in.AddPerson("Bob", "bob@example.test", "member")
			before := in.Browser(servertest.Safari)
			before.Password("bob@example.test").Want(http.StatusOK)
			wizard := in.Browser(servertest.Firefox)
			wizard.Password("bob@example.test").Want(http.StatusOK)
			in.Enrol(wizard)
			before.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
			if again := before.Password("bob@example.test").Want(http.StatusOK); again.Text("state") != "second_step" {
				t.Errorf("%s", again.Raw)
			}
		})
	})
}

func TestRow4PendingSignInEnds(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		id := in.Column("SELECT id FROM users")[0]
		in.Beside()
		over := func(t *testing.T, browser *servertest.Client) {
			t.Helper()
			browser.Code(ada.Code()).Diagnosed("sign_in_expired")
			browser.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[0]}).Diagnosed("sign_in_expired")
			browser.Do("GET", "/api/v1/sign-in", nil).Diagnosed("sign_in_expired")
			noSession(t, browser)
		}
		t.Run("after five minutes", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			in.Clock.Advance(5*time.Minute - time.Millisecond)
			browser.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
			in.Clock.Advance(time.Millisecond)
			over(t, browser)
		})
		t.Run("after five wrong codes, also for the right one", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			for n := range 5 {
				if why := browser.Code(ada.Wrong(n)).Diagnosed("wrong_code"); why["attempts_left"] != float64(4-n) {
					t.Errorf("%v", why)
				}
			}
			browser.Code(ada.Code()).Diagnosed("too_many_attempts")
			browser.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[0]}).Diagnosed("too_many_attempts")
			noSession(t, browser)
			t.Run("and the next one begins with the password", func(t *testing.T) {
				next := pendingAt(in, "ada@example.test")
				next.Code(ada.Code()).Want(http.StatusOK)
				in.Clock.NextStep()
			})
		})
		t.Run("when it is abandoned", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			value := browser.Cookie(servertest.PendingCookie)
			browser.Do("DELETE", "/api/v1/sign-in", nil).Want(http.StatusNoContent)
			if browser.Cookie(servertest.PendingCookie) != "" {
				t.Error("the cookie is still there")
			}
			browser.Code(ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
			over(t, in.Holding(servertest.PendingCookie, value))
		})
		t.Run("when it has become a session", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			value := browser.Cookie(servertest.PendingCookie)
			browser.Code(ada.Code()).Want(http.StatusOK)
			if browser.Cookie(servertest.PendingCookie) != "" {
				t.Error("the cookie is still there")
			}
			in.Clock.NextStep()
			over(t, in.Holding(servertest.PendingCookie, value))
		})
		t.Run("when the password changes", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			in.SetPassword(id, servertest.Password)
			over(t, browser)
		})
		t.Run("when the person is disabled", func(t *testing.T) {
			browser := pendingAt(in, "ada@example.test")
			in.Change("UPDATE users SET disabled_at = 1")
			browser.Code(ada.Code()).Diagnosed("sign_in_expired")
			browser.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[0]}).Diagnosed("sign_in_expired")
			noSession(t, browser)
			in.Change("UPDATE users SET disabled_at = NULL")
			in.Clock.NextStep()
		})
		t.Run("when 2-step verification is turned off", func(t *testing.T) {
			own := in.SignedIn("ada@example.test", ada, servertest.Firefox)
			browser := pendingAt(in, "ada@example.test")
			own.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
			over(t, browser)
		})
	})
}

func TestRow5WhatCannotBeCheckedLetsNobodyIn(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		secret := in.Column("SELECT secret FROM totp_apps")[0]
		faults := func() int { return len(in.Column("SELECT id FROM events WHERE result = 'fault'")) }
		refused := func(t *testing.T, answer *servertest.Answer) {
			t.Helper()
			answer.Refused(http.StatusInternalServerError, "internal_fault")
			if len(answer.Header["Set-Cookie"]) > 0 {
				t.Errorf("cookies %v", answer.Header["Set-Cookie"])
			}
			for _, told := range []string{"secret", "cipher", "totp", "sql", "table"} {
				if strings.Contains(strings.ToLower(string(answer.Raw)), told) {
					t.Errorf("it tells %q: %s", told, answer.Raw)
				}
			}
		}
		for name, broken := range map[string]string{
			"a byte of the secret is flipped": secret[:len(secret)-1] + string([]byte{secret[len(secret)-1] ^ 1}),
			"the secret is cut":               secret[:4],
			"the secret is gone":              "",
			"a key that nobody has":           secret[:1] + "\xff\xff\xff\xff" + secret[5:],
		} {
			t.Run(name, func(t *testing.T) {
				in.Change("UPDATE totp_apps SET secret = ?", []byte(broken))
				before := faults()
				browser := pendingAt(in, "ada@example.test")
				refused(t, browser.Code(ada.Code()))
				noSession(t, browser)
				if faults() != before+1 {
					t.Error("no event of a fault")
				}
				in.Change("UPDATE totp_apps SET secret = ?", []byte(secret))
			})
		}
		app := func(browser *servertest.Client) *servertest.Answer { return browser.Code(ada.Code()) }
		paper := func(n int) func(*servertest.Client) *servertest.Answer {
			return func(browser *servertest.Client) *servertest.Answer {
				return browser.Do("POST", "/api/v1/sign-in/backup-code", map[string]string{"code": ada.Codes[n]})
			}
		}
		for _, one := range []struct {
			table string
			give  func(*servertest.Client) *servertest.Answer
		}{
			{"totp_apps", app}, {"totp_spent_steps", app}, {"second_step_tries", app}, {"sessions", app}, {"events", app},
			{"backup_code_sets", paper(0)}, {"backup_codes", paper(1)}, {"sessions", paper(2)},
		} {
			t.Run("without the table "+one.table, func(t *testing.T) {
				browser := pendingAt(in, "ada@example.test")
				in.Change("ALTER TABLE " + one.table + " RENAME TO away")
				refused(t, one.give(browser))
				in.Change("ALTER TABLE away RENAME TO " + one.table)
				noSession(t, browser)
				one.give(browser).Want(http.StatusOK) // and what failed spent nothing
				in.Clock.NextStep()
			})
		}
		t.Run("2-step verification is on and nothing is there that could prove it", func(t *testing.T) {
			in.Change("DELETE FROM totp_apps")
			in.Change("DELETE FROM backup_code_sets")
			before := faults()
			browser := in.Browser(servertest.Firefox)
			refused(t, browser.Password("ada@example.test"))
			noSession(t, browser)
			if faults() != before+1 {
				t.Error("no event of a fault")
			}
		})
	})
}

func TestSecondStepIsAskedFor(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		in.Beside()
		browser := in.Browser(servertest.Firefox)
		first := browser.Password("ada@example.test").Want(http.StatusOK)
		t.Run("with methods, entry and time", func(t *testing.T) {
			if !slices.Equal(first.Texts("methods"), []string{"totp", "backup_code"}) || !slices.Equal(first.Texts("labels"), []string{"MailMachine: ada@example.test"}) {
				t.Errorf("%s", first.Raw)
			}
			if first.Text("expires_at") != in.Clock.Now().Add(5*time.Minute).Format(time.RFC3339) {
				t.Errorf("expires at %s", first.Text("expires_at"))
			}
		})
		t.Run("a reload answers the same", func(t *testing.T) {
			in.Clock.Advance(time.Second)
			if again := browser.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK); string(again.Raw) != string(first.Raw) {
				t.Errorf("%s, not %s", again.Raw, first.Raw)
			}
		})
		t.Run("a browser without it is not told of one", func(t *testing.T) {
			other := in.Browser(servertest.Firefox)
			other.Do("GET", "/api/v1/sign-in", nil).Refused(http.StatusUnauthorized, "not_signed_in")
			other.Code(ada.Code()).Refused(http.StatusUnauthorized, "not_signed_in")
		})
		t.Run("a malformed code costs no try", func(t *testing.T) {
			for _, code := range []string{"12345", "1234567", "abcdef", "١٢٣٤٥٦", ""} {
				browser.Code(code).Diagnosed("malformed")
			}
			if why := browser.Code(ada.Wrong(0)).Diagnosed("wrong_code"); why["attempts_left"] != 4.0 {
				t.Errorf("%v", why)
			}
		})
		t.Run("the right one opens a session", func(t *testing.T) {
			browser.Code(ada.Code()).Want(http.StatusOK)
			session := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			if !slices.Equal(session.Texts("signed_in_with"), []string{"password", "totp"}) || session.Text("fresh_with") != "totp" ||
				session.Text("fresh_until") != in.Clock.Now().Add(10*time.Minute).Format(time.RFC3339) {
				t.Errorf("%s", session.Raw)
			}
		})
		t.Run("a backup code opens one, in either field, and says how many are left", func(t *testing.T) {
			for n, path := range []string{"/api/v1/sign-in/backup-code", "/api/v1/sign-in/totp"} {
				other := pendingAt(in, "ada@example.test")
				answer := other.Do("POST", path, map[string]string{"code": ada.Codes[n]}).Want(http.StatusOK)
				if answer.Text("method") != "backup_code" || answer.Body["backup_codes_remaining"] != float64(9-n) {
					t.Errorf("%s", answer.Raw)
				}
			}
		})
	})
}

func TestOneCodeOpensOneSession(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		in.Beside()
		const many = 12
		for name, show := range map[string]func() string{"an app's": ada.Code, "a backup": func() string { return ada.Codes[3] }} {
			t.Run(name, func(t *testing.T) {
				code := show()
				before := len(in.Column("SELECT id FROM sessions"))
				browser := pendingAt(in, "ada@example.test")
				browsers := []*servertest.Client{browser, pendingAt(in, "ada@example.test"), pendingAt(in, "ada@example.test")}
				var in200 atomic.Int32
				servertest.Together(many, func(n int) {
					answer, err := browsers[n%len(browsers)].On(in.On(n)).Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": code})
					switch {
					case err != nil:
						t.Error(err)
					case answer.Status == http.StatusOK:
						in200.Add(1)
					case answer.Body["code"] == "code_refused" || answer.Status == http.StatusUnauthorized:
						// refused, or the browser had given its pending cookie up
					default:
						t.Errorf("%d: %s", answer.Status, answer.Raw)
					}
				})
				if after := len(in.Column("SELECT id FROM sessions")); in200.Load() != 1 || after != before+1 {
					t.Errorf("%d answers and %d sessions of one code", in200.Load(), after-before)
				}
				in.Clock.Advance(2 * time.Hour)
			})
		}
	})
}
