package forgotten_test

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]string

const (
	askPath    = "/api/v1/forgotten-password"
	linkPath   = askPath + "/link"
	choosePath = askPath + "/password"

	adaEmail    = "ada@example.test"
	newPassword = "seven quiet walnut lamps"
)

var mails = servertest.Options{Mail: true}

func ask(browser *servertest.Client, email string) *servertest.Answer {
	return browser.Do("POST", askPath, body{"email": email})
}

func choose(browser *servertest.Client, token, password string) *servertest.Answer {
	return browser.Do("POST", choosePath, body{"token": token, "password": password})
}

func signIn(browser *servertest.Client, email, password string) *servertest.Answer {
	return browser.Do("POST", "/api/v1/sign-in", body{"email": email, "password": password})
}

var linkIn = regexp.MustCompile(`(https?://\S+/new-password)#token=([A-Za-z0-9_-]{43})`)

var enrolment = regexp.MustCompile(`/enrol#token=([A-Za-z0-9_-]{43})`)

// tokens are those of the links that arrive for the address, the oldest first.
func tokens(in *servertest.Installation, to string) (found []string) {
	for _, letter := range in.Mails() {
		if link := linkIn.FindStringSubmatch(letter.Text); link != nil && letter.To == to {
			found = append(found, link[2])
		}
	}
	return found
}

// sent asks for a link and answers the token that arrives.
func sent(t *testing.T, in *servertest.Installation, email string) string {
	t.Helper()
	ask(in.Browser(servertest.Safari), email).Want(http.StatusNoContent)
	found := tokens(in, email)
	if len(found) != 1 {
		t.Fatalf("%d links arrived", len(found))
	}
	return found[0]
}

// plain is an answer without what is another one in every answer.
func plain(a *servertest.Answer) string {
	header := a.Header.Clone()
	for _, name := range []string{"Date", "Request-Id"} {
		header.Del(name)
	}
	var lines []string
	for name, values := range header {
		lines = append(lines, name+": "+strings.Join(values, "; "))
	}
	slices.Sort(lines)
	text, _, _ := strings.Cut(string(a.Raw), `"request_id"`)
	return strings.Join(append(lines, text), "\n")
}

// TestAForgottenPassword is the whole way for somebody without 2-step verification.
func TestAForgottenPassword(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		id := in.AddPerson("Ada", adaEmail, "member")
		elsewhere := in.Browser(servertest.Firefox)
		elsewhere.Password(adaEmail).Want(http.StatusOK)
		in.Mails()

		asking := in.Browser(servertest.Safari)
		if answer := ask(asking, "  ADA@Example.Test "); answer.Status != http.StatusNoContent || len(answer.Raw) > 0 {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
		letters := in.Mails()
		if len(letters) != 1 || letters[0].To != adaEmail || letters[0].Subject != "Choose a new password" {
			t.Fatalf("%+v", letters)
		}
		link := linkIn.FindStringSubmatch(letters[0].Text)
		for _, want := range []string{"Hello Ada,", "12 March 2026, 10:41 UTC", "Safari on iPhone, from the address 127.0.0.1"} {
			if !strings.Contains(letters[0].Text, want) {
				t.Errorf("%q is not in %s", want, letters[0].Text)
			}
		}
		if link == nil || link[1] != servertest.MailURL+"/new-password" {
			t.Fatalf("no link in %s", letters[0].Text)
		}
		token := link[2]

		browser := in.Browser(servertest.Safari)
		if told := browser.Do("POST", linkPath, body{"token": token}).Want(http.StatusOK); told.Text("name") != "Ada" || told.Text("email") != adaEmail {
			t.Errorf("%s", told.Raw)
		}
		// Looking, and what is refused, spends nothing and is not hashed.
		runs := in.Runs()
		for _, wrong := range []string{"", "short", "ada example test", "passwordpassword", strings.Repeat("x", 2000)} {
			choose(browser, token, wrong).Refused(http.StatusUnprocessableEntity, "invalid_input")
		}
		if in.Runs() != runs {
			t.Error("what was refused has been hashed")
		}
		elsewhere.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)

		chosen := choose(browser, token, newPassword).Want(http.StatusNoContent)
		if cookies := chosen.Header.Values("Set-Cookie"); len(cookies) > 0 {
			t.Errorf("it signed in: %v", cookies)
		}
		told := in.Mails()
		if len(told) != 1 || told[0].Subject != "Your password was changed by a link from a mail" {
			t.Errorf("%+v", told)
		}
		browser.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "not_signed_in")
		elsewhere.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
		signIn(in.Browser(servertest.Safari), adaEmail, servertest.Password).Refused(http.StatusUnauthorized, "bad_credentials")
		signIn(in.Browser(servertest.Safari), adaEmail, newPassword).Want(http.StatusOK)

		kinds := in.Column(`SELECT kind || ' ' || COALESCE(actor_id, '-') || ' ' || COALESCE(method, '-') FROM events
			WHERE subject_id = ? AND (kind LIKE 'password%' OR reason = 'password_changed') ORDER BY id`, id)
		want := []string{"password_link.sent - -", "session.ended " + id + " password_link", "password.changed " + id + " password_link"}
		slices.Sort(kinds) // those of one moment, made by two instances, are in no order
		slices.Sort(want)
		if !slices.Equal(kinds, want) {
			t.Errorf("on record: %q", kinds)
		}
		if waiting := in.Column("SELECT id FROM password_asks"); len(waiting) > 0 {
			t.Errorf("%d asks are left", len(waiting))
		}
	}, mails)
}

// TestRow6AskingTellsNothing: whoever the address is of, the answer is the same to the byte, and so is what is done for it:
// as many rows in the same tables, and no hash. A mail comes to whoever can use it, and to nobody else.
func TestRow6AskingTellsNothing(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected(adaEmail, "administrator")
		in.AddPerson("Bob", "bob@example.test", "member")
		in.AddPerson("Dis", "disabled@example.test", "member")
		in.AddPerson("Inv", "invited@example.test", "member")
		in.Change("UPDATE users SET disabled_at = 1 WHERE email = 'disabled@example.test'")
		in.Change("UPDATE users SET password_hash = '' WHERE email = 'invited@example.test'")
		in.Mails()
		rows := func() (counts [5]int) {
			for n, table := range []string{"password_asks", "budgets", "password_links", "outbox", "events"} {
				counts[n] = len(in.Column("SELECT 1 FROM " + table))
			}
			return counts
		}
		before, runs := rows(), in.Runs()
		var first string
		for n, email := range []string{adaEmail, "bob@example.test", "nobody@example.test", "disabled@example.test", "invited@example.test"} {
			answer := ask(in.Browser(servertest.Firefox), email).Want(http.StatusNoContent)
			if n == 0 {
				first = plain(answer)
			} else if got := plain(answer); got != first {
				t.Errorf("%s is answered\n%s\nand not\n%s", email, got, first)
			}
			after := rows()
			network := 0
			if n == 0 {
				network = 1 // the budget of the network
			}
			if want := [5]int{before[0] + 1, before[1] + 1 + network, before[2], before[3], before[4]}; after != want {
				t.Errorf("%s: rows %v, want %v", email, after, want)
			}
			before = after
		}
		if in.Runs() != runs {
			t.Error("a password was hashed")
		}
		var to []string
		for _, letter := range in.Mails() {
			to = append(to, letter.To)
		}
		slices.Sort(to)
		if !slices.Equal(to, []string{adaEmail, "bob@example.test"}) {
			t.Errorf("mails went to %q", to)
		}
		for name, content := range in.Files() {
			if bytes.Contains(content, []byte("nobody@")) {
				t.Errorf("%s keeps an address that is nobody's", name)
			}
		}
	}, mails)
}

// TestRow47Budgets: an address has five mails an hour, known or not, and a network asks for so many addresses.
func TestRow47Budgets(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		in.AddPerson("Ada", adaEmail, "member")
		var refused []string
		for _, email := range []string{adaEmail, "nobody@example.test"} {
			answers := in.Race(12, in.Browser(servertest.Safari), func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
				return browser.Try("POST", askPath, body{"email": email})
			})
			taken := 0
			for _, answer := range answers {
				if answer.Status == http.StatusNoContent {
					taken++
					continue
				}
				answer.Refused(http.StatusTooManyRequests, "too_many_asks")
				if answer.Header.Get("Retry-After") != "3600" {
					t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
				}
				refused = append(refused, plain(answer))
			}
			if taken != 5 {
				t.Errorf("%s: %d of 12 were taken", email, taken)
			}
		}
		if slices.Sort(refused); len(slices.Compact(refused)) != 1 {
			t.Errorf("refused otherwise for the one than for the other: %q", slices.Compact(refused))
		}
		if found := tokens(in, adaEmail); len(found) != 5 {
			t.Errorf("%d mails", len(found))
		} else {
			// Whoever floods a mailbox keeps nobody out: the newest works.
			choose(in.Browser(servertest.Firefox), found[4], newPassword).Want(http.StatusNoContent)
		}
		in.Clock.Advance(within - 1e6)
		ask(in.Browser(servertest.Safari), " ADA@example.test").Refused(http.StatusTooManyRequests, "too_many_asks")
		in.Clock.Advance(1e6)
		ask(in.Browser(servertest.Safari), adaEmail).Want(http.StatusNoContent)

		// The rest of what one network may ask for in an hour, of which one is asked already.
		for n := range 59 {
			ask(in.Browser(servertest.Safari), string(rune('a'+n%26))+string(rune('a'+n/26))+"@example.test").Want(http.StatusNoContent)
		}
		ask(in.Browser(servertest.Safari), "another@example.test").Refused(http.StatusTooManyRequests, "too_many_asks")
		in.Clock.Advance(within)
		ask(in.Browser(servertest.Safari), "another@example.test").Want(http.StatusNoContent)
		in.Clock.Advance(within)
		if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := in.Column("SELECT spent FROM budgets"); len(left) > 0 {
			t.Errorf("%d budgets are kept", len(left))
		}
	}, mails)
}

// TestWithoutMailServer: nobody waits for a mail that can't come, whoever they are.
func TestWithoutMailServer(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t)
	in.AddPerson("Ada", adaEmail, "member")
	for _, email := range []string{adaEmail, "nobody@example.test", "x"} {
		ask(in.Browser(servertest.Safari), email).Refused(http.StatusConflict, "no_mail_server")
	}
	if asks := in.Column("SELECT id FROM password_asks"); len(asks) > 0 {
		t.Error("an ask waits for nobody")
	}
	page := in.Browser(servertest.Safari).Do("GET", "/forgotten-password", nil).Want(http.StatusOK)
	if !strings.Contains(string(page.Raw), `<meta name="secondstep-mails" content="false">`) {
		t.Errorf("the page promises mail: %s", page.Raw)
	}
}

// TestAnswersAreGivenOnce: of several instances one answers an ask, and what another one died with is answered again.
func TestAnswersAreGivenOnce(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		for n := range 8 {
			email := string(rune('a'+n)) + "@example.test"
			in.AddPerson("Person", email, "member")
			ask(in.Browser(servertest.Safari), email).Want(http.StatusNoContent)
		}
		for len(in.Column("SELECT id FROM password_asks")) > 0 {
			servertest.Together(4, func(n int) {
				if err := in.On(n).Forgotten.Answer(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		if letters := in.Mails(); len(letters) != 8 {
			t.Errorf("%d mails", len(letters))
		}
		if links := in.Column("SELECT user_id FROM password_links"); len(links) != 8 {
			t.Errorf("%d links", len(links))
		}
	}, mails)
}
