package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// LinkFor is how long an enrolment link is good for.
const LinkFor = 72 * time.Hour

// ByLink is what a session was opened with besides the password, where it was an enrolment link. It is no factor, and no
// proof that is good for everything.
const ByLink = "enrolment_link"

// enrolmentLink lets somebody whose factors are gone enrol anew, once, together with the password (security.md, decisions).
type enrolmentLink struct {
	bun.BaseModel `bun:"table:enrolment_links,alias:l"`

	UserID    string           `bun:"user_id,pk"`
	TokenHash []byte           `bun:"token_hash"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
}

// IssueEnrolmentLink makes the person's link, whose token is answered and stored nowhere; one of before is void.
func (s *SignIn) IssueEnrolmentLink(ctx context.Context, tx database.Tx, userID string) (string, error) {
	token, err := session.NewToken(s.Random)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(token)
	link := enrolmentLink{
		UserID: userID, TokenHash: hash[:], CreatedAt: database.At(tx.Now), ExpiresAt: database.At(tx.Now.Add(LinkFor)),
	}
	if err := VoidEnrolmentLink(ctx, tx, userID); err != nil {
		return "", err
	}
	if _, err := tx.NewInsert().Model(&link).Exec(ctx); err != nil {
		return "", fmt.Errorf("issue an enrolment link: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(token), nil
}

// VoidEnrolmentLink ends the person's link, if there is one.
func VoidEnrolmentLink(ctx context.Context, tx database.Tx, userID string) error {
	if _, err := tx.NewDelete().Model((*enrolmentLink)(nil)).Where("user_id = ?", userID).Exec(ctx); err != nil {
		return fmt.Errorf("void an enrolment link: %w", err)
	}
	return nil
}

// LinkUntil is until when the person's link is good; zero where they have none.
func LinkUntil(ctx context.Context, db bun.IDB, userID string, now time.Time) (database.Instant, error) {
	var until []database.Instant
	err := db.NewSelect().Model((*enrolmentLink)(nil)).Column("expires_at").
		Where("user_id = ? AND expires_at > ?", userID, database.At(now)).Scan(ctx, &until)
	if err != nil {
		return 0, fmt.Errorf("look up an enrolment link: %w", err)
	}
	if len(until) == 0 {
		return 0, nil
	}
	return until[0], nil
}

// spendLink uses the person's link: one conditional write, so that of two at once one finds it gone. Another person's
// stays as it is.
func spendLink(ctx context.Context, tx database.Tx, userID, link string) (bool, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil {
		return false, nil //nolint:nilerr // no link of ours reads like this
	}
	hash := sha256.Sum256(raw)
	touched, err := database.Touched(tx.NewDelete().Model((*enrolmentLink)(nil)).
		Where("user_id = ? AND token_hash = ? AND expires_at > ?", userID, hash[:], database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("spend an enrolment link: %w", err)
	}
	return touched == 1, nil
}

type linkInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the fragment of the enrolment link."`
	}
}

func (s *SignIn) registerLink(api *web.API, operation describe) {
	redeem := operation("sign-in-enrolment-link", http.MethodPost, "/api/v1/sign-in/enrolment-link", "Give an enrolment link")
	redeem.Description = "After the password, where that answered `enrolment_link_required`, or where a request to get back in is approved: opens a session that may do nothing but enrol. " +
		"410 `enrolment_link_expired` for a link that is not this person's, was used, is too old or was replaced by a newer one."
	web.Register(api, web.Pending, redeem,
		func(ctx context.Context, caller web.Caller, in *linkInput) (*stepOutput, error) {
			token, err := s.redeem(ctx, caller, in.Body.Token)
			if err != nil {
				return nil, err
			}
			return &stepOutput{
				SetCookie: []http.Cookie{api.SessionCookie(token), api.ClearPending()},
				Body:      Step{State: StateEnrolmentRequired},
			}, nil
		})
}

// redeem turns a pending sign-in into a session confined to enrolment. A link can't be guessed, so wrong ones count on the
// pending sign-in alone: who has the password and no link must not use up what the owner may try.
func (s *SignIn) redeem(ctx context.Context, caller web.Caller, link string) (session.Token, error) {
	var token session.Token
	var refusal error
	event := audit.By(caller).Is(audit.SignInLink, audit.OK)
	err := s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		token, refusal = nil, nil
		user, err := account.Hold(ctx, tx, caller.Pending.UserID)
		if err != nil {
			return err
		}
		_, over, err := reservePending(ctx, tx, caller.Pending.ID)
		if err != nil {
			return err
		}
		if over == nil && !user.DisabledAt.IsZero() {
			over = &diagnosis.Diagnosis{Reason: diagnosis.SignInExpired}
		}
		if over != nil {
			refusal = Refused(over)
			return nil
		}
		good := false
		if user.EnrolsByLink(tx.Now) { // a link of before, whose person has enrolled since, is void
			if good, err = spendLink(ctx, tx, user.ID, link); err != nil {
				return err
			}
		}
		if !good {
			refused := event.Is(event.Kind, audit.Refused)
			refused.Reason = ErrEnrolmentLink.Code
			refusal = ErrEnrolmentLink
			return audit.Record(ctx, tx, refused)
		}
		if _, err := closePending(ctx, tx, caller.Pending.ID); err != nil {
			return err // it is there: this transaction has counted on it
		}
		opened, completed, err := s.open(ctx, tx, caller, user, web.ConfinedToEnrolment, web.Password, ByLink)
		if err != nil {
			return err
		}
		token = opened
		return audit.Record(ctx, tx, event, completed)
	})
	s.noteFault(ctx, event, err)
	if err != nil {
		return nil, err
	}
	return token, refusal
}
