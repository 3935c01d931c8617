package mfa_test

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Whoever closes the browser is where they were: nothing is lost, and nothing is half on.
func TestClosingTheBrowser(t *testing.T) {
	rows{
		{"while it waits for the code", closedPending},
		{"while the codes wait to be saved", closedConfirmed},
		{"while a replacement waits for its code", closedReplacing},
		{"while the codes of a replacement wait", closedReplaced},
		{"while new codes wait", closedNewCodes},
		{"and an hour passes", closedForLong},
	}.onBoth(t)
}

func closedPending(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "closed-pending")
	id, phone := begin(in, browser, body{"lost": true}) // of no app, so of no phone

	again := in.Browser(servertest.Safari)
	if answer := again.Password(email).Want(200); answer.Text("state") != "signed_in" {
		t.Fatalf("%s", answer.Raw)
	}
	current := again.Do("GET", servertest.Enrolments+"/current", nil).Want(200)
	if current.Body["here"] != false || current.Body["secret"] != nil || current.Body["lost"] != false || state(again) != "enrolling" {
		t.Errorf("%s", current.Raw)
	}
	again.Confirm(id, phone.Code()).Diagnosed("enrolment_expired") // begun in another session: begin again
	id, phone = begin(in, again, nil)
	again.Confirm(id, phone.Code()).Want(200)
	activate(again, id).Want(200)
	wantStored(t, in, email, whole)
}

func closedConfirmed(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "closed-confirmed")
	id, phone := begin(in, browser, nil)
	first := browser.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")

	again := in.Browser(servertest.Safari)
	if answer := again.Password(email).Want(200); answer.Text("state") != "signed_in" {
		t.Fatalf("%s", answer.Raw) // not locked out
	}
	current := again.Do("GET", servertest.Enrolments+"/current", nil).Want(200)
	if current.Body["here"] != false || current.Body["state"] != "confirmed" || current.Text("id") != id {
		t.Errorf("%s", current.Raw)
	}
	activate(again, id).Diagnosed("enrolment_expired") // not without a code of the new app
	again.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Diagnosed("enrolment_expired")
	again.Confirm(id, phone.Code()).Diagnosed("already_used")
	in.Clock.NextStep()
	second := again.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")
	activate(browser, id).Diagnosed("enrolment_expired") // it belongs to the new session now
	activate(again, id).Want(200)
	wantStored(t, in, email, whole)
	_, answer := signIn(in, email, first[0])
	answer.Diagnosed("wrong_code")
	_, answer = signIn(in, email, second[0])
	answer.Want(200)
}

func closedReplacing(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "closed-replacing")
	begin(in, session, body{"replaces": app.ID})
	if page := session.Do("GET", servertest.Enrolments+"/current", nil).Want(200); page.Body["lost"] != false {
		t.Errorf("nobody said that the phone is lost: %s", page.Raw)
	}
	wantStored(t, in, email, "on apps:1 sets:active enrolments:pending")
	again, answer := signIn(in, email, app.Code())
	answer.Want(200)
	if state(again) != "on" {
		t.Error(state(again))
	}
	_, answer = signIn(in, email, app.Codes[0])
	answer.Want(200)
}

// A session opened by a backup code has replaced the app, and closes before the new codes are saved.
func closedReplaced(t *testing.T, in *servertest.Installation) {
	email, app, _ := protected(in, "closed-replaced")
	session, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	id, phone := begin(in, session, body{"replaces": app.ID, "lost": true})
	unsaved := session.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")
	page := session.Do("GET", servertest.Security, nil).Want(200)
	if begun, _ := page.Body["enrolment"].(map[string]any); begun["lost"] != true || begun["replaces"] != app.ID {
		t.Errorf("of what it is for, it says %v", begun)
	}
	in.Clock.NextStep()
	again, answer := signIn(in, email, phone.Code()) // the new app works
	answer.Want(200)
	again.Do("GET", servertest.Enrolments+"/current", nil).Refused(404, "no_enrolment")
	activate(again, id).Diagnosed("enrolment_expired")
	_, answer = signIn(in, email, unsaved[0])
	answer.Diagnosed("setup_not_finished")
	_, answer = signIn(in, email, app.Codes[1]) // the old codes live
	answer.Want(200)
	in.Clock.NextStep()
	again.Prove(phone.Code()).Want(200)
	again.Do("POST", codesPath, password).Want(200)
	again.Do("POST", codesPath+"/activate", nil).Want(200)
	if sets := in.Column("SELECT state FROM backup_code_sets WHERE state <> 'retired' AND user_id = (SELECT id FROM users WHERE email = ?)", email); len(sets) != 1 {
		t.Errorf("%v", sets)
	}
}

func closedNewCodes(t *testing.T, in *servertest.Installation) {
	email, app, session := protected(in, "closed-codes")
	unsaved := session.Do("POST", codesPath, password).Want(200).Texts("backup_codes")
	again, answer := signIn(in, email, app.Codes[0])
	answer.Want(200)
	again.Do("POST", codesPath+"/activate", nil).Refused(409, "no_pending_codes") // another session's
	_, answer = signIn(in, email, unsaved[0])
	answer.Diagnosed("setup_not_finished")
	session.Do("POST", codesPath+"/activate", nil).Want(200)
	_, answer = signIn(in, email, unsaved[0])
	answer.Want(200)
	_, answer = signIn(in, email, app.Codes[1])
	answer.Diagnosed("backup_code_replaced")
}

func closedForLong(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "closed-long")
	id, phone := begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	in.Clock.Advance(time.Hour)
	again := in.Browser(servertest.Safari)
	if answer := again.Password(email).Want(200); answer.Text("state") != "signed_in" {
		t.Fatalf("%s", answer.Raw)
	}
	again.Confirm(id, phone.Code()).Diagnosed("enrolment_expired")
	if state(again) != "off" {
		t.Error(state(again))
	}
	id, phone = begin(in, again, nil)
	again.Confirm(id, phone.Code()).Want(200)
	activate(again, id).Want(200)
	wantStored(t, in, email, whole)
}
