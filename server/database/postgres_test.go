package database

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// conflict is two transactions that read the same row and then both write it. Made
// repeatable, the second to write cannot go on: PostgreSQL answers 40001.
func conflict(t *testing.T, limits limits, second func(d *Database, run func(context.Context, Tx) error) error) *Database {
	t.Helper()
	d := opened(t, postgresOptions(t), limits)
	if err := d.Write(t.Context(), insert("counter", nil)); err != nil {
		t.Fatal(err)
	}
	first := true
	if err := second(d, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); err != nil {
			return err
		}
		var n int
		if err := readJob.Scan(ctx, tx, Args{"counter"}, &n); err != nil {
			return err
		}
		if first || limits.tries == 2 {
			first = false
			if err := d.Write(context.Background(), func(ctx context.Context, other Tx) error {
				_, err := addOne.Exec(ctx, other, "counter")
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE jobs SET next_at = ? WHERE name = 'counter'", n+1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSerialisationFailureIsRetried(t *testing.T) {
	limits := defaults
	var codes []string
	limits.retried = func(err error) { codes = append(codes, postgresCode(err)) }
	d := conflict(t, limits, func(d *Database, run func(context.Context, Tx) error) error {
		return d.Write(t.Context(), run)
	})
	var n int
	if err := readJob.Scan(t.Context(), d.Read(), Args{"counter"}, &n); err != nil || n != 3 {
		t.Errorf("%d, %v: an update is lost", n, err)
	}
	if strings.Join(codes, " ") != "40001" {
		t.Errorf("retried for %v", codes)
	}
}

func TestSerialisationFailureIsNoSuccess(t *testing.T) {
	limits := defaults
	limits.tries = 2
	conflict(t, limits, func(d *Database, run func(context.Context, Tx) error) error {
		if err := d.Write(t.Context(), run); !errors.Is(err, ErrBusy) || postgresCode(err) != "40001" {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestDeadlockIsRetried(t *testing.T) {
	limits := defaults
	var retried atomic.Int64
	limits.retried = func(err error) {
		if postgresCode(err) == "40P01" {
			retried.Add(1)
		}
	}
	d := opened(t, postgresOptions(t), limits)
	for _, name := range []string{"a", "b"} {
		if err := d.Write(t.Context(), insert(name, nil)); err != nil {
			t.Fatal(err)
		}
	}
	var met, all sync.WaitGroup
	met.Add(2)
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			once := sync.OnceFunc(func() { met.Done(); met.Wait() })
			if err := d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
				if _, err := addOne.Exec(ctx, tx, order[0]); err != nil {
					return err
				}
				once() // both hold one row now, the first time round
				_, err := addOne.Exec(ctx, tx, order[1])
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, name := range []string{"a", "b"} {
		var n int
		if err := readJob.Scan(t.Context(), d.Read(), Args{name}, &n); err != nil || n != 3 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if retried.Load() == 0 {
		t.Error("there was no deadlock to retry")
	}
}

func TestURLErrorsKeepThePassword(t *testing.T) {
	for _, address := range []string{
		"postgres://u:s3cret@127.0.0.1:1/x?sslmode=disable",
		"postgres://u:s3cret@127.0.0.1:1/x?sslmode=funny",
		"postgres://u:s3cret@127.0.0.1:1/x?connect_timeout=never",
		"postgres://u:s3cret%zz@127.0.0.1:1/x",
		"mysql://u:s3cret@127.0.0.1:1/x",
	} {
		options := sqliteOptions(t)
		options.URL = address
		d, err := Open(t.Context(), options)
		if err == nil {
			t.Errorf("%s opened: %v", address, d.Close())
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v", err)
		}
	}
}

// Whoever waited for a held row reads what was written meanwhile, whatever isolation the URL asks for.
func TestIsolationIsOurs(t *testing.T) {
	options := postgresOptions(t)
	at, err := url.Parse(options.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	query.Set("default_transaction_isolation", "repeatable read")
	at.RawQuery = query.Encode()
	options.URL = at.String()
	d := opened(t, options, defaults)
	for name, db := range map[string]func(func(isolation string)) error{
		"writing": func(got func(string)) error {
			return d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
				var isolation string
				defer func() { got(isolation) }()
				return tx.QueryRowContext(ctx, "SHOW transaction_isolation").Scan(&isolation)
			})
		},
		"reading": func(got func(string)) error {
			var isolation string
			defer func() { got(isolation) }()
			return d.Read().QueryRowContext(t.Context(), "SHOW transaction_isolation").Scan(&isolation)
		},
	} {
		err := db(func(isolation string) {
			if isolation != "read committed" {
				t.Errorf("%s: %s", name, isolation)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
