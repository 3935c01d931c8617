// Package clock watches the server's clock against the browsers of people who sign in well.
//
// A right code proves that the phone's clock and ours are about the same; the browser is a third witness, and most of
// them are set by a time server. Each instance keeps what they say for an hour, in memory, as differences alone: not
// whose they are. Where the middle one of them is far from ours, it is our clock that looks wrong. A clock that is so
// wrong that it refuses everybody's codes is heard of too: there a phone and its browser agree on another time than ours.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/secondstep/secondstep/server/database"
)

const (
	// Tolerated is how far off a clock may be. A code is accepted for a step of 30 seconds on each side.
	Tolerated = 30 * time.Second
	// minutes is for how many of them a difference counts.
	minutes = 60
	// ofOne is how many differences are kept of one minute, so that a crowd, or one person who tries often, is not the
	// middle of an hour.
	ofOne = 10
	// least is how many differences say something together.
	least = 5
	// believed is what no clock that people sign in by is off: a browser that says more was set by somebody.
	believed = 24 * time.Hour
	// lookEvery is how often they are looked at.
	lookEvery = time.Minute
	// jumped is how far a clock goes astray between two looks only where somebody has set it.
	jumped = 10 * time.Second
)

// Watch is one instance's watch of its own clock. It is safe for concurrent use.
type Watch struct {
	db     *database.Database
	host   string
	now    func() time.Time
	logger *slog.Logger
	passed func(from, to time.Time) time.Duration // however the clock was set meanwhile

	mu    sync.Mutex
	heard [minutes]minute
	state state

	looking  sync.Mutex // one look at a time
	looked   time.Time
	instance string // in the table; empty while nothing is there
	warned   bool
}

// minute is what was heard within one of them.
type minute struct {
	is    int64 // minutes since 1970
	count int
	off   [ofOne]time.Duration // the server's time less the browser's
}

// state is what the last look found.
type state struct {
	off     time.Duration // minus is behind
	samples int           // fewer than least: nothing is known
}

// New prepares a watch. The host is a name by which administrators find the machine.
func New(db *database.Database, host string, now func() time.Time, logger *slog.Logger) *Watch {
	return &Watch{db: db, host: host, now: now, logger: logger, passed: func(from, to time.Time) time.Duration { return to.Sub(from) }}
}

// Heard keeps what a browser said its time was at a moment of ours; a zero time says nothing.
func (w *Watch) Heard(browser, here time.Time) {
	if browser.IsZero() {
		return
	}
	if off := here.Sub(browser); off.Abs() < believed {
		w.Differs(off, here)
	}
}

// Differs keeps by how much the server's time is after that of somebody who is to be believed.
func (w *Watch) Differs(off time.Duration, here time.Time) {
	is := here.Unix() / 60
	w.mu.Lock()
	defer w.mu.Unlock()
	slot := &w.heard[((is%minutes)+minutes)%minutes]
	if slot.is != is {
		slot.is, slot.count = is, 0
	}
	if slot.count < ofOne {
		slot.off[slot.count] = off
		slot.count++
	}
}

// Off is how far the clock looks off, as of the last look, to the second: minus is behind, and zero that nothing is wrong
// or that too little is known.
func (w *Watch) Off() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.samples < least || w.state.off.Abs() <= Tolerated {
		return 0
	}
	return w.state.off.Round(time.Second)
}

// Keep looks every minute until ctx ends, and then takes back what it said.
func (w *Watch) Keep(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.logger.ErrorContext(ctx, "what is known of the clock could not be kept", "cause", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			if err := w.withdraw(last); err != nil {
				w.logger.ErrorContext(last, "what is known of the clock could not be taken back", "cause", err)
			}
			cancel()
			return
		case <-look.C:
		}
	}
}

// Look works out what the last hour says, logs it where that is new, and keeps it for whichever instance is asked.
func (w *Watch) Look(ctx context.Context) error {
	w.looking.Lock()
	defer w.looking.Unlock()
	now := w.now()
	found := w.consider(now)
	off := w.Off()
	switch {
	case off != 0 && !w.warned:
		w.warned = true
		w.logger.WarnContext(ctx, "the server's clock looks wrong to the browsers of those who sign in: have it set by a time server (NTP)",
			"offset_seconds", int(off/time.Second), "samples", found.samples)
	case off == 0 && w.warned && found.samples >= least:
		w.warned = false
		w.logger.InfoContext(ctx, "the server's clock looks right again", "samples", found.samples)
	}
	if found.samples < least {
		return w.withdraw(ctx)
	}
	return w.tell(ctx, found, now)
}

// consider finds the middle of what was heard within the hour.
func (w *Watch) consider(now time.Time) state {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.looked.IsZero() && (now.Round(0).Sub(w.looked.Round(0))-w.passed(w.looked, now)).Abs() > jumped {
		w.heard = [minutes]minute{} // the clock was set: what was heard is of another one
	}
	w.looked = now
	oldest := now.Unix()/60 - minutes
	var all []time.Duration
	for n := range w.heard {
		if one := &w.heard[n]; one.is > oldest {
			all = append(all, one.off[:one.count]...)
		}
	}
	w.state = state{samples: len(all)}
	if len(all) > 0 {
		slices.Sort(all)
		w.state.off = all[len(all)/2]
	}
	return w.state
}

// right is what time it is by the browsers, as far as they are known: an instance whose clock is wrong would else be read
// as one that said nothing for long.
func (w *Watch) right(now time.Time) database.Instant {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.samples < least {
		return database.At(now)
	}
	return database.At(now.Add(-w.state.off))
}

// tell writes what was found where every instance reads it, and deletes what instances that are gone have left.
func (w *Watch) tell(ctx context.Context, found state, now time.Time) error {
	at := w.right(now)
	err := w.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if w.instance == "" {
			w.instance = tx.NewID()
		}
		_, err := tx.NewRaw(`INSERT INTO clocks (instance, host, median_ms, samples, at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (instance) DO UPDATE SET median_ms = excluded.median_ms, samples = excluded.samples, at = excluded.at`,
			w.instance, w.host, found.off.Milliseconds(), found.samples, at).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("DELETE FROM clocks WHERE at < ?", at-database.Instant(time.Hour.Milliseconds())).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep what is known of the clock: %w", err)
	}
	return nil
}

// withdraw deletes what this instance has told.
func (w *Watch) withdraw(ctx context.Context) error {
	if w.instance == "" {
		return nil
	}
	err := w.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		_, err := tx.NewRaw("DELETE FROM clocks WHERE instance = ?", w.instance).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("take back what is known of the clock: %w", err)
	}
	w.instance = ""
	return nil
}
