package hashing

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/secondstep/secondstep/server/problem"
)

func TestHashAndVerify(t *testing.T) {
	ctx := context.Background()
	pool := New(Options{})
	secret := strings.Repeat("🔑", 64)
	stored, err := pool.Hash(ctx, secret, cheap)
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatal(stored, err)
	}
	again, err := pool.Hash(ctx, secret, cheap)
	if err != nil || again == stored {
		t.Fatal("two hashes of one secret have one salt", err)
	}
	for _, c := range []struct {
		secret, stored string
		want           bool
	}{
		{secret, stored, true},
		{secret, again, true},
		{secret + " ", stored, false},
		{strings.Repeat("🔑", 63) + "🔒", stored, false}, // equal far beyond 72 bytes
		{"", stored, false},
		{secret, Decoy(cheap), false},
	} {
		before := pool.Runs()
		got, err := pool.Verify(ctx, c.secret, c.stored)
		if err != nil || got != c.want {
			t.Errorf("%q: %v, %v", c.secret, got, err)
		}
		if n := pool.Runs() - before; n != 1 {
			t.Errorf("%q: %d computations", c.secret, n)
		}
	}
}

// Row 78: a secret over the bound is never hashed, and refused like any wrong one.
func TestLongSecretIsNeverHashed(t *testing.T) {
	ctx := context.Background()
	pool := New(Options{})
	longest := strings.Repeat("x", MaxSecret)
	stored, err := pool.Hash(ctx, longest, cheap)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := pool.Verify(ctx, longest, stored); !same || err != nil {
		t.Error(same, err)
	}
	before := pool.Runs()
	if same, err := pool.Verify(ctx, longest+"x", stored); same || err != nil {
		t.Error(same, err)
	}
	if _, err := pool.Hash(ctx, longest+"x", cheap); err == nil {
		t.Error("hashed")
	}
	if pool.Runs() != before {
		t.Error(pool.Runs()-before, "computations")
	}
}

func TestDefaultWorkers(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 4: 3, 9: 8, 64: 8} {
		before := runtime.GOMAXPROCS(processors)
		if got := DefaultWorkers(); got != want {
			t.Errorf("%d processors: %d workers", processors, got)
		}
		runtime.GOMAXPROCS(before)
	}
}

// gate is a computation that ends when it is told to.
type gate chan struct{}

func (g gate) compute() { <-g }

func TestNoMoreComputationsThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{Workers: 3, MaxWait: time.Hour})
		start := time.Now()
		var mu sync.Mutex
		var now, most int
		var last time.Duration
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				pool.do(t.Context(), 1, func() {
					mu.Lock()
					now++
					most = max(most, now)
					last = max(last, time.Since(start))
					mu.Unlock()
					<-time.After(time.Second) // of the bubble's clock, which takes no time
					mu.Lock()
					now--
					mu.Unlock()
				})
			})
		}
		synctest.Wait()
		if got := pool.Runs(); got != 3 {
			t.Errorf("%d computations have begun", got)
		}
		all.Wait()
		if most != 3 || last != 6*time.Second {
			t.Errorf("20 computations of 1 s on 3 workers: %d at once, the last began after %v", most, last)
		}
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{Workers: 1, MaxWait: time.Hour})
		first := make(gate)
		go pool.do(t.Context(), 1, first.compute)
		synctest.Wait()
		var order []int
		for i := range 5 {
			go pool.do(t.Context(), 1, func() { order = append(order, i) })
			synctest.Wait()
		}
		close(first)
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
			t.Error(order)
		}
	})
}

func TestWorkerStaysTakenWhenTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{Workers: 1, MaxWait: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		running := make(gate)
		go pool.do(ctx, 1, running.compute)
		synctest.Wait()
		began := false
		go pool.do(t.Context(), 1, func() { began = true })
		cancel()
		synctest.Wait()
		if began {
			t.Fatal("a second computation began while the first still ran")
		}
		close(running)
		synctest.Wait()
		if !began {
			t.Fatal("the worker was lost")
		}
	})
}

func TestWhoeverGivesUpLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{Workers: 1, MaxWait: time.Hour})
		running := make(gate)
		go pool.do(t.Context(), 1, running.compute)
		synctest.Wait()

		ctx, cancel := context.WithCancel(t.Context())
		refused := make(chan error, 1)
		go func() { refused <- pool.do(ctx, 1, func() { t.Error("computed for nobody") }) }()
		synctest.Wait()
		cancel()
		if err := <-refused; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(pool.queue) != 0 || pool.queued != 0 {
			t.Errorf("%d wait, %v KiB", len(pool.queue), pool.queued)
		}
		if err := pool.do(ctx, 1, func() { t.Error("computed for nobody") }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(running)
		synctest.Wait()
		if pool.free != 1 || pool.running != 0 || pool.Runs() != 1 {
			t.Errorf("%d free, %v KiB running, %d computations", pool.free, pool.running, pool.Runs())
		}
	})
}

// A worker that is handed over in the moment its taker gives up goes to the next one, and none is lost.
func TestGivingUpInTheMomentOfTheTurn(t *testing.T) {
	for range 200 {
		pool := New(Options{Workers: 1, MaxWait: time.Hour})
		running := make(gate)
		var all sync.WaitGroup
		all.Go(func() { pool.do(context.Background(), 1, running.compute) })
		ctx, cancel := context.WithCancel(context.Background())
		all.Go(func() { pool.do(ctx, 1, func() {}) })
		all.Go(func() { pool.do(context.Background(), 1, func() {}) })
		all.Go(cancel)
		all.Go(func() { close(running) })
		all.Wait()
		if pool.free != 1 || pool.running != 0 || pool.queued != 0 || len(pool.queue) != 0 {
			t.Fatalf("%d free, %v running, %v queued, %d wait", pool.free, pool.running, pool.queued, len(pool.queue))
		}
	}
}

func TestPanicGivesTheWorkerBack(t *testing.T) {
	pool := New(Options{Workers: 1})
	func() {
		defer func() { recover() }()
		pool.do(context.Background(), 1, func() { panic("argon2") })
	}()
	if pool.free != 1 {
		t.Error("the worker was lost")
	}
}

func TestBusyBeyondTheExpectedWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := New(Options{Workers: 2, MaxWait: 5 * time.Second})
		second := 1e9 / seedPace // what the estimate takes for a second of work
		running := make(gate)
		for range 2 {
			go pool.do(t.Context(), second, running.compute)
		}
		synctest.Wait()
		admitted := 2
		for admitted < 100 {
			over := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { over <- pool.do(ctx, second, running.compute) }()
			synctest.Wait()
			select {
			case err := <-over:
				cancel()
				var busy *problem.Problem
				if !errors.As(err, &busy) {
					t.Fatal(err)
				}
				if busy.Status != 503 || busy.Code != "busy" || busy.RetryAfter < time.Second || busy.RetryAfter > 5*time.Second {
					t.Errorf("%d %s, again after %v", busy.Status, busy.Code, busy.RetryAfter)
				}
				// 10 s of work before it is a wait of 5 s on two workers; 11 s is too long.
				if admitted != 11 {
					t.Errorf("refused with %d s of work before it", admitted)
				}
				if err := pool.Admit(); !errors.As(err, &busy) || busy.Code != "busy" {
					t.Errorf("and would admit: %v", err)
				}
				if ErrBusy.RetryAfter != 0 {
					t.Error("the shared refusal was changed")
				}
				close(running)
				synctest.Wait()
				if err := errors.Join(pool.Admit(), pool.do(t.Context(), second, func() {})); err != nil {
					t.Errorf("with an empty queue: %v", err)
				}
				return
			default:
				admitted++
				t.Cleanup(cancel)
			}
		}
		t.Fatal("never refused")
	})
}

// The estimate follows what computations really take, by the clock that was passed in.
func TestEstimateFollowsTheClock(t *testing.T) {
	now := time.Unix(0, 0)
	pool := New(Options{Workers: 1, Now: func() time.Time { return now }})
	run := func(took time.Duration) {
		if err := pool.do(context.Background(), 1000, func() { now = now.Add(took) }); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		run(4 * time.Millisecond) // 4 µs a KiB
	}
	if pool.pace < 3.9e3 || pool.pace > 4.1e3 {
		t.Errorf("%v ns a KiB after a hundred of 4000", pool.pace)
	}
	run(24 * time.Hour) // the clock was put forward
	if pool.pace > 8e3 {
		t.Errorf("one outlier: %v ns a KiB", pool.pace)
	}
	before := pool.pace
	run(-24 * time.Hour)
	if pool.pace != before {
		t.Errorf("a clock put back: %v ns a KiB", pool.pace)
	}
	for range 200 {
		run(0) // a clock that stands still
	}
	if pool.pace != fastestPace {
		t.Errorf("%v ns a KiB: the queue has no end", pool.pace)
	}
}

func BenchmarkPasswords(b *testing.B) { benchmark(b, Passwords) }

func BenchmarkBackupCodes(b *testing.B) { benchmark(b, BackupCodes) }

func benchmark(b *testing.B, params Params) {
	pool := New(Options{Workers: 1})
	for b.Loop() {
		if _, err := pool.Hash(b.Context(), "correct horse battery staple", params); err != nil {
			b.Fatal(err)
		}
	}
}
