package signin_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/servertest"
)

const wrongPassword = "not the right password"

func guess(c *servertest.Client, email, password string) *servertest.Answer {
	return c.Do("POST", "/api/v1/sign-in", map[string]string{"email": email, "password": password})
}

// blind is everything that a stranger can see of an answer, without what is random or the time in every one.
func blind(a *servertest.Answer) string {
	var names []string
	for name := range a.Header {
		if name != "Date" && name != "Request-Id" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var seen strings.Builder
	fmt.Fprintln(&seen, a.Status)
	for _, name := range names {
		fmt.Fprintln(&seen, name, a.Header[name])
	}
	id := a.Header.Get("Request-Id")
	if id == "" {
		return "no request id"
	}
	fmt.Fprintf(&seen, "%s", strings.ReplaceAll(string(a.Raw), id, "ID"))
	return seen.String()
}

func TestRow6KnownAndUnknownNamesLookAlike(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected("ada@example.test", "administrator")
		in.AddPerson("Bob", "bob@example.test", "member")
		disabled := in.AddPerson("Cleo", "cleo@example.test", "member")
		in.Change("UPDATE users SET disabled_at = 1 WHERE id = ?", disabled)
		browser := in.Browser(servertest.Firefox)
		names := []string{"nobody@example.test", "ada@example.test", "bob@example.test", "cleo@example.test", "no address"}

		var wrong string
		for try := range 5 {
			for _, name := range names {
				before := in.Runs()
				seen := blind(guess(browser, name, wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials"))
				if ran := in.Runs() - before; ran != 1 {
					t.Errorf("try %d of %q: %d argon2id computations, want 1", try, name, ran)
				}
				if wrong == "" {
					wrong = seen
				}
				if seen != wrong {
					t.Errorf("try %d of %q is told apart:\n%s\nfrom\n%s", try, name, seen, wrong)
				}
			}
		}
		var throttled string
		for _, password := range []string{wrongPassword, servertest.Password} {
			for _, name := range names {
				before := in.Runs()
				seen := blind(guess(browser, name, password).Refused(http.StatusTooManyRequests, "too_many_passwords"))
				if ran := in.Runs() - before; ran != 0 {
					t.Errorf("throttled %q: %d argon2id computations, want none", name, ran)
				}
				if throttled == "" {
					throttled = seen
				}
				if seen != throttled {
					t.Errorf("throttled %q is told apart:\n%s\nfrom\n%s", name, seen, throttled)
				}
			}
		}

		t.Run("a disabled account is told only after the right password", func(t *testing.T) {
			in.Clock.Advance(time.Minute)
			guess(browser, "cleo@example.test", servertest.Password).Refused(http.StatusForbidden, "account_disabled")
			if browser.Cookie(servertest.SessionCookie)+browser.Cookie(servertest.PendingCookie) != "" {
				t.Error("a disabled person got a cookie")
			}
		})
		t.Run("row 78: a password over 1 KiB is never hashed, known or unknown", func(t *testing.T) {
			in.Clock.Advance(time.Hour)
			before := in.Runs()
			long := strings.Repeat("p", hashing.MaxSecret+1)
			known := blind(guess(browser, "bob@example.test", long).Refused(http.StatusUnauthorized, "bad_credentials"))
			unknown := blind(guess(browser, "nobody@example.test", long).Refused(http.StatusUnauthorized, "bad_credentials"))
			if known != unknown {
				t.Errorf("told apart:\n%s\nfrom\n%s", known, unknown)
			}
			guess(browser, "bob@example.test", strings.Repeat("p", 4097)).Refused(http.StatusUnprocessableEntity, "invalid_input")
			if ran := in.Runs() - before; ran != 0 {
				t.Errorf("%d argon2id computations, want none", ran)
			}
		})
	})
}

func TestRow7EverySpellingOfANameIsOneAccountAndOneBudget(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "Bob@Example.test", "member")
		for name, spellings := range map[string][]string{
			"somebody": {"bob@example.test", "BOB@EXAMPLE.TEST", "  bob@example.test  ", "ｂｏｂ@example.test", "Bob@exa\uff4dple.test", "\u2003bob@example.test"},
			"nobody":   {"eve@example.test", "EVE@EXAMPLE.TEST", "  eve@example.test  ", "ｅｖｅ@example.test", "Eve@exa\uff4dple.test", "\u2003eve@example.test"},
		} {
			t.Run(name, func(t *testing.T) {
				browser := in.Browser(servertest.Firefox)
				for _, spelling := range spellings[:5] {
					guess(browser, spelling, wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
				}
				for _, spelling := range spellings {
					guess(browser, spelling, servertest.Password).Refused(http.StatusTooManyRequests, "too_many_passwords")
				}
			})
		}
		t.Run("each opens the one account", func(t *testing.T) {
			in.Clock.Advance(time.Minute)
			var id string
			for _, spelling := range []string{"bob@example.test", "BOB@EXAMPLE.TEST", " ｂｏｂ@example.test"} {
				browser := in.Browser(servertest.Firefox)
				guess(browser, spelling, servertest.Password).Want(http.StatusOK)
				user := browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK).Body["user"].(map[string]any)
				if id == "" {
					id = user["id"].(string)
				}
				if user["id"] != id || user["email"] != "Bob@Example.test" {
					t.Errorf("%q is %v", spelling, user)
				}
			}
		})
		t.Run("no second account by another spelling", func(t *testing.T) {
			if found := in.Column("SELECT id FROM users"); len(found) != 1 {
				t.Errorf("%d accounts", len(found))
			}
		})
	})
}

func TestPasswordDelaysDoubleAndNeverLock(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "bob@example.test", "member")
		in.Beside()
		browser := in.Browser(servertest.Firefox)
		for range 5 {
			guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
		}
		for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900} {
			refused := guess(browser, "bob@example.test", servertest.Password).Refused(http.StatusTooManyRequests, "too_many_passwords")
			if got := refused.Header.Get("Retry-After"); got != fmt.Sprint(seconds) || refused.Body["retry_after_seconds"] != float64(seconds) {
				t.Fatalf("Retry-After %s and %v, want %d", got, refused.Body["retry_after_seconds"], seconds)
			}
			in.Clock.Advance(time.Duration(seconds)*time.Second - time.Millisecond)
			guess(browser, "bob@example.test", servertest.Password).Refused(http.StatusTooManyRequests, "too_many_passwords")
			in.Clock.Advance(time.Millisecond)
			guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
		}
		t.Run("the right one ends them", func(t *testing.T) {
			in.Clock.Advance(15 * time.Minute)
			guess(browser, "bob@example.test", servertest.Password).Want(http.StatusOK)
			for range 5 {
				guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
			}
			guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusTooManyRequests, "too_many_passwords")
		})
		t.Run("a day without a try forgets them", func(t *testing.T) {
			in.Clock.Advance(24 * time.Hour)
			for range 5 {
				guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusUnauthorized, "bad_credentials")
			}
			refused := guess(browser, "bob@example.test", wrongPassword).Refused(http.StatusTooManyRequests, "too_many_passwords")
			if refused.Body["retry_after_seconds"] != 1.0 {
				t.Errorf("%s", refused.Raw)
			}
		})
		t.Run("every wrong password is an event about the person, and what was refused unlooked at is none", func(t *testing.T) {
			reasons := in.Column("SELECT DISTINCT e.reason FROM events AS e JOIN users AS u ON u.id = e.subject_id WHERE e.kind = 'sign_in.password' AND e.result = 'refused' ORDER BY e.reason")
			if !slices.Equal(reasons, []string{"bad_credentials"}) {
				t.Errorf("%v", reasons)
			}
		})
	})
}

func TestParallelWrongPasswordsStayInBudget(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bob", "bob@example.test", "member")
		in.Beside()
		for _, name := range []string{"bob@example.test", "nobody@example.test"} {
			before := in.Runs()
			var checked, throttled atomic.Int32
			servertest.Together(40, func(n int) {
				answer, err := in.Browser(servertest.Firefox).On(in.On(n)).Try("POST", "/api/v1/sign-in", map[string]string{"email": name, "password": wrongPassword})
				switch {
				case err != nil:
					t.Error(err)
				case answer.Status == http.StatusUnauthorized:
					checked.Add(1)
				case answer.Status == http.StatusTooManyRequests:
					throttled.Add(1)
				default:
					t.Errorf("%d: %s", answer.Status, answer.Raw)
				}
			})
			if checked.Load() != 5 || throttled.Load() != 35 || in.Runs()-before != 5 {
				t.Errorf("%s: %d checked, %d throttled, %d argon2id computations; want 5, 35, 5", name, checked.Load(), throttled.Load(), in.Runs()-before)
			}
		}
	})
}

func TestPasswordStep(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Bob", "bob@example.test", "member")
		require := func(requirement string, deadline time.Time) {
			in.Change("UPDATE users SET requirement = ?, deadline = ? WHERE id = ?", requirement, deadline.UnixMilli(), id)
		}
		state := func(t *testing.T, want string) *servertest.Client {
			t.Helper()
			browser := in.Browser(servertest.Firefox)
			if answer := browser.Password("bob@example.test").Want(http.StatusOK); answer.Text("state") != want {
				t.Fatalf("%s, want %s", answer.Raw, want)
			}
			return browser
		}
		t.Run("without a second step it signs in", func(t *testing.T) {
			session := state(t, "signed_in").Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			if with := session.Texts("signed_in_with"); !slices.Equal(with, []string{"password"}) || session.Body["confined_to"] != nil {
				t.Errorf("%s", session.Raw)
			}
		})
		t.Run("before the deadline of a requirement it signs in, and says the deadline", func(t *testing.T) {
			deadline := in.Clock.Now().Add(time.Hour)
			require("required", deadline)
			mfa := state(t, "signed_in").Do("GET", "/api/v1/session", nil).Want(http.StatusOK).Body["mfa"].(map[string]any)
			if mfa["state"] != "off" || mfa["requirement"] != "required" || mfa["deadline"] != deadline.Format(time.RFC3339) {
				t.Errorf("%v", mfa)
			}
		})
		t.Run("after it the session may only enrol", func(t *testing.T) {
			require("required", in.Clock.Now())
			session := state(t, "enrolment_required").Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			if session.Body["confined_to"] != "enrolment" {
				t.Errorf("%s", session.Raw)
			}
		})
		t.Run("a setting that rose hashes the password anew, once", func(t *testing.T) {
			require("allowed", in.Clock.Now())
			old, err := in.First().Hashes.Hash(context.Background(), servertest.Password, servertest.Cheap)
			if err != nil {
				t.Fatal(err)
			}
			in.Change("UPDATE users SET password_hash = ? WHERE id = ?", old, id)
			guess(in.Browser(servertest.Firefox), "bob@example.test", wrongPassword).Want(http.StatusUnauthorized)
			if stored := in.Column("SELECT password_hash FROM users WHERE id = ?", id)[0]; stored != old {
				t.Error("a wrong password changed the hash")
			}
			before := in.Runs()
			state(t, "signed_in")
			if stored := in.Column("SELECT password_hash FROM users WHERE id = ?", id)[0]; !strings.Contains(stored, "m=16,") {
				t.Errorf("still %s", stored)
			}
			state(t, "signed_in")
			if ran := in.Runs() - before; ran != 3 {
				t.Errorf("%d argon2id computations for two sign-ins and a new hash", ran)
			}
		})
	}, servertest.Options{PasswordCost: hashing.Params{Memory: 16, Time: 1, Threads: 1}})
}

// Hashing the same password anew, as a sign-in next to this one does when the cost has risen, changes nothing about
// who is right.
func TestARehashMeanwhileRefusesNobody(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		passwords := in.First().Passwords
		anew, err := passwords.Pool.Hash(t.Context(), servertest.Password, passwords.Cost)
		if err != nil {
			t.Fatal(err)
		}
		release := in.Open("UPDATE users SET password_hash = '" + anew + "'")
		defer release()
		browser := in.Browser(servertest.Firefox)
		servertest.Together(2, func(n int) {
			if n == 1 {
				in.Blocked(1)
				release()
				return
			}
			answer, err := browser.Try("POST", "/api/v1/sign-in", map[string]string{"email": "ada@example.test", "password": servertest.Password})
			if err != nil || answer.Status != http.StatusOK {
				t.Errorf("%+v %v", answer, err)
			}
		})
	})
}
