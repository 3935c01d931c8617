package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// What comes at the same moment as a reset is before it, and ends with it, or after it, and is refused (rows 34 and 80).
func TestRow80ResetBesideOtherActs(t *testing.T) {
	rows{
		{"second steps", raceResetSecondSteps},
		{"an activation in the session of the link", raceResetActivate},
		{"another administrator's reset", raceResetReset},
		{"a link that is used", raceResetLink},
	}.onBoth(t)
}

// alone fails the test unless the person is reset, with one link and nothing open.
func (h *helped) alone(t *testing.T) {
	t.Helper()
	if marked := h.Column("SELECT id FROM users WHERE id = ? AND reset_at IS NOT NULL AND mfa_since IS NULL", h.id); len(marked) != 1 {
		t.Error("the person is not reset")
	}
	for _, table := range []string{"sessions", "pending_sign_ins", "totp_enrolments"} {
		if open := h.Column("SELECT id FROM "+table+" WHERE user_id = ?", h.id); len(open) != 0 {
			t.Errorf("%d of %s are left", len(open), table)
		}
	}
	if h.links() != 1 {
		t.Errorf("%d links", h.links())
	}
}

func raceResetSecondSteps(t *testing.T, in *servertest.Installation) {
	h := help(in, "race-steps")
	browsers := make([]*servertest.Client, 10)
	for n := range browsers {
		browsers[n] = in.Browser(servertest.Safari)
		browsers[n].Password(h.email).Want(200)
	}
	asks := h.asks()
	code := h.old.Code()
	answers := in.Race(len(browsers), h.boss, func(n int, boss *servertest.Client) (*servertest.Answer, error) {
		if n == 5 {
			return boss.Try("POST", h.security+"/reset", asks)
		}
		given := h.old.Codes[n]
		if n == 0 {
			given = code
		}
		return browsers[n].On(in.On(n)).Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": given})
	})
	answers[5].Want(200)
	for n, answer := range answers {
		if n == 5 || answer.Status == 200 {
			continue
		}
		if answer.Body["code"] != "enrolment_link_required" {
			answer.Diagnosed("sign_in_expired")
		}
	}
	h.alone(t)
	for _, browser := range browsers {
		if status := browser.Do("GET", "/api/v1/session", nil).Status; status != 401 {
			t.Errorf("a session answers %d", status)
		}
	}
}

func raceResetActivate(t *testing.T, in *servertest.Installation) {
	h := help(in, "race-activate")
	token := h.reset(t)
	browser := h.password(t)
	give(browser, token).Want(200)
	id, phone := begin(in, browser, nil)
	browser.Confirm(id, phone.Code()).Want(200)
	asks := h.asks()
	answers := in.Race(2, h.boss, func(n int, boss *servertest.Client) (*servertest.Answer, error) {
		if n == 0 {
			return boss.Try("POST", h.security+"/reset", asks)
		}
		return browser.On(in.On(n)).Try("POST", servertest.Enrolments+"/"+id+"/activate", nil)
	})
	answers[0].Want(200)
	if status := answers[1].Status; status != 200 && status != 401 && status != 422 {
		t.Errorf("the activation answers %d: %s", status, answers[1].Raw)
	}
	h.alone(t)
	h.password(t).Code(phone.CodeIn(30*time.Second)).Refused(403, "enrolment_link_required")
}

func raceResetReset(t *testing.T, in *servertest.Installation) {
	h := help(in, "race-reset")
	app := in.Protected("second-boss-"+h.email, "administrator")
	second := in.SignedIn("second-boss-"+h.email, app, servertest.Firefox)
	asks := []body{h.asks(), {"password": servertest.Password, "code": app.Code(), "reason": "Called."}}
	answers := in.Race(2, h.boss, func(n int, boss *servertest.Client) (*servertest.Answer, error) {
		if n == 1 {
			boss = second.On(in.On(n))
		}
		return boss.Try("POST", h.security+"/reset", asks[n])
	})
	h.alone(t)
	good := 0
	for _, answer := range answers {
		_, token, _ := strings.Cut(answer.Want(200).Text("enrolment_link"), "#token=")
		if give(h.password(t), token).Status == 200 {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d links are good", good)
	}
}

func raceResetLink(t *testing.T, in *servertest.Installation) {
	h := help(in, "race-link")
	token := h.reset(t)
	browser := h.password(t)
	asks := h.asks()
	answers := in.Race(2, h.boss, func(n int, boss *servertest.Client) (*servertest.Answer, error) {
		if n == 0 {
			return boss.Try("POST", h.security+"/reset", asks)
		}
		return browser.On(in.On(n)).Try("POST", linkPath, body{"token": token})
	})
	answers[0].Want(200)
	h.alone(t)
	browser.Do("GET", "/api/v1/session", nil).Want(401)
}
