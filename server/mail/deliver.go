package mail

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/secondstep/secondstep/server/database"
)

const (
	lookEvery = 5 * time.Second // how often an instance looks for mail that is due
	restFor   = time.Minute     // instead, after the mail server or the database did not answer
	// claimFor is longer than a mail can take, so that nobody else sends it meanwhile.
	claimFor = 2 * time.Minute
	// atOnce bounds a round, after which the instance looks whether it is to stop.
	atOnce = 100
)

// A mail that was not taken waits, and each time twice as long.
const (
	firstWait   = time.Minute
	longestWait = 6 * time.Hour
)

func wait(tries int) time.Duration {
	return min(firstWait<<min(max(0, tries-1), 9), longestWait) // 2⁹ minutes are more than the longest
}

// Keep sends what is due until ctx ends. Nothing that happens in it ends it: a mail server that never answers costs it
// time, and nobody else (row 79).
func (m *Mail) Keep(ctx context.Context) {
	if m.Settings == nil {
		return
	}
	for ctx.Err() == nil {
		_, down, err := m.round(ctx)
		if err != nil && ctx.Err() == nil {
			m.Logger.ErrorContext(ctx, "sending mail failed", "cause", err)
		}
		pause := lookEvery
		if down || err != nil {
			pause = restFor
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Deliver sends what is due and answers how many mails the mail server took.
func (m *Mail) Deliver(ctx context.Context) (sent int, err error) {
	if m.Settings == nil {
		return 0, nil
	}
	sent, _, err = m.round(ctx)
	return sent, err
}

// round goes through the mails that are due, and ends where the mail server is down: the next would meet the same. A
// mailbox that it refuses is in nobody else's way.
func (m *Mail) round(ctx context.Context) (sent int, down bool, err error) {
	if m.Prepare != nil {
		if err := m.Prepare(ctx); err != nil && ctx.Err() == nil { // what is queued already waits no longer for that
			m.Logger.ErrorContext(ctx, "preparing mail failed", "cause", err)
		}
	}
	for range atOnce {
		mine, err := m.next(ctx)
		if err != nil || mine == nil {
			return sent, false, err
		}
		switch fate, err := m.deliver(ctx, mine); {
		case err != nil:
			return sent, false, err
		case fate == serverDown:
			return sent, true, nil
		case fate == taken:
			sent++
		}
	}
	return sent, false, nil
}

// fate is what became of a mail for now.
type fate int

const (
	taken fate = iota
	refused
	serverDown
)

// next claims a mail; nil where none is due.
func (m *Mail) next(ctx context.Context) (mine *row, err error) {
	if found, err := due(ctx, m.Database.Read(), m.Now()); err != nil || !found {
		return nil, err
	}
	err = m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		mine, err = claim(ctx, tx)
		return err
	})
	return mine, err
}

// deliver sends a claimed mail, or puts it off, or gives it up.
func (m *Mail) deliver(ctx context.Context, mine *row) (fate, error) {
	after := context.WithoutCancel(ctx) // what became of it is noted though the instance stops
	note := func(change func(ctx context.Context, tx database.Tx) error) error {
		return m.Database.Write(after, change)
	}
	if mine.stale(m.Now()) {
		return refused, m.giveUp(after, mine, "")
	}
	failed := m.send(ctx, mine)
	if failed == nil {
		return taken, note(func(ctx context.Context, tx database.Tx) error { return markSent(ctx, tx, mine.ID) })
	}
	if ctx.Err() != nil {
		return serverDown, note(func(ctx context.Context, tx database.Tx) error { return giveBack(ctx, tx, mine) })
	}
	became := serverDown
	if errors.As(failed, new(ownFault)) {
		became = refused
	}
	problem := discreet(failed, mine.Address)
	if !m.Now().Before(mine.end()) {
		return became, m.giveUp(after, mine, problem)
	}
	m.Logger.WarnContext(ctx, "a mail waits, as the mail server did not take it",
		"mail", mine.ID, "kind", string(mine.Kind), "tries", mine.Tries, "problem", problem)
	return became, note(func(ctx context.Context, tx database.Tx) error { return postpone(ctx, tx, mine, problem) })
}

// ownFault is a failure that is this mail's alone: its mailbox, or how it was written.
type ownFault struct{ error }

// giveUp ends a mail that nobody took for days, and puts on record that the person does not know.
func (m *Mail) giveUp(ctx context.Context, mine *row, problem string) error {
	ended := false
	err := m.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		if ended, err = giveUp(ctx, tx, mine.ID, problem); err != nil || !ended {
			return err
		}
		return m.GaveUp(ctx, tx, mine.UserID, mine.Kind)
	})
	if ended && err == nil {
		m.Logger.ErrorContext(ctx, "a mail was given up: see secondstep mail test",
			"mail", mine.ID, "kind", string(mine.Kind), "user", mine.UserID, "tries", mine.Tries, "problem", problem)
	}
	return err
}

// send writes the letter and hands it over. A panic in it is a failure like any other, so that the mail behind it gets
// its turn.
func (m *Mail) send(ctx context.Context, mine *row) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = ownFault{fmt.Errorf("panic: %v", value)}
			m.Logger.ErrorContext(ctx, "panic while a mail was sent", "cause", err, "stack", string(debug.Stack()))
		}
	}()
	letter, err := m.write(ctx, mine)
	if err != nil {
		return ownFault{err}
	}
	_, err = m.Settings.hand(ctx, letter, m.Now())
	return err
}

// discreet is what went wrong as it may be kept and logged: one short line without the address.
func discreet(err error, address string) string {
	if err == nil {
		return ""
	}
	words := strings.FieldsFunc(err.Error(), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	for n, word := range words {
		if strings.Contains(word, "@") || strings.EqualFold(word, address) {
			words[n] = "…"
		}
	}
	line := []rune(strings.Join(words, " "))
	return string(line[:min(len(line), 300)])
}
