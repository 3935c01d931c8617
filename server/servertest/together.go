package servertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/totp"
)

// Names of the cookies over http; over https they have the prefix __Host-.
const (
	SessionCookie = "secondstep_session"
	PendingCookie = "secondstep_pending"
)

// Together calls act n times at once, with 0 to n-1, and returns when all have. None begins before all are ready.
func Together(n int, act func(n int)) {
	barrier := make(chan struct{})
	var ready, done sync.WaitGroup
	for turn := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-barrier
			act(turn)
		})
	}
	ready.Wait()
	close(barrier)
	done.Wait()
}

// Beside starts a second instance where there can be one: on PostgreSQL. Browsers opened from now on use both in turn.
func (in *Installation) Beside() {
	in.t.Helper()
	if in.Postgres {
		in.Another()
	}
}

// On is one of the instances, for callers that count.
func (in *Installation) On(n int) *Instance { return in.Instances[n%len(in.Instances)] }

// Runs is the number of argon2id computations of all instances so far.
func (in *Installation) Runs() uint64 {
	var sum uint64
	for _, instance := range in.Instances {
		sum += instance.Hashes.Runs()
	}
	return sum
}

// Holding the value of a cookie and nothing else, a browser replays what was taken from another one.
func (in *Installation) Holding(cookie, value string) *Client {
	in.t.Helper()
	thief := in.Browser(Safari)
	thief.Plant(cookie, value)
	return thief
}

// Wrong is a code of six digits that means nothing: none that this phone showed or will show within 15 hours. Other
// numbers give other codes.
func (p *Phone) Wrong(n int) string {
	now := totp.Step(p.clock.Now())
	const around = 15 * 60 * 2 // steps
	for guess := 100_003 + 7919*n; ; guess++ {
		code := fmt.Sprintf("%06d", guess%1_000_000)
		if len(totp.Match(p.Secret, code, now-around, now+around)) == 0 {
			return code
		}
	}
}

// CodeUnlike is what the phone shows at the first moment from now on at which none of the others has shown it, or will,
// within 15 hours: what is said of a code is said of the likeliest phone.
func (p *Phone) CodeUnlike(others ...*Phone) string {
	const around = 15 * 60 * 2 // steps
	for ; ; p.clock.NextStep() {
		code, now := p.Code(), totp.Step(p.clock.Now())
		if !slices.ContainsFunc(others, func(other *Phone) bool { return len(totp.Match(other.Secret, code, now-around, now+around)) > 0 }) {
			return code
		}
	}
}

// WrongBackupCode has the right shape and is nobody's.
const WrongBackupCode = "7ZZZZ-ZZZZZ-ZZZZZ"

// SetPassword gives somebody a new password, as the console does.
func (in *Installation) SetPassword(userID, password string) {
	in.t.Helper()
	first := in.First()
	hash, err := first.Passwords.Pool.Hash(context.Background(), password, first.Passwords.Cost)
	if err != nil {
		in.t.Fatal(err)
	}
	err = first.Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
		return first.SignIn.SetPassword(ctx, tx, audit.FromConsole(), userID, hash)
	})
	if err != nil {
		in.t.Fatal(err)
	}
}

// Open runs statements in a transaction and leaves it open until release is called, which commits it: what another
// request has done and not finished.
func (in *Installation) Open(statements ...string) (release func()) {
	in.t.Helper()
	open, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		once := sync.OnceFunc(func() { close(open) })
		defer once()
		ended <- in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
			for _, statement := range statements {
				if _, err := tx.NewRaw(statement).Exec(ctx); err != nil {
					return err
				}
				if err := recount(ctx, tx, statement); err != nil {
					return err
				}
			}
			once()
			<-finish
			return nil
		})
	}()
	<-open
	return sync.OnceFunc(func() {
		in.t.Helper()
		close(finish)
		if err := <-ended; err != nil {
			in.t.Fatal(err)
		}
	})
}

// Blocked returns when so many transactions wait for what an open one holds. On SQLite it returns at once: there every
// write waits for the one before it, seen or not.
func (in *Installation) Blocked(n int) {
	in.t.Helper()
	if !in.Postgres {
		return
	}
	look := time.NewTicker(2 * time.Millisecond) // what is waited for has the processor meanwhile
	defer look.Stop()
	for hopeless := time.Now().Add(time.Minute); ; <-look.C {
		waiting := in.Column(`SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if len(waiting) >= n {
			return
		}
		if time.Now().After(hopeless) {
			in.t.Fatalf("%d transactions wait, not %d", len(waiting), n)
		}
	}
}
