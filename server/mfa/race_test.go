package mfa_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const runners = 50

// Every one-way change of an enrolment and of factors, started at one barrier at two instances (one on SQLite), has
// exactly one winner, and the tables are never half changed (security.md row 80).
func TestRow80OneWinner(t *testing.T) {
	rows{
		{"confirm", raceConfirm},
		{"confirm with neighbouring codes", raceNeighbours},
		{"activate", raceActivate},
		{"disable", raceDisable},
		{"replace", raceReplace},
		{"begin", raceBegin},
		{"activate and begin again", raceActivateBegin},
		{"activate and give up", raceActivateGiveUp},
		{"confirm and disable", raceConfirmDisable},
	}.onBoth(t)
}

func post(path string, with any) func(int, *servertest.Client) (*servertest.Answer, error) {
	return func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
		return browser.Try("POST", path, with)
	}
}

func raceConfirm(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "race-confirm")
	id, phone := begin(in, browser, nil)
	won := in.Only(200, in.Race(runners, browser, post(servertest.Enrolments+"/"+id+"/confirm", body{"code": phone.Code()})))
	wantStored(t, in, email, "off apps:0 sets:pending enrolments:confirmed")
	activate(browser, id).Want(200)
	wantStored(t, in, email, whole)
	_, answer := signIn(in, email, won.Texts("backup_codes")[9]) // what the winner was shown is what is in force
	answer.Want(200)
}

// Each is right on its own, and the first makes an app of the enrolment at once.
func raceNeighbours(t *testing.T, in *servertest.Installation) {
	app := in.Protected("race-neighbours@example.test", "member")
	session, answer := signIn(in, "race-neighbours@example.test", app.Codes[0])
	answer.Want(200)
	id, phone := begin(in, session, body{"replaces": app.ID})
	codes := []string{phone.CodeIn(-30 * time.Second), phone.Code()}
	in.Only(200, in.Race(10, session, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
		return browser.Try("POST", servertest.Enrolments+"/"+id+"/confirm", body{"code": codes[n%2]})
	}))
}

func raceActivate(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "race-activate")
	id, phone := begin(in, browser, nil)
	codes := browser.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")
	in.Only(200, in.Race(runners, browser, post(servertest.Enrolments+"/"+id+"/activate", nil)))
	wantStored(t, in, email, whole)
	if events := in.Column("SELECT id FROM events WHERE kind = 'enrolment.activated' AND result = 'ok' AND subject_id = (SELECT id FROM users WHERE email = ?)", email); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	_, answer := signIn(in, email, codes[0])
	answer.Want(200)
}

func raceDisable(t *testing.T, in *servertest.Installation) {
	email, _, session := protected(in, "race-disable")
	in.Only(200, in.Race(runners, session, post(disablePath, password)))
	wantStored(t, in, email, nothing)
}

func raceReplace(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "race-replace")
	id, phone := begin(in, session, body{"replaces": app.ID})
	in.Only(200, in.Race(runners, session, post(servertest.Enrolments+"/"+id+"/confirm", body{"code": phone.Code()})))
	wantStored(t, in, email, whole)
	if apps := in.Column("SELECT a.id FROM totp_apps AS a JOIN users AS u ON u.id = a.user_id WHERE u.email = ?", email); apps[0] != id {
		t.Errorf("the app in force is %v", apps)
	}
	if retired := in.Column("SELECT r.why FROM totp_retired AS r WHERE r.id = ?", app.ID); len(retired) != 1 || retired[0] != "replaced" {
		t.Errorf("retired %v", retired)
	}
}

func raceBegin(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "race-begin")
	answers := in.Race(20, browser, post(servertest.Enrolments, nil))
	labels := map[string]bool{}
	current := browser.Do("GET", servertest.Enrolments+"/current", nil).Want(200).Text("id")
	confirmed := 0
	for _, answer := range answers {
		labels[answer.Want(201).Text("label")] = true
		tried := browser.Confirm(answer.Text("id"), in.Scan(answer.Text("secret")).Code())
		if tried.Status == 200 && answer.Text("id") == current {
			confirmed++
		} else {
			tried.Diagnosed("enrolment_expired")
		}
	}
	if len(labels) != 20 || confirmed != 1 {
		t.Errorf("%d labels, %d confirmed", len(labels), confirmed)
	}
	wantStored(t, in, email, "off apps:0 sets:pending enrolments:confirmed")
}

// either fails the test unless the database holds one of the whole states.
func either(t *testing.T, in *servertest.Installation, email string, states ...string) {
	t.Helper()
	got := stored(in, email)
	for _, state := range states {
		if got == state {
			return
		}
	}
	t.Errorf("the database holds %q, which is neither of %q", got, states)
}

func noFault(t *testing.T, answers []*servertest.Answer) {
	t.Helper()
	for _, answer := range answers {
		if answer.Status >= 500 {
			t.Errorf("%d %s", answer.Status, answer.Raw)
		}
	}
}

func raceActivateBegin(t *testing.T, in *servertest.Installation) {
	for round := range 5 {
		email, browser := newcomer(in, "race-begin-"+strconv.Itoa(round))
		id, phone := begin(in, browser, nil)
		browser.Confirm(id, phone.Code()).Want(200)
		noFault(t, in.Race(8, browser, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
			if n%4 < 2 {
				return browser.Try("POST", servertest.Enrolments+"/"+id+"/activate", nil)
			}
			return browser.Try("POST", servertest.Enrolments, nil)
		}))
		either(t, in, email, whole, "on apps:1 sets:active enrolments:pending", "off apps:0 sets: enrolments:pending")
	}
}

func raceActivateGiveUp(t *testing.T, in *servertest.Installation) {
	for round := range 5 {
		email, browser := newcomer(in, "race-give-up-"+strconv.Itoa(round))
		id, phone := begin(in, browser, nil)
		browser.Confirm(id, phone.Code()).Want(200)
		noFault(t, in.Race(8, browser, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
			if n%4 < 2 {
				return browser.Try("POST", servertest.Enrolments+"/"+id+"/activate", nil)
			}
			return browser.Try("DELETE", servertest.Enrolments+"/"+id, nil)
		}))
		either(t, in, email, whole, nothing)
	}
}

func raceConfirmDisable(t *testing.T, in *servertest.Installation) {
	for round := range 5 {
		email, app, session := protected(in, "race-both-"+strconv.Itoa(round))
		id, phone := begin(in, session, body{"replaces": app.ID})
		code := phone.Code()
		noFault(t, in.Race(8, session, func(n int, browser *servertest.Client) (*servertest.Answer, error) {
			if n%4 < 2 {
				return browser.Try("POST", servertest.Enrolments+"/"+id+"/confirm", body{"code": code})
			}
			return browser.Try("POST", disablePath, password)
		}))
		either(t, in, email, whole, nothing)
	}
}
