package email_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Row 80: presses at once, one address for two people, and a press against "stop this", on two instances.
func TestRow80OneAddressForOne(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		id, app, browser := person(in, ada, "member")
		browser.Do("POST", own, body{"email": ann}).Want(200)
		token := mails(in).link(t, ann, "email")
		in.Only(200, in.Race(20, browser, func(_ int, c *servertest.Client) (*servertest.Answer, error) {
			return c.Try("POST", own+"/confirm", body{"token": token})
		}))
		if done := in.Column("SELECT id FROM events WHERE subject_id = ? AND kind = 'email.changed'", id); len(done) != 1 {
			t.Errorf("it changed %d times", len(done))
		}
		stop := mails(in).link(t, ada, "stop")

		// Two people, one free address.
		const wanted = "wanted@example.test"
		people := map[string]*servertest.Client{}
		tokens := map[string]string{}
		for _, name := range []string{"one", "two"} {
			_, _, people[name] = person(in, name+"@example.test", "member")
			people[name].Do("POST", own, body{"email": wanted}).Want(200)
			tokens[name] = mails(in).link(t, wanted, "email")
		}
		answers := make([]*servertest.Answer, 2)
		servertest.Together(2, func(n int) {
			name := []string{"one", "two"}[n]
			answers[n], _ = people[name].On(in.On(n)).Try("POST", own+"/confirm", body{"token": tokens[name]})
		})
		in.Only(200, answers)
		for _, answer := range answers {
			if answer.Status != 200 {
				answer.Refused(409, "email_taken")
			}
		}

		// A thief's second change against the owner's "stop this": whichever comes first, the owner's address is back.
		in.Clock.Advance(time.Minute)
		thief := in.SignedIn(ann, app, servertest.Safari)
		thief.Do("POST", own, body{"email": "thief@example.test"}).Want(200)
		next := mails(in).link(t, "thief@example.test", "email")
		servertest.Together(2, func(n int) {
			if n == 0 {
				answers[0], _ = thief.On(in.On(0)).Try("POST", own+"/confirm", body{"token": next})
			} else {
				answers[1], _ = in.Browser(servertest.Firefox).On(in.On(1)).Try("POST", "/api/v1/stop", body{"token": stop})
			}
		})
		answers[1].Want(200)
		if answers[0].Status >= http.StatusInternalServerError || addressOf(in, id) != ada {
			t.Errorf("%s: %d %s", addressOf(in, id), answers[0].Status, answers[0].Raw)
		}
		if open := in.Column("SELECT id FROM sessions WHERE user_id = ?", id); len(open) != 0 {
			t.Errorf("%d sessions are open", len(open))
		}
		if left := in.Column("SELECT email FROM stops WHERE user_id = ?", id); len(left) != 0 {
			t.Errorf("%v can stop what the owner did", left)
		}
	}, servertest.Options{Mail: true})
}
