package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

const setupFor = time.Hour

type setupLink struct {
	bun.BaseModel `bun:"table:setup_links"`

	TokenHash []byte           `bun:"token_hash,pk"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
}

// IssueSetupLink makes this start's one-time token for the first administrator; empty when there is one already.
func (s *SignIn) IssueSetupLink(ctx context.Context) (string, error) {
	set, err := account.HasAdministrator(ctx, s.Database.Read())
	if err != nil || set {
		return "", err
	}
	token, err := session.NewToken(s.Random)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(token)
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		link := setupLink{TokenHash: hash[:], CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(setupFor))}
		if _, err := tx.NewInsert().Model(&link).Exec(ctx); err != nil {
			return fmt.Errorf("issue a setup link: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(token), nil
}

// setup makes the first administrator and signs them in. The link is looked at before the password is hashed, so that
// strangers cost nothing, and spent in the transaction that makes the person (security.md row 9).
func (s *SignIn) setup(ctx context.Context, caller web.Caller, link, name, email, password string) (session.Token, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil {
		return nil, ErrSetupLink
	}
	hash := sha256.Sum256(raw)
	alive := func(db bun.IDB, now time.Time) (bool, error) {
		return db.NewSelect().Model((*setupLink)(nil)).Where("token_hash = ? AND expires_at > ?", hash[:], database.At(now)).Exists(ctx)
	}
	valid, err := alive(s.Database.Read(), s.Now())
	if err != nil {
		return nil, fmt.Errorf("look up a setup link: %w", err)
	}
	if !valid {
		return nil, ErrSetupLink
	}
	if fields := account.CheckIdentity(name, email); len(fields) > 0 {
		return nil, account.ErrInvalid.For(append(fields, s.Passwords.Check(ctx, password, name, email)...)...)
	}
	hashed, err := s.Passwords.New(ctx, password, name, email)
	if err != nil {
		return nil, err
	}
	var token session.Token
	err = s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.HoldInstallation(ctx, tx); err != nil {
			return err
		}
		spent, err := database.Touched(tx.NewDelete().Model((*setupLink)(nil)).
			Where("token_hash = ? AND expires_at > ?", hash[:], database.At(tx.Now)).Exec(ctx))
		if err != nil {
			return fmt.Errorf("spend a setup link: %w", err)
		}
		first, err := account.ClaimFirstAdministrator(ctx, tx)
		if err != nil {
			return err
		}
		if spent != 1 || !first {
			return ErrSetupLink
		}
		user, err := account.Create(ctx, tx, account.New{Name: name, Email: email, Role: account.Administrator, PasswordHash: hashed})
		if err != nil {
			return err
		}
		event := audit.From(caller.Client).About(user.ID).Is(audit.Setup, audit.OK)
		event.Actor = user.ID
		opened, completed, err := s.open(ctx, tx, caller, user, "", web.Password)
		if err != nil {
			return err
		}
		token = opened
		return audit.Record(ctx, tx, event, completed)
	})
	if errors.Is(err, account.ErrEmailTaken) {
		// A member added on the console has the address; only the console can say what to do with them.
		return nil, account.ErrEmailTaken
	}
	return token, err
}
