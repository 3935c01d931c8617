package mail

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/secondstep/secondstep/server/database"
)

const (
	lookEvery = 5 * time.Second // how often an instance looks for mail that is due
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
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if _, err := m.Deliver(ctx); err != nil && ctx.Err() == nil {
			m.Logger.ErrorContext(ctx, "sending mail failed", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// Deliver sends what is due and answers how many mails the mail server took. A round ends with the first that it does
// not take: the next would most likely meet the same.
func (m *Mail) Deliver(ctx context.Context) (sent int, err error) {
	if m.Settings == nil {
		return 0, nil
	}
	for range atOnce {
		mine, err := m.next(ctx)
		if err != nil || mine == nil {
			return sent, err
		}
		took, err := m.deliver(ctx, mine)
		if err != nil || !took {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

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
func (m *Mail) deliver(ctx context.Context, mine *row) (took bool, err error) {
	after := context.WithoutCancel(ctx) // what became of it is noted though the instance stops
	if mine.stale(m.Now()) {
		return false, m.giveUp(after, mine, "")
	}
	failed := m.send(ctx, mine)
	problem := discreet(failed, mine.Address)
	switch {
	case failed == nil:
		return true, m.Database.Write(after, func(ctx context.Context, tx database.Tx) error { return markSent(ctx, tx, mine.ID) })
	case ctx.Err() != nil:
		return false, m.Database.Write(after, func(ctx context.Context, tx database.Tx) error { return giveBack(ctx, tx, mine) })
	case !m.Now().Before(mine.end()):
		return false, m.giveUp(after, mine, problem)
	}
	m.Logger.WarnContext(ctx, "a mail waits, as the mail server did not take it",
		"mail", mine.ID, "kind", string(mine.Kind), "tries", mine.Tries, "problem", problem)
	return false, m.Database.Write(after, func(ctx context.Context, tx database.Tx) error { return postpone(ctx, tx, mine, problem) })
}

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
			err = fmt.Errorf("panic: %v", value)
			m.Logger.ErrorContext(ctx, "panic while a mail was sent", "cause", err, "stack", string(debug.Stack()))
		}
	}()
	letter, err := m.write(ctx, mine)
	if err != nil {
		return err
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
