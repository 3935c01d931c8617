package forgotten_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const within = time.Hour

// TestALinkThatIsGoodNoMoreSaysWhy is row 50: used, replaced, withdrawn, too late, of somebody who is disabled or gone,
// and no link at all. None of them is hashed for.
func TestALinkThatIsGoodNoMoreSaysWhy(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		refused := func(what, token string, status int, code string) {
			t.Helper()
			runs := in.Runs()
			browser := in.Browser(servertest.Firefox)
			for _, path := range []string{linkPath, choosePath} {
				sent := body{"token": token}
				if path == choosePath {
					sent["password"] = newPassword
				}
				if answer := browser.Do("POST", path, sent); answer.Status != status || answer.Body["code"] != code {
					t.Errorf("%s: %d %s, want %s", what, answer.Status, answer.Raw, code)
				}
			}
			if in.Runs() != runs {
				t.Errorf("%s was hashed for", code)
			}
		}
		person := func(name string) (id, email string) {
			email = name + "@example.test"
			return in.AddPerson("Ada", email, "member"), email
		}

		_, email := person("used")
		used := sent(t, in, email)
		choose(in.Browser(servertest.Safari), used, newPassword).Want(http.StatusNoContent)
		refused("used", used, 410, "password_link_used")

		_, email = person("replaced")
		older, newer := sent(t, in, email), sent(t, in, email)
		refused("replaced", older, 410, "password_link_replaced")
		choose(in.Browser(servertest.Safari), newer, newPassword).Want(http.StatusNoContent)

		id, email := person("console")
		link := sent(t, in, email)
		in.SetPassword(id, "nine green cups of tea")
		refused("set on the console", link, 410, "password_link_withdrawn")

		_, email = person("own")
		link = sent(t, in, email)
		owner := in.Browser(servertest.Firefox)
		owner.Password(email).Want(http.StatusOK)
		owner.Do("POST", servertest.Security+"/password", body{"password": servertest.Password, "new_password": newPassword}).Want(http.StatusOK)
		refused("changed by the person", link, 410, "password_link_withdrawn")

		_, email = person("moved")
		link = sent(t, in, email)
		in.Change("UPDATE users SET email = 'new@example.test', email_key = 'new@example.test' WHERE email = ?", email)
		refused("to the mailbox of before", link, 410, "password_link_withdrawn")

		_, email = person("disabled")
		link = sent(t, in, email)
		in.Change("UPDATE users SET disabled_at = 1 WHERE email = ?", email)
		refused("disabled", link, 403, "account_disabled")
		in.Change("UPDATE users SET disabled_at = NULL WHERE email = ?", email)
		choose(in.Browser(servertest.Safari), link, newPassword).Want(http.StatusNoContent)

		id, email = person("gone")
		link = sent(t, in, email)
		in.Change("DELETE FROM users WHERE id = ?", id)
		refused("removed", link, 410, "password_link_unknown")

		for _, none := range []string{"", "x", link + "x", link[:42], strings.ToUpper(link)} {
			refused("no link", none, 410, "password_link_unknown")
		}

		_, email = person("late")
		link = sent(t, in, email)
		_, other := person("in-time")
		good := sent(t, in, other)
		in.Clock.Advance(within - time.Second)
		choose(in.Browser(servertest.Safari), good, newPassword).Want(http.StatusNoContent)
		in.Clock.Advance(time.Second)
		refused("late", link, 410, "password_link_expired")
		in.Clock.Advance(30 * 24 * time.Hour)
		if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused("pruned", link, 410, "password_link_unknown")
	}, mails)
}

// TestADisabledPersonIsSentNothing: neither where they are disabled between asking and being answered, nor removed.
func TestADisabledPersonIsSentNothing(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", adaEmail, "member")
		in.AddPerson("Bob", "bob@example.test", "member")
		for _, email := range []string{adaEmail, "bob@example.test"} {
			ask(in.Browser(servertest.Safari), email).Want(http.StatusNoContent)
		}
		in.Change("UPDATE users SET disabled_at = 1 WHERE email = ?", adaEmail)
		in.Change("DELETE FROM users WHERE email = 'bob@example.test'")
		if letters := in.Mails(); len(letters) > 0 {
			t.Errorf("%d mails", len(letters))
		}
		if links := in.Column("SELECT user_id FROM password_links"); len(links) > 0 {
			t.Errorf("%d links", len(links))
		}
	}, mails)
}

// TestAnAskIsAnsweredInTimeOrNotAtAll: where no mail was sent for an hour, nobody waits for a link any more.
func TestAnAskIsAnsweredInTimeOrNotAtAll(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", adaEmail, "member")
		for _, pruned := range []bool{false, true} {
			ask(in.Browser(servertest.Safari), adaEmail).Want(http.StatusNoContent)
			in.Clock.Advance(within)
			if pruned {
				if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				if waiting := in.Column("SELECT id FROM password_asks"); len(waiting) > 0 {
					t.Error("it is kept")
				}
			}
			if letters := in.Mails(); len(letters) > 0 {
				t.Errorf("%d mails", len(letters))
			}
		}
	}, mails)
}

// TestRow80OneChooses: of many uses of one link, at two instances, one wins; a use and a newer link, and a use and the
// person's own change, end one after the other.
func TestRow80OneChooses(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		in.AddPerson("Ada", adaEmail, "member")
		token := sent(t, in, adaEmail)
		password := func(n int) string { return fmt.Sprintf("%s number %d", newPassword, n) }
		answers := in.Race(12, in.Browser(servertest.Safari), func(n int, browser *servertest.Client) (*servertest.Answer, error) {
			return browser.Try("POST", choosePath, body{"token": token, "password": password(n)})
		})
		in.Only(http.StatusNoContent, answers)
		for n, answer := range answers {
			won := answer.Status == http.StatusNoContent
			if !won {
				answer.Refused(http.StatusGone, "password_link_used")
			}
			if opened := signIn(in.Browser(servertest.Safari), adaEmail, password(n)); (opened.Status == http.StatusOK) != won {
				t.Errorf("password %d: %d %s after %d", n, opened.Status, opened.Raw, answer.Status)
			}
			in.Change("DELETE FROM password_tries")
		}

		for round := range 4 {
			in.Clock.Advance(2 * within)
			older := sent(t, in, adaEmail)
			ask(in.Browser(servertest.Safari), adaEmail).Want(http.StatusNoContent)
			release := in.Open("UPDATE users SET id = id WHERE email = '" + adaEmail + "'")
			var used *servertest.Answer
			done := make(chan struct{})
			go func() {
				defer close(done)
				servertest.Together(2, func(n int) {
					var err error
					if n == 0 {
						used, err = in.Browser(servertest.Safari).On(in.On(0)).Try("POST", choosePath, body{"token": older, "password": password(round)})
					} else {
						err = in.On(1).Forgotten.Answer(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				})
			}()
			in.Blocked(2)
			release()
			<-done
			open := in.Column("SELECT user_id FROM password_links WHERE ended_at IS NULL")
			switch {
			case used.Status == http.StatusNoContent && len(open) == 1: // used, and then another was made
			case used.Status == http.StatusGone && used.Body["code"] == "password_link_replaced" && len(open) == 1:
			default:
				t.Errorf("%d %s, %d links are open", used.Status, used.Raw, len(open))
			}
			in.Mails()
		}
	}, mails)
}

// TestRow55TheLinkIsOfThePublicURL: whatever a request says about where it was sent.
func TestRow55TheLinkIsOfThePublicURL(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t, servertest.Options{Mail: true, PublicURL: "http://id.example.test"})
	in.AddPerson("Ada", adaEmail, "member")
	browser := in.Browser(servertest.Safari)
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example;proto=https",
		"X-Original-Host": "evil.example", "X-Forwarded-Prefix": "/evil", "X-Rewrite-Url": "//evil.example",
	} {
		browser.Header.Set(name, value)
	}
	ask(browser, adaEmail).Want(http.StatusNoContent)
	letters := in.Mails()
	if len(letters) != 1 {
		t.Fatalf("%d mails", len(letters))
	}
	if link := linkIn.FindStringSubmatch(letters[0].Text); link == nil || link[1] != "http://id.example.test/new-password" {
		t.Errorf("%q", link)
	}
	if strings.Contains(letters[0].Raw, "evil") {
		t.Errorf("the header is in the mail: %s", letters[0].Raw)
	}
}

// TestRow75And76StrictInput: nothing but what is asked for is taken, and whatever is typed is data.
func TestRow75And76StrictInput(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", adaEmail, "member")
		browser := in.Browser(servertest.Safari)
		for _, sent := range []string{
			`{"email":["ada@example.test"]}`, `{"email":"ada@example.test","email":"bob@example.test"}`, `{"email":"ada@example.test","is_admin":true}`,
			`{"email":"ada@example.test"} {}`, `{"email":null}`, `{}`, `[]`, `{"email":"a\u0000@example.test"}`, `{"email":"ada@example.test\r\nBcc: eve@example.test"}`,
			`{"email":"` + strings.Repeat("x", 20000) + `"}`,
		} {
			if answer := browser.Do("POST", askPath, sent); answer.Status < 400 || answer.Status > 422 {
				t.Errorf("%s: %d %s", sent[:min(len(sent), 60)], answer.Status, answer.Raw)
			}
		}
		for _, email := range []string{"", "x", "'", "ada@example.test' OR '1'='1", "ada@example.test, eve@example.test", "<ada@example.test>", "ada@@example.test"} {
			ask(browser, email).Refused(http.StatusUnprocessableEntity, "invalid_input")
		}
		ask(browser, "o'hara--@example.test").Want(http.StatusNoContent)
		ask(browser, "%@example.test").Want(http.StatusNoContent)
		if letters := in.Mails(); len(letters) > 0 {
			t.Errorf("%d mails", len(letters))
		}
	}, mails)
}
