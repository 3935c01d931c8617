package signin_test

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Row 42: tests bring back no delay that is less than an hour ago, whenever the hour began in which codes are counted.
func TestRow42TestsBringBackNoDelay(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		const email = "ada@example.test"
		ada := in.Protected(email, "member")
		session := in.SignedIn(email, ada, servertest.Safari)
		session.Prove(ada.Wrong(0)).Diagnosed("wrong_code")
		now := in.Clock.Now()
		in.Change("UPDATE second_step_tries SET failures = 10, in_a_row = 10, delay_ms = 60000, window_started_at = ?, blocked_until = ?",
			now.Add(-61*time.Minute).UnixMilli(), now.Add(-50*time.Minute).UnixMilli())
		why := check(session, sessionCheck, ada.Wrong(1)).Diagnosed("too_many_attempts")
		if why["kept_for_sign_in"] != true || why["retry_after_seconds"] != 600.0 {
			t.Errorf("%v", why)
		}
		if tries(in, "delay_ms") != "60000" {
			t.Errorf("a delay of %s", tries(in, "delay_ms"))
		}
	})
}
