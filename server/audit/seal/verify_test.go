package seal_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/audit/seal"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/servertest"
)

// leafHash is what somebody works out who changes the hash of an event with it.
func leafHash(t *testing.T, in *servertest.Installation, id string) []byte {
	t.Helper()
	values, into := make([]any, 14), make([]any, 14)
	for i := range values {
		into[i] = &values[i]
	}
	rows, err := in.First().Database.Read().QueryContext(t.Context(), "SELECT "+seal.Columns+" FROM events WHERE id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() || rows.Scan(into...) != nil || rows.Err() != nil {
		t.Fatal("no event")
	}
	return seal.LeafHash(values)
}

// TestAltered is row 72 by whoever can write the database: each alteration is found and named, and the log is sound again
// when it is taken back.
func TestAltered(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		for range 5 {
			record(t, in.First(), several(3)...)
			in.Clock.Advance(time.Minute)
			all(t, seals)
		}
		const events = 15
		id := ids(in)
		sound(t, seals, events)
		keep := func(table, where string, args ...any) func() {
			in.Change("CREATE TABLE kept AS SELECT * FROM "+table+" WHERE "+where, args...)
			return func() {
				in.Change("DELETE FROM "+table+" WHERE "+where, args...)
				in.Change("INSERT INTO " + table + " SELECT * FROM kept")
				in.Change("DROP TABLE kept")
			}
		}
		swap := func(a, b int) {
			in.Change("UPDATE seal_leaves SET event_id = 'x' WHERE position = ?", a)
			in.Change("UPDATE seal_leaves SET event_id = ? WHERE position = ?", id[a], b)
			in.Change("UPDATE seal_leaves SET event_id = ? WHERE position = ?", id[b], a)
		}
		for _, one := range []struct {
			name string
			act  func() (undo func())
			want []string // each finding begins so
		}{
			{"nothing", func() func() { return func() {} }, nil},
			{"a value", func() func() {
				undo := keep("events", "id = ?", id[4])
				in.Change("UPDATE events SET kind = 'sign_in.completed' WHERE id = ?", id[4])
				return undo
			}, []string{"event " + id[4] + " (number 5) was changed"}},
			{"NULL to nothing", func() func() {
				undo := keep("events", "id = ?", id[0])
				in.Change("UPDATE events SET reason = '' WHERE id = ?", id[0])
				return undo
			}, []string{"event " + id[0] + " (number 1) was changed"}},
			{"a text to the same as bytes", func() func() {
				undo := keep("events", "id = ?", id[4])
				if in.Postgres { // has no such thing; another value stands for it
					in.Change("UPDATE events SET kind = 'sign_in.completed' WHERE id = ?", id[4])
				} else {
					in.Change("UPDATE events SET kind = CAST(kind AS BLOB) WHERE id = ?", id[4])
				}
				return undo
			}, []string{"event " + id[4] + " (number 5) was changed"}},
			{"the time, of three", func() func() {
				undo := keep("events", "id >= ?", id[12])
				in.Change("UPDATE events SET at = at + 1 WHERE id >= ?", id[12])
				return undo
			}, []string{"event " + id[12] + " (number 13) was changed", "event " + id[13] + " (number 14) was changed", "event " + id[14] + " (number 15) was changed"}},
			{"removed", func() func() {
				undo := keep("events", "id = ?", id[9])
				in.Change("DELETE FROM events WHERE id = ?", id[9])
				return undo
			}, []string{"event " + id[9] + " (number 10) was removed"}},
			{"the newest removed", func() func() {
				undo := keep("events", "id = ?", id[14])
				in.Change("DELETE FROM events WHERE id = ?", id[14])
				return undo
			}, []string{"event " + id[14] + " (number 15) was removed"}},
			{"the id", func() func() {
				undo := keep("events", "id = ?", id[3])
				in.Change("UPDATE events SET id = '01JAAAAAAAAAAAAAAAAAAAAAAA' WHERE id = ?", id[3])
				return func() {
					in.Change("DELETE FROM events WHERE id = '01JAAAAAAAAAAAAAAAAAAAAAAA'")
					undo()
				}
			}, []string{"event " + id[3] + " (number 4) was removed", "event 01JAAAAAAAAAAAAAAAAAAAAAAA is not sealed"}},
			{"added", func() func() {
				in.Change("INSERT INTO events (id, at, schema, kind, result) VALUES ('no ulid', 1, 1, 'x', 'ok')")
				return func() { in.Change("DELETE FROM events WHERE id = 'no ulid'") }
			}, []string{"event no ulid is not sealed"}},
			{"two swapped in what they say", func() func() {
				undo := keep("events", "id = ? OR id = ?", id[5], id[6])
				in.Change("UPDATE events SET id = 'x' WHERE id = ?", id[5])
				in.Change("UPDATE events SET id = ? WHERE id = ?", id[5], id[6])
				in.Change("UPDATE events SET id = ? WHERE id = 'x'", id[6])
				return undo
			}, []string{"event " + id[5] + " (number 6) was changed", "event " + id[6] + " (number 7) was changed"}},
			{"two swapped in their order", func() func() {
				swap(2, 8)
				return func() {
					in.Change("UPDATE seal_leaves SET event_id = 'x' WHERE position = 2")
					in.Change("UPDATE seal_leaves SET event_id = ? WHERE position = 8", id[8])
					in.Change("UPDATE seal_leaves SET event_id = ? WHERE position = 2", id[2])
				}
			}, []string{"event " + id[8] + " was number 9 and is number 3: the order was changed", "event " + id[2] + " was number 3 and is number 9"}},
			{"a value with its hash", func() func() {
				undo := keep("events", "id = ?", id[4])
				in.Change("UPDATE events SET kind = 'other' WHERE id = ?", id[4])
				in.Change("CREATE TABLE kept_hash AS SELECT * FROM seal_hashes WHERE position = 7") // the fifth's
				in.Change("UPDATE seal_hashes SET hash = ? WHERE position = 7", leafHash(t, in, id[4]))
				return func() {
					undo()
					in.Change("UPDATE seal_hashes SET hash = (SELECT hash FROM kept_hash) WHERE position = 7")
					in.Change("DROP TABLE kept_hash")
				}
			}, []string{fmt.Sprintf("of the events number 5 to 6, %s to %s, one was changed together with its hash", id[4], id[5])}},
			{"a seal removed", func() func() {
				undo := keep("seal_leaves", "position = 6")
				in.Change("DELETE FROM seal_leaves WHERE position = 6")
				return undo
			}, []string{"the seal of event number 7 was removed", "event " + id[6] + " is not sealed"}},
			{"a hash removed", func() func() {
				undo := keep("seal_hashes", "position = 0")
				in.Change("DELETE FROM seal_hashes WHERE position = 0")
				return undo
			}, []string{"the hash of event number 1 was removed"}},
			{"the last signature removed", func() func() {
				undo := keep("seal_heads", "size = 15")
				in.Change("DELETE FROM seal_heads WHERE size = 15")
				return undo
			}, []string{"the events number 13 to 15 are sealed and not signed"}},
			{"the newest removed with their seals, not with the signature", func() func() {
				undoings := []func(){keep("events", "id = ?", id[14])}
				in.Change("ALTER TABLE kept RENAME TO kept_events")
				in.Change("CREATE TABLE kept_leaf AS SELECT * FROM seal_leaves WHERE position = 14")
				in.Change("DELETE FROM events WHERE id = ?", id[14])
				in.Change("DELETE FROM seal_leaves WHERE position = 14")
				return func() {
					in.Change("ALTER TABLE kept_events RENAME TO kept")
					undoings[0]()
					in.Change("INSERT INTO seal_leaves SELECT * FROM kept_leaf")
					in.Change("DROP TABLE kept_leaf")
				}
			}, []string{"15 events are signed and 14 are sealed: the newest were removed"}},
		} {
			undo := one.act()
			report := verify(t, seals, nil)
			fits := len(report.Findings) == len(one.want)
			for n := range one.want {
				fits = fits && strings.HasPrefix(report.Findings[n], one.want[n])
			}
			if !fits {
				t.Errorf("%s: %q, want %q", one.name, report.Findings, one.want)
			}
			undo()
			sound(t, seals, events)
			if t.Failed() {
				return
			}
		}
	})
}

// TestAllRewritten has somebody without the key ring make the whole log anew: it is signed with nothing that counts, and
// nothing is sealed on top of it.
func TestAllRewritten(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		for range 3 {
			record(t, in.First(), several(3)...)
			all(t, seals)
		}
		checkpoint, err := seals.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ours := in.Column("SELECT key_id FROM seal_heads")[0]
		in.Change("CREATE TABLE signed AS SELECT * FROM seal_heads")
		id := ids(in)
		in.Change("UPDATE events SET kind = 'other' WHERE id = ?", id[4])

		ring, err := keyring.Open(filepath.Join(t.TempDir(), "keyring.json"), "")
		if err != nil {
			t.Fatal(err)
		}
		in.Change("INSERT INTO data_keys (key_id, first_used_at) VALUES (?, 1)", ring.PrimaryID())
		for _, table := range []string{"seal_leaves", "seal_hashes", "seal_heads"} {
			in.Change("DELETE FROM " + table)
		}
		if n := all(t, seal.New(in.First().Database, ring, in.Clock.Now, slog.New(slog.DiscardHandler))); n != 9 {
			t.Fatal(n)
		}
		finding := func(want string) {
			t.Helper()
			if report := verify(t, seals, nil); len(report.Findings) != 1 || !strings.HasPrefix(report.Findings[0], want) {
				t.Errorf("%q, want %q", report.Findings, want)
			}
			record(t, in.First(), several(1)...)
			if n, err := seals.All(t.Context()); err == nil || n != 0 {
				t.Errorf("%d were sealed on top of it", n)
			}
			in.Change("DELETE FROM events WHERE id > ?", id[8])
		}
		finding("the audit log is signed with key")
		in.Change("UPDATE seal_heads SET key_id = ?", ours)
		finding("of the events number 1 to 9, one was changed together with all hashes over it")
		in.Change("DELETE FROM seal_heads")
		in.Change("INSERT INTO seal_heads SELECT * FROM signed")
		finding("of the events number 4 to 6, one was changed together with all hashes over it")

		read, err := seals.ReadCheckpoint([]byte(checkpoint.Checkpoint))
		if err != nil {
			t.Fatal(err)
		}
		if report := verify(t, seals, read); len(report.Findings) != 2 || !strings.HasPrefix(report.Findings[0], "the checkpoint is no beginning of this log") {
			t.Errorf("%q", report.Findings)
		}
	})
}

// TestCheckpoint proves that what was is still there, and tells a forged one.
func TestCheckpoint(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		seals := in.First().Seals
		var saved []*seal.SavedCheckpoint
		save := func() {
			one, err := seals.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			saved = append(saved, one)
		}
		save()
		for range 6 {
			record(t, in.First(), several(5)...)
			all(t, seals)
			save()
		}
		for n, one := range saved {
			for _, text := range []string{one.Checkpoint, strings.ReplaceAll(one.Checkpoint, "\n", "\r\n")} {
				read, err := seals.ReadCheckpoint([]byte(text))
				if err != nil || read.Size != int64(5*n) {
					t.Fatalf("%+v %v", read, err)
				}
				if report := verify(t, seals, read); len(report.Findings) > 0 {
					t.Errorf("%d: %q", n, report.Findings)
				}
			}
		}
		t.Run("forged", func(t *testing.T) {
			good := saved[2].Checkpoint
			ring, err := keyring.Open(filepath.Join(t.TempDir(), "keyring.json"), "")
			if err != nil {
				t.Fatal(err)
			}
			elsewhere := servertest.OnSQLite(t)
			record(t, elsewhere.First(), several(10)...)
			all(t, elsewhere.First().Seals)
			foreign, err := elsewhere.First().Seals.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{
				"", "x", good[:len(good)-10], strings.Replace(good, "\n10\n", "\n11\n", 1), strings.Replace(good, saved[2].Root, saved[3].Root, 1),
				strings.Split(good, "\n\n")[0] + "\n", foreign.Checkpoint, "secondstep-audit\n10\n" + saved[2].Root + "\n\n— secondstep-audit AAAAAAAA\n",
			} {
				if _, err := seals.ReadCheckpoint([]byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q: %v", text, err)
				}
			}
			if _, err := seal.New(in.First().Database, ring, in.Clock.Now, nil).ReadCheckpoint([]byte(good)); err == nil {
				t.Error("another ring reads it")
			}
		})
		t.Run("the newest cut off with their seals and signatures", func(t *testing.T) {
			last, err := seals.ReadCheckpoint([]byte(saved[6].Checkpoint))
			if err != nil {
				t.Fatal(err)
			}
			in.Change("DELETE FROM events WHERE id > ?", ids(in)[24])
			in.Change("DELETE FROM seal_leaves WHERE position >= 25")
			in.Change("DELETE FROM seal_hashes WHERE position >= 47")
			in.Change("DELETE FROM seal_heads WHERE size > 25")
			if report := verify(t, seals, last); len(report.Findings) != 1 || report.Findings[0] != "the checkpoint is of 30 events and the log has 25: the newest were removed since" {
				t.Errorf("%q", report.Findings)
			}
			record(t, in.First(), several(1)...)
			if _, err := seals.All(t.Context()); err == nil || !strings.Contains(err.Error(), "it had 30 events and has 25") {
				t.Errorf("the server that runs does not notice: %v", err)
			}
		})
	})
}
