package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWritesThatWaitShareACommit(t *testing.T) {
	var commits []int
	limits := defaults
	limits.gather = 8
	limits.committed = func(n int) { commits = append(commits, n) }
	d := opened(t, sqliteOptions(t), limits)
	writes := map[string]func() error{}
	for i := range 8 { // the queue's whole room
		writes[fmt.Sprint(i)] = nil
	}
	together(t, d, writes, func(name string, err error) {
		if err != nil {
			t.Error(name, err)
		}
	})
	if !slices.Equal(commits, []int{1, 8}) {
		t.Errorf("commits of %v, want 1 and 8", commits)
	}
}

// A caller is answered only when what it wrote is committed.
func TestAnsweredAfterCommit(t *testing.T) {
	var committed bool
	limits := defaults
	limits.committed = func(int) { committed = true }
	d := opened(t, sqliteOptions(t), limits)
	if err := d.Write(t.Context(), insert("a", nil)); err != nil || !committed {
		t.Errorf("%v, committed %v", err, committed)
	}
}

// SQLite gives up the whole transaction when the disk is full: the one in whose function
// it happened bears it, the others run again.
func TestBrokenTransactionSparesTheOthers(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	fault := errors.New("disk full")
	var mu sync.Mutex
	runs := map[string]int{}
	writes := map[string]func() error{}
	for _, name := range []string{"a", "b", "breaks", "c", "d"} {
		writes[name] = func() error {
			mu.Lock()
			runs[name]++
			mu.Unlock()
			if name != "breaks" {
				return nil
			}
			g := d.writes.(*gather)
			if err := g.exec(rollback); err != nil { // as SQLite does by itself on SQLITE_FULL
				t.Error(err)
			}
			return fault
		}
	}
	together(t, d, writes, func(name string, err error) {
		if (name == "breaks") != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "breaks" && !errors.Is(err, fault) {
			t.Errorf("%s: %v", name, err)
		}
	})
	for _, name := range []string{"a", "b", "c", "d"} {
		if !stored(t, d, name) {
			t.Errorf("%s is lost", name)
		}
	}
	if stored(t, d, "breaks") || runs["breaks"] != 1 {
		t.Errorf("the broken one ran %d times", runs["breaks"])
	}
}

// A function that hides the fault which ended the transaction must not be told "done",
// and the others must not pay for it.
func TestHiddenBreakIsNoSuccess(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	together(t, d, map[string]func() error{
		"a": nil, "b": nil, "c": nil,
		"hides": func() error { return d.writes.(*gather).exec(rollback) },
	}, func(name string, err error) {
		if (name == "hides") != (err != nil) || stored(t, d, name) != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	})
}

func TestFunctionThatEndsItsGoroutine(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	together(t, d, map[string]func() error{
		"a": nil, "b": nil, "c": nil,
		"exit": func() error { runtime.Goexit(); return nil },
	}, func(name string, err error) {
		if (name == "exit") != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	})
	for name, want := range map[string]bool{"a": true, "b": true, "c": true, "exit": false} {
		if stored(t, d, name) != want {
			t.Errorf("%s: stored is %v", name, !want)
		}
	}
}

// One that is alone runs in its caller's goroutine, and must leave the connection to the next.
func TestFunctionThatEndsItsCaller(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	ended := make(chan bool)
	go func() {
		defer close(ended)
		err := d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
			if err := insert("exit", nil)(ctx, tx); err != nil {
				return err
			}
			runtime.Goexit()
			return nil
		})
		t.Errorf("it returned: %v", err)
	}()
	<-ended
	if err := d.Write(t.Context(), insert("a", nil)); err != nil {
		t.Error(err)
	}
	if stored(t, d, "exit") || !stored(t, d, "a") {
		t.Error("what the ended one wrote is there, or what the next wrote is not")
	}
}

// Close waits for one that is alone, and nobody gets in after it.
func TestCloseWaitsForOneThatIsAlone(t *testing.T) {
	d := opened(t, sqliteOptions(t), defaults)
	began, goOn, answer, closed := make(chan bool), make(chan bool), make(chan error), make(chan error)
	go func() {
		answer <- d.Write(context.Background(), func(ctx context.Context, tx Tx) error {
			close(began)
			<-goOn
			return insert("a", nil)(ctx, tx)
		})
	}()
	<-began
	go func() { closed <- d.Close() }()
	<-d.writes.(*gather).ended
	select {
	case err := <-closed:
		t.Errorf("closed before it was through: %v", err)
	default:
	}
	close(goOn)
	if err := errors.Join(<-answer, <-closed); err != nil {
		t.Error(err)
	}
	if err := d.Write(t.Context(), insert("b", nil)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Another process that writes makes ours wait, never fail, as long as it is done in time.
func TestBusyFileIsRetried(t *testing.T) {
	options := sqliteOptions(t)
	limits := defaults
	limits.busyTimeout = time.Millisecond
	limits.tries = 1 << 30
	retried := make(chan error, 1)
	limits.retried = func(err error) {
		select {
		case retried <- err:
		default:
		}
	}
	d := opened(t, options, limits)
	end := holdFile(t, options.Folder)
	answer := make(chan error)
	go func() { answer <- d.Write(context.Background(), insert("a", nil)) }()
	if err := <-retried; !strings.Contains(err.Error(), "locked") {
		t.Errorf("retried for %v", err)
	}
	end()
	if err := <-answer; err != nil || !stored(t, d, "a") {
		t.Errorf("got %v", err)
	}
}

func TestBusyFileIsNoSuccess(t *testing.T) {
	options := sqliteOptions(t)
	limits := defaults
	limits.busyTimeout, limits.tries = time.Millisecond, 3
	tries := 0
	limits.retried = func(error) { tries++ }
	d := opened(t, options, limits)
	end := holdFile(t, options.Folder)
	if err := d.Write(t.Context(), insert("a", nil)); !errors.Is(err, ErrBusy) || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
	end()
	if stored(t, d, "a") {
		t.Error("it was written")
	}
	if err := d.Write(t.Context(), insert("b", nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// holdFile is another process in the middle of a write.
func holdFile(t *testing.T, folder string) (end func()) {
	t.Helper()
	other, err := sql.Open("sqlite", sqliteDSN(filepath.Join(folder, "secondstep.db"), defaults))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(), other.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestClaimServe(t *testing.T) {
	options := sqliteOptions(t)
	first, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	second := opened(t, options, defaults)
	if err := errors.Join(first.ClaimServe(), first.ClaimServe()); err != nil {
		t.Fatal(err)
	}
	if err := second.ClaimServe(); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), options.Folder) {
		t.Errorf("two serve: %v", err)
	}
	if err := second.Write(t.Context(), insert("a command beside it", nil)); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.ClaimServe(); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
}
