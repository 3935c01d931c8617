package database

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
)

// remembering is a Lookup that counts the rows it reads.
func remembering(d *Database) (jobs *Lookup[string, int64], read *int) {
	read = new(int)
	return NewLookup(d, lookUpJobs, func(rows *sql.Rows) (string, int64, error) {
		*read++
		return scanJob(rows)
	}).Remembering(), read
}

func put(t *testing.T, d *Database, name string) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO jobs (name, next_at) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET next_at = jobs.next_at + 1", name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLookupReadsOnceWhileNothingChanges(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		jobs, read := remembering(d)
		put(t, d, "a")
		for range 100 {
			if got, err := jobs.Find(t.Context(), "a"); err != nil || len(got) != 1 || got[0] != 1 {
				t.Fatal(got, err)
			}
		}
		// On PostgreSQL others may write in databases of their own meanwhile, and each time cost a pause.
		if *read == 100 || (!d.Postgres() && *read != 1) {
			t.Errorf("100 questions read %d rows", *read)
		}
	})
}

// Whoever commits, in this process or in another, is seen by the very next question.
func TestLookupForgetsWhenAnybodyCommits(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d, elsewhere := opened(t, options, defaults), opened(t, options, defaults)
		jobs, _ := remembering(d)
		for n := range int64(50) {
			put(t, []*Database{d, elsewhere}[n%2], "a")
			for range n % 20 { // also past the pause, so that it is remembered when the next one commits
				if got, err := jobs.Find(t.Context(), "a"); err != nil || len(got) != 1 || got[0] != n+1 {
					t.Fatalf("%d: %v %v", n, got, err)
				}
			}
		}
	})
}

func TestLookupRemembersNoMoreThanItMay(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	jobs, _ := remembering(d)
	err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
		for n := range mostRemembered + 100 {
			if _, err := tx.ExecContext(ctx, "INSERT INTO jobs (name, next_at) VALUES (?, 1)", fmt.Sprint("job ", n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range mostRemembered + 100 {
		for _, name := range []string{fmt.Sprint("job ", n), fmt.Sprint("nobody ", n)} {
			if _, err := jobs.Find(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if kept := len(jobs.memory.rows); kept > mostRemembered {
			t.Fatalf("%d are remembered", kept)
		}
	}
	if kept := len(jobs.memory.rows); kept != 100 {
		t.Errorf("%d are remembered", kept)
	}
}
