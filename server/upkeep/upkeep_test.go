package upkeep_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
	"github.com/secondstep/secondstep/server/upkeep"
)

// counted is a job that counts its runs, where they count: in the database, with the transaction.
func counted(in *servertest.Installation, run func() error) upkeep.Job {
	in.Change("INSERT INTO password_tries (key, failures, last_at) VALUES (?, 0, 0)", []byte("runs"))
	return upkeep.Job{Name: "count", Every: time.Hour, Run: func(ctx context.Context, tx database.Tx) error {
		if _, err := tx.NewRaw("UPDATE password_tries SET failures = failures + 1 WHERE last_at = 0").Exec(ctx); err != nil {
			return err
		}
		return run()
	}}
}

func runs(in *servertest.Installation) string {
	return in.Column("SELECT failures FROM password_tries WHERE last_at = 0")[0]
}

func fine() error { return nil }

// TestOnceForAllInstances lets many look for the same job at once: it runs once an hour.
func TestOnceForAllInstances(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		job := counted(in, fine)
		var mine atomic.Int32
		for hour, want := range []string{"1", "2", "3"} {
			mine.Store(0)
			servertest.Together(12, func(n int) {
				jobs := upkeep.New(in.On(n).Database, slog.New(slog.DiscardHandler), job)
				done, err := jobs.Once(context.Background())
				if err != nil {
					t.Error(err)
				}
				mine.Add(int32(len(done)))
			})
			if mine.Load() != 1 || runs(in) != want {
				t.Fatalf("hour %d: it was %d instances' turn, and ran %s times in all, want %s", hour, mine.Load(), runs(in), want)
			}
			in.Clock.Advance(time.Hour)
		}
	})
}

// TestFailedJobIsDueAgain rolls the claim back with the work.
func TestFailedJobIsDueAgain(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		broken := errors.New("broken")
		result := broken
		jobs := upkeep.New(in.First().Database, slog.New(slog.DiscardHandler), counted(in, func() error { return result }))
		if done, err := jobs.Once(t.Context()); !errors.Is(err, broken) || len(done) != 0 || runs(in) != "0" {
			t.Fatalf("%v %v, %s runs", done, err, runs(in))
		}
		result = nil
		if done, err := jobs.Once(t.Context()); err != nil || len(done) != 1 || runs(in) != "1" {
			t.Fatalf("%v %v, %s runs", done, err, runs(in))
		}
	})
}

// TestOneJobFailsAlone lets the jobs after it run, and tells where it panicked.
func TestOneJobFailsAlone(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		var log servertest.Log
		broken := upkeep.Job{Name: "broken", Every: time.Hour, Run: func(context.Context, database.Tx) error { panic("out of cheese") }}
		ctx, cancel := context.WithCancel(t.Context())
		last := upkeep.Job{Name: "last", Every: time.Hour, Run: func(context.Context, database.Tx) error { return nil }}
		jobs := upkeep.New(in.First().Database, slog.New(slog.NewJSONHandler(&log, nil)), broken, counted(in, fine), last)
		if done, err := jobs.Once(ctx); err == nil || len(done) != 2 || done[0] != "count" || runs(in) != "1" {
			t.Fatalf("%v %v, %s runs", done, err, runs(in))
		}
		heard := make(chan struct{})
		again := upkeep.New(in.First().Database, slog.New(slog.NewJSONHandler(&log, nil)), broken,
			upkeep.Job{Name: "heard", Every: time.Hour, Run: func(context.Context, database.Tx) error { close(heard); return nil }})
		ended := make(chan struct{})
		go func() { defer close(ended); again.Keep(ctx) }()
		<-heard
		for !strings.Contains(log.String(), "upkeep failed") {
			runtime.Gosched()
		}
		cancel()
		<-ended
		if !strings.Contains(log.String(), "out of cheese") || !strings.Contains(log.String(), "TestOneJobFailsAlone") {
			t.Errorf("logged: %s", log.String())
		}
	})
}

// TestPruneGoesOnPastABadRow deletes what is over, though the secret of one enrolment does not open.
func TestPruneGoesOnPastABadRow(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for _, email := range []string{"ada@example.test", "ben@example.test"} {
			in.AddPerson("Ada", email, "member")
			browser := in.Browser(servertest.Firefox)
			browser.Password(email).Want(http.StatusOK)
			browser.Do("POST", servertest.Enrolments, nil).Want(http.StatusCreated)
		}
		bad := in.Column("SELECT id FROM totp_enrolments ORDER BY id")[0]
		in.Change("UPDATE totp_enrolments SET secret = (SELECT token_hash FROM sessions ORDER BY id LIMIT 1) WHERE id = ?", bad)
		in.Clock.Advance(time.Hour)
		if done, err := in.First().Upkeep.Once(t.Context()); err != nil || len(done) < 4 {
			t.Fatalf("%v %v", done, err)
		}
		if left := in.Column("SELECT id FROM totp_enrolments"); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		if kept := in.Column("SELECT id FROM totp_retired"); len(kept) != 1 || kept[0] == bad {
			t.Errorf("kept to recognise: %v", kept)
		}
		if !strings.Contains(in.First().Log.String(), "was deleted unread") {
			t.Error("it is not in the log")
		}
	})
}

// TestRestartNeitherForgetsNorRepeats keeps what is due in the database.
func TestRestartNeitherForgetsNorRepeats(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		job := counted(in, fine)
		once := func() int {
			done, err := upkeep.New(in.First().Database, slog.New(slog.DiscardHandler), job).Once(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(done)
		}
		restart := func() {
			in.First().Stop()
			in.Another()
			in.Instances = in.Instances[1:]
		}
		if once() != 1 {
			t.Fatal("it is due at first")
		}
		restart()
		if once() != 0 {
			t.Fatal("it was repeated after a restart")
		}
		in.Clock.Advance(time.Hour - time.Millisecond)
		restart()
		if once() != 0 {
			t.Fatal("it was early")
		}
		in.Clock.Advance(time.Millisecond)
		restart()
		if once() != 1 {
			t.Fatal("it was forgotten")
		}
	})
}

// TestKeepEnds with its context, and has looked at once.
func TestKeepEnds(t *testing.T) {
	in := servertest.OnSQLite(t)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	jobs := upkeep.New(in.First().Database, slog.New(slog.DiscardHandler), counted(in, func() error { close(ran); return nil }))
	ended := make(chan struct{})
	go func() { defer close(ended); jobs.Keep(ctx) }()
	<-ran
	cancel()
	<-ended
}

// TestPrune is the product's own job (security.md row 79): what is over is deleted, what is not is left.
func TestPrune(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.First().SetupToken()
		ada := in.Protected("ada@example.test", "administrator")
		in.AddPerson("Ben", "ben@example.test", "member")
		prune := func() {
			t.Helper()
			if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		rows := func(table string) int { return len(in.Column("SELECT 1 FROM " + table)) }

		client := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		in.Browser(servertest.Firefox).Password("ada@example.test").Want(http.StatusOK) // stays pending
		ben := in.Browser(servertest.Firefox)
		ben.Password("ben@example.test").Want(http.StatusOK)
		ben.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
		ben.Do("POST", "/api/v1/sign-in", map[string]string{"email": "nobody@example.test", "password": "not the password"}).Want(http.StatusUnauthorized)
		tables := []string{"sessions", "pending_sign_ins", "totp_enrolments", "password_tries"}
		prune()
		for _, table := range tables {
			if rows(table) == 0 {
				t.Errorf("%s was pruned before its time", table)
			}
		}
		client.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		events, codes := rows("events"), rows("backup_codes")
		in.Clock.Advance(100 * 24 * time.Hour)
		prune()
		if n := rows("totp_retired"); n != 1 {
			t.Errorf("%d rows are in totp_retired: an enrolment that ran out explains codes for a while", n)
		}
		in.Clock.Advance(91 * 24 * time.Hour)
		prune()
		for _, table := range append(tables, "totp_spent_steps", "totp_retired", "setup_links") {
			if n := rows(table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		if rows("totp_apps") != 1 || rows("backup_codes") != codes || rows("users") != 2 || rows("events") != events {
			t.Error("it deleted what is in force")
		}
		again := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		again.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
	})
}
