package webauthn_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestRow47WhatIsBegunIsBounded(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		h := hold(t, in, ada, "member")
		in.Beside()
		browser := pending(in, ada)
		answers := in.Race(24, browser, func(_ int, browser *servertest.Client) (*servertest.Answer, error) {
			return browser.Try("POST", "/api/v1/sign-in/webauthn/options", nil)
		})
		begun := 0
		for _, answer := range answers {
			if answer.Status == http.StatusOK {
				begun++
				continue
			}
			answer.Refused(http.StatusTooManyRequests, "too_many_challenges")
			if answer.Header.Get("Retry-After") != "300" {
				t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
			}
		}
		if begun != 10 {
			t.Errorf("%d were begun", begun)
		}
		rows(t, in, "webauthn_challenges", 10)
		t.Run("from anywhere else the owner begins all the same", func(t *testing.T) {
			in.Change("UPDATE webauthn_challenges SET network = '203.0.113.9'")
			h.signIn(t, in)
		})
		t.Run("and no number of networks makes more rows", func(t *testing.T) {
			in.Change("DELETE FROM webauthn_challenges")
			user := in.Column("SELECT id FROM users")[0]
			for n := range 100 {
				in.Change(`INSERT INTO webauthn_challenges (id, user_id, ceremony, holder, challenge, data, network, created_at, expires_at)
					VALUES (?, ?, 'sign_in', 'x', ?, '{}', ?, 1, ?)`, "c"+number(int64(n)), user, []byte(number(int64(n))), "net"+number(int64(n)),
					in.Clock.Now().Add(time.Minute+time.Duration(n)*time.Second).UnixMilli())
			}
			signInOptions(t, pending(in, ada))
			rows(t, in, "webauthn_challenges", 100)
			if oldest := in.Column("SELECT id FROM webauthn_challenges WHERE id = 'c0'"); len(oldest) != 0 {
				t.Error("the oldest is there")
			}
		})
		t.Run("in time they are all over", func(t *testing.T) {
			in.Clock.Advance(5 * time.Minute)
			signInOptions(t, pending(in, ada))
			rows(t, in, "webauthn_challenges", 1)
		})
	}, withKeys)
}

func TestRow37WhoMayAddOne(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		a := hold(t, in, ada, "administrator")
		in.AddPerson("Eve", "eve@example.test", "member")
		eve := in.Browser(servertest.Firefox)
		eve.Password("eve@example.test").Want(http.StatusOK)
		eve.Do("POST", keysPath, nil).Refused(http.StatusConflict, "mfa_off")
		eve.Do("POST", "/api/v1/users/"+in.Column("SELECT id FROM users WHERE email = ?", ada)[0]+"/security/security-keys", nil).Refused(http.StatusForbidden, "not_permitted")
		a.signIn(t, in).Do("POST", "/api/v1/users/"+in.Column("SELECT id FROM users WHERE email = 'eve@example.test'")[0]+"/security/security-keys", nil).
			Refused(http.StatusForbidden, "not_permitted")

		byPaper := pending(in, ada)
		byPaper.Do("POST", "/api/v1/sign-in/backup-code", body{"code": a.Codes[0]}).Want(http.StatusOK)
		byPaper.Do("POST", keysPath, nil).Refused(http.StatusForbidden, "app_code_required")

		browser := a.signIn(t, in)
		for range 9 {
			add(t, browser, newDevice(t)).Want(http.StatusCreated)
		}
		browser.Do("POST", keysPath, nil).Refused(http.StatusConflict, "too_many_security_keys")
	}, withKeys)
}
