package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

const linkPath = "/api/v1/sign-in/enrolment-link"

// helped is an installation with an administrator who helps, and a member who has lost everything.
type helped struct {
	*servertest.Installation
	boss     *servertest.Client
	bossApp  *servertest.Enrolled
	id       string // of the member
	email    string
	old      *servertest.Enrolled // what the member had
	security string               // the member's Security page as the administrator sees it
}

func help(in *servertest.Installation, name string) *helped {
	h := &helped{Installation: in, email: name + "@example.test"}
	h.bossApp = in.Protected("boss-"+h.email, "administrator")
	h.boss = in.SignedIn("boss-"+h.email, h.bossApp, servertest.Firefox)
	h.old = in.Protected(h.email, "member")
	h.id = in.Column("SELECT id FROM users WHERE email = ?", h.email)[0]
	h.security = "/api/v1/users/" + h.id + "/security"
	return h
}

// asks is what the administrator gives for a reset.
func (h *helped) asks() body {
	return body{"password": servertest.Password, "code": h.bossApp.Code(), "reason": "Lost the phone; seen in person."}
}

// reset resets the member and answers the link's token.
func (h *helped) reset(t *testing.T) string {
	t.Helper()
	answer := h.boss.Do("POST", h.security+"/reset", h.asks()).Want(200)
	h.Clock.NextStep()
	_, token, found := strings.Cut(answer.Text("enrolment_link"), "/enrol#token=")
	if !found {
		t.Fatalf("%s", answer.Raw)
	}
	return token
}

// password gives the member's password in a new browser, and expects to be asked for the link.
func (h *helped) password(t *testing.T) *servertest.Client {
	t.Helper()
	browser := h.Browser(servertest.Safari)
	if state := browser.Password(h.email).Want(200).Text("state"); state != "enrolment_link_required" {
		t.Fatalf("the password gave %s", state)
	}
	return browser
}

func give(browser *servertest.Client, token string) *servertest.Answer {
	return browser.Do("POST", linkPath, body{"token": token})
}

// links counts the member's links.
func (h *helped) links() int {
	return len(h.Column("SELECT user_id FROM enrolment_links WHERE user_id = ?", h.id))
}

// Reset by an administrator, from the loss of everything to a new app in force.
func TestResetAndEnrolAnew(t *testing.T) {
	rows{{"rows 34, 49 and 58: the link and the password together, and everything of before is gone", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "whole")
		open, waiting := in.SignedIn(h.email, h.old, servertest.Firefox), in.Browser(servertest.Firefox)
		waiting.Password(h.email).Want(200)
		beginning := in.SignedIn(h.email, h.old, servertest.Firefox)
		begun, phone := begin(in, beginning, nil)

		answer := h.boss.Do("POST", h.security+"/reset", h.asks()).Want(200)
		in.Clock.NextStep()
		link := answer.Text("enrolment_link")
		if link == "" || !strings.HasPrefix(link, "http://") || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s", answer.Raw)
		}
		_, token, _ := strings.Cut(link, "#token=")

		// On the next request, whatever was open is over, and nothing of before is taken.
		open.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
		open.Prove(h.old.Code()).Refused(401, "session_ended")
		beginning.Confirm(begun, phone.Code()).Refused(401, "session_ended")
		waiting.Code(h.old.Code()).Diagnosed("sign_in_expired")
		wantStored(t, in, h.email, "off apps:1 sets:active enrolments:")
		refused := func(browser *servertest.Client) {
			t.Helper()
			browser.Code(h.old.Code()).Refused(403, "enrolment_link_required")
			browser.Code(h.old.Codes[0]).Refused(403, "enrolment_link_required")
			browser.Code(h.old.Wrong(1)).Refused(403, "enrolment_link_required") // a wrong one looks the same
			browser.Do("POST", "/api/v1/sign-in/webauthn/options", nil).Want(409)
			browser.Do("GET", "/api/v1/session", nil).Refused(401, "not_signed_in")
		}
		browser := h.password(t)
		if state := browser.Do("GET", "/api/v1/sign-in", nil).Want(200).Text("state"); state != "enrolment_link_required" {
			t.Error(state)
		}
		refused(browser)

		if opened := give(browser, token).Want(200); opened.Text("state") != "enrolment_required" {
			t.Errorf("%s", opened.Raw)
		}
		said := browser.Do("GET", "/api/v1/session", nil).Want(200)
		if said.Body["confined_to"] != "enrolment" || strings.Join(said.Texts("signed_in_with"), " ") != "password enrolment_link" {
			t.Errorf("%s", said.Raw)
		}
		closed := func() {
			t.Helper()
			for _, call := range []struct {
				method, path string
				with         any
			}{
				{"POST", codesPath, password},
				{"POST", disablePath, password},
				{"GET", "/api/v1/users/me/sessions", nil},
				{"DELETE", servertest.Security + "/factors/" + h.old.ID, nil},
				{"POST", servertest.Security + "/security-keys", nil},
				{"POST", servertest.Security + "/password", body{"password": servertest.Password, "new_password": "another password of mine"}},
			} {
				browser.Do(call.method, call.path, call.with).Refused(403, "enrolment_required")
			}
		}
		closed()
		in.Clock.Advance(11 * time.Minute)
		browser.Do("POST", servertest.Enrolments, nil).Refused(403, "fresh_proof_required")
		browser.Prove("").Want(200) // the password is all there is to prove with, and frees nobody
		closed()
		browser.Do("POST", servertest.Enrolments, body{"replaces": h.old.ID}).Refused(404, "no_factor")
		id, phone := begin(in, browser, nil)
		browser.Confirm(id, h.old.Code()).Want(422)
		codes := browser.Confirm(id, phone.Code()).Want(200).Texts("backup_codes")
		closed()
		refused(h.password(t)) // until the codes are saved
		wantStored(t, in, h.email, "off apps:1 sets:active,pending enrolments:confirmed")
		activate(browser, id).Want(200)
		wantStored(t, in, h.email, whole)
		if apps := in.Column("SELECT id FROM totp_apps WHERE user_id = ?", h.id); apps[0] != id {
			t.Errorf("the app in force is %v", apps)
		}
		browser.Do("GET", "/api/v1/users/me/sessions", nil).Want(200)
		if said := browser.Do("GET", "/api/v1/session", nil).Want(200); said.Body["confined_to"] != nil {
			t.Errorf("%s", said.Raw)
		}
		in.Clock.NextStep()
		signs := func(code string) *servertest.Answer { _, answer := signIn(in, h.email, code); return answer }
		signs(h.old.Code()).Want(422)
		signs(h.old.Codes[0]).Diagnosed("backup_code_replaced")
		signs(phone.Code()).Want(200)
		signs(codes[0]).Want(200)
		give(in.Browser(servertest.Safari), token).Refused(401, "not_signed_in")
	}}, {"row 71: the events, with the reason, and nothing that opens anything", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "events")
		token := h.reset(t)
		browser := h.password(t)
		give(browser, "not the link").Refused(410, "enrolment_link_expired")
		give(browser, token).Want(200)
		told := h.boss.Do("GET", h.security+"/events", nil).Want(200)
		kinds := map[string]bool{}
		list, _ := told.Body["events"].([]any)
		for _, one := range list {
			event, _ := one.(map[string]any)
			kinds[event["kind"].(string)+" "+event["result"].(string)] = true
			if event["kind"] == "mfa.reset" {
				if data, _ := event["data"].(map[string]any); data["why"] != "Lost the phone; seen in person." || event["actor"] != "other" {
					t.Errorf("%v", event)
				}
			}
		}
		for _, want := range []string{"mfa.reset ok", "sign_in.enrolment_link refused", "sign_in.completed ok"} {
			if !kinds[want] {
				t.Errorf("no %s in %s", want, told.Raw)
			}
		}
		if strings.Contains(string(told.Raw), token) {
			t.Error("the link is in the events")
		}
	}}, {"five apps of before leave room for the new one", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "five")
		session := in.SignedIn(h.email, h.old, servertest.Firefox)
		for range 4 {
			id, phone := begin(in, session, nil)
			session.Confirm(id, phone.Code()).Want(200)
		}
		wantStored(t, in, h.email, "on apps:5 sets:active enrolments:")
		token := h.reset(t)
		enrolling := h.password(t)
		give(enrolling, token).Want(200)
		in.Enrol(enrolling)
		wantStored(t, in, h.email, whole)
	}}}.onBoth(t)
}

func TestResetWhoMay(t *testing.T) {
	rows{{"row 56: a member may reset nobody, not even by another's id", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "member")
		other := in.Protected("other-"+h.email, "member")
		session := in.SignedIn("other-"+h.email, other, servertest.Firefox)
		asks := body{"password": servertest.Password, "code": other.Code(), "reason": "Because."}
		session.Do("POST", h.security+"/reset", asks).Refused(403, "not_permitted")
		session.Do("POST", servertest.Security+"/reset", asks).Refused(403, "not_permitted")
		session.Do("POST", h.security+"/unlock", nil).Refused(403, "not_permitted")
		wantStored(t, in, h.email, whole)
	}}, {"nobody resets themself", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "self")
		own := in.Column("SELECT id FROM users WHERE email = ?", "boss-"+h.email)[0]
		for _, who := range []string{"me", own} {
			h.boss.Do("POST", "/api/v1/users/"+who+"/security/reset", h.asks()).Refused(403, "own_reset")
			h.boss.Do("POST", "/api/v1/users/"+who+"/security/unlock", nil).Refused(403, "own_unlock")
		}
		wantStored(t, in, "boss-"+h.email, whole)
	}}, {"row 57: nor another administrator, whom the console resets", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "equal")
		in.Change("UPDATE users SET role = 'administrator' WHERE id = ?", h.id)
		h.boss.Do("POST", h.security+"/reset", h.asks()).Refused(403, "administrator_reset")
		wantStored(t, in, h.email, whole)
		token, until, err := in.First().ResetMFA(t.Context(), h.id)
		if err != nil || !until.Equal(in.Clock.Now().Add(72*time.Hour)) {
			t.Fatal(until, err)
		}
		browser := h.password(t)
		give(browser, token).Want(200)
		in.Enrol(browser)
		browser.Do("GET", "/api/v1/users", nil).Want(200)
		if by := in.Column("SELECT browser FROM events WHERE kind = 'mfa.reset' AND subject_id = ?", h.id); len(by) != 1 || by[0] != "console" {
			t.Errorf("%v", by)
		}
	}}, {"row 57: nor who was one a moment ago, made a member for the purpose; the code is not spent", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "demoted")
		in.Change("UPDATE users SET role = 'administrator' WHERE id = ?", h.id)
		h.boss.Do("PATCH", "/api/v1/users/"+h.id, body{"role": "member"}).Want(204)
		asks := h.asks()
		for range 2 {
			h.boss.Do("POST", h.security+"/reset", asks).Refused(403, "reset_too_soon")
		}
		wantStored(t, in, h.email, whole)
		in.Clock.Advance(7*24*time.Hour - time.Minute)
		h.boss = in.SignedIn("boss-"+h.email, h.bossApp, servertest.Firefox)
		in.Clock.NextStep()
		h.boss.Do("POST", h.security+"/reset", h.asks()).Refused(403, "reset_too_soon")
		in.Clock.Advance(2 * time.Minute)
		h.reset(t)
	}}, {"an administrator without 2-step verification comes first themself", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "own-first")
		in.AddPerson("Boss", "bare-"+h.email, "administrator")
		bare := in.Browser(servertest.Firefox)
		bare.Password("bare-" + h.email).Want(200)
		bare.Do("POST", h.security+"/reset", body{"password": servertest.Password, "code": "123456", "reason": "Because."}).Refused(403, "own_mfa_first")
		bare.Do("POST", h.security+"/unlock", nil).Refused(403, "own_mfa_first")
	}}, {"row 40: password and code of one's own, and a wrong password spends no code", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "proof")
		reset := func(changed body) *servertest.Answer {
			asks := h.asks()
			for name, value := range changed {
				asks[name] = value
			}
			return h.boss.Do("POST", h.security+"/reset", asks)
		}
		in.Clock.Advance(11 * time.Minute) // no fresh proof is left
		reset(body{"password": "not the password"}).Refused(422, "wrong_password")
		reset(body{"code": h.bossApp.Wrong(1)}).Diagnosed("wrong_code")
		reset(body{"code": ""}).Refused(422, "code_required")
		reset(body{"code": h.bossApp.Codes[0]}).Refused(403, "app_code_required")
		reset(body{"reason": "  "}).Refused(422, "invalid_input")
		reset(body{"reason": strings.Repeat("x", 301)}).Refused(422, "invalid_input")
		reset(body{"reason": "turns \u202e around"}).Refused(422, "invalid_input")
		wantStored(t, in, h.email, whole)
		if used := in.Column("SELECT id FROM backup_codes WHERE used_at IS NOT NULL AND user_id <> ?", h.id); len(used) != 0 {
			t.Error("a backup code was spent")
		}
		h.boss.Do("POST", h.security+"/unlock", nil).Refused(403, "fresh_proof_required")
		before := h.boss.Cookie(servertest.SessionCookie)
		reset(nil).Want(200)
		if h.boss.Cookie(servertest.SessionCookie) == before {
			t.Error("the token stayed")
		}
		h.boss.Do("POST", h.security+"/unlock", nil).Refused(409, "not_locked") // it counts as fresh proof
		reset(nil).Diagnosed("already_used")
	}}, {"there must be something to reset, and the code is not spent where there is not", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "nothing")
		bare := in.AddPerson("Eve", "bare-"+h.email, "member")
		h.boss.Do("POST", "/api/v1/users/"+bare+"/security/reset", h.asks()).Refused(409, "mfa_off")
		h.boss.Do("POST", "/api/v1/users/01JZZZZZZZZZZZZZZZZZZZZZZZ/security/reset", h.asks()).Refused(404, "no_user")
		h.boss.Do("PUT", h.security+"/requirement", body{"requirement": "off", "reason": "Shares a phone."}).Want(204)
		h.boss.Do("POST", h.security+"/reset", h.asks()).Refused(409, "mfa_not_allowed")
		h.boss.Do("PUT", h.security+"/requirement", body{"requirement": "allowed"}).Want(204)
		h.reset(t)
		h.boss.Do("PUT", h.security+"/requirement", body{"requirement": "off", "reason": "Shares a phone."}).Refused(409, "reset_open")
		h.boss.Do("PUT", h.security+"/requirement", body{"requirement": "required"}).Want(204)
		h.password(t)
	}}, {"what the administrator sees of it", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "seen")
		token := h.reset(t)
		look := func() (reset map[string]any, mfa map[string]any) {
			t.Helper()
			page := h.boss.Do("GET", h.security, nil).Want(200)
			reset, _ = page.Body["reset"].(map[string]any)
			mfa, _ = page.Body["mfa"].(map[string]any)
			if strings.Contains(string(page.Raw), token) {
				t.Error("the link is shown again")
			}
			return reset, mfa
		}
		reset, mfa := look()
		if reset["link_until"] == nil || mfa["state"] != "off" || len(mfa["factors"].([]any)) != 0 {
			t.Errorf("%v %v", reset, mfa)
		}
		browser := h.password(t)
		give(browser, token).Want(200)
		if reset, _ = look(); reset == nil || reset["link_until"] != nil {
			t.Errorf("%v", reset)
		}
		in.Enrol(browser)
		if reset, mfa = look(); reset != nil || mfa["state"] != "on" {
			t.Errorf("%v %v", reset, mfa)
		}
	}}}.onBoth(t)
}

// Should anything but sign-in ever lead to a factor of before, the statement that accepts it refuses: the mark alone, put
// on behind the server's back, is enough.
func TestResetIsHonouredByEveryAcceptingStatement(t *testing.T) {
	rows{{"an app, a backup code, fresh proof", func(t *testing.T, in *servertest.Installation) {
		email, app, session := protected(in, "marked")
		waiting := in.Browser(servertest.Safari)
		waiting.Password(email).Want(200)
		in.Change("UPDATE users SET reset_at = 1 WHERE email = ?", email)
		waiting.Code(app.Code()).Refused(403, "enrolment_link_required")
		waiting.Code(app.Codes[0]).Refused(403, "enrolment_link_required")
		session.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
		if used := in.Column("SELECT c.id FROM backup_codes AS c JOIN users AS u ON u.id = c.user_id WHERE c.used_at IS NOT NULL AND u.email = ?", email); len(used) != 0 {
			t.Error("a backup code was spent")
		}
	}}}.onBoth(t)
}
