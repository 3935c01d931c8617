// Package factor says what something that can prove the second step is to the rest of the product.
//
// Signing in, fresh proof and the Security page go through Factor and through nothing else; each implementation has a
// folder of its own with its rules and its rows, and one line of wiring in server.go.
package factor

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/web"
)

// Kind is the machine name of a factor, as it stands in methods, events and sessions.
type Kind string

// Attempt is one thing that a person sent as a second step.
type Attempt struct {
	UserID     string
	Response   string // as it was sent
	Client     web.Client
	BrowserNow time.Time // what the browser's clock said, for the diagnosis alone; zero when it did not say
}

// Factor is one way to prove the second step.
type Factor interface {
	Kind() Kind
	// Recognises reports whether the response has the shape of this factor's. It reads nothing.
	Recognises(response string) bool
	// Quick looks for what the attempt would spend, where that is cheap. Nil means: not found, or not cheap; the try
	// is then counted before Examine is called.
	Quick(ctx context.Context, attempt Attempt) (Finding, error)
	// Examine does the work that a counted try has paid for, outside any transaction.
	Examine(ctx context.Context, attempt Attempt) (Finding, error)
	// Held lists what the person can prove the second step with; nothing that is pending or over.
	Held(ctx context.Context, db bun.IDB, userID string) ([]Held, error)
	// Rename calls one held thing otherwise; false where the person holds no such thing of this kind.
	Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error)
	// Remove ends one held thing; false where the person holds no such thing of this kind.
	Remove(ctx context.Context, tx database.Tx, userID, id string) (bool, error)
	// Forget ends everything of the person's that this factor keeps, because 2-step verification goes off.
	Forget(ctx context.Context, tx database.Tx, userID string) error
	// Prune deletes rows whose time is over.
	Prune(ctx context.Context, tx database.Tx) error
}

// Finding is what an examination found: something to spend, or why there is nothing.
type Finding interface {
	// Spend makes the one-way change of an accepted response, or answers why it is refused, within the transaction
	// that also counts it and opens what it opens. It may be run again.
	Spend(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error)
}

// Held is something that a person holds.
type Held struct {
	ID         string
	Kind       Kind
	Name       string
	Label      string // what the person sees elsewhere, such as the entry in an authenticator app; may be empty
	AddedAt    database.Instant
	LastUsedAt database.Instant // zero: never
	Remaining  int              // of Total, where the factor is a set of one-time things
	Total      int
}

// Set are the factors of the installation, in the order in which they are asked for.
type Set []Factor

// For answers the factor whose shape the response has; nil where it has none's.
func (s Set) For(response string) Factor {
	for _, one := range s {
		if one.Recognises(response) {
			return one
		}
	}
	return nil
}

// Held lists everything that the person holds, in the order in which it is asked for.
func (s Set) Held(ctx context.Context, db bun.IDB, userID string) ([]Held, error) {
	var all []Held
	for _, one := range s {
		held, err := one.Held(ctx, db, userID)
		if err != nil {
			return nil, err
		}
		all = append(all, held...)
	}
	return all, nil
}

// Methods are the kinds that can prove a second step with what is held, each once.
func Methods(held []Held) []Kind {
	var kinds []Kind
	for _, one := range held {
		if one.Total > 0 && one.Remaining == 0 {
			continue
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != one.Kind {
			kinds = append(kinds, one.Kind)
		}
	}
	return kinds
}

// Rename calls one thing that the person holds otherwise; false where there is no such thing.
func (s Set) Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error) {
	for _, one := range s {
		if done, err := one.Rename(ctx, tx, userID, id, name); err != nil || done {
			return done, err
		}
	}
	return false, nil
}

// Remove ends one thing that the person holds and answers its kind; empty where there is no such thing.
func (s Set) Remove(ctx context.Context, tx database.Tx, userID, id string) (Kind, error) {
	for _, one := range s {
		if done, err := one.Remove(ctx, tx, userID, id); err != nil || done {
			return one.Kind(), err
		}
	}
	return "", nil
}

// Forget ends every factor of the person.
func (s Set) Forget(ctx context.Context, tx database.Tx, userID string) error {
	for _, one := range s {
		if err := one.Forget(ctx, tx, userID); err != nil {
			return err
		}
	}
	return nil
}

// Prune deletes what is over of every factor.
func (s Set) Prune(ctx context.Context, tx database.Tx) error {
	for _, one := range s {
		if err := one.Prune(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
