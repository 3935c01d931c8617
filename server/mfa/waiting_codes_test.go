package mfa_test

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const waitingPath = codesPath + "/waiting"

// Codes that were shown and not saved are told of wherever the person looks, until they are saved, left or too old.
func TestCodesThatWait(t *testing.T) {
	rows{
		{"are told of in every session of the person's", waitEverywhere},
		{"are left, and the old ones stay good", waitAndLeave},
		{"of a new app are told of by its enrolment, and elsewhere on their own", waitOfApp},
		{"of a new app are done with once others are saved", waitOfAppRenewed},
		{"are a part of the enrolment before it is on", waitBeforeOn},
	}.onBoth(t)
}

// waits reports whether the Security page of the session says that codes wait.
func waits(session *servertest.Client, path string) bool {
	return session.Do("GET", path, nil).Want(200).Body["codes_waiting"] != nil
}

func waitEverywhere(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "waits")
	if waits(session, servertest.Security) {
		t.Error("nothing was made yet")
	}
	session.Do("POST", codesPath, password).Want(200)
	in.Clock.NextStep()
	again, answer := signIn(in, email, app.Code())
	answer.Want(200)
	if !waits(session, servertest.Security) || !waits(again, servertest.Security) {
		t.Error("the person is not told")
	}
	id := session.Do("GET", "/api/v1/session", nil).Want(200).Body["user"].(map[string]any)["id"].(string)
	boss := in.Protected("waits-boss@example.test", "administrator")
	if waits(in.SignedIn("waits-boss@example.test", boss, servertest.Firefox), "/api/v1/users/"+id+"/security") {
		t.Error("it is nobody else's to see")
	}
	session.Do("POST", codesPath+"/activate", nil).Want(200)
	if waits(session, servertest.Security) {
		t.Error("they are saved")
	}
	session.Do("POST", codesPath, password).Want(200)
	in.Clock.Advance(2 * time.Hour)
	later, answer := signIn(in, email, app.Code())
	answer.Want(200)
	if waits(later, servertest.Security) {
		t.Error("they are too old to be saved")
	}
}

func waitAndLeave(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "waits-left")
	session.Do("DELETE", waitingPath, nil).Refused(409, "no_pending_codes")
	unsaved := session.Do("POST", codesPath, password).Want(200).Texts("backup_codes")
	session.Do("DELETE", waitingPath, nil).Want(204)
	if waits(session, servertest.Security) {
		t.Error("they are gone")
	}
	session.Do("POST", codesPath+"/activate", nil).Refused(409, "no_pending_codes")
	_, answer := signIn(in, email, unsaved[0])
	answer.Diagnosed("wrong_code")
	_, answer = signIn(in, email, app.Codes[0])
	answer.Want(200)
}

// renewing replaces the app in a session that a backup code opened, so that new codes wait.
func renewing(in *servertest.Installation, name string) (email, id string, app *servertest.Enrolled, phone *servertest.Phone, session *servertest.Client) {
	email, app, _ = protected(in, name)
	session, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	id, phone = begin(in, session, body{"replaces": app.ID})
	session.Confirm(id, phone.Code()).Want(200)
	in.Clock.NextStep()
	return email, id, app, phone, session
}

func waitOfApp(t *testing.T, in *servertest.Installation) {
	email, id, app, phone, session := renewing(in, "waits-app")
	page := session.Do("GET", servertest.Security, nil).Want(200)
	if page.Body["codes_waiting"] != nil || page.Body["enrolment"] == nil {
		t.Errorf("it is said twice, or not: %s", page.Raw)
	}
	again, answer := signIn(in, email, phone.Code())
	answer.Want(200)
	page = again.Do("GET", servertest.Security, nil).Want(200)
	if page.Body["codes_waiting"] == nil || page.Body["enrolment"] != nil {
		t.Errorf("it is not said: %s", page.Raw)
	}
	again.Do("DELETE", waitingPath, nil).Want(204)
	activate(session, id).Diagnosed("enrolment_expired")
	wantStored(t, in, email, "on apps:1 sets:active enrolments:")
	_, answer = signIn(in, email, app.Codes[1])
	answer.Want(200)
}

func waitOfAppRenewed(t *testing.T, in *servertest.Installation) {
	email, id, _, phone, session := renewing(in, "waits-renewed")
	session.Prove(phone.Code()).Want(200)
	session.Do("POST", codesPath, password).Want(200)
	page := session.Do("GET", servertest.Security, nil).Want(200)
	if page.Body["codes_waiting"] == nil || page.Body["enrolment"] != nil {
		t.Errorf("%s", page.Raw)
	}
	activate(session, id).Diagnosed("enrolment_expired")
	session.Do("POST", codesPath+"/activate", nil).Want(200)
	wantStored(t, in, email, "on apps:1 sets:active enrolments:")
}

func waitBeforeOn(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "waits-before")
	id, phone := begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	if waits(browser, servertest.Security) {
		t.Error("its enrolment says so")
	}
	browser.Do("DELETE", waitingPath, nil).Refused(409, "mfa_off")
	activate(browser, id).Want(200)
	wantStored(t, in, email, whole)
}
