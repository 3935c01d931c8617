package protection_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestFigures(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		in.AddPerson("Second Boss", "second@example.test", "administrator")
		overdue := in.AddPerson("Late", "late@example.test", "member")
		soon := in.AddPerson("Soon", "soon@example.test", "member")
		later := in.AddPerson("Later", "later@example.test", "member")
		gone := in.AddPerson("Gone", "gone@example.test", "administrator")
		for user, deadline := range map[string]time.Duration{overdue: -time.Hour, soon: 6 * 24 * time.Hour, later: 30 * 24 * time.Hour} {
			in.Change("UPDATE users SET requirement = 'required', deadline = ? WHERE id = ?", in.Clock.Now().Add(deadline).UnixMilli(), user)
		}
		in.Change("UPDATE users SET disabled_at = 1, requirement = 'required' WHERE id = ?", gone)
		in.Change("UPDATE users SET created_at = ? WHERE id = ?", in.Clock.Now().UnixMilli(), overdue)

		figures := func() map[string]any {
			t.Helper()
			return in.SignedIn("boss@example.test", boss, servertest.Firefox).Do("GET", "/api/v1/protection", nil).Want(http.StatusOK).Body
		}
		first := figures()
		for name, want := range map[string]float64{"people": 5, "protected": 1, "administrators": 2, "overdue": 1, "due_soon": 1} {
			if first[name] != want {
				t.Errorf("%s: %v, want %v", name, first[name], want)
			}
		}
		// Whom only somebody else can help.
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, locked_at) VALUES (?, 0, 1), (?, 0, NULL), (?, 0, 1)", soon, later, gone)
		asks := func(id, ticket, state string, until time.Duration) {
			in.Change("INSERT INTO tickets (id, reference, kind, state, created_at, updated_at) VALUES (?, ?, 'recovery', 'open', 0, 0)", ticket, ticket)
			in.Change("INSERT INTO recoveries (ticket_id, user_id, state, asked_at, expires_at) VALUES (?, ?, ?, 0, ?)", ticket, id, state, in.Clock.Now().Add(until).UnixMilli())
		}
		asks(soon, "01A", "proved", time.Hour)
		asks(later, "01B", "asked", time.Hour)
		asks(overdue, "01C", "proved", -time.Hour)
		if stuck := figures(); stuck["locked"] != 1.0 || stuck["asking"] != 1.0 {
			t.Errorf("locked: %v, asking: %v", stuck["locked"], stuck["asking"])
		}
		in.Change("DELETE FROM second_step_tries")
		in.Change("DELETE FROM tickets")
		named := first["unprotected_administrators"].([]any)
		if len(named) != 1 || named[0].(map[string]any)["name"] != "Second Boss" {
			t.Errorf("unprotected administrators: %v", named)
		}
		if days := first["history"].([]any); len(days) != 1 || days[0].(map[string]any)["protected"] != 1.0 {
			t.Errorf("the first day: %v", days)
		}

		// Two days later somebody turns it on, the day after off again: each day keeps its number.
		in.Clock.Advance(48 * time.Hour)
		second := in.Browser(servertest.Safari)
		second.Password("second@example.test").Want(http.StatusOK)
		in.Enrol(second)
		in.Clock.Advance(24 * time.Hour)
		again := in.Browser(servertest.Safari)
		again.Password("later@example.test").Want(http.StatusOK)
		third := in.Enrol(again)
		in.Clock.Advance(24 * time.Hour)
		in.Change("UPDATE users SET requirement = 'allowed', deadline = NULL WHERE id = ?", later)
		off := in.SignedIn("later@example.test", third, servertest.Safari)
		off.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
		var got []float64
		for _, day := range figures()["history"].([]any) {
			got = append(got, day.(map[string]any)["protected"].(float64))
		}
		want := []float64{1, 1, 2, 3, 2}
		if len(got) != len(want) {
			t.Fatalf("history: %v, want %v", got, want)
		}
		for n := range want {
			if got[n] != want[n] {
				t.Errorf("history: %v, want %v", got, want)
				break
			}
		}

		in.Clock.Advance(200 * 24 * time.Hour)
		if days := figures()["history"].([]any); len(days) != 91 {
			t.Errorf("%d days are told", len(days))
		}
	})
}
