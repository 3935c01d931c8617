package mfa_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestUnlock(t *testing.T) {
	rows{{"a delay and the lock", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "unlock")
		blocked := func() string {
			t.Helper()
			page := h.boss.Do("GET", h.security, nil).Want(200)
			text, err := json.Marshal(page.Body["codes_blocked"])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		unlock := func() *servertest.Answer { return h.boss.Do("POST", h.security+"/unlock", nil) }
		code := func() *servertest.Answer { _, answer := signIn(in, h.email, h.old.Code()); return answer }
		if blocked() != "null" {
			t.Error(blocked())
		}
		unlock().Refused(409, "not_locked")
		_, wrong := signIn(in, h.email, h.old.Wrong(1))
		wrong.Diagnosed("wrong_code")
		unlock().Refused(409, "not_locked")

		in.Change("UPDATE second_step_tries SET failures = 10, delay_ms = 3600000, blocked_until = ? WHERE user_id = ?", in.Clock.Now().Add(8*time.Minute).UnixMilli(), h.id)
		if said := blocked(); !strings.Contains(said, `"locked":false`) || strings.Contains(said, `"until":null`) {
			t.Error(said)
		}
		code().Diagnosed("too_many_attempts")
		unlock().Want(204)
		code().Want(200)
		in.Clock.NextStep()

		signIn(in, h.email, h.old.Wrong(1))
		in.Change("UPDATE second_step_tries SET failures = 50, in_a_row = 50, locked_at = 1 WHERE user_id = ?", h.id)
		if said := blocked(); said != `{"locked":true,"until":null}` {
			t.Error(said)
		}
		code().Diagnosed("too_many_attempts")
		locked := func() any { return in.Browser(servertest.Safari).Password(h.email).Want(200).Body["codes_locked"] }
		if said := locked(); said != true { // before a code is typed for nothing
			t.Errorf("locked: %v", said)
		}
		in.Only(204, in.Race(8, h.boss, post(h.security+"/unlock", nil)))
		if said := locked(); said != nil {
			t.Errorf("unlocked: %v", said)
		}
		code().Want(200)
		if events := in.Column("SELECT id FROM events WHERE kind = 'codes.unlocked' AND subject_id = ?", h.id); len(events) != 2 {
			t.Errorf("%d events", len(events))
		}
		if blocked() != "null" {
			t.Error(blocked())
		}
	}}, {"a reset clears both", func(t *testing.T, in *servertest.Installation) {
		h := help(in, "clears")
		signIn(in, h.email, h.old.Wrong(1))
		in.Change("UPDATE second_step_tries SET failures = 50, in_a_row = 50, locked_at = 1 WHERE user_id = ?", h.id)
		token := h.reset(t)
		browser := h.password(t)
		give(browser, token).Want(200)
		enrolled := in.Enrol(browser)
		_, answer := signIn(in, h.email, enrolled.Code())
		answer.Want(200)
	}}}.onBoth(t)
}
