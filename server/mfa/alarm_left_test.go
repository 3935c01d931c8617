package mfa_test

import (
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestAlarmLeft is what "This wasn't me" still asks for: it is the same in every browser, and over once it is done.
func TestAlarmLeft(t *testing.T) {
	rows{
		{"one thing after the other", leftOneByOne},
		{"a new app in place of the only one", leftReplaced},
		{"it need not be done", leftNotNeeded},
		{"the next one asks for everything again", leftAgain},
		{"without 2-step verification a password is all", leftPasswordOnly},
		{"nobody else reads it or settles it", leftOthers},
		{"whoever comes back settles nothing", leftToStranger},
		{"where the browser is not told, none is known any more", leftToNobodyKnown},
		{"what was begun before is over", begunBefore},
		{"and what is still on its way comes to nothing", begunMeanwhile},
	}.onBoth(t)
}

const renewed = "nine green cups of tea"

// left is what somebody's Security page says is still to do; nil where nothing is.
func left(session *servertest.Client) []string {
	alarm, _ := session.Do("GET", servertest.Security, nil).Want(200).Body["alarm"].(map[string]any)
	list, _ := alarm["left"].([]any)
	var names []string
	for _, one := range list {
		name, _ := one.(string)
		names = append(names, name)
	}
	return names
}

func wantLeft(t *testing.T, session *servertest.Client, want ...string) {
	t.Helper()
	if got := left(session); !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
}

// alarmed has pressed it a second ago.
func alarmed(in *servertest.Installation, session *servertest.Client) {
	session.Do("POST", notMePath, nil).Want(200)
	in.Clock.Advance(time.Second)
}

func settle(session *servertest.Client, done string) *servertest.Answer {
	return session.Do("PATCH", notMePath, body{"done": done})
}

func saveNewCodes(session *servertest.Client, password string) {
	session.Do("POST", servertest.Security+"/backup-codes", body{"password": password}).Want(200)
	session.Do("POST", servertest.Security+"/backup-codes/activate", nil).Want(200)
}

func leftOneByOne(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "left")
	wantLeft(t, session)
	settle(session, "apps").Want(204) // nothing is left, and nothing comes of it
	strange := another(in, session)
	alarmed(in, session)
	wantLeft(t, session, "password", "apps", "codes")
	session.Do("POST", changePath, body{"password": servertest.Password, "new_password": renewed}).Want(200)
	wantLeft(t, session, "apps", "codes")
	session.Do("DELETE", factorsPath+strange.ID, nil).Want(204)
	wantLeft(t, session, "apps", "codes") // the other one is not looked at yet
	settle(session, "apps").Want(204)
	settle(session, "apps").Want(204)
	wantLeft(t, session, "codes")
	if n := count(in, email, "alarm.settled"); n != 1 {
		t.Errorf("%d events", n)
	}
	elsewhere := in.Browser(servertest.Safari)
	elsewhere.Do("POST", "/api/v1/sign-in", body{"email": email, "password": renewed}).Want(200)
	elsewhere.Code(app.Code()).Want(200)
	wantLeft(t, elsewhere, "codes")
	saveNewCodes(session, renewed)
	wantLeft(t, session)
	if page := session.Do("GET", servertest.Security, nil).Want(200); page.Body["alarm"] != nil {
		t.Errorf("%s", page.Raw)
	}
}

func leftReplaced(t *testing.T, in *servertest.Installation) {
	_, app, session := protected(in, "left-replaced")
	alarmed(in, session)
	id, phone := begin(in, session, body{"replaces": app.ID})
	session.Confirm(id, phone.Code()).Want(200)
	wantLeft(t, session, "password", "codes") // there is no app of before
}

func leftNotNeeded(t *testing.T, in *servertest.Installation) {
	email, _, session := protected(in, "left-not-needed")
	alarmed(in, session)
	settle(session, "everything").Refused(422, "invalid_input")
	settle(session, "all").Want(204)
	settle(session, "all").Want(204)
	wantLeft(t, session)
	if got := in.Column("SELECT data FROM events WHERE kind = 'alarm.settled' AND subject_id = (SELECT id FROM users WHERE email = ?)", email); !slices.Equal(got, []string{`{"done":"all"}`}) {
		t.Errorf("%v", got)
	}
}

func leftAgain(t *testing.T, in *servertest.Installation) {
	_, _, session := protected(in, "left-again")
	alarmed(in, session)
	session.Do("POST", changePath, body{"password": servertest.Password, "new_password": renewed}).Want(200)
	settle(session, "apps").Want(204)
	saveNewCodes(session, renewed)
	wantLeft(t, session)
	alarmed(in, session)
	wantLeft(t, session, "password", "apps", "codes")
}

func leftPasswordOnly(t *testing.T, in *servertest.Installation) {
	_, session := newcomer(in, "left-password")
	alarmed(in, session)
	wantLeft(t, session, "password")
	session.Do("POST", changePath, body{"password": servertest.Password, "new_password": renewed}).Want(200)
	wantLeft(t, session)
}

func leftOthers(t *testing.T, in *servertest.Installation) {
	_, _, session := protected(in, "left-owner")
	alarmed(in, session)
	app := in.Protected("left-chief@example.test", "administrator")
	chief := in.SignedIn("left-chief@example.test", app, servertest.Firefox)
	id := in.Column("SELECT id FROM users WHERE email = 'left-owner@example.test'")[0]
	if page := chief.Do("GET", "/api/v1/users/"+id+"/security", nil).Want(200); page.Body["alarm"] != nil {
		t.Errorf("%s", page.Raw)
	}
	chief.Do("PATCH", "/api/v1/users/"+id+"/security/not-me", body{"done": "all"}).Refused(403, "not_permitted")
	wantLeft(t, session, "password", "apps", "codes")
}

// A stranger who has the password, and perhaps an app, signs in again: that browser is news, and says nothing of what is left.
func leftToStranger(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "left-stranger")
	thief := in.Browser(servertest.Safari)
	comeIn := func() {
		thief.Do("POST", "/api/v1/sign-in", body{"email": email, "password": servertest.Password}).Want(200)
		thief.Code(app.Code()).Want(200)
		in.Clock.NextStep()
	}
	comeIn()
	alarmed(in, session)
	comeIn()
	if event := strange(t, session); event == "" || len(in.Column("SELECT id FROM events WHERE id = ? AND at > (SELECT raised_at FROM alarms WHERE user_id = subject_id)", event)) != 1 {
		t.Error("a browser of before the alarm is no news after it")
	}
	settle(thief, "apps").Refused(403, "new_browser")
	settle(thief, "all").Refused(403, "new_browser")
	wantLeft(t, session, "password", "apps", "codes")
	settle(session, "apps").Want(204)
}

func leftToNobodyKnown(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "left-nobody")
	thief, answer := signIn(in, email, app.Code())
	answer.Want(200)
	in.Clock.NextStep()
	alarmed(in, in.Holding("secondstep_session", session.Cookie("secondstep_session")))
	thief.Do("POST", "/api/v1/sign-in", body{"email": email, "password": servertest.Password}).Want(200)
	thief.Code(app.Code()).Want(200)
	settle(thief, "all").Refused(403, "new_browser")
}

// A call that came in before its session was ended leaves nothing behind after that.
func begunMeanwhile(t *testing.T, in *servertest.Installation) {
	email, app, _ := protected(in, "left-meanwhile")
	for path, with := range map[string]any{servertest.Enrolments: nil, codesPath: password} {
		in.Clock.NextStep()
		session := in.SignedIn(email, app, servertest.Firefox)
		release := in.Open("UPDATE users SET role = role WHERE email = 'left-meanwhile@example.test'",
			"DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = 'left-meanwhile@example.test')")
		var answer *servertest.Answer
		var err error
		servertest.Together(2, func(n int) {
			if n == 0 {
				answer, err = session.Try("POST", path, with)
				return
			}
			in.Blocked(1)
			release()
		})
		if err != nil || answer.Status != 401 {
			t.Fatalf("%s: %v %+v", path, err, answer)
		}
		wantStored(t, in, email, whole)
	}
}

// Whoever was in the account may have seen the secret of a setup that is under way, and codes that are not saved.
func begunBefore(t *testing.T, in *servertest.Installation) {
	for name, over := range map[string]func(session *servertest.Client){
		"alarm": func(session *servertest.Client) { session.Do("POST", notMePath, nil).Want(200) },
		"password": func(session *servertest.Client) {
			session.Do("POST", changePath, body{"password": servertest.Password, "new_password": renewed}).Want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, session := protected(in, "begun-before-"+name)
			id, phone := begin(in, session, nil)
			over(session)
			session.Confirm(id, phone.Code()).Diagnosed("enrolment_expired")
			_, _, session = protected(in, "shown-before-"+name)
			session.Do("POST", servertest.Security+"/backup-codes", body{"password": servertest.Password}).Want(200)
			over(session)
			session.Do("POST", servertest.Security+"/backup-codes/activate", nil).Refused(409, "no_pending_codes")
		})
	}
}
