package database

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	addJob   = Prepare("INSERT INTO jobs (name, next_at) VALUES (?, ?)")
	countJob = Prepare("SELECT count(*) FROM jobs WHERE name = ?")
	addOne   = Prepare("UPDATE jobs SET next_at = next_at + 1 WHERE name = ?")
	readJob  = Prepare("SELECT next_at FROM jobs WHERE name = ?")
)

// insert is a function for Write that adds a job of that name, then does what follows.
func insert(name string, then func() error) func(context.Context, Tx) error {
	return func(ctx context.Context, tx Tx) error {
		if _, err := addJob.Exec(ctx, tx, name, 1); err != nil {
			return err
		}
		if then == nil {
			return nil
		}
		return then()
	}
}

func stored(t *testing.T, d *Database, name string) bool {
	t.Helper()
	var n int
	if err := countJob.Scan(context.Background(), d.Read(), Args{name}, &n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func TestFaultRollsBackOnlyItself(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		fault := errors.New("a fault")
		together(t, d, map[string]func() error{
			"good 1": nil,
			"fault":  func() error { return fault },
			"panic":  func() error { panic(fault) },
			"good 2": nil,
		}, func(name string, err error) {
			var p *Panic
			switch name {
			case "fault":
				if !errors.Is(err, fault) {
					t.Errorf("%s: %v", name, err)
				}
			case "panic":
				if !errors.As(err, &p) || !errors.Is(err, fault) || len(p.Stack) == 0 {
					t.Errorf("%s: %v", name, err)
				}
			default:
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		for name, want := range map[string]bool{"good 1": true, "fault": false, "panic": false, "good 2": true} {
			if stored(t, d, name) != want {
				t.Errorf("%s: stored is %v", name, !want)
			}
		}
	})
}

// together writes all at once: on SQLite they wait behind one write until all of them
// are in the queue, and so share a transaction.
func together(t *testing.T, d *Database, writes map[string]func() error, each func(name string, err error)) {
	t.Helper()
	if g, ok := d.writes.(*gather); ok { // else the first is alone, and one of the others not in the queue
		g.turn.Lock()
		g.crowd = true
		g.turn.Unlock()
	}
	begun, open := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := d.Write(context.Background(), func(context.Context, Tx) error {
			close(begun)
			<-open
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	for name, then := range writes {
		all.Go(func() { each(name, d.Write(context.Background(), insert(name, then))) })
	}
	if g, ok := d.writes.(*gather); ok {
		for len(g.queue) < len(writes) {
			runtime.Gosched()
		}
	}
	close(open)
	all.Wait()
}

func TestRefusalCommits(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		refused := ""
		if err := d.Write(t.Context(), insert("a try", func() error { refused = "code_refused"; return nil })); err != nil {
			t.Fatal(err)
		}
		if refused == "" || !stored(t, d, "a try") {
			t.Error("the refusal left no trace")
		}
	})
}

func TestContext(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		t.Run("ended before", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := d.Write(ctx, insert("before", nil)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if stored(t, d, "before") {
				t.Error("it ran")
			}
		})
		t.Run("ends inside", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := d.Write(ctx, func(inside context.Context, tx Tx) error {
				cancel()
				if inside.Err() != nil {
					t.Error("the context inside ended")
				}
				return insert("inside", nil)(inside, tx)
			})
			if err != nil || !stored(t, d, "inside") {
				t.Errorf("got %v", err)
			}
		})
		t.Run("ends while waiting", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			begun, open := make(chan struct{}), make(chan struct{})
			var others sync.WaitGroup
			busy := defaults.connections // PostgreSQL: every slot; SQLite: the one writer
			if !d.Postgres() {
				busy = 1
			}
			for range busy {
				others.Go(func() {
					if err := d.Write(context.Background(), func(context.Context, Tx) error {
						begun <- struct{}{}
						<-open
						return nil
					}); err != nil {
						t.Error(err)
					}
				})
			}
			for range busy {
				<-begun
			}
			answer := make(chan error)
			go func() { answer <- d.Write(ctx, insert("waiting", nil)) }()
			cancel()
			if err := <-answer; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			close(open)
			others.Wait()
			if err := d.Write(t.Context(), insert("after", nil)); err != nil || stored(t, d, "waiting") {
				t.Errorf("the withdrawn one ran, or %v", err)
			}
		})
	})
}

func TestHundredWritersLoseNothing(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		if err := d.Write(t.Context(), insert("counter", nil)); err != nil {
			t.Fatal(err)
		}
		const writers, each = 100, 5
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range each {
					if err := d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
						n, err := Touched(addOne.Exec(ctx, tx, "counter"))
						if err == nil && n != 1 {
							return fmt.Errorf("%d rows", n)
						}
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		var n int
		if err := readJob.Scan(t.Context(), d.Read(), Args{"counter"}, &n); err != nil || n != 1+writers*each {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// A one-way change has one winner, whoever else tries at the same time (row 80).
func TestConditionalWriteHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		another := opened(t, options, defaults)
		var start, all sync.WaitGroup
		var mu sync.Mutex
		won := 0
		start.Add(50)
		for i := range 50 {
			all.Go(func() {
				start.Done()
				start.Wait()
				instance := []*Database{d, another}[i%2]
				var n int64
				if err := instance.Write(context.Background(), func(ctx context.Context, tx Tx) (err error) {
					n, err = Touched(tx.ExecContext(ctx, "UPDATE installation SET first_administrator_at = ? WHERE id = 1 AND first_administrator_at IS NULL", At(tx.Now)))
					return err
				}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				won += int(n)
				mu.Unlock()
			})
		}
		all.Wait()
		if won != 1 {
			t.Errorf("%d winners", won)
		}
	})
}

func TestUnique(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		add := func(id, key string) error {
			return d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at) VALUES (?, 'Ada', 'a', ?, ?, 'member', '', 1, 1)", id, key, []byte("ada"))
				return err
			})
		}
		if err := add("1", "a"); err != nil {
			t.Fatal(err)
		}
		if err := add("1", "b"); !Unique(err) {
			t.Errorf("same primary key: %v", err)
		}
		if err := add("2", "a"); !Unique(err) {
			t.Errorf("same e-mail: %v", err)
		}
		err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO user_terms (address, term, user_id, sort_name, email_key) VALUES (FALSE, ?0, 'nobody', ?0, '')", []byte("x"))
			return err
		})
		if err == nil || Unique(err) {
			t.Errorf("a foreign key: %v", err)
		}
		err = d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE users SET role = 'king'")
			return err
		})
		if err == nil || Unique(err) {
			t.Errorf("a check: %v", err)
		}
		if Unique(nil) || Unique(errors.New("x")) {
			t.Error("anything is unique")
		}
	})
}

func TestReadCannotWrite(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		if _, err := d.Read().ExecContext(t.Context(), "INSERT INTO jobs (name, next_at) VALUES ('x', 1)"); err == nil {
			t.Error("Bun wrote")
		}
		if _, err := addJob.Exec(t.Context(), d.Read(), "x", 1); err == nil {
			t.Error("a statement wrote")
		}
		if stored(t, d, "x") {
			t.Error("it is there")
		}
	})
}

func TestClose(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		d, err := open(t.Context(), options, defaults)
		if err != nil {
			t.Fatal(err)
		}
		begun, open := make(chan struct{}), make(chan struct{})
		answer, closed := make(chan error, 1), make(chan error, 1)
		go func() {
			answer <- d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
				close(begun)
				<-open
				return insert("under way", nil)(ctx, tx)
			})
		}()
		<-begun
		go func() { closed <- d.Close() }()
		close(open)
		if err := errors.Join(<-answer, <-closed); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		if err := d.Write(t.Context(), insert("late", nil)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		again := opened(t, options, defaults)
		if !stored(t, again, "under way") || stored(t, again, "late") {
			t.Error("what was written is not what was answered")
		}
	})
}

func TestTx(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		now := time.Date(2026, 11, 24, 10, 0, 0, 123_456_789, time.FixedZone("", 3600))
		options.Now = func() time.Time { return now }
		d := opened(t, options, defaults)
		var made []string
		if err := d.Write(t.Context(), func(_ context.Context, tx Tx) error {
			if want := now.Truncate(time.Millisecond); !tx.Now.Equal(want) || tx.Now.Location() != time.UTC {
				t.Errorf("Now is %v", tx.Now)
			}
			made = nil
			for range 1000 {
				made = append(made, tx.NewID())
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(made[0]) != 26 || !slices.IsSorted(made) || len(slices.Compact(made)) != 1000 {
			t.Error("ids of one millisecond do not ascend")
		}
	})
}

func TestNoRandomnessNoID(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		options.Random = failing{}
		d := opened(t, options, defaults)
		err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
			return insert(tx.NewID(), nil)(ctx, tx)
		})
		if err == nil {
			t.Error("an id without randomness")
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no randomness") }
