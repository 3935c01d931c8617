package signin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// While an account is delayed or locked no answer and no row may tell a right code from a wrong one: else whoever has
// the password could search for the code without spending a try.
func TestRow42ADelayedAccountTellsNothing(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "member")
		wrong := func(n int) string {
			for candidate := n * 1000; ; candidate++ {
				code := fmt.Sprintf("%06d", candidate)
				if code != ada.Code() && code != ada.CodeIn(30*time.Second) && code != ada.CodeIn(-30*time.Second) {
					return code
				}
			}
		}
		for range 2 {
			browser := in.Browser(servertest.Firefox)
			browser.Password("ada@example.test").Want(200)
			for n := range 5 {
				browser.Code(wrong(n + 1)).Want(422)
			}
		}
		tell := func(t *testing.T, right bool) (heard []string) {
			browser := in.Browser(servertest.Safari)
			browser.Password("ada@example.test").Want(200)
			for n := range 6 {
				code := wrong(n + 1)
				if right && n == 2 {
					code = ada.Code()
				}
				why := browser.Code(code).Diagnosed("too_many_attempts")
				heard = append(heard, fmt.Sprint(why["retry_after_seconds"], why["start_again"], why["attempts_left"]))
			}
			return append(heard, in.Column("SELECT attempts FROM pending_sign_ins ORDER BY id DESC LIMIT 1")...)
		}
		for _, state := range []string{"delayed", "locked"} {
			t.Run(state, func(t *testing.T) {
				if state == "locked" {
					in.Change("UPDATE second_step_tries SET locked_at = 1")
				}
				if without, with := fmt.Sprint(tell(t, false)), fmt.Sprint(tell(t, true)); without != with {
					t.Errorf("wrong codes alone: %s, a right one among them: %s", without, with)
				}
			})
		}
	})
}

// Where a row says that 2-step verification is off and factors are in force, nobody is let in (row 5).
func TestRow5OffWithFactorsIsRefused(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Protected("ada@example.test", "member")
		in.Change("UPDATE users SET mfa_since = NULL")
		browser := in.Browser(servertest.Firefox)
		browser.Password("ada@example.test").Refused(500, "internal_fault")
		if counted := in.Column("SELECT failures FROM password_tries"); len(counted) != 0 {
			t.Errorf("the right password is counted: %s", counted)
		}
		browser.Do("GET", "/api/v1/session", nil).Refused(401, "not_signed_in")
	})
}
