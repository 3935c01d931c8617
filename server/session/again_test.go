package session_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// What is given again without being read or written anew is what would be answered if it were, also where nothing but the
// time has changed it.
func TestAnAnswerThatIsGivenAgainIsTrueNow(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for name, c := range map[string]struct {
			after  time.Duration // what is said changes then
			change string        // takes when, and the person
		}{
			"fresh proof ends":          {10 * time.Minute, "UPDATE users SET name = name WHERE ? > 0 AND id = ?"},
			"the deadline passes":       {time.Hour, "UPDATE users SET requirement = 'required', deadline = ? WHERE id = ?"},
			"a recovery is over":        {time.Hour, "UPDATE users SET recovery = 'proved', recovery_until = ? WHERE id = ?"},
			"the session is at its end": {12 * time.Hour, "UPDATE sessions SET expires_at = ? WHERE user_id = ?"},
		} {
			t.Run(name, func(t *testing.T) {
				in := in.For(t)
				email := strings.ReplaceAll(name, " ", "-") + "@example.test"
				id := in.AddPerson("Bob", email, "member")
				browser := signedIn(in, email)
				in.Change(c.change, in.Clock.Now().Add(c.after).UnixMilli(), id)
				for passed := time.Duration(0); passed < c.after-10*time.Second; {
					step := min(20*time.Minute, c.after-10*time.Second-passed)
					in.Clock.Advance(step)
					passed += step
					alive(t, browser)
				}
				ask := func() map[string]any {
					said := browser.Do("GET", sessionPath, nil).Body
					delete(said, "request_id")
					return said
				}
				for range 20 { // so that it is remembered
					ask()
				}
				in.Clock.Advance(10*time.Second - time.Millisecond)
				before := ask()
				in.Clock.Advance(time.Millisecond)
				now := ask()
				in.Change("UPDATE users SET name = name WHERE id = ?", id) // whatever is committed, all is read anew
				if read := ask(); reflect.DeepEqual(now, before) || !reflect.DeepEqual(now, read) {
					t.Errorf("before   %v\nanswered %v\nread     %v", before, now, read)
				}
			})
		}
	})
}
