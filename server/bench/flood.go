package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/secondstep/secondstep/server/hashing"
)

// atOnce is how many people send their password at the same time.
const atOnce = 500

// flood measures the built program while everybody signs in: its memory, whom it refuses, and what it does meanwhile
// for those who are at their second step, or in.
func flood(b *bench) error {
	for _, kind := range b.kinds {
		if err := floodOn(b, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// side is something that goes on beside the flood.
type side struct {
	what string
	next func(count int) (func(n int) []byte, error) // requests for so many
	calm []time.Duration
	wild []time.Duration
}

func floodOn(b *bench, kind string) (err error) {
	const people = 4000
	in, err := b.open(kind, people)
	if err != nil {
		return err
	}
	if err := in.protect(); err != nil {
		return err
	}
	cookies, err := in.sessions(people)
	if err != nil {
		return err
	}
	// Those of the flood have the password alone; the built program has the real clock, so each person of the first
	// half gives one code.
	used := 0
	sides := []*side{
		{what: "second step", next: func(count int) (func(n int) []byte, error) {
			in.later.Store(-int64(60 * time.Second)) // pendings puts it forward again
			requests, err := in.pendingsFrom(used, count)
			used += count
			return requests, err
		}},
		{what: "session check", next: func(int) (func(n int) []byte, error) {
			return func(n int) []byte { return request("GET", "/api/v1/session", cookies[n%people], "") }, nil
		}},
	}
	if err := in.close(); err != nil {
		return err
	}
	if err := in.reopen(); err != nil { // beside the program, for the pending sign-ins
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()

	p, err := b.serve(in.config.Data, in.config.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	time.Sleep(time.Second)
	resting, err := p.memory("VmRSS")
	if err != nil {
		return err
	}
	measure := func(into func(*side) *[]time.Duration) error {
		for _, one := range sides {
			const count = 900
			next, err := one.next(count)
			if err != nil {
				return err
			}
			got, err := paced(p.address, count, next)
			if err == nil {
				err = got.refused()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", one.what, err)
			}
			*into(one) = got.each
		}
		return nil
	}
	if err := measure(func(s *side) *[]time.Duration { return &s.calm }); err != nil {
		return err
	}
	got, wildErr, err := b.during(p.address, func() error {
		return measure(func(s *side) *[]time.Duration { return &s.wild })
	})
	if err := errors.Join(err, wildErr); err != nil {
		return err
	}
	most, err := p.memory("VmHWM")
	if err != nil {
		return err
	}
	allowed := resting + poolMemory()
	// As many as can be computed within 5 s must not be refused.
	expected := hashing.DefaultMaxWait.Seconds() * got.pace
	b.table.add(line{
		what: fmt.Sprintf("memory, %d passwords at once, %s", atOnce, kind), ours: megabytes(most), reference: megabytes(allowed),
		ratio: fmt.Sprintf("%.2f", float64(most)/float64(allowed)), bar: "≤ 2.0",
	}, float64(most) <= 2*float64(allowed), []condition{
		{fmt.Sprintf("the first served (%d, of about %.0f in 5 s)", got.served, expected), float64(got.served) >= 0.8*min(expected, atOnce)},
		{fmt.Sprintf("the others 503 with Retry-After (%d)", got.busy), got.other == 0},
	})
	for _, one := range sides {
		b.table.atMost("p99 of a "+one.what+" during that flood, against without, "+kind, percentile(one.wild, 0.99), percentile(one.calm, 0.99), 3)
	}
	return nil
}

// flooded is what became of the flood.
type flooded struct {
	served, busy, other int     // of the first 500
	pace                float64 // computed in a second
}

// during lets 500 people send their passwords at once, and again as soon as they are answered, until act has ended.
func (b *bench) during(address string, act func() error) (flooded, error, error) {
	var all flooded
	var lock sync.Mutex
	var work sync.WaitGroup
	browsers := make([]*browser, atOnce)
	for n := range browsers {
		one, err := dial(address)
		if err != nil {
			return all, nil, err
		}
		defer one.conn.Close()
		browsers[n] = one
	}
	over := make(chan struct{})
	begin := make(chan struct{})
	var failed error
	total := 0
	for n, one := range browsers {
		work.Go(func() {
			<-begin
			text := passwordOf(2001 + n)
			for first := true; ; first = false {
				a, err := one.do(text)
				lock.Lock()
				var closed *net.OpError
				switch {
				case err != nil && !errors.As(err, &closed):
					failed = errors.Join(failed, err)
				case err == nil && a.StatusCode() == 200:
					total++
				}
				if first {
					switch {
					case err != nil:
						all.other++
					case a.StatusCode() == 200:
						all.served++
					case busy(a):
						all.busy++
					default:
						all.other++
					}
				}
				lock.Unlock()
				select {
				case <-over:
					return
				default:
				}
				if err != nil {
					return
				}
				if a.StatusCode() != 200 {
					seconds, _ := strconv.Atoi(string(a.Header.Peek(fasthttp.HeaderRetryAfter)))
					time.Sleep(time.Duration(max(1, seconds)) * time.Second)
				}
			}
		})
	}
	began := time.Now()
	close(begin)
	time.Sleep(time.Second) // until all have been read
	err := act()
	close(over)
	work.Wait()
	all.pace = float64(total) / time.Since(began).Seconds()
	return all, err, failed
}

// paced sends requests one after the other over four connections, each a little after the last, as people come.
func paced(address string, count int, next func(n int) []byte) (*load, error) {
	return crowd(address, 4, count, func(n int) []byte {
		time.Sleep(10 * time.Millisecond)
		return next(n)
	})
}
