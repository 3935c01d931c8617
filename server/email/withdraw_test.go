package email_test

import (
	"slices"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestNotMeWithdraws(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id, _, browser := person(in, ada, "member")
		browser.Do("POST", own, body{"email": ann}).Want(200)
		browser.Do("POST", servertest.Security+"/not-me", nil).Want(200)
		confirm(browser, mails(in).link(t, ann, "email")).Refused(410, "email_link_expired")
		kinds := in.Column("SELECT kind FROM events WHERE subject_id = ? AND kind LIKE 'email.%' ORDER BY id", id)
		if !slices.Equal(kinds, []string{"email.asked", "email.withdrawn"}) {
			t.Errorf("%v", kinds)
		}
	}, servertest.Options{Mail: true})
}

// A change that waits ends with whatever ends somebody else's hold on the account: it may be theirs. That it did is on record.
func TestWhatWithdraws(t *testing.T) {
	for name, act := range map[string]func(in *servertest.Installation, id string, browser, boss *servertest.Client, app *servertest.Enrolled){
		"a new password": func(_ *servertest.Installation, _ string, browser, _ *servertest.Client, _ *servertest.Enrolled) {
			browser.Do("POST", servertest.Security+"/password", body{"password": servertest.Password, "new_password": "nine green cups of tea"}).Want(200)
		},
		"one from the console": func(in *servertest.Installation, id string, _, _ *servertest.Client, _ *servertest.Enrolled) {
			in.SetPassword(id, "nine green cups of tea")
		},
		"a reset": func(_ *servertest.Installation, id string, _, boss *servertest.Client, app *servertest.Enrolled) {
			boss.Do("POST", path(id)+"/security/reset", body{"password": servertest.Password, "code": app.Code(), "reason": "Lost."}).Want(200)
		},
		"disabling": func(_ *servertest.Installation, id string, _, boss *servertest.Client, _ *servertest.Enrolled) {
			boss.Do("PATCH", path(id), body{"disabled": true}).Want(204)
		},
	} {
		t.Run(name, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				_, app, boss := person(in, "boss@example.test", "administrator")
				id, _, browser := person(in, ada, "member")
				browser.Do("POST", own, body{"email": ann}).Want(200)
				in.Clock.NextStep()
				act(in, id, browser, boss, app)
				if waits := in.Column("SELECT user_id FROM email_changes"); len(waits) != 0 {
					t.Error("it waits still")
				}
				if told := in.Column("SELECT id FROM events WHERE kind = 'email.withdrawn' AND subject_id = ?", id); len(told) != 1 {
					t.Errorf("%d events", len(told))
				}
			}, servertest.Options{Mail: true})
		})
	}
}
