package authenticator_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/servertest"
)

// Why the diagnosis is safe (guidance.md).
func TestTheDiagnosisIsSafe(t *testing.T) {
	rows{
		{"window_is_never_widened", neverWidened},
		{"costs_a_try", costsATry},
		{"only_after_the_right_password", onlyAfterThePassword},
		{"burns_one_future_step", burnsOne},
		{"burns_a_step_of_the_app_being_enrolled", burnsPending},
		{"only_own_secrets", onlyOwnSecrets},
		{"clocks_are_not_learned", notLearned},
	}.onBoth(t)
}

// Of all steps from -25 to +25, at each door, exactly -1, 0 and +1 are accepted; the others are explained as they are,
// and of the future ones that were recognised that one step is burned.
func neverWidened(t *testing.T, in *servertest.Installation) {
	out := protected(in, "exhaustive-out")
	inside := protected(in, "exhaustive-in")
	session := in.SignedIn(inside.email, inside.Enrolled, servertest.Firefox)
	in.AddPerson("Eve", "exhaustive-new@example.test", "member")
	browser := in.Browser(servertest.Firefox)
	browser.Password("exhaustive-new@example.test").Want(200)
	in.Clock.NextStep()
	begin := func() (string, *servertest.Phone) {
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		return begun.Text("id"), in.Scan(begun.Text("secret"))
	}
	for steps := -25; steps <= 25; steps++ {
		forgive(in)
		later := time.Duration(steps) * 30 * time.Second
		id, phone := begin()
		for ambiguous(in, phone, later) {
			id, phone = begin()
		}
		in.Change("DELETE FROM totp_retired") // the setups before this one: their codes are the same by chance, every now and then
		if ambiguous(in, out.Phone, later) || ambiguous(in, inside.Phone, later) {
			continue
		}
		for name, answer := range map[string]*servertest.Answer{
			"sign-in":   out.signIn(out.CodeIn(later)),
			"proof":     session.Prove(inside.CodeIn(later)),
			"enrolment": browser.Confirm(id, phone.CodeIn(later)),
		} {
			why, _ := answer.Body["diagnosis"].(map[string]any)
			switch distance := max(steps, -steps); {
			case distance <= 1:
				if answer.Status != 200 {
					t.Errorf("%s, %d steps away: %s", name, steps, answer.Raw)
				}
			case answer.Status != 422:
				t.Errorf("%s, %d steps away: %d %s", name, steps, answer.Status, answer.Raw)
			case distance > 20:
				if why["reason"] != "wrong_code" {
					t.Errorf("%s, %d steps away: %s", name, steps, answer.Raw)
				}
			case why["offset_seconds"] != float64(steps*30):
				t.Errorf("%s, %d steps away: %s", name, steps, answer.Raw)
			}
		}
		burned := in.Column("SELECT step FROM totp_spent_steps WHERE how = 'burned'")
		want := 0
		if steps > 1 && steps <= 20 {
			want = 3
		}
		if len(burned) != want {
			t.Errorf("%d steps away: burned %v", steps, burned)
		}
		for _, step := range burned {
			if step != strconv.FormatInt(totp.Step(in.Clock.Now())+int64(steps), 10) {
				t.Errorf("%d steps away: burned %s", steps, step)
			}
		}
	}
}

func costsATry(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "costly")
	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	pending := in.Scan(session.Do("POST", servertest.Enrolments, nil).Want(201).Text("secret"))
	in.Clock.NextStep()
	code, before := ada.Code(), ada.CodeIn(-30*time.Second)
	ada.signIn(code).Want(200)
	ada.here.Password(ada.email).Want(200)
	for number, try := range []struct{ code, reason string }{
		{code, "already_used"},
		{before, "older_than_last"},
		{ada.CodeIn(-5 * time.Minute), "clock_behind"},
		{ada.CodeIn(5 * time.Minute), "clock_ahead"},
		{pending.Code(), "setup_not_finished"},
	} {
		if left := ada.here.Code(try.code).Diagnosed(try.reason)["attempts_left"]; left != float64(4-number) {
			t.Errorf("%s leaves %v", try.reason, left)
		}
	}
	in.Clock.NextStep()
	ada.here.Code(ada.Code()).Diagnosed("too_many_attempts")
}

func onlyAfterThePassword(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "nobody")
	ada.here.Code(ada.Code()).Refused(401, "not_signed_in")
	ada.here.Do("POST", "/api/v1/sign-in", map[string]string{"email": ada.email, "password": "wrong horse battery staple"}).
		Refused(401, "bad_credentials")
	ada.here.Code(ada.Code()).Refused(401, "not_signed_in")
	ada.here.Code(ada.CodeIn(time.Hour)).Refused(401, "not_signed_in")

	session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
	answer := session.Do("POST", "/api/v1/session/proof", map[string]string{"password": "wrong horse battery staple", "code": ada.Code()}).
		Refused(422, "wrong_password")
	if answer.Body["diagnosis"] != nil {
		t.Errorf("a diagnosis: %s", answer.Raw)
	}
	session.Prove(ada.Code()).Want(200) // and the code was not spent
}

// A burned step is refused when its time comes, at every door; the steps beside it are as good as ever.
func burnsOne(t *testing.T, in *servertest.Installation) {
	ada := protected(in, "burned")
	ada.Behind = -5 * time.Minute // ten steps ahead
	code := ada.Code()
	ada.signIn(code).Diagnosed("clock_ahead")
	ada.Behind = 0
	if last := in.Column("SELECT a.last_step FROM totp_apps AS a WHERE a.id = ?", ada.ID); last[0] >= strconv.FormatInt(totp.Step(in.Clock.Now()), 10) {
		t.Errorf("the last step was raised to %v", last)
	}
	ada.signIn(ada.Code()).Want(200) // now, long before it
	in.Clock.Advance(270 * time.Second)
	ada.signIn(ada.Code()).Want(200) // the step before
	in.Clock.NextStep()
	if ada.Code() != code {
		t.Fatal("this is not the burned step")
	}
	ada.signIn(code).Explains(why{"reason": "already_used", "attempts_left": 4, "next_code_in_seconds": 15, "used_here": true})
	in.Clock.NextStep()
	ada.signIn(code).Diagnosed("already_used") // in the window, a step late
	ada.signIn(ada.Code()).Want(200)           // the step after
}

func burnsPending(t *testing.T, in *servertest.Installation) {
	begin := func(t *testing.T, name string) (*person, *servertest.Client, string, *servertest.Phone) {
		ada := protected(in, name)
		session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
		begun := session.Do("POST", servertest.Enrolments, nil).Want(201)
		return ada, session, begun.Text("id"), in.Scan(begun.Text("secret"))
	}
	late := func(session *servertest.Client, id string, phone *servertest.Phone) {
		in.Clock.Advance(2 * time.Minute)
		session.Confirm(id, phone.Code()).Diagnosed("already_used")
		in.Clock.NextStep()
		session.Confirm(id, phone.Code()).Want(200)
	}
	t.Run("shown at enrolment", func(t *testing.T) {
		_, session, id, phone := begin(t, "burned-new")
		session.Confirm(id, phone.CodeIn(2*time.Minute)).Diagnosed("clock_ahead")
		late(session, id, phone)
	})
	t.Run("shown at sign-in", func(t *testing.T) {
		ada, session, id, phone := begin(t, "burned-out")
		ada.signIn(phone.CodeIn(2 * time.Minute)).Diagnosed("setup_not_finished")
		late(session, id, phone)
	})
}

func onlyOwnSecrets(t *testing.T, in *servertest.Installation) {
	ada, bob := protected(in, "ada-own"), protected(in, "bob-own")
	// Another account's code is none of this one's, in the window or out of it, and nothing of the other account moves.
	for _, later := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		ada.signIn(bob.CodeIn(later)).Diagnosed("wrong_code")
	}
	if rows := in.Column("SELECT step FROM totp_spent_steps WHERE secret_id = ? AND how = 'burned'", bob.ID); len(rows) != 0 {
		t.Errorf("burned for the other account: %v", rows)
	}
	if rows := in.Column("SELECT t.failures FROM second_step_tries AS t JOIN users AS u ON u.id = t.user_id WHERE u.email = ?", bob.email); len(rows) != 0 {
		t.Errorf("counted against the other account: %v", rows)
	}
	bob.signIn(bob.Code()).Want(200)
}

func notLearned(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		d.phone.Behind = 2 * time.Minute
		for n := range 4 {
			in.Clock.NextStep()
			for ambiguous(in, d.phone, 0) {
				in.Clock.NextStep()
			}
			wrong := in.Clock.Now().Add(-2 * time.Minute).UTC()
			answer := d.give(why{"code": d.phone.Code(), "browser_now": wrong})
			answer.Explains(why{"reason": "clock_behind", "attempts_left": min(d.left, 9-n), "offset_seconds": -120, "server_clock_suspect": true})
		}
		d.phone.Behind = 0
		in.Clock.NextStep()
		d.code(d.phone.Code()).Want(200)
	})
	t.Run("nor from a header", func(t *testing.T) {
		ada := protected(in, "date")
		ada.here.Header.Set("Date", in.Clock.Now().Add(-2*time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
		ada.signIn(ada.CodeIn(-2 * time.Minute)).Diagnosed("clock_behind")
		for _, field := range []string{"t", "now", "date", "window"} {
			body := fmt.Sprintf(`{"code":%q,%q:1}`, ada.CodeIn(-time.Minute), field)
			ada.here.Do("POST", "/api/v1/sign-in/totp", body).Refused(400, "unknown_field")
		}
	})
}
