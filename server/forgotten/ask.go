package forgotten

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// How often may be asked (security.md row 47): for an address, known or not, as often as it may be mailed; from a network
// for as many as forget theirs in a company behind one address, and not for everybody.
var (
	forAddress  = budget.Budget{Of: "password asks for an address", Most: 5, FromLast: true}
	fromNetwork = budget.Budget{Of: "password asks from a network", Most: 60}
)

// ask is one who asks for a link and is not answered yet.
type ask struct {
	bun.BaseModel `bun:"table:password_asks,alias:a"`

	ID        string           `bun:"id,pk"`
	UserID    string           `bun:"user_id,nullzero"` // nobody, where none can be sent
	CreatedAt database.Instant `bun:"created_at"`
	Browser   string           `bun:"browser"`
	Address   string           `bun:"address"`
	RequestID string           `bun:"request_id"`
}

// over reports whether nobody waits for it any more: no mail was sent for so long.
func (a *ask) over(now time.Time) bool { return now.Sub(a.CreatedAt.Time()) >= account.PasswordLinkFor }

// addAsk is one statement that adds one row, whoever the address is of. Who has not joined has an invitation, and who is
// disabled has no way in.
var addAsk = database.Prepare(`INSERT INTO password_asks (id, user_id, created_at, browser, address, request_id)
	VALUES (?, (SELECT id FROM users WHERE email_key = ? AND disabled_at IS NULL AND password_hash <> ''), ?, ?, ?, ?)`)

// ask lets a link be sent to the address, if it is somebody's. It neither looks at who that is nor waits for anything that
// depends on it.
func (f *Forgotten) ask(ctx context.Context, caller web.Caller, email string) error {
	if !f.Mail.Sends() {
		return mail.ErrNoServer
	}
	address, err := account.EmailKey(email)
	if err != nil {
		return account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_invalid"})
	}
	var wait time.Duration
	err = f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		// Nothing in it depends on whose address it is.
		if wait, err = fromNetwork.Spend(ctx, tx, caller.Network); err != nil || wait > 0 {
			return err
		}
		if wait, err = forAddress.Spend(ctx, tx, address); err != nil || wait > 0 {
			return err
		}
		from := ""
		if caller.Client.Address.IsValid() {
			from = caller.Client.Address.String()
		}
		_, err = addAsk.Exec(ctx, tx, tx.NewID(), address, int64(database.At(tx.Now)), caller.Browser, from, caller.RequestID)
		if err != nil {
			return fmt.Errorf("ask for a password link: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if wait > 0 {
		return ErrTooManyAsks.After(wait)
	}
	return nil
}

// claimAsk takes the oldest ask out of the table for whoever answers it in this transaction; nil where there is none, or
// another instance has it.
func claimAsk(ctx context.Context, tx database.Tx) (*ask, error) {
	var taken []ask
	err := tx.NewRaw(`DELETE FROM password_asks WHERE id = (SELECT id FROM password_asks ORDER BY id LIMIT 1)
		RETURNING id, user_id, created_at, browser, address, request_id`).Scan(ctx, &taken)
	if err != nil {
		return nil, fmt.Errorf("claim an ask: %w", err)
	}
	if len(taken) == 0 {
		return nil, nil
	}
	return &taken[0], nil
}

// asked reports whether an ask waits, so that looking for one writes nothing.
func asked(ctx context.Context, db bun.IDB) (bool, error) {
	found, err := db.NewSelect().Model((*ask)(nil)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for asks: %w", err)
	}
	return found, nil
}

// pruneAsks deletes what nobody has answered, where mail was switched off.
func pruneAsks(ctx context.Context, tx database.Tx) error {
	old := database.At(tx.Now.Add(-account.PasswordLinkFor))
	if _, err := tx.NewDelete().Model((*ask)(nil)).Where("created_at <= ?", old).Exec(ctx); err != nil {
		return fmt.Errorf("prune the asks: %w", err)
	}
	return nil
}

func forgetAsks(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*ask)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("forget the asks: %w", err)
	}
	return nil
}
