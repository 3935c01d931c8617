package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestManyAtOnceStayThemselves is row 77: many people sign in at once, and no answer, session, event or counter has
// anything of another's.
func TestManyAtOnceStayThemselves(t *testing.T) {
	const people = 200
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ids, refused, accepted := make([]string, people), make([]string, people), make([]string, people)
		email := func(n int) string { return fmt.Sprintf("person%03d@example.test", n) }
		for n := range people {
			ids[n] = in.AddPerson(fmt.Sprintf("Person %03d", n), email(n), "member")
		}
		servertest.Together(people, func(n int) {
			client := in.Browser(servertest.Firefox)
			wrong, err := client.Try("POST", "/api/v1/sign-in", map[string]string{"email": email(n), "password": "not the password"})
			if err != nil || wrong.Status != http.StatusUnauthorized {
				t.Errorf("%v %v", wrong, err)
				return
			}
			refused[n] = wrong.Header.Get("Request-Id")
			answer, err := client.Try("POST", "/api/v1/sign-in", map[string]string{"email": email(n), "password": servertest.Password})
			if err != nil || answer.Status != http.StatusOK {
				t.Errorf("%v %v", answer, err)
				return
			}
			accepted[n] = answer.Header.Get("Request-Id")
			mine, err := client.Try("GET", "/api/v1/session", nil)
			if err != nil || mine.Status != http.StatusOK {
				t.Errorf("%v %v", mine, err)
				return
			}
			if user, _ := mine.Body["user"].(map[string]any); user["id"] != ids[n] || user["email"] != email(n) {
				t.Errorf("person %d is %v", n, user)
			}
		})
		if t.Failed() {
			return
		}
		for n, id := range ids {
			events := in.Column(`SELECT e.kind || ' ' || e.result || ' ' || e.request_id FROM events AS e LEFT JOIN sessions AS s ON s.id = e.session_id
				WHERE e.subject_id = ? AND COALESCE(e.actor_id, e.subject_id) = e.subject_id AND COALESCE(s.user_id, e.subject_id) = e.subject_id`, id)
			slices.Sort(events) // ids of two instances are in no order within a millisecond, and the clock stands still
			want := []string{"sign_in.completed ok " + accepted[n], "sign_in.password ok " + accepted[n], "sign_in.password refused " + refused[n]}
			if !slices.Equal(events, want) {
				t.Errorf("events about person %d: %v, want %v", n, events, want)
			}
		}
		if left := in.Column("SELECT 1 FROM password_tries WHERE failures > 0"); len(left) > 0 {
			t.Errorf("%d counters are left after a right password each", len(left))
		}
		if n := len(in.Column("SELECT DISTINCT user_id FROM sessions")); n != people {
			t.Errorf("sessions of %d people", n)
		}
	})
}

// TestOverload is row 78: more sign-ins than can be computed are refused, and everything else goes on.
func TestOverload(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--hash-workers", "1", "--hash-wait", "1ms")
	j := &journey{t: t, process: p, Client: servertest.Browse(t, servertest.Firefox, p.URL)}
	j.setUp(p.token())
	const crowd = 8
	var in, busy atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		servertest.Together(crowd, func(int) {
			answer, err := servertest.Browse(t, servertest.Safari, p.URL).
				Try("POST", "/api/v1/sign-in", map[string]string{"email": adaEmail, "password": servertest.Password})
			if err != nil {
				t.Error(err)
				return
			}
			wait, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			switch {
			case answer.Status == http.StatusOK:
				in.Add(1)
			case answer.Status == http.StatusServiceUnavailable && answer.Body["code"] == "busy" && wait >= 1 && answer.Body["retry_after_seconds"] == float64(wait):
				busy.Add(1)
			case answer.Status == http.StatusTooManyRequests: // five tries are under way at once: the sixth waits its turn
			default:
				t.Errorf("%d %s", answer.Status, answer.Raw)
			}
		})
	}()
	for going := true; going; {
		j.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		select {
		case <-done:
			going = false
		default:
		}
	}
	if in.Load() == 0 || busy.Load() == 0 {
		t.Errorf("%d signed in, %d were refused as too many", in.Load(), busy.Load())
	}
}

// TestLongSecretsCostNothing is the other half of row 78: what is too long for a password is never hashed.
func TestLongSecretsCostNothing(t *testing.T) {
	in := servertest.OnSQLite(t)
	in.AddPerson("Ada", "ada@example.test", "member")
	client := in.Browser(servertest.Firefox)
	before := in.Runs()
	for length, status := range map[int]int{1025: http.StatusUnauthorized, 4096: http.StatusUnauthorized, 4097: http.StatusUnprocessableEntity, 1 << 20: http.StatusRequestEntityTooLarge} {
		for _, email := range []string{"ada@example.test", "nobody@example.test"} {
			answer := client.Do("POST", "/api/v1/sign-in", map[string]string{"email": email, "password": strings.Repeat("x", length)})
			if answer.Status != status {
				t.Errorf("%d bytes for %s: %d %s", length, email, answer.Status, answer.Raw)
			}
		}
	}
	if runs := in.Runs() - before; runs != 0 {
		t.Errorf("%d computations", runs)
	}
}
