// Package hashing does all argon2id work of the process (RFC 9106), in one pool of bounded size.
//
// What holds:
//   - never more computations at once than there are workers, and what a pool's worth of them has left is collected before the
//     next one begins (see garbage): what they need is bounded by (2 × workers - 1) × Params.Memory;
//   - a worker stays taken until its computation ends, whatever becomes of the request that asked for it;
//   - whoever would have to wait longer than MaxWait is refused at once (ErrBusy), and whoever gives up leaves the queue;
//   - a stored hash is held to bounds before it is computed with, and a secret over MaxSecret bytes never is.
package hashing

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/secondstep/secondstep/server/problem"
)

// ErrBusy is the refusal of a pool whose queue is too long: 503 with Retry-After.
var ErrBusy = problem.New(503, "busy", "The server has too many sign-ins to check right now. Try again in a moment.")

// Options are the settings of a Pool. Workers is the number of computations at once, 0 for DefaultWorkers; MaxWait is
// how long somebody may be expected to wait for a worker, 0 for 5 s; Now is the clock that measures computations, nil
// for time.Now.
type Options struct {
	Workers int
	MaxWait time.Duration
	Now     func() time.Time
}

// maxDefaultWorkers holds what a default pool needs at once under 15 × 46 MiB = 690 MiB. It is still some 150 sign-ins a
// second; whoever needs more, and has the memory, sets the number.
const maxDefaultWorkers = 8

// DefaultWorkers is one fewer than the processors that Go may use (it honours the limit of a container), at least 1 and
// at most 8. A computation keeps one processor busy, so one stays for everybody else: a crowd that signs in waits in the
// queue, and those who are in notice nothing. With all processors hashing, a request that needs a tenth of a millisecond
// waits for tens of them.
func DefaultWorkers() int { return min(max(1, runtime.GOMAXPROCS(0)-1), maxDefaultWorkers) }

// DefaultMaxWait is the longest expected wait of the queue: beyond it people press the button again, which only
// makes the queue longer.
const DefaultMaxWait = 5 * time.Second

const (
	// seedPace is where the estimate begins, in time for each KiB written: 0.65 µs, that is 31 ms for the default
	// password cost, as small servers take. The first computations correct it.
	seedPace = float64(650 * time.Nanosecond)
	// fastestPace is where it ends: 5 GiB/s, more than one processor writes. It keeps the queue bounded where
	// the clock stands still.
	fastestPace = float64(200 * time.Nanosecond)
	// Each computation moves the estimate by an eighth towards what it took, and counts for at most eight times
	// the estimate, so that a clock put forward by hours does not close the door for as long.
	paceWeight  = 1.0 / 8
	paceOutlier = 8
)

// Pool is the one place where argon2id is computed. It is safe for concurrent use.
type Pool struct {
	workers int
	maxWait time.Duration
	now     func() time.Time
	runs    atomic.Uint64

	mu      sync.Mutex
	free    int
	refused int       // so far
	pace    float64   // running average: nanoseconds for each KiB written
	running float64   // KiB to be written by the computations that run
	queued  float64   // KiB to be written by those that wait
	queue   []*waiter // first come, first served
}

// waiter is one that waits for a worker; ready is closed when it was given one.
type waiter struct {
	work  float64
	ready chan struct{}
}

// New makes a pool. It starts no goroutine: a computation runs in the goroutine of its caller.
func New(o Options) *Pool {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers()
	}
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the option's default
	}
	return &Pool{workers: o.Workers, maxWait: o.MaxWait, now: o.Now, free: o.Workers, pace: seedPace}
}

// Hash computes a new hash of secret, with a salt of its own, and gives it as a PHC string. It fails with ErrBusy when
// the queue is too long, with the context's error when that ends while waiting, and with a fault when params are out of
// bounds or the secret is longer than MaxSecret bytes (the caller's rules refuse such a secret before).
func (p *Pool) Hash(ctx context.Context, secret string, params Params) (string, error) {
	if err := params.check(); err != nil {
		return "", err
	}
	if len(secret) > MaxSecret {
		return "", fmt.Errorf("a secret of %d bytes is never hashed", len(secret))
	}
	var phc string
	var failed error
	if err := p.do(ctx, params.work(), func() { phc, failed = argon2id.CreateHash(secret, params.library()) }); err != nil {
		return "", err
	}
	return phc, failed
}

// Verify says whether secret is the one that phc was made of, comparing in constant time. A secret longer than
// MaxSecret bytes is none, and costs nothing. It fails with ErrBusy or the context's error as Hash does, and with
// ErrHash when phc is malformed or out of bounds: then nothing was computed.
func (p *Pool) Verify(ctx context.Context, secret, phc string) (bool, error) {
	params, _, _, err := decode(phc)
	if err != nil {
		return false, err
	}
	if len(secret) > MaxSecret {
		return false, nil
	}
	var same bool
	var failed error
	if err := p.do(ctx, params.work(), func() { same, failed = argon2id.ComparePasswordAndHash(secret, phc) }); err != nil {
		return false, err
	}
	return same, failed
}

// Admit fails with ErrBusy where somebody who came now would be refused. It takes no place: it is for who has work to do
// before the hashing that would be for nothing.
func (p *Pool) Admit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusal()
}

// Workers is how many computations run at once.
func (p *Pool) Workers() int { return p.workers }

// Runs is the number of argon2id computations so far, running ones included.
func (p *Pool) Runs() uint64 { return p.runs.Load() }

// do runs compute on a worker. Because it runs here, and not in a goroutine that a cancelled caller could leave behind,
// the worker is given back only when the computation has ended.
func (p *Pool) do(ctx context.Context, work float64, compute func()) error {
	if err := p.acquire(ctx, work); err != nil {
		return err
	}
	p.runs.Add(1)
	start := p.now()
	left.begin(work)
	defer func() {
		left.end(work, p.workers)
		p.release(work, p.now().Sub(start))
	}()
	compute()
	return nil
}

// wait is how long somebody who came now would wait for a worker. The caller holds mu.
func (p *Pool) wait() time.Duration {
	return time.Duration(p.pace * (p.running + p.queued) / float64(p.workers))
}

func (p *Pool) acquire(ctx context.Context, work float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.free > 0 && len(p.queue) == 0 {
		p.free--
		p.running += work
		p.mu.Unlock()
		return nil
	}
	if err := p.refusal(); err != nil {
		p.mu.Unlock()
		return err
	}
	w := &waiter{work: work, ready: make(chan struct{})}
	p.queue = append(p.queue, w)
	p.queued += work
	p.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.queue {
		if other == w {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			p.queued -= work
			return ctx.Err()
		}
	}
	// The worker was handed over in the very moment the caller gave up: pass it on.
	p.running -= work
	p.handOn()
	return ctx.Err()
}

// refusal is ErrBusy where the wait for a worker would be too long. Those refused one after the other are asked to come
// back a second apart, over as long as a queue takes: a crowd that comes back as one is no smaller than before. The caller
// holds mu.
func (p *Pool) refusal() error {
	if p.free > 0 && len(p.queue) == 0 {
		return nil
	}
	expected := p.wait()
	if expected <= p.maxWait {
		return nil
	}
	apart := time.Duration(p.refused%max(1, int(p.maxWait/time.Second))) * time.Second
	p.refused++
	return ErrBusy.After(max(expected-p.maxWait, time.Second).Round(time.Second) + apart)
}

func (p *Pool) release(work float64, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took >= 0 { // a clock put back says nothing
		sample := min(float64(took)/work, p.pace*paceOutlier)
		p.pace = max(p.pace+(sample-p.pace)*paceWeight, fastestPace)
	}
	p.running -= work
	p.handOn()
}

// handOn gives a worker that has become free to the first in the queue. The caller holds mu.
func (p *Pool) handOn() {
	if len(p.queue) == 0 {
		p.free++
		return
	}
	w := p.queue[0]
	p.queue = p.queue[1:]
	p.queued -= w.work
	p.running += w.work
	close(w.ready)
}
