package authenticator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/servertest"
)

func TestRow11FiftyParallelCodesOneSession(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ada := protected(in, "ada")
		sessions := func() int { return len(in.Column("SELECT id FROM sessions")) }

		// Ten browsers that have the password, five times each, at two instances.
		var browsers []*servertest.Client
		for range 10 {
			browser := in.Browser(servertest.Firefox)
			browser.Password(ada.email).Want(200)
			browsers = append(browsers, browser)
		}
		code := ada.Code()
		answers := in.Race(50, ada.here, func(n int, _ *servertest.Client) (*servertest.Answer, error) {
			return browsers[n%10].On(in.On(n/10)).Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": code})
		})
		in.Only(200, answers)
		if sessions() != 1 {
			t.Errorf("%d sessions", sessions())
		}

		// An older step inside the window that nobody used is refused after it.
		forgiveTries(in)
		in.Clock.NextStep()
		in.Clock.NextStep()
		older, code := ada.CodeIn(-30*time.Second), ada.Code()
		ada.signIn(code).Want(200)
		ada.signIn(older).Diagnosed("older_than_last")
		if sessions() != 2 {
			t.Errorf("%d sessions", sessions())
		}
	})
}

// A code that was looked at before a later one was spent, and comes to be spent after it, is refused.
func TestRow11AnOlderStepThatWasLookedAtBefore(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ada := protected(in, "ada")
		in.Clock.NextStep()
		ada.here.Password(ada.email).Want(200)
		release := in.Open("UPDATE totp_apps SET last_step = "+number(totp.Step(in.Clock.Now()))+" WHERE id = '"+ada.ID+"'",
			"UPDATE totp_apps SET last_used_at = added_at WHERE id = '"+ada.ID+"'")
		defer release()
		older := ada.CodeIn(-30 * time.Second)
		answered := make(chan *servertest.Answer)
		go func() {
			answer, err := ada.here.Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": older})
			if err != nil {
				t.Error(err)
			}
			answered <- answer
		}()
		in.Blocked(1)
		release()
		if answer := <-answered; answer != nil {
			answer.Diagnosed("older_than_last")
		}
		if sessions := in.Column("SELECT id FROM sessions"); len(sessions) != 0 {
			t.Errorf("%d sessions", len(sessions))
		}
	})
}

func forgiveTries(in *servertest.Installation) { in.Change("DELETE FROM second_step_tries") }

func TestRow12OneReplayMarkForEveryDoor(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("ada@example.test").Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		phone := in.Scan(begun.Text("secret"))
		code := phone.Code()
		browser.Confirm(begun.Text("id"), code).Want(200)
		browser.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(200)

		other := in.Browser(servertest.Safari)
		other.Password("ada@example.test").Want(200)
		other.Code(code).Diagnosed("already_used") // confirmed with, then signed in with
		browser.Prove(code).Diagnosed("already_used")
		in.Clock.NextStep()
		code = phone.Code()
		other.Code(code).Want(200)
		other.Prove(code).Diagnosed("already_used") // signed in with, then proved with
		browser.Prove(code).Diagnosed("already_used")
		in.Clock.NextStep()
		proved := phone.Code()
		browser.Prove(proved).Want(200)
		other.Password("ada@example.test").Want(200)
		other.Code(proved).Diagnosed("already_used") // proved with, then signed in with

		// A restart forgets nothing.
		in.First().Stop()
		in.Instances = nil
		in.Another()
		fresh := in.Browser(servertest.Firefox)
		fresh.Password("ada@example.test").Want(200)
		fresh.Code(proved).Diagnosed("already_used")
		fresh.Code(code).Diagnosed("already_used")
		in.Clock.NextStep()
		fresh.Code(phone.Code()).Want(200)
	})
}

func TestRow13WhatIsCheckedIsWhatIsCounted(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := protected(in, "ada")
		failures := func() string {
			return strings.Join(in.Column("SELECT failures FROM second_step_tries"), ",")
		}
		code := ada.Code()
		spaced := code[:3] + " " + code[3:]
		ada.signIn(" " + spaced + " ").Want(200) // a paste with spaces is a code

		ada.here.Password(ada.email).Want(200)
		for _, raw := range []string{
			`{"code":` + code + `}`, `{"code":["` + code + `"]}`, `{"code":{"code":"` + code + `"}}`, `{"code":null}`, `{"code":true}`,
			`{"code":"` + code + `\n"}`, `{"code":"` + code + `\u0000"}`, `{"code":"` + code + `","code":"` + code + `"}`, `{}`,
		} {
			answer := ada.here.Do("POST", "/api/v1/sign-in/totp", raw)
			if answer.Status != 400 && answer.Status != 422 || answer.Body["diagnosis"] != nil {
				t.Errorf("%s: %d %s", raw, answer.Status, answer.Raw)
			}
		}
		arabic := strings.Map(func(r rune) rune { return r - '0' + '٠' }, code)
		for _, other := range []string{arabic, code + "0", "+" + code[1:], code[:5], "0x" + code[2:], code + code} {
			ada.here.Code(other).Explains(why{"reason": "malformed", "expected": "app_code"})
		}
		if counted := failures(); counted != "" {
			t.Errorf("counted: %s", counted)
		}
		// No way of writing it is another code, and each costs a try.
		for _, same := range []string{code, spaced, code[:3] + "-" + code[3:], "\u2009" + code + " ", code[:1] + "\u2013" + code[1:]} {
			ada.here.Code(same).Diagnosed("already_used")
		}
		if counted := failures(); counted != "5" {
			t.Errorf("counted %s, want 5", counted)
		}
		ada.here.Code(spaced).Diagnosed("too_many_attempts")
	})
}

func TestRow14WindowOfNoStep(t *testing.T) {
	none := 0
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		atEachDoor(t, in, func(t *testing.T, d door) {
			for steps := -2; steps <= 2; steps++ {
				forgive(in)
				answer := d.code(d.phone.CodeIn(time.Duration(steps) * 30 * time.Second))
				if steps == 0 {
					continue // accepted below, where it may change what the door stands for
				}
				reason := "clock_behind"
				if steps > 0 {
					reason = "clock_ahead"
				}
				answer.Explains(why{"reason": reason, "attempts_left": d.left, "offset_seconds": steps * 30})
			}
			forgive(in)
			d.code(d.phone.Code()).Want(200)
		})
	}, servertest.Options{Window: &none})
}

// The step that was accepted is what is stored, not the step of now.
func TestTheMatchedStepIsStored(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := protected(in, "ada")
		in.Clock.NextStep()
		ada.signIn(ada.CodeIn(-30 * time.Second)).Want(200)
		if last := in.Column("SELECT last_step FROM totp_apps"); last[0] != number(totp.Step(in.Clock.Now())-1) {
			t.Errorf("last step %s", last[0])
		}
		ada.signIn(ada.CodeIn(30 * time.Second)).Want(200)
		if last := in.Column("SELECT last_step FROM totp_apps"); last[0] != number(totp.Step(in.Clock.Now())+1) {
			t.Errorf("last step %s", last[0])
		}
		ada.signIn(ada.Code()).Explains(why{"reason": "older_than_last", "attempts_left": 4, "next_code_in_seconds": 45})
	})
}
