package mfa_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestEnrolment(t *testing.T) {
	rows{
		{"the whole wizard", wholeWizard},
		{"a reload at every step", reloads},
		{"the newest tab wins", newestTab},
		{"every label is another", labels},
		{"giving up", givingUp},
		{"ten minutes for the code, an hour for saving", lifetimes},
		{"codes made again", codesAgain},
		{"activated once", activatedOnce},
		{"nothing out of turn", outOfTurn},
		{"not allowed", notAllowed},
		{"only oneself", onlyOneself},
	}.onBoth(t)
}

func wholeWizard(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "whole")
	begun := browser.Do("POST", servertest.Enrolments, body{"name": "Ada's iPhone"}).Want(201)
	wants := body{"state": "pending", "name": "Ada's iPhone", "label": "MailMachine: " + email, "account": email, "issuer": "MailMachine",
		"algorithm": "SHA1", "digits": 6.0, "period": 30.0, "here": true, "expires_at": in.Clock.Now().Add(10 * time.Minute).UTC().Format(time.RFC3339)}
	for field, want := range wants {
		if begun.Body[field] != want {
			t.Errorf("%s is %v, want %v", field, begun.Body[field], want)
		}
	}
	wantStored(t, in, email, "off apps:0 sets: enrolments:pending")
	id, phone := begun.Text("id"), in.Scan(begun.Text("secret"))
	token := browser.Cookie(servertest.SessionCookie)
	confirmed := browser.Confirm(id, phone.Code()).Want(200)
	if codes := confirmed.Texts("backup_codes"); len(codes) != 10 || confirmed.Text("state") != "confirmed" {
		t.Errorf("%s", confirmed.Raw)
	}
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended") // a new token at every rise
	wantStored(t, in, email, "off apps:0 sets:pending enrolments:confirmed")
	if state(browser) != "enrolling" {
		t.Error(state(browser))
	}
	token = browser.Cookie(servertest.SessionCookie)
	on := activate(browser, id).Want(200)
	if on.Text("state") != "on" || on.Body["next_code_in_seconds"] != float64(30-in.Clock.Now().Second()%30) {
		t.Errorf("%s", on.Raw)
	}
	in.Holding(servertest.SessionCookie, token).Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	wantStored(t, in, email, whole)

	page := browser.Do("GET", servertest.Security, nil).Want(200)
	mfa := page.Body["mfa"].(map[string]any)
	app := mfa["factors"].([]any)[0].(map[string]any)
	if len(mfa["factors"].([]any)) != 1 || app["name"] != "Ada's iPhone" || app["kind"] != "totp" || app["id"] != id || page.Body["enrolment"] != nil {
		t.Errorf("%s", page.Raw)
	}
	if left := mfa["backup_codes"].(map[string]any); left["total"] != 10.0 || left["remaining"] != 10.0 || mfa["state"] != "on" || mfa["since"] == nil {
		t.Errorf("%s", page.Raw)
	}
	_, answer := signIn(in, email, phone.Code())
	answer.Diagnosed("already_used") // the next sign-in wants the next code
	in.Clock.NextStep()
	_, answer = signIn(in, email, phone.Code())
	answer.Want(200)
}

func reloads(t *testing.T, in *servertest.Installation) {
	_, browser := newcomer(in, "reloads")
	current := func() *servertest.Answer { return browser.Do("GET", servertest.Enrolments+"/current", nil) }
	current().Refused(404, "no_enrolment")
	begun := browser.Do("POST", servertest.Enrolments, body{"name": "iPhone"}).Want(201)
	if again := current().Want(200); string(again.Raw) != string(begun.Raw) {
		t.Errorf("%s\n%s", begun.Raw, again.Raw)
	}
	id, phone := begun.Text("id"), in.Scan(begun.Text("secret"))
	browser.Confirm(id, phone.Wrong(0)).Diagnosed("wrong_code")
	if again := current().Want(200); again.Text("secret") != begun.Text("secret") {
		t.Error("a refused code changed the secret")
	}
	browser.Confirm(id, phone.Code()).Want(200)
	again := current().Want(200)
	if again.Body["state"] != "confirmed" || again.Body["secret"] != nil || again.Body["here"] != true {
		t.Errorf("%s", again.Raw)
	}
	activate(browser, id).Want(200)
	current().Refused(404, "no_enrolment")
}

func newestTab(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "tabs")
	first, phone := begin(in, browser, nil)
	browser.Confirm(first, phone.Code()).Want(200)
	second, newer := begin(in, browser, nil)
	wantStored(t, in, email, "off apps:0 sets: enrolments:pending") // the codes of the first are gone
	activate(browser, first).Diagnosed("enrolment_expired")
	browser.Do("POST", servertest.Enrolments+"/"+first+"/backup-codes", nil).Diagnosed("enrolment_expired")
	browser.Do("DELETE", servertest.Enrolments+"/"+first, nil).Refused(404, "no_enrolment")
	browser.Confirm(second, newer.Code()).Want(200)
	activate(browser, second).Want(200)
	wantStored(t, in, email, whole)
}

func labels(t *testing.T, in *servertest.Installation) {
	_, browser := newcomer(in, "labels")
	var seen []string
	for range 4 {
		seen = append(seen, browser.Do("POST", servertest.Enrolments, nil).Want(201).Text("label"))
	}
	if want := []string{"MailMachine: labels@example.test", "MailMachine: labels@example.test (2)",
		"MailMachine: labels@example.test (3)", "MailMachine: labels@example.test (4)"}; !slices.Equal(seen, want) {
		t.Errorf("%q", seen)
	}
}

func givingUp(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "gives-up")
	id, phone := begin(in, browser, nil)
	browser.Do("DELETE", servertest.Enrolments+"/"+id, nil).Want(204)
	wantStored(t, in, email, nothing)
	browser.Do("DELETE", servertest.Enrolments+"/"+id, nil).Refused(404, "no_enrolment")
	browser.Confirm(id, phone.Code()).Diagnosed("enrolment_expired")
	id, phone = begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	browser.Do("DELETE", servertest.Enrolments+"/"+id, nil).Want(204)
	wantStored(t, in, email, nothing)
	activate(browser, id).Diagnosed("enrolment_expired")
	if state(browser) != "off" {
		t.Error(state(browser))
	}
}

func lifetimes(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "slow")
	begin(in, browser, nil)
	in.Clock.Advance(10 * time.Minute)
	browser.Do("GET", servertest.Enrolments+"/current", nil).Refused(404, "no_enrolment")
	if state(browser) != "off" {
		t.Error(state(browser))
	}
	browser.Do("POST", servertest.Enrolments, nil).Refused(403, "fresh_proof_required")
	browser.Prove("").Want(200)

	wait := func(d time.Duration) { // without letting the session idle away
		for ; d > 20*time.Minute; d -= 20 * time.Minute {
			in.Clock.Advance(20 * time.Minute)
			browser.Do("GET", "/api/v1/session", nil).Want(200)
		}
		in.Clock.Advance(d)
	}
	id, phone := begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	wait(time.Hour - time.Second) // and the proof it began with is long over
	browser.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Want(200)
	in.Clock.Advance(time.Second)
	activate(browser, id).Diagnosed("enrolment_expired")
	browser.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Diagnosed("enrolment_expired")
	if state(browser) != "off" || !strings.HasPrefix(stored(in, email), "off apps:0") {
		t.Error(state(browser), stored(in, email))
	}
	browser.Prove("").Want(200)
	id, phone = begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	wait(time.Hour - time.Second)
	activate(browser, id).Want(200)
	wantStored(t, in, email, whole)
}

func codesAgain(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "again")
	id, phone := begin(in, browser, nil)
	first := browser.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")
	second := browser.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Want(200).Texts("backup_codes")
	if len(second) != 10 || slices.Equal(first, second) {
		t.Errorf("%d codes", len(second))
	}
	activate(browser, id).Want(200)
	wantStored(t, in, email, whole)
	_, answer := signIn(in, email, first[0])
	answer.Diagnosed("wrong_code") // they never were anything
	_, answer = signIn(in, email, second[0])
	answer.Want(200)
}

func activatedOnce(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "once")
	id, phone := begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	activate(browser, id).Want(200)
	since := in.Column("SELECT mfa_since FROM users WHERE email = ?", email)
	in.Clock.NextStep()
	activate(browser, id).Diagnosed("enrolment_expired")
	browser.Confirm(id, phone.Code()).Diagnosed("enrolment_expired")
	if again := in.Column("SELECT mfa_since FROM users WHERE email = ?", email); !slices.Equal(since, again) {
		t.Errorf("on since %v, then %v", since, again)
	}
	wantStored(t, in, email, whole)
}

func outOfTurn(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "turns")
	id, phone := begin(in, browser, nil)
	activate(browser, id).Refused(409, "enrolment_not_confirmed")
	browser.Do("POST", servertest.Enrolments+"/"+id+"/backup-codes", nil).Refused(409, "enrolment_not_confirmed")
	browser.Do("POST", codesPath+"/activate", nil).Refused(409, "mfa_off")
	browser.Do("POST", disablePath, password).Refused(409, "mfa_off")
	browser.Confirm(id, phone.Code()).Want(200)
	browser.Do("POST", codesPath+"/activate", nil).Refused(409, "mfa_off") // the waiting set is the enrolment's
	wantStored(t, in, email, "off apps:0 sets:pending enrolments:confirmed")
	browser.Do("POST", servertest.Enrolments, body{"replaces": "01JZZZZZZZZZZZZZZZZZZZZZZZ"}).Refused(404, "no_factor")
}

func notAllowed(t *testing.T, in *servertest.Installation) {
	email, browser := newcomer(in, "forbidden")
	id, phone := begin(in, browser, nil)
	in.Change("UPDATE users SET requirement = 'off' WHERE email = ?", email)
	browser.Do("POST", servertest.Enrolments, nil).Refused(409, "mfa_not_allowed")
	browser.Confirm(id, phone.Code()).Refused(409, "mfa_not_allowed")
	in.Change("UPDATE users SET requirement = 'allowed' WHERE email = ?", email)
	browser.Confirm(id, phone.Code()).Want(200)
	in.Change("UPDATE users SET requirement = 'off' WHERE email = ?", email)
	activate(browser, id).Refused(409, "mfa_not_allowed")
	wantStored(t, in, email, "off apps:0 sets:pending enrolments:confirmed")
}

// An administrator sees others, and enrols, confirms, activates, makes codes or disables for nobody else.
func onlyOneself(t *testing.T, in *servertest.Installation) {
	app := in.Protected("admin@example.test", "administrator")
	admin := in.SignedIn("admin@example.test", app, servertest.Firefox)
	memberEmail, member := newcomer(in, "member")
	id, phone := begin(in, member, nil)
	other := in.Column("SELECT id FROM users WHERE email = ?", memberEmail)[0]
	own := in.Column("SELECT id FROM users WHERE email = 'admin@example.test'")[0]
	before := stored(in, memberEmail)
	for _, caller := range []struct {
		browser *servertest.Client
		of      string
	}{{admin, other}, {member, own}} {
		path := "/api/v1/users/" + caller.of + "/security"
		for _, act := range []struct {
			method, path string
			with         any
		}{
			{"POST", "/enrolments", body{}}, {"GET", "/enrolments/current", nil}, {"DELETE", "/enrolments/" + id, nil},
			{"POST", "/enrolments/" + id + "/confirm", body{"code": phone.Code()}}, {"POST", "/enrolments/" + id + "/backup-codes", nil},
			{"POST", "/enrolments/" + id + "/activate", nil}, {"POST", "/backup-codes", password}, {"POST", "/backup-codes/activate", nil},
			{"POST", "/disable", password},
		} {
			if answer := caller.browser.Do(act.method, path+act.path, act.with); answer.Status != 403 {
				t.Errorf("%s %s: %d %s", act.method, act.path, answer.Status, answer.Raw)
			}
		}
	}
	if after := stored(in, memberEmail); after != before {
		t.Errorf("%s, then %s", before, after)
	}
	admin.Do("GET", "/api/v1/users/"+other+"/security", nil).Want(200)
	member.Do("GET", "/api/v1/users/"+own+"/security", nil).Refused(403, "not_permitted")
	member.Do("GET", "/api/v1/users/"+own, nil).Refused(403, "not_permitted")
	member.Do("PUT", "/api/v1/users/"+own+"/security/requirement", body{"requirement": "allowed"}).Refused(403, "not_permitted")
}
