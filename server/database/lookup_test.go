package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

const lookUpJobs = "SELECT name, next_at FROM jobs WHERE name IN (?) ORDER BY name"

func scanJob(rows *sql.Rows) (name string, at int64, err error) {
	return name, at, rows.Scan(&name, &at)
}

// Everybody gets the rows of their own key, as they were after they asked.
func TestLookupAnswersEachCaller(t *testing.T) {
	answersEachCaller(t, func(jobs *Lookup[string, int64]) *Lookup[string, int64] { return jobs })
}

func TestLookupRemembersNothingOld(t *testing.T) {
	answersEachCaller(t, (*Lookup[string, int64]).Remembering)
}

func answersEachCaller(t *testing.T, with func(*Lookup[string, int64]) *Lookup[string, int64]) {
	both(t, func(t *testing.T, options Options) {
		d := opened(t, options, defaults)
		const people, rounds = 50, 40
		jobs := with(NewLookup(d, lookUpJobs, scanJob))
		var work sync.WaitGroup
		for n := range people {
			name := fmt.Sprint("job ", n)
			if err := d.Write(t.Context(), insert(name, nil)); err != nil {
				t.Fatal(err)
			}
			work.Go(func() {
				for round := range rounds {
					if err := d.Write(t.Context(), func(ctx context.Context, tx Tx) error {
						_, err := addOne.Exec(ctx, tx, name)
						return err
					}); err != nil {
						t.Error(err)
					}
					if got, err := jobs.Find(t.Context(), name); err != nil || len(got) != 1 || got[0] != int64(round+2) {
						t.Errorf("%s: %v, %v, not %d", name, got, err, round+2)
					}
					if got, err := jobs.Find(t.Context(), name+" of nobody"); err != nil || len(got) != 0 {
						t.Errorf("nobody's: %v, %v", got, err)
					}
				}
			})
		}
		work.Wait()
	})
}

// crowd lets so many callers ask for a key that has one row while the queries before theirs are held, then lets go. It
// gives how many queries they were answered by, and each one's error.
func crowd(t *testing.T, d *Database, callers int, scan func(*sql.Rows) (string, int64, error)) (queries int, errs []error) {
	t.Helper()
	held, letGo := make(chan struct{}, lookupsAtOnce), make(chan struct{})
	var lock sync.Mutex
	jobs := NewLookup(d, lookUpJobs, func(rows *sql.Rows) (string, int64, error) {
		name, at, err := scanJob(rows)
		if name == "holds" {
			held <- struct{}{}
			<-letGo
			return name, at, err
		}
		lock.Lock()
		queries++
		lock.Unlock()
		return scan(rows)
	})
	if err := d.Write(t.Context(), insert("holds", nil)); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), insert("asked", nil)); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for range lookupsAtOnce {
		work.Go(func() {
			if got, err := jobs.Find(t.Context(), "holds"); err != nil || len(got) != 1 {
				t.Errorf("the one that holds: %v, %v", got, err)
			}
		})
		<-held
	}
	errs = make([]error, callers)
	for n := range callers {
		work.Go(func() {
			defer func() {
				if value := recover(); value != nil {
					errs[n] = fmt.Errorf("panic: %v", value)
				}
			}()
			_, errs[n] = jobs.Find(t.Context(), "asked")
		})
	}
	waiting := func() int {
		jobs.mu.Lock()
		defer jobs.mu.Unlock()
		return len(jobs.waiting)
	}
	for waiting() < callers {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		_, err := jobs.Find(ctx, "asked")
		gaveUp <- err
	}()
	for waiting() == callers {
		runtime.Gosched()
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("one that gave up: %v", err)
	}
	close(letGo)
	work.Wait()
	if jobs.running != 0 || waiting() != 0 {
		t.Errorf("%d run and %d wait when all are answered", jobs.running, waiting())
	}
	return queries, errs
}

func TestLookupGathersThoseWhoWait(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		queries, errs := crowd(t, opened(t, options, defaults), 2*mostKeys, scanJob)
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		// The last caller may be left over, to lead alone.
		if queries < 2 || queries > 3 {
			t.Errorf("%d queries for %d callers", queries, 2*mostKeys)
		}
	})
}

func TestLookupTellsEverybodyOfAFault(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		fault := errors.New("a fault")
		d := opened(t, options, defaults)
		_, errs := crowd(t, d, mostKeys, func(*sql.Rows) (string, int64, error) { return "", 0, fault })
		for _, err := range errs {
			if !errors.Is(err, fault) {
				t.Errorf("%v", err)
			}
		}
	})
}

// A panic is its own caller's, and nobody waits for ever or is told that there is no row.
func TestLookupOutlivesAPanic(t *testing.T) {
	both(t, func(t *testing.T, options Options) {
		_, errs := crowd(t, opened(t, options, defaults), mostKeys, func(*sql.Rows) (string, int64, error) { panic("a slip") })
		for _, err := range errs {
			if err == nil {
				t.Error("no error")
			}
		}
	})
}
