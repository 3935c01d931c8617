package signin_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// codeDuring gives a right code that waits while the statements are committed.
func codeDuring(t *testing.T, in *servertest.Installation, ada *servertest.Enrolled, statements ...string) (*servertest.Answer, *servertest.Client) {
	t.Helper()
	browser := pendingAt(in, "ada@example.test")
	release := in.Open(statements...)
	defer release()
	var answer *servertest.Answer
	servertest.Together(2, func(n int) {
		if n == 0 {
			answer, _ = browser.Try("POST", "/api/v1/sign-in/totp", map[string]string{"code": ada.Code()})
			return
		}
		in.Blocked(1)
		release()
	})
	return answer, browser
}

func diagnosed(reason string) func(*servertest.Answer) {
	return func(answer *servertest.Answer) { answer.Diagnosed(reason) }
}

// What comes about while a right code is on its way decides as if it had been there before: nobody gets in, and the answer
// says why.
func TestRightCodeMeetsWhatHasComeAboutMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		refused   func(answer *servertest.Answer)
	}{
		"disabled":          {"UPDATE users SET disabled_at = created_at", diagnosed("sign_in_expired")},
		"another was first": {"DELETE FROM pending_sign_ins", diagnosed("sign_in_expired")},
		"the step is spent": {"UPDATE totp_apps SET last_step = last_step + 1000", diagnosed("older_than_last")},
		"reset": {"UPDATE users SET reset_at = created_at", func(answer *servertest.Answer) {
			answer.Refused(http.StatusForbidden, "enrolment_link_required")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				ada := in.Protected("ada@example.test", "member")
				before := in.Column("SELECT CAST(COALESCE(last_sign_in_at, 0) AS TEXT) FROM users")
				in.Clock.NextStep()
				answer, browser := codeDuring(t, in, ada, "UPDATE users SET role = role", c.statement)
				if answer == nil {
					t.Fatal("no answer")
				}
				c.refused(answer)
				noSession(t, browser)
				if after := in.Column("SELECT CAST(COALESCE(last_sign_in_at, 0) AS TEXT) FROM users"); after[0] != before[0] {
					t.Errorf("a sign-in is noted: %s, before %s", after[0], before[0])
				}
			})
		})
	}
}

// The optimistic way is for whom nothing stands against: where it would have to be undone, a right code could be told from a
// wrong one by the time it takes, though neither is looked at (row 42).
func TestUnopposedOnlyWhereNothingStandsAgainstIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected("ada@example.test", "member")
		browser := pendingAt(in, "ada@example.test")
		token, err := base64.RawURLEncoding.DecodeString(browser.Cookie(servertest.PendingCookie))
		if err != nil {
			t.Fatal(err)
		}
		unopposed := func() bool {
			t.Helper()
			found, err := in.First().SignIn.Pending(t.Context(), token)
			if err != nil || found == nil {
				t.Fatal(found, err)
			}
			return found.Unopposed
		}
		if !unopposed() {
			t.Error("something stands against it from the first")
		}
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, failures) SELECT id, created_at, 3 FROM users")
		if !unopposed() {
			t.Error("codes that were wrong before the last right one stand against it")
		}
		for _, change := range [][2]string{
			{"UPDATE second_step_tries SET in_a_row = 1", "UPDATE second_step_tries SET in_a_row = 0"},
			{fmt.Sprintf("UPDATE second_step_tries SET blocked_until = %d", in.Clock.Now().Add(time.Second).UnixMilli()), "UPDATE second_step_tries SET blocked_until = 0"},
			{"UPDATE second_step_tries SET locked_at = 1", "UPDATE second_step_tries SET locked_at = NULL"},
			{"UPDATE pending_sign_ins SET attempts = 1", "UPDATE pending_sign_ins SET attempts = 0"},
		} {
			in.Change(change[0])
			if unopposed() {
				t.Errorf("after %s nothing stands against it", change[0])
			}
			in.Change(change[1])
		}
	})
}

// A wrong code that has come between is forgotten by the right one, as one from before is; it stays counted in the hour.
func TestRightCodeEndsARowOfWrongOnesThatBeganMeanwhile(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		answer, _ := codeDuring(t, in, ada, "UPDATE users SET role = role", fmt.Sprintf(`INSERT INTO second_step_tries
			(user_id, window_started_at, failures, in_a_row) SELECT id, %d, 1, 1 FROM users`, in.Clock.Now().UnixMilli()))
		if answer == nil {
			t.Fatal("no answer")
		}
		answer.Want(http.StatusOK)
		if row, hour := tries(in, "in_a_row"), tries(in, "failures"); row != "0" || hour != "1" {
			t.Errorf("%s in a row, %s in the hour", row, hour)
		}
	})
}

// A right code costs no try, so it must queue behind the wrong ones that are on their way: else of many codes sent at
// once the right one would pass however many were sent.
func TestRow41RightCodeDoesNotOvertakeTheWrongOnes(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		delayed := in.Clock.Now().Add(time.Minute).UnixMilli()
		for name, c := range map[string]struct {
			wrongBefore bool
			exhausts    string
		}{
			"of the sign-in":           {true, "UPDATE pending_sign_ins SET attempts = 5"},
			"of the account":           {true, fmt.Sprintf("UPDATE second_step_tries SET failures = 10, blocked_until = %d", delayed)},
			"the first of the sign-in": {false, "UPDATE pending_sign_ins SET attempts = 5"},
			"the first of the account": {false, fmt.Sprintf(`INSERT INTO second_step_tries (user_id, window_started_at, failures, in_a_row, blocked_until)
				SELECT id, created_at, 10, 10, %d FROM users`, delayed)},
			"the lock alone": {false, `INSERT INTO second_step_tries (user_id, window_started_at, locked_at)
				SELECT id, created_at, created_at FROM users`},
			"the delay alone": {false, fmt.Sprintf(`INSERT INTO second_step_tries (user_id, window_started_at, blocked_until)
				SELECT id, created_at, %d FROM users`, delayed)},
		} {
			t.Run(name, func(t *testing.T) {
				if c.wrongBefore {
					failOnce(in, "ada@example.test", ada, 0).Diagnosed("wrong_code")
				}
				answer, browser := codeDuring(t, in, ada, "UPDATE users SET role = role", c.exhausts)
				if answer == nil || answer.Status != http.StatusTooManyRequests {
					t.Errorf("%+v", answer)
				}
				noSession(t, browser)
				in.Change("DELETE FROM second_step_tries")
			})
		}
	})
}
