package database

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The rows of a second step: a try counted, a step spent, an app marked, a session made.
var (
	benchCount   = Prepare("UPDATE second_step_tries SET in_a_row = in_a_row + 1 WHERE user_id = ?")
	benchSpend   = Prepare("INSERT INTO totp_spent_steps (secret_id, step, how, spent_at, browser) VALUES (?, ?, 'used', ?, 'Firefox on Linux')")
	benchMark    = Prepare("UPDATE totp_apps SET last_step = ?, last_used_at = ? WHERE id = ? AND last_step < ?")
	benchSession = Prepare("INSERT INTO sessions (id, token_hash, user_id, created_at, last_seen_at, expires_at, signed_in_with) VALUES (?, ?, ?, ?, ?, ?, 'password totp')")
)

const benchPeople = 256

func benchDatabase(b *testing.B, options Options, limits limits) *Database {
	b.Helper()
	d := opened(b, options, limits)
	if err := d.Write(b.Context(), func(ctx context.Context, tx Tx) error {
		for i := range benchPeople {
			id := fmt.Sprintf("person-%d", i)
			for _, q := range []string{
				"INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at) VALUES (?0, ?0, ?0, ?0, ?1, 'member', '', 1, 1)",
				"INSERT INTO second_step_tries (user_id, window_started_at) VALUES (?0, 1)",
				"INSERT INTO totp_apps (id, user_id, name, label, secret, added_at) VALUES (?0, ?0, 'app', 'app', ?1, 1)",
			} {
				if _, err := tx.ExecContext(ctx, q, id, []byte(id)); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return d
}

func benchWrite(b *testing.B, d *Database, goroutines int, prepared bool) {
	var next atomic.Int64
	var hash [32]byte
	if _, err := rand.Read(hash[:]); err != nil {
		b.Fatal(err)
	}
	one := func(n int64) error {
		person := fmt.Sprintf("person-%d", n%benchPeople)
		token := fmt.Appendf(nil, "%s%d", hash[:], n)
		return d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
			now := int64(At(tx.Now))
			session := tx.NewID()
			for _, s := range []struct {
				*Statement
				args []any
			}{
				{benchCount, []any{person}},
				{benchSpend, []any{person, n, now}},
				{benchMark, []any{n, now, person, n}},
				{benchSession, []any{session, token, person, now, now, now}},
			} {
				var err error
				if prepared {
					_, err = s.Exec(ctx, tx, s.args...)
				} else {
					_, err = tx.ExecContext(ctx, s.question, s.args...)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.ResetTimer()
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := one(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkWrite(b *testing.B) {
	for _, database := range []struct {
		name    string
		options func(testing.TB) Options
	}{{"SQLite", sqliteOptions}, {"PostgreSQL", postgresOptions}} {
		for _, prepared := range []bool{true, false} {
			for _, goroutines := range []int{1, 64} {
				name := fmt.Sprintf("%s/prepared=%v/goroutines=%d", database.name, prepared, goroutines)
				b.Run(name, func(b *testing.B) {
					var commits atomic.Int64
					limits := defaults
					limits.committed = func(int) { commits.Add(1) }
					d := benchDatabase(b, database.options(b), limits)
					commits.Store(0)
					benchWrite(b, d, goroutines, prepared)
					b.ReportMetric(float64(b.N)/float64(max(commits.Load(), 1)), "writes/commit")
				})
			}
		}
	}
}

// BenchmarkWriteCommit is the reference: the same four rows and a durable commit by
// prepared statements, in one loop without the queue and its savepoints.
func BenchmarkWriteCommit(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("SQLite/batch=%d", batch), func(b *testing.B) {
			d := benchDatabase(b, sqliteOptions(b), defaults)
			g, ok := d.writes.(*gather)
			if !ok {
				b.Fatal("not SQLite")
			}
			ctx := context.Background()
			exec := func(s *Statement, args ...any) {
				stmt, err := g.cache.prepared(ctx, s)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := stmt.ExecContext(ctx, args...); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			for n := int64(1); n <= int64(b.N); {
				exec(begin)
				for range batch {
					person := fmt.Sprintf("person-%d", n%benchPeople)
					now := time.Now().UnixMilli()
					exec(benchCount, person)
					exec(benchSpend, person, n, now)
					exec(benchMark, n, now, person, n)
					exec(benchSession, d.ids.make(time.Now()), fmt.Appendf(nil, "%d", n), person, now, now, now)
					n++
				}
				exec(commit)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

var (
	benchRead     = Prepare("SELECT id, user_id, expires_at FROM sessions WHERE token_hash = ?")
	benchReadText = benchRead.question
)

func BenchmarkRead(b *testing.B) {
	d := benchDatabase(b, sqliteOptions(b), defaults)
	token := []byte("token")
	if err := d.Write(b.Context(), func(ctx context.Context, tx Tx) error {
		_, err := benchSession.Exec(ctx, tx, "s", token, "person-1", 1, 1, 1)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for _, prepared := range []bool{true, false} {
		b.Run(fmt.Sprintf("SQLite/prepared=%v", prepared), func(b *testing.B) {
			for range b.N {
				var id, user string
				var expires Instant
				var err error
				if prepared {
					err = benchRead.Scan(context.Background(), d.Read(), Args{token}, &id, &user, &expires)
				} else {
					err = d.Read().QueryRowContext(context.Background(), benchReadText, token).Scan(&id, &user, &expires)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
