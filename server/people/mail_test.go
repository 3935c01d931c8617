package people_test

import (
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

var tokenOfLink = regexp.MustCompile(`/(join|enrol)#token=([A-Za-z0-9_-]+)`)

// Where mail leaves, a link goes to the person alone: whoever made it does not see it (security.md, enrolment link).
func TestLinksAreMailed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		browser := in.SignedIn("boss@example.test", boss, servertest.Firefox)
		in.Mails()

		mailed := func(to, page string) string {
			t.Helper()
			for _, letter := range in.Mails() {
				if found := tokenOfLink.FindStringSubmatch(letter.Text); letter.To == to && found != nil && found[1] == page {
					return found[2]
				}
			}
			t.Fatalf("no link to /%s came to %s", page, to)
			return ""
		}
		answer := browser.Do("POST", "/api/v1/users", map[string]string{"name": "Bob", "email": "bob@example.test", "role": "member"}).Want(http.StatusCreated)
		if answer.Body["invitation_link"] != nil {
			t.Errorf("the administrator sees the link: %s", answer.Raw)
		}
		bob := in.Browser(servertest.Safari)
		bob.Do("POST", "/api/v1/join", map[string]string{"token": mailed("bob@example.test", "join"), "password": servertest.Password}).Want(http.StatusOK)
		in.Enrol(bob)
		in.Mails()

		id := answer.Body["user"].(map[string]any)["id"].(string)
		reset := browser.Do("POST", "/api/v1/users/"+id+"/security/reset", map[string]string{
			"password": servertest.Password, "code": boss.Code(), "reason": "Lost the phone.",
		}).Want(http.StatusOK)
		if reset.Body["enrolment_link"] != nil {
			t.Errorf("the administrator sees the link: %s", reset.Raw)
		}
		token := mailed("bob@example.test", "enrol")
		back := in.Browser(servertest.Safari)
		back.Password("bob@example.test").Want(http.StatusOK)
		back.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": token}).Want(http.StatusOK)
	}, servertest.Options{Mail: true})
}

// The people of a file have their links by mail, and nobody else sees them (security.md, enrolment link, row 74).
func TestImportedPeopleAreMailed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		in.Mails()
		people := []body{line(2, "Ann"), line(3, "boss"), line(4, "Ben")}
		looked := boss.Do("POST", importPath, body{"people": people, "confirm": false}).Want(http.StatusOK)
		if looked.Body["by_mail"] != true {
			t.Errorf("it is not said that invitations are mailed: %s", looked.Raw)
		}
		if mails := in.Mails(); len(mails) > 0 {
			t.Fatalf("a look sends %d mails", len(mails))
		}
		made := boss.Do("POST", importPath, body{"people": people, "confirm": true}).Want(http.StatusOK)
		if got, want := fates(made), []string{"2 invited", "3 bad email:email_taken", "4 invited"}; !slices.Equal(got, want) {
			t.Errorf("became of the lines: %q, want %q", got, want)
		}
		if shown := links(t, made); len(shown) > 0 {
			t.Errorf("the administrator sees links: %s", made.Raw)
		}
		tokens := map[string]string{}
		for _, letter := range in.Mails() {
			if found := tokenOfLink.FindStringSubmatch(letter.Text); found != nil {
				tokens[letter.To] = found[2]
			}
		}
		if len(tokens) != 2 {
			t.Fatalf("links came to %v", tokens)
		}
		in.Browser(servertest.Safari).Do("POST", "/api/v1/join", body{"token": tokens["ben@example.test"], "password": servertest.Password}).Want(http.StatusOK)
		// Sent twice, it makes nobody and mails nobody.
		boss.Do("POST", importPath, body{"people": people, "confirm": true}).Want(http.StatusOK)
		for _, letter := range in.Mails() {
			if tokenOfLink.MatchString(letter.Text) {
				t.Errorf("a second link came to %s", letter.To)
			}
		}
	}, servertest.Options{Mail: true})
}

// However often somebody is reset within an hour, nobody but them gets to see a link (rows 51 and 57).
func TestNobodySeesALinkThatWasOneTooMany(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		browser := in.SignedIn("boss@example.test", boss, servertest.Firefox)
		in.Protected("bob@example.test", "member")
		id := in.Column("SELECT id FROM users WHERE email = 'bob@example.test'")[0]
		reset := func() *servertest.Answer {
			in.Clock.NextStep()
			return browser.Do("POST", "/api/v1/users/"+id+"/security/reset", body{"password": servertest.Password, "code": boss.Code(), "reason": "Lost."})
		}
		for range 5 {
			if answer := reset().Want(http.StatusOK); answer.Body["enrolment_link"] != nil {
				t.Fatalf("the administrator sees the link: %s", answer.Raw)
			}
		}
		reset().Refused(http.StatusTooManyRequests, "too_many_changes")
		if good := in.Column("SELECT user_id FROM stops WHERE kind = 'reset'"); len(good) != 1 {
			t.Errorf("%d links to stop it", len(good))
		}
	}, servertest.Options{Mail: true})
}

// An import shows no link either: whose mailbox is full stays out.
func TestAnImportShowsNoLinkOfAFullMailbox(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		for range 5 {
			made := boss.Do("POST", "/api/v1/users", body{"name": "Ann", "email": "ann@example.test", "role": "member"}).Want(http.StatusCreated)
			boss.Do("DELETE", "/api/v1/users/"+made.Body["user"].(map[string]any)["id"].(string)+"/invitation", nil).Want(http.StatusNoContent)
		}
		boss.Do("POST", "/api/v1/users", body{"name": "Ann", "email": "ann@example.test", "role": "member"}).Refused(http.StatusTooManyRequests, "too_many_changes")
		made := boss.Do("POST", importPath, body{"people": []body{line(2, "Ann"), line(3, "Ben")}, "confirm": true}).Want(http.StatusOK)
		if got, want := fates(made), []string{"2 bad email:mailbox_full", "3 invited"}; !slices.Equal(got, want) {
			t.Errorf("became of the lines: %q, want %q", got, want)
		}
		if shown := links(t, made); len(shown) > 0 || len(in.Column("SELECT id FROM users WHERE email = 'ann@example.test'")) > 0 {
			t.Errorf("%s", made.Raw)
		}
	}, servertest.Options{Mail: true})
}
