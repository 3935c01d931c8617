package mfa_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// A session opened by a backup code, or fresh proof given with one, is good for replacing the app and for no other act
// on factors, until the new app is confirmed.
func TestRow38ABackupCodeOpensTheReplacementOnly(t *testing.T) {
	rows{{"until the new app is confirmed", func(t *testing.T, in *servertest.Installation) {
		app := in.Protected("chief@example.test", "administrator")
		other := in.AddPerson("Eve", "eve@example.test", "member")
		session, answer := signIn(in, "chief@example.test", app.Codes[0])
		answer.Want(200)
		refused := func() {
			t.Helper()
			session.Do("POST", disablePath, password).Refused(403, "app_code_required")
			session.Do("POST", codesPath, password).Refused(403, "app_code_required")
			session.Do("PUT", "/api/v1/users/"+other+"/security/requirement", body{"requirement": "required"}).Refused(403, "app_code_required")
			session.Do("POST", codesPath+"/activate", nil).Refused(409, "no_pending_codes")
			session.Do("POST", servertest.Enrolments, nil).Refused(403, "app_code_required") // beside the app that is there
		}
		refused()
		session.Do("GET", "/api/v1/users", nil).Want(200) // good for everything ordinary
		session.Prove(app.Codes[1]).Want(200)
		refused()
		id, phone := begin(in, session, body{"replaces": app.ID})
		refused()
		wantStored(t, in, "chief@example.test", "on apps:1 sets:active enrolments:pending")
		session.Confirm(id, phone.Code()).Want(200)
		session.Do("PUT", "/api/v1/users/"+other+"/security/requirement", body{"requirement": "required"}).Want(204)
		session.Do("POST", disablePath, password).Want(200)
	}}, {"and a password alone opens nothing", func(t *testing.T, in *servertest.Installation) {
		_, app, session := protected(in, "password-only")
		in.Clock.Advance(10 * time.Minute)
		session.Prove("").Refused(422, "code_required")
		session.Do("POST", servertest.Enrolments, nil).Refused(403, "fresh_proof_required")
		session.Prove(app.Code()).Want(200)
		session.Do("POST", servertest.Enrolments, nil).Want(201)
	}}}.onBoth(t)
}

func TestRow39ConfinedToEnrolment(t *testing.T) {
	rows{{"until it is active", func(t *testing.T, in *servertest.Installation) {
		email := "must@example.test"
		id := in.AddPerson("Eve", email, "administrator")
		in.Change("UPDATE users SET requirement = 'required' WHERE email = ?", email)
		browser := in.Browser(servertest.Firefox)
		if answer := browser.Password(email).Want(200); answer.Text("state") != "enrolment_required" {
			t.Fatalf("%s", answer.Raw)
		}
		walk := func() {
			t.Helper()
			for _, call := range []struct {
				method, path string
				with         any
			}{
				{"GET", "/api/v1/users", nil}, {"POST", codesPath, password}, {"POST", codesPath + "/activate", nil},
				{"POST", disablePath, password}, {"PUT", "/api/v1/users/" + id + "/security/requirement", body{"requirement": "allowed"}},
			} {
				browser.Do(call.method, call.path, call.with).Refused(403, "enrolment_required")
			}
			said := browser.Do("GET", "/api/v1/session", nil).Want(200)
			if said.Body["confined_to"] != "enrolment" {
				t.Errorf("%s", said.Raw)
			}
		}
		walk()
		begun, _ := begin(in, browser, nil)
		walk()
		browser.Do("DELETE", servertest.Enrolments+"/"+begun, nil).Want(204) // going back frees nobody
		walk()
		begun, phone := begin(in, browser, nil)
		browser.Confirm(begun, phone.Code()).Want(200)
		walk()
		browser.Prove("").Want(200) // nor does a password
		walk()
		again := in.Browser(servertest.Safari)
		if answer := again.Password(email).Want(200); answer.Text("state") != "enrolment_required" {
			t.Errorf("%s", answer.Raw)
		}
		activate(browser, begun).Want(200)
		browser.Do("GET", "/api/v1/users", nil).Want(200)
		if said := browser.Do("GET", "/api/v1/session", nil).Want(200); said.Body["confined_to"] != nil {
			t.Errorf("%s", said.Raw)
		}
		again.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	}}, {"when the deadline passes", func(t *testing.T, in *servertest.Installation) {
		email, browser := newcomer(in, "deadline")
		in.Change("UPDATE users SET requirement = 'required', deadline = ? WHERE email = ?", in.Clock.Now().Add(10*time.Minute).UnixMilli(), email)
		if state := in.Browser(servertest.Safari).Password(email).Want(200).Text("state"); state != "signed_in" {
			t.Errorf("%s before the deadline", state)
		}
		in.Clock.Advance(10*time.Minute - time.Second)
		browser.Do("POST", codesPath+"/activate", nil).Refused(409, "mfa_off") // a route that a confined session has not
		in.Clock.Advance(time.Second)
		browser.Do("POST", codesPath+"/activate", nil).Refused(403, "enrolment_required")
		if state := in.Browser(servertest.Safari).Password(email).Want(200).Text("state"); state != "enrolment_required" {
			t.Errorf("%s after it", state)
		}
		browser.Prove("").Want(200)
		in.Enrol(browser)
		wantStored(t, in, email, whole)
	}}, {"never where there is a factor", func(t *testing.T, in *servertest.Installation) {
		email, _, _ := protected(in, "has-one")
		in.Change("UPDATE users SET requirement = 'required' WHERE email = ?", email)
		pending := in.Browser(servertest.Safari)
		if answer := pending.Password(email).Want(200); answer.Text("state") != "second_step" {
			t.Fatalf("%s", answer.Raw)
		}
		pending.Do("POST", servertest.Enrolments, nil).Refused(401, "not_signed_in")
		pending.Do("GET", servertest.Enrolments+"/current", nil).Refused(401, "not_signed_in")
		wantStored(t, in, email, whole)
	}}}.onBoth(t)
}

func TestRow58TheRequirementKeepsTheFactors(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		app := in.Protected("chief@example.test", "administrator")
		chief := in.SignedIn("chief@example.test", app, servertest.Firefox)
		email, phone, session := protected(in, "member")
		id := in.Column("SELECT id FROM users WHERE email = ?", email)[0]
		own := in.Column("SELECT id FROM users WHERE email = 'chief@example.test'")[0]
		path := func(of string) string { return "/api/v1/users/" + of + "/security/requirement" }
		factors := func() []string {
			return slices.Concat(in.Column("SELECT id FROM totp_apps ORDER BY id"), in.Column("SELECT id FROM backup_codes ORDER BY id"))
		}
		before := factors()

		// A sign-in that waits for its second step is judged anew.
		pending := in.Browser(servertest.Safari)
		pending.Password(email).Want(200)
		for _, reason := range []string{"", " ", strings.Repeat("x", 501), "a\u202eb"} { // not without a reason
			chief.Do("PUT", path(id), body{"requirement": "off", "reason": reason}).Refused(422, "invalid_input")
		}
		chief.Do("PUT", path(id), body{"requirement": "off", "reason": " Shares a phone. "}).Want(204)
		pending.Code(phone.Code()).Diagnosed("sign_in_expired")
		session.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
		member := in.Browser(servertest.Safari)
		if answer := member.Password(email).Want(200); answer.Text("state") != "signed_in" {
			t.Errorf("%s", answer.Raw) // at once
		}
		member.Do("POST", disablePath, password).Refused(403, "fresh_proof_required")
		if said := factors(); !slices.Equal(said, before) {
			t.Errorf("%v, then %v", before, said)
		}
		chief.Do("PUT", path(id), body{"requirement": "allowed"}).Want(204)
		if answer := in.Browser(servertest.Safari).Password(email).Want(200); answer.Text("state") != "second_step" {
			t.Errorf("%s", answer.Raw)
		}
		_, answer := signIn(in, email, phone.Code()) // with the same factors
		answer.Want(200)
		_, answer = signIn(in, email, phone.Codes[0])
		answer.Want(200)
		if said := factors(); !slices.Equal(said, before) {
			t.Errorf("%v, then %v", before, said)
		}
		kinds := in.Column("SELECT data FROM events WHERE kind = 'requirement.set' AND subject_id = ? ORDER BY data", id)
		if len(kinds) != 2 || !strings.Contains(kinds[0], `"to":"off","why":"Shares a phone."`) || !strings.Contains(kinds[1], `"from":"off"`) {
			t.Errorf("events: %v", kinds)
		}

		// Raising ends nothing; a deadline goes with required alone.
		deadline := in.Clock.Now().Add(24 * time.Hour).UTC()
		chief.Do("PUT", path(id), body{"requirement": "allowed", "deadline": deadline}).Refused(422, "invalid_input")
		chief.Do("PUT", path(id), body{"requirement": "required", "deadline": deadline}).Want(204)
		view := chief.Do("GET", "/api/v1/users/"+id, nil).Want(200).Body["mfa"].(map[string]any)
		if view["requirement"] != "required" || view["deadline"] != deadline.Format(time.RFC3339) {
			t.Errorf("%v", view)
		}
		chief.Do("PUT", path(id), body{"requirement": "never"}).Want(422)
		chief.Do("PUT", path("01JZZZZZZZZZZZZZZZZZZZZZZZ"), body{"requirement": "required"}).Refused(404, "no_user")

		// Never off for an administrator; nobody lowers their own.
		chief.Do("PUT", path(own), body{"requirement": "off", "reason": "Why not"}).Refused(409, "administrator_never_off")
		chief.Do("PUT", path(own), body{"requirement": "required"}).Want(204)
		chief.Do("PUT", path("me"), body{"requirement": "allowed"}).Refused(409, "own_requirement")

		// Not without fresh proof, and not by an administrator who has no second step.
		in.AddPerson("Bob", "bob@example.test", "administrator")
		bob := in.Browser(servertest.Firefox)
		bob.Password("bob@example.test").Want(200)
		bob.Do("PUT", path(id), body{"requirement": "off"}).Refused(403, "own_mfa_first")
		in.Clock.Advance(10 * time.Minute)
		chief.Do("PUT", path(id), body{"requirement": "off"}).Refused(403, "fresh_proof_required")
		if said := in.Column("SELECT requirement FROM users WHERE id = ?", id); said[0] != "required" {
			t.Errorf("%v", said)
		}
	})
}
