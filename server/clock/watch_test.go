package clock_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/clock"
	"github.com/secondstep/secondstep/server/servertest"
)

const warningsPath = "/api/v1/protection/warnings"

// watched is an installation whose administrator looks at its warnings.
type watched struct {
	*servertest.Installation
	t    *testing.T
	boss *servertest.Client
	mia  *servertest.Enrolled
}

func watch(t *testing.T, in *servertest.Installation) *watched {
	t.Helper()
	mia := in.Protected("mia@example.test", "member")
	return &watched{in, t, in.SignedIn("boss@example.test", in.Protected("boss@example.test", "administrator"), servertest.Firefox), mia}
}

// signIn has somebody sign in well on an instance, with a browser whose clock is ahead of the installation's by so much.
func (w *watched) signIn(instance *servertest.Instance, ahead time.Duration) {
	w.t.Helper()
	browser := w.Browser(servertest.Safari).On(instance)
	browser.Password("mia@example.test").Want(http.StatusOK)
	browser.Do("POST", "/api/v1/sign-in/totp", map[string]any{
		"code": w.mia.Code(), "browser_now": w.Clock.Now().Add(ahead).UTC(),
	}).Want(http.StatusOK)
	w.Clock.NextStep()
}

func (w *watched) look() {
	w.t.Helper()
	for _, instance := range w.Instances {
		if err := instance.Clock.Look(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// warned reads the warning, whichever instance is asked.
func (w *watched) warned() string {
	w.t.Helper()
	var found []string
	for _, instance := range w.Instances {
		said := ""
		for _, one := range w.boss.On(instance).Do("GET", warningsPath, nil).Want(http.StatusOK).Body["warnings"].([]any) {
			if warning := one.(map[string]any); warning["kind"] == "server_clock" {
				said = fmt.Sprint(warning["count"], " ", warning["offset_seconds"], " ", warning["host"])
			}
		}
		found = append(found, said)
	}
	for _, said := range found {
		if said != found[0] {
			w.t.Errorf("the instances say different things: %q", found)
		}
	}
	return found[0]
}

func (w *watched) ready(instance *servertest.Instance) string {
	w.t.Helper()
	body := w.Browser(servertest.Firefox).On(instance).Do("GET", "/readyz", nil).Want(http.StatusOK).Body
	if body["warning"] == nil && body["clock_offset_seconds"] == nil {
		return ""
	}
	return fmt.Sprint(body["warning"], " ", body["clock_offset_seconds"])
}

// TestTheServersClockIsWatched lets five browsers agree that it is behind, and then that it was set.
func TestTheServersClockIsWatched(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := watch(t, in)
		first := in.First()
		for range 4 {
			w.signIn(first, 42*time.Second)
		}
		w.look()
		if got := w.warned() + w.ready(first); got != "" {
			t.Errorf("four say nothing together: %s", got)
		}
		w.signIn(first, 42*time.Second)
		if got := w.warned() + w.ready(first); got != "" {
			t.Errorf("nothing is worked out while somebody signs in: %s", got)
		}
		w.look()
		if got := w.warned(); got != "1 -42 web-1" {
			t.Errorf("the warning says %q", got)
		}
		if got := w.ready(first); got != "The server's clock looks 42 seconds behind. -42" {
			t.Errorf("readyz says %q", got)
		}
		w.look()
		if got := strings.Count(first.Log.String(), "the server's clock looks wrong"); got != 1 {
			t.Errorf("%d lines in the log, want 1", got)
		}

		// One browser of many that is far off is no witness: the middle one is.
		for range 6 {
			w.signIn(first, 300*time.Millisecond)
		}
		w.signIn(first, -5*time.Hour)
		w.look()
		if got := w.warned() + w.ready(first); got != "" {
			t.Errorf("six of twelve browsers agree with us: %s", got)
		}
		if got := strings.Count(first.Log.String(), "the server's clock looks right again"); got != 1 {
			t.Errorf("%d lines in the log that it is well, want 1", got)
		}
		if left := in.Column("SELECT samples FROM clocks"); len(left) != 1 || left[0] != "12" {
			t.Errorf("kept: %v", left)
		}

		// After an hour nothing is known any more, and nothing is kept.
		in.Clock.Advance(time.Hour)
		w.look()
		if left := in.Column("SELECT samples FROM clocks"); len(left) != 0 {
			t.Errorf("kept after an hour: %v", left)
		}
	})
}

// TestAClockThatRefusesEverybody: where it is wrong by minutes nobody signs in well, and phones and browsers agree on
// another time (guidance.md, the third witness).
func TestAClockThatRefusesEverybody(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := watch(t, in)
		w.mia.Behind = 6 * time.Minute
		for range 5 {
			browser := in.Browser(servertest.Safari)
			browser.Password("mia@example.test").Want(http.StatusOK)
			browser.Do("POST", "/api/v1/sign-in/totp", map[string]any{
				"code": w.mia.Code(), "browser_now": in.Clock.Now().Add(-6 * time.Minute).UTC(),
			}).Diagnosed("clock_behind")
			in.Clock.NextStep()
		}
		w.look()
		if got := w.warned(); got != "1 360 web-1" {
			t.Errorf("the warning says %q", got)
		}
		if got := w.ready(in.First()); got != "The server's clock looks 360 seconds ahead. 360" {
			t.Errorf("readyz says %q", got)
		}
	})
}

// TestEachInstanceWatchesItsOwnClock: of two, one is on a machine that is ahead. Both tell administrators of it,
// and readyz of that one alone.
func TestEachInstanceWatchesItsOwnClock(t *testing.T) {
	in := servertest.OnPostgres(t)
	w := watch(t, in)
	astray := in.Adrift(35 * time.Second)
	for range 5 {
		w.signIn(in.First(), 0)
	}
	for range 5 {
		w.signIn(astray, 0)
	}
	w.look()
	if got := w.warned(); got != "1 35 web-2" {
		t.Errorf("the warning says %q", got)
	}
	if got := w.ready(in.First()); got != "" {
		t.Errorf("readyz of the one that is right says %q", got)
	}
	if got := w.ready(astray); got != "The server's clock looks 35 seconds ahead. 35" {
		t.Errorf("readyz of the one that is wrong says %q", got)
	}
	// One that crashed says nothing for long, and is not believed for long either.
	w.Instances = w.Instances[:1]
	in.Clock.Advance(11 * time.Minute)
	if got := w.warned(); got != "" {
		t.Errorf("an instance that is gone still warns: %q", got)
	}
}

// TestACrowdIsNotTheHour: of one minute ten browsers count, however many there are, and a sign-in pays for no memory.
func TestACrowdIsNotTheHour(t *testing.T) {
	in := servertest.OnSQLite(t)
	watch, now := in.First().Clock, in.Clock.Now()
	for range 1000 {
		watch.Heard(now.Add(time.Hour), now)
	}
	for n := range 12 {
		at := now.Add(time.Duration(n+1) * time.Minute)
		watch.Heard(at.Add(-40*time.Second), at)
	}
	watch.Heard(time.Time{}, now) // a browser that said nothing
	in.Clock.Advance(15 * time.Minute)
	if err := watch.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := watch.Off(); got != 40*time.Second {
		t.Errorf("off by %v", got)
	}
	if allocated := testing.AllocsPerRun(100, func() { watch.Heard(now, now) }); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// TestAClockThatWasSetIsAnotherOne: what was heard before says nothing of it.
func TestAClockThatWasSetIsAnotherOne(t *testing.T) {
	in := servertest.OnSQLite(t)
	watch := in.First().Clock
	look := func() {
		t.Helper()
		if err := watch.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(behind time.Duration) {
		for range 5 {
			watch.Heard(in.Clock.Now().Add(behind), in.Clock.Now())
		}
	}
	hear(time.Minute)
	look()
	if got := watch.Off(); got != -time.Minute {
		t.Fatalf("off by %v", got)
	}
	clock.Passes(watch, time.Minute)
	in.Clock.Advance(2 * time.Minute) // a minute passed, and the clock was set forward by another
	look()
	if got := watch.Off(); got != 0 {
		t.Errorf("off by %v after it was set", got)
	}
	if left := in.Column("SELECT samples FROM clocks"); len(left) != 0 {
		t.Errorf("kept: %v", left)
	}
	hear(0)
	in.Clock.Advance(time.Minute)
	look()
	if got := strings.Count(in.First().Log.String(), "looks right again"); got != 1 {
		t.Errorf("%d lines in the log that it is well, want 1", got)
	}
}

func BenchmarkHeard(b *testing.B) {
	watch := clock.New(nil, "", time.Now, nil)
	now := time.Now()
	for b.Loop() {
		watch.Heard(now, now)
	}
}
