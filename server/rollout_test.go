package server_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestKilledWhileManyAreAsked kills the server while a requirement is set for many: after the next start it goes on by
// itself, each is asked once, and nobody is left (row 80).
func TestKilledWhileManyAreAsked(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	restart := func() *process { return serve(t, data) }
	j := &journey{t: t, restart: restart, process: restart()}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	begun := j.Do("POST", servertest.Enrolments, map[string]string{"name": "iPhone"}).Want(http.StatusCreated)
	app := newWatch(t, begun.Text("secret"))
	j.Confirm(begun.Text("id"), app.code()).Want(http.StatusOK)
	j.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
	j.Prove(app.code()).Want(http.StatusOK)

	const all, aCall = 1000, 50
	for from := 0; from < all; from += aCall {
		people := make([]map[string]any, aCall)
		for n := range people {
			people[n] = map[string]any{"line": from + n + 2, "name": "Somebody", "email": fmt.Sprintf("p%d@example.test", from+n)}
		}
		j.Do("POST", "/api/v1/users/import", map[string]any{"people": people, "confirm": true}).Want(http.StatusOK)
	}
	id := j.Do("POST", "/api/v1/users/requirement", map[string]any{
		"filter": map[string]any{"role": "member"}, "requirement": "required", "seen": all,
	}).Want(http.StatusAccepted).Text("id")
	state := func() (state any, done float64) {
		run := j.Do("GET", "/api/v1/roll-outs/"+id, nil).Want(http.StatusOK)
		done, _ = run.Body["done"].(float64)
		return run.Body["state"], done
	}
	for _, done := state(); done == 0; _, done = state() {
		continue // until some have been asked
	}
	j.crash()
	if came, done := state(); came != "running" || done == all {
		t.Fatalf("%v after %v: nothing was interrupted", came, done)
	}
	look := time.NewTicker(100 * time.Millisecond) // as somebody does who watches the page
	defer look.Stop()
	hopeless := time.After(time.Minute)
	for came, _ := state(); came == "running"; came, _ = state() {
		select {
		case <-look.C:
		case <-hopeless:
			t.Fatal("it does not go on")
		}
	}
	if came, done := state(); came != "done" || done != all {
		t.Errorf("%v after %v", came, done)
	}
	within(t, data, "", func(ctx context.Context, db *database.Database) {
		for query, want := range map[string]int{
			"SELECT count(*) FROM users WHERE requirement = 'required'":                        all,
			"SELECT count(*) FROM events WHERE kind = 'requirement.set'":                       all,
			"SELECT count(DISTINCT subject_id) FROM events WHERE kind = 'requirement.set'":     all,
			"SELECT count(*) FROM events WHERE kind IN ('roll_out.started', 'roll_out.ended')": 2,
		} {
			found := 0
			if err := db.Read().QueryRowContext(ctx, query).Scan(&found); err != nil {
				t.Fatal(err)
			}
			if found != want {
				t.Errorf("%s: %d, want %d", query, found, want)
			}
		}
	})
	j.whole(data)
}
