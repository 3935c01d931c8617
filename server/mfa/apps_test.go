package mfa_test

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestAppsOfAProtectedPerson(t *testing.T) {
	rows{
		{"a second one", secondApp},
		{"a new one in place of the old", replaceApp},
		{"in place of it after a backup code", replaceAfterBackupCode},
		{"five at most", fiveAtMost},
		{"not another person's", notAnothers},
	}.onBoth(t)
}

func secondApp(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "second")
	elsewhere, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	id, phone := begin(in, session, body{"name": "iPad"})
	in.Clock.NextStep()
	pending := in.Browser(servertest.Safari)
	pending.Password(email).Want(200)
	confirmed := session.Confirm(id, phone.Code()).Want(200)
	if len(confirmed.Texts("backup_codes")) != 0 || confirmed.Text("state") != "active" {
		t.Errorf("%s", confirmed.Raw)
	}
	wantStored(t, in, email, "on apps:2 sets:active enrolments:")
	elsewhere.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended") // what was open elsewhere has ended
	pending.Code(app.Code()).Diagnosed("sign_in_expired")
	activate(session, id).Diagnosed("enrolment_expired") // there is nothing to activate
	_, answer = signIn(in, email, app.Code())
	answer.Want(200)
	in.Clock.NextStep()
	_, answer = signIn(in, email, phone.Code())
	answer.Want(200)
	_, answer = signIn(in, email, app.Codes[1])
	answer.Want(200)
}

func replaceApp(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "replace")
	id, phone := begin(in, session, body{"replaces": app.ID})
	if page := session.Do("GET", servertest.Security, nil).Want(200); page.Body["enrolment"].(map[string]any)["replaces"] != app.ID {
		t.Errorf("%s", page.Raw)
	}
	confirmed := session.Confirm(id, phone.Code()).Want(200)
	if len(confirmed.Texts("backup_codes")) != 0 || confirmed.Text("state") != "active" {
		t.Errorf("%s", confirmed.Raw)
	}
	wantStored(t, in, email, whole)
	in.Clock.NextStep()
	_, answer := signIn(in, email, app.CodeUnlike(phone))
	answer.Diagnosed("previous_setup")
	_, answer = signIn(in, email, phone.Code())
	answer.Want(200)
	_, answer = signIn(in, email, app.Codes[0])
	answer.Want(200)
	session.Do("POST", servertest.Enrolments, body{"replaces": app.ID}).Refused(404, "no_factor")
}

func replaceAfterBackupCode(t *testing.T, in *servertest.Installation) {
	email, app, _ := protected(in, "lost-phone")
	session, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	id, phone := begin(in, session, body{"replaces": app.ID})
	confirmed := session.Confirm(id, phone.Code()).Want(200)
	codes := confirmed.Texts("backup_codes")
	if len(codes) != 10 || confirmed.Text("state") != "confirmed" {
		t.Errorf("%s", confirmed.Raw)
	}
	wantStored(t, in, email, "on apps:1 sets:active,pending enrolments:confirmed")
	if current := session.Do("GET", servertest.Enrolments+"/current", nil).Want(200); current.Body["secret"] != nil || current.Body["state"] != "confirmed" {
		t.Errorf("%s", current.Raw)
	}
	in.Clock.NextStep()
	_, answer = signIn(in, email, app.CodeUnlike(phone)) // the app switched at confirm
	answer.Diagnosed("previous_setup")
	_, answer = signIn(in, email, app.Codes[1]) // the old codes live until activation
	answer.Want(200)
	again := session.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Want(200).Texts("backup_codes")
	since := in.Column("SELECT mfa_since FROM users WHERE email = ?", email)[0]
	activate(session, id).Want(200)
	wantStored(t, in, email, whole)
	if now := in.Column("SELECT mfa_since FROM users WHERE email = ?", email)[0]; now != since {
		t.Errorf("on since %s, then %s", since, now)
	}
	_, answer = signIn(in, email, app.Codes[2])
	answer.Diagnosed("backup_code_replaced")
	_, answer = signIn(in, email, codes[0])
	answer.Diagnosed("wrong_code")
	_, answer = signIn(in, email, again[0])
	answer.Want(200)
}

func fiveAtMost(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "five")
	for range 4 {
		in.Clock.Advance(time.Minute)
		id, phone := begin(in, session, nil)
		session.Confirm(id, phone.Code()).Want(200)
	}
	wantStored(t, in, email, "on apps:5 sets:active enrolments:")
	session.Do("POST", servertest.Enrolments, nil).Refused(409, "too_many_apps")
	id, phone := begin(in, session, body{"replaces": app.ID}) // one of the five may be replaced
	session.Confirm(id, phone.Code()).Want(200)
	wantStored(t, in, email, "on apps:5 sets:active enrolments:")
}

func notAnothers(t *testing.T, in *servertest.Installation) {
	_, app, _ := protected(in, "victim")
	_, _, session := protected(in, "thief")
	session.Do("POST", servertest.Enrolments, body{"replaces": app.ID}).Refused(404, "no_factor")
	_, answer := signIn(in, "victim@example.test", app.Code())
	answer.Want(200)
}

func TestDisable(t *testing.T) {
	rows{
		{"with the password", disableWithPassword},
		{"not without fresh proof", disableStale},
		{"not where it is required", disableRequired},
	}.onBoth(t)
}

func disableWithPassword(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "disable")
	elsewhere, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	pending := in.Browser(servertest.Safari)
	pending.Password(email).Want(200)
	begin(in, session, nil)
	session.Do("POST", codesPath, password).Want(200)
	session.Do("POST", disablePath, body{"password": "wrong horse battery staple"}).Refused(422, "wrong_password")
	session.Do("POST", disablePath, body{}).Want(422)
	token := session.Cookie(servertest.SessionCookie)
	if off := session.Do("POST", disablePath, password).Want(200); off.Text("state") != "off" {
		t.Errorf("%s", off.Raw)
	}
	wantStored(t, in, email, nothing)
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	elsewhere.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	pending.Code(app.Code()).Diagnosed("sign_in_expired")
	session.Do("POST", disablePath, password).Refused(409, "mfa_off")
	if answer := in.Browser(servertest.Safari).Password(email).Want(200); answer.Text("state") != "signed_in" {
		t.Errorf("%s", answer.Raw)
	}
	in.Enrol(session)
	wantStored(t, in, email, whole)
}

func disableStale(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "stale")
	in.Clock.Advance(10 * time.Minute)
	session.Do("POST", disablePath, password).Refused(403, "fresh_proof_required")
	session.Do("POST", codesPath, password).Refused(403, "fresh_proof_required")
	session.Prove(app.Codes[0]).Want(200)
	session.Do("POST", disablePath, password).Refused(403, "app_code_required")
	session.Do("POST", codesPath, password).Refused(403, "app_code_required")
	wantStored(t, in, email, whole)
	session.Prove(app.Code()).Want(200)
	session.Do("POST", disablePath, password).Want(200)
}

func disableRequired(t *testing.T, in *servertest.Installation) {
	email, _, session := protected(in, "required")
	in.Change("UPDATE users SET requirement = 'required' WHERE email = ?", email)
	session.Do("POST", disablePath, password).Refused(409, "mfa_required")
	wantStored(t, in, email, whole)
}

// A new set waits until it is saved, and only then the old one dies.
func TestNewBackupCodes(t *testing.T) {
	rows{{"pending until saved", func(t *testing.T, in *servertest.Installation) {
		email, app, session := protected(in, "codes")
		session.Do("POST", codesPath, body{"password": "wrong horse battery staple"}).Refused(422, "wrong_password")
		session.Do("POST", codesPath+"/activate", nil).Refused(409, "no_pending_codes")
		first := session.Do("POST", codesPath, password).Want(200).Texts("backup_codes")
		second := session.Do("POST", codesPath, password).Want(200).Texts("backup_codes")
		wantStored(t, in, email, "on apps:1 sets:active,pending enrolments:")
		_, answer := signIn(in, email, app.Codes[0])
		answer.Want(200)
		session.Do("POST", codesPath+"/activate", nil).Want(200)
		session.Do("POST", codesPath+"/activate", nil).Refused(409, "no_pending_codes")
		wantStored(t, in, email, whole)
		for code, reason := range map[string]string{app.Codes[1]: "backup_code_replaced", first[0]: "wrong_code"} {
			_, answer = signIn(in, email, code)
			answer.Diagnosed(reason)
		}
		_, answer = signIn(in, email, second[0])
		answer.Want(200)
	}}}.onBoth(t)
}
