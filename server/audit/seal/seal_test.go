package seal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/audit/seal"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/servertest"
)

// record adds events, as any act does.
func record(t *testing.T, instance *servertest.Instance, events ...audit.Event) {
	t.Helper()
	err := instance.Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		return audit.Record(ctx, tx, events...)
	})
	if err != nil {
		t.Error(err)
	}
}

func named(kind string) audit.Event {
	return audit.Event{Kind: kind, Result: audit.OK, Subject: "P", Address: "192.0.2.1", Data: map[string]any{"n": 1}}
}

func several(n int) []audit.Event {
	events := make([]audit.Event, n)
	for i := range events {
		events[i] = named(fmt.Sprintf("kind.%d", i))
	}
	return events
}

func all(t *testing.T, seals *seal.Seals) int {
	t.Helper()
	n, err := seals.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func verify(t *testing.T, seals *seal.Seals, checkpoint *seal.Checkpoint) *seal.Report {
	t.Helper()
	report, err := seals.Verify(t.Context(), checkpoint, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// sound wants a log of so many events, with nothing wrong.
func sound(t *testing.T, seals *seal.Seals, events int) *seal.Report {
	t.Helper()
	report := verify(t, seals, nil)
	if len(report.Findings) > 0 || report.Events != int64(events) || report.Waiting != 0 {
		t.Errorf("%+v, want %d events", report, events)
	}
	return report
}

func ids(in *servertest.Installation) []string { return in.Column("SELECT id FROM events ORDER BY id") }

// TestSealsAllColumns holds the leaf to the table: a column that it left out could be changed unseen.
func TestSealsAllColumns(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		rows, err := in.First().Database.Read().QueryContext(t.Context(), "SELECT * FROM events")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil || rows.Err() != nil || strings.Join(columns, ", ") != seal.Columns {
			t.Errorf("the table has %v, a leaf %s, %v", columns, seal.Columns, err)
		}
	})
}

// TestSealed is row 72: what people do is sealed, in batches, whatever order the events come in.
func TestSealed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		if n := all(t, seals); n != 0 {
			t.Fatalf("%d", n)
		}
		sound(t, seals, 0)
		ada := in.Protected("ada@example.test", "administrator")
		in.SignedIn("ada@example.test", ada, servertest.Firefox)
		begun := len(ids(in))
		if n := all(t, seals); n != begun || begun < 8 {
			t.Errorf("%d were sealed of %d", n, begun)
		}
		sound(t, seals, begun)
		record(t, in.First(), several(2*seal.Batch+3)...)
		if n := all(t, seals); n != 2*seal.Batch+3 {
			t.Errorf("%d were sealed", n)
		}
		if n := all(t, seals); n != 0 {
			t.Errorf("%d were sealed twice", n)
		}
		first := sound(t, seals, begun+2*seal.Batch+3)
		in.First().Stop()
		in.Another()
		in.Instances = in.Instances[1:]
		seals = in.First().Seals
		record(t, in.First(), several(1)...)
		if n := all(t, seals); n != 1 {
			t.Errorf("%d were sealed after a start", n)
		}
		if second := sound(t, seals, begun+2*seal.Batch+4); second.Root == first.Root {
			t.Error("the root is the same")
		}
	})
}

// TestLateEvents are those of a transaction that took long, and of a clock that was set back.
func TestLateEvents(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		record(t, in.First(), several(3)...)
		all(t, seals)
		in.Clock.Advance(-3 * time.Second)
		record(t, in.First(), named("a.little"))
		in.Clock.Advance(3 * time.Second)
		if n := all(t, seals); n != 1 {
			t.Errorf("%d: a little late", n)
		}
		in.Clock.Advance(-time.Minute)
		record(t, in.First(), named("very"))
		in.Clock.Advance(time.Minute + 31*time.Second)
		if n := all(t, seals); n != 1 {
			t.Errorf("%d: very late", n)
		}
		in.Clock.Advance(-time.Hour)
		record(t, in.First(), named("set.back"))
		if n := all(t, seals); n != 1 {
			t.Errorf("%d: the clock was set back", n)
		}
		in.First().Stop()
		in.Another()
		in.Instances = in.Instances[1:]
		record(t, in.First(), named("after.a.start"))
		in.Clock.Advance(2 * time.Hour)
		if n := all(t, in.First().Seals); n != 1 {
			t.Errorf("%d: the clock was set right", n)
		}
		sound(t, in.First().Seals, 7)
	})
}

// TestSeveralSealAtOnce has instances seal what they write at the same time: each event once, each position once.
func TestSeveralSealAtOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		in.Beside()
		other := func(n int) *seal.Seals { // on SQLite, of a command beside the server
			ring, err := keyring.OpenExisting(filepath.Join(in.Folder, "keyring.json"), "")
			if err != nil {
				t.Error(err)
			}
			return seal.New(in.On(n).Database, ring, in.Clock.Now, slog.New(slog.DiscardHandler))
		}
		servertest.Together(8, func(n int) {
			seals := other(n)
			for range 10 {
				record(t, in.On(n), several(5)...)
				if _, err := seals.All(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		all(t, in.First().Seals)
		sound(t, in.First().Seals, 400)
		if last := in.Column("SELECT max(position) FROM seal_leaves")[0]; last != "399" {
			t.Errorf("the last position is %s", last)
		}
	})
}

// TestStoppedInTheMiddle has the sealing fail between its statements, and its caller give up: all of a batch or nothing.
func TestStoppedInTheMiddle(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		record(t, in.First(), several(5)...)
		all(t, seals)
		record(t, in.First(), several(7)...)
		for _, table := range []string{"seal_hashes", "seal_heads"} {
			in.Change("ALTER TABLE " + table + " RENAME TO elsewhere")
			if _, err := seals.All(t.Context()); err == nil {
				t.Fatalf("sealed without %s", table)
			}
			in.Change("ALTER TABLE elsewhere RENAME TO " + table)
			if n := len(in.Column("SELECT event_id FROM seal_leaves")); n != 5 {
				t.Fatalf("%d are sealed halfway", n)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := seals.All(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if n := all(t, seals); n != 7 {
			t.Errorf("%d were sealed", n)
		}
		sound(t, seals, 12)
	})
}

// TestKeep seals within a second, and what is left at a stop.
func TestKeep(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); in.First().Seals.Keep(ctx) }()
		for n := range 3 {
			record(t, in.First(), several(1)...)
			until(t, "sealed", func() bool { return len(in.Column("SELECT event_id FROM seal_leaves")) > n })
		}
		record(t, in.First(), several(3)...)
		cancel()
		<-ended
		sound(t, in.First().Seals, 6)
	})
}

// until looks now and then whether what goes on by itself has come so far.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	hopeless := time.After(time.Minute)
	for !so() {
		select {
		case <-look.C:
		case <-hopeless:
			t.Fatalf("it is not %s", what)
		}
	}
}

// TestKeepTells of a log that was altered, once, and goes on when it is mended.
func TestKeepTells(t *testing.T) {
	in := servertest.OnSQLite(t)
	record(t, in.First(), several(1)...)
	all(t, in.First().Seals)
	in.Change("UPDATE seal_heads SET size = 9")
	record(t, in.First(), several(1)...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); in.First().Seals.Keep(ctx) }()
	until(t, "told", func() bool { return strings.Contains(in.First().Log.String(), "run secondstep audit verify") })
	in.Change("UPDATE seal_heads SET size = 1")
	until(t, "sealed", func() bool { return len(in.Column("SELECT event_id FROM seal_leaves")) == 2 })
	cancel()
	<-ended
	if log := in.First().Log.String(); strings.Count(log, `"level":"ERROR"`) != 1 {
		t.Errorf("%s", log)
	}
}

// TestRotatedKey has a tree signed with the new key before the old one goes.
func TestRotatedKey(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		first := in.First()
		record(t, first, several(3)...)
		all(t, first.Seals)
		saved, err := first.Seals.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before, err := first.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.RotateKey(t.Context(), func(int, int) {}); err != nil {
			t.Fatal(err)
		}
		if report := verify(t, first.Seals, nil); len(report.Findings) > 0 || report.Events != 3 || report.Waiting != 1 {
			t.Errorf("%+v", report)
		}
		if _, err := first.RetireKey(t.Context(), before[0].ID); err != nil {
			t.Fatal(err)
		}
		all(t, first.Seals)
		sound(t, first.Seals, 5)
		if _, err := first.Seals.ReadCheckpoint([]byte(saved.Checkpoint)); err == nil || !strings.Contains(err.Error(), "older than a key that was retired") {
			t.Errorf("%v", err)
		}
	})
}

// TestCheckpointOverHTTP is for administrators, and made of nothing but a log that is whole.
func TestCheckpointOverHTTP(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected("ada@example.test", "administrator")
		boss := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		in.AddPerson("Ben", "ben@example.test", "member")
		all(t, in.First().Seals)
		answer := boss.Do("GET", "/api/v1/audit/checkpoint", nil).Want(http.StatusOK)
		read, err := in.First().Seals.ReadCheckpoint([]byte(answer.Text("checkpoint")))
		if err != nil || fmt.Sprint(read.Size) != fmt.Sprint(answer.Body["events"]) || read.Root.String() != answer.Text("root") || int(read.Size) != len(ids(in)) {
			t.Fatalf("%+v %v of %s", read, err, answer.Raw)
		}
		member := in.Browser(servertest.Firefox)
		member.Password("ben@example.test").Want(http.StatusOK)
		member.Do("GET", "/api/v1/audit/checkpoint", nil).Refused(http.StatusForbidden, "not_permitted")
		in.Change("DELETE FROM seal_heads")
		boss.Do("GET", "/api/v1/audit/checkpoint", nil).Refused(http.StatusConflict, "audit_log_altered")
	})
}
